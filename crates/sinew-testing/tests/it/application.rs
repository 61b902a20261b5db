//! The application under test.

use std::time::Duration;

use axum::extract::{Form, Query};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use sinew::prelude::*;
use sinew_testing::TestApp;

struct Board;

#[reflex]
impl Board {
    #[before]
    async fn gate(&self, cx: &mut Reflex) -> Result {
        match cx.element().dataset().get("gate") {
            Some("halt") => cx.halt(),
            Some("forbid") => cx.forbid(),
            _ => Ok(()),
        }
    }

    async fn count(&self, cx: &mut Reflex, step: Option<i64>) -> Result {
        let step = step.unwrap_or(1);
        cx.session()
            .update("count", move |count: i64| count + step)
            .await?;
        Ok(())
    }

    async fn search(&self, cx: &mut Reflex) -> Result {
        let query = cx.element().value().unwrap_or_default().to_owned();
        cx.morph("#found", format!("<ul id=found><li>{query}</li></ul>"));
        Ok(())
    }

    async fn tell(&self, cx: &mut Reflex) -> Result {
        let told = cx.element().value().unwrap_or_default().to_owned();
        let checked = cx.element().checked();
        cx.morph("#told", format!("<p id=told>{told} {checked}</p>"));
        Ok(())
    }

    async fn save(&self, cx: &mut Reflex) -> Result {
        let data = cx.data().form_data().into_owned();
        cx.morph_nothing();
        *cx.payload_mut() = json!({"form_data": data});
        Ok(())
    }

    async fn nothing(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }

    async fn fail(&self, _cx: &mut Reflex) -> Result {
        Err(sinew::Error::visible("the kettle is empty"))
    }

    async fn many(&self, cx: &mut Reflex) -> Result {
        let operations = cx.cable_ready();
        operations.append("#rows", "<tr><td>two</td></tr>");
        operations.add_css_class("#rows", "full");
        operations.set_value("#name", "set");
        operations.console_log("done");
        operations.remove("#gone");
        operations.text_content("#nowhere", "lost");
        cx.morph_nothing();
        Ok(())
    }

    async fn leave(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().redirect_to("/other");
        cx.morph_nothing();
        Ok(())
    }

    async fn push(&self, cx: &mut Reflex, address: String) -> Result {
        cx.cable_ready().push_state(address);
        cx.morph_nothing();
        Ok(())
    }

    async fn go(&self, cx: &mut Reflex, delta: i32) -> Result {
        cx.cable_ready().go(delta);
        cx.morph_nothing();
        Ok(())
    }

    async fn replace(&self, cx: &mut Reflex, address: String) -> Result {
        cx.cable_ready().replace_state(address);
        cx.morph_nothing();
        Ok(())
    }

    async fn work(&self, cx: &mut Reflex) -> Result {
        let sinew = cx.state::<SinewHandle>().clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let done = sinew.cable_ready();
            done.send("news", |it| it.inner_html("#news", "the job is done"))
                .await
        });
        cx.morph_nothing();
        Ok(())
    }
}

async fn index(session: Session, sinew: SinewHandle, client: ClientTags) -> Result<Html<String>> {
    let count: i64 = session.get_or_default("count").await?;
    let news = sinew.stream_from(&["news"]);
    Ok(Html(format!(
        r##"<!DOCTYPE html><html><head><title>Board</title>{client}</head><body>
        {news}
        <p id="count">{count}</p>
        <button id="increment" data-reflex="click->Board#count"><b id="inner">+</b></button>
        <button id="halted" data-gate="halt" data-reflex="click->Board#count">halt</button>
        <span data-gate="forbid"><button id="forbidden" data-reflex-dataset="parent" data-reflex="click->Board#count">no</button></span>
        <button id="fails" data-reflex="click->Board#fail">fail</button>
        <button id="many" data-reflex="click->Board#many">many</button>
        <button id="leave" data-reflex="click->Board#leave">leave</button>
        <button id="work" data-reflex="click->Board#work">work</button>
        <button id="idle">idle</button>
        <button id="off" disabled data-reflex="click->Board#count">off</button>
        <p id="news">no news</p>
        <p id="gone">gone soon</p>
        <table><tbody id="rows"><tr><td>one</td></tr></tbody></table>
        <input id="q" data-reflex="debounced:input->Board#search">
        <ul id="found"></ul>
        <input id="box" type="checkbox" value="yes" data-reflex="change->Board#tell">
        <select id="colour" data-reflex="change->Board#tell"><option value="r">red<option value="g">green</select>
        <p id="told"></p>
        <form id="person" data-reflex="submit->Board#save">
          <input id="name" name="name" value="Ada &amp; co">
          <textarea name="note"></textarea>
          <input type="checkbox" name="likes" value="tea" id="tea"><input type="checkbox" name="likes" value="milk" checked>
          <select name="size"><option>S</option><option selected>M</option></select>
          <input name="off" value="x" disabled>
          <input type="submit" name="commit" value="Save" id="save">
        </form>
        <form id="plain" method="post" action="/sent"><input name="word" value="hello"><button id="send">send</button></form>
        <form id="ask" action="/other"><input name="q" value="a b"><button id="get">get</button></form>
        <a id="within" href="#news">news</a>
        <a id="link" href="/other?q=1">other</a>
        </body></html>"##
    )))
}

#[derive(Deserialize)]
struct Asked {
    q: Option<String>,
}

async fn other(Query(asked): Query<Asked>) -> Html<String> {
    let q = asked.q.unwrap_or_default();
    Html(format!("<title>Other</title><p id=q>{q}</p>"))
}

async fn renew(session: Session) -> Redirect {
    session.renew_id();
    Redirect::to("/")
}

#[derive(Deserialize)]
struct Sent {
    word: String,
}

async fn sent(Form(sent): Form<Sent>) -> Redirect {
    Redirect::to(&format!("/other?q={}", sent.word))
}

pub(crate) fn app() -> TestApp {
    let app = Router::new()
        .route("/", get(index))
        .route("/other", get(other))
        .route("/renew", get(renew))
        .route("/sent", post(sent))
        .route(
            "/broken",
            get(async || (StatusCode::INTERNAL_SERVER_ERROR, "broken")),
        )
        .route(
            "/bare",
            get(async || Html("<button data-reflex='click->Board#count'>+</button>")),
        );
    TestApp::new(Sinew::new(app).reflex(Board))
}
