//! An application whose sessions live in their cookies: a page that shows what its session holds, and every way to
//! write to it. `e2e/tests/session_cookie.test.mjs` clicks it; with `SESSION=store` sessions are where they are by
//! default, and `e2e/tests/session_follow.test.mjs` does.
//!
//! It binds `127.0.0.1:$PORT`.

use axum::extract::Query;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use serde_json::Value;
use sinew::prelude::*;

#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

struct Fields;

#[reflex]
impl Fields {
    /// Writes the field that the clicked button names.
    async fn set(&self, cx: &mut Reflex) -> Result {
        let data = cx.element().dataset();
        let (name, value) = (data.get("name"), data.get("value"));
        let (name, value) = (name.unwrap_or_default(), value.unwrap_or_default());
        cx.session().set(name, &value).await?;
        Ok(())
    }

    /// Writes more than a cookie holds.
    async fn fill(&self, cx: &mut Reflex) -> Result {
        let noise = (0..2_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let noise: Vec<u64> = noise.collect();
        let refused = cx.session().set("noise", &noise).await;
        cx.session().set("refused", &refused.is_err()).await?;
        Ok(())
    }

    /// Shows what there is.
    async fn look(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    /// Signs somebody in, over the socket.
    async fn sign_in(&self, cx: &mut Reflex) -> Result {
        cx.session().renew_id();
        cx.session().set("user", "grace").await?;
        Ok(())
    }
}

async fn index(session: Session, client: ClientTags) -> Result<Markup> {
    let mut fields = Vec::new();
    for name in session.keys().await? {
        let value: Value = session.get_or_default(&name).await?;
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        fields.push((name, value));
    }
    Ok(page(&client, &fields))
}

fn page(client: &ClientTags, fields: &[(String, String)]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Cookies" }
                (client)
            }
            body {
                ul #fields { @for (name, value) in fields { li { (name) "=" (value) } } }
                @for (id, name, value) in [("a1", "a", "1"), ("a2", "a", "2"), ("b1", "b", "1")] {
                    button id=(id) data-reflex=(sinew::reflex!("click" => Fields::set)) data-name=(name) data-value=(value) { (name) "=" (value) }
                }
                button #look data-reflex=(sinew::reflex!("click" => Fields::look)) { "Look" }
                button #fill data-reflex=(sinew::reflex!("click" => Fields::fill)) { "Fill" }
                button #reflex-in data-reflex=(sinew::reflex!("click" => Fields::sign_in)) { "Sign in by reflex" }
                form method="post" action="/sign-in" { button #in { "Sign in" } }
                form method="post" action="/sign-out" { button #out { "Sign out" } }
            }
        }
    }
}

async fn set(session: Session, Form(field): Form<Field>) -> Result<()> {
    session.set(&field.name, &field.value).await?;
    Ok(())
}

async fn show(session: Session, Query(field): Query<Name>) -> Result<String> {
    let value: Option<String> = session.get(&field.name).await?;
    Ok(value.unwrap_or_default())
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

async fn sign_in(session: Session) -> Result<Redirect> {
    session.renew_id();
    session.set("user", "ada").await?;
    Ok(Redirect::to("/"))
}

async fn sign_out(session: Session) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

#[tokio::main]
async fn main() -> Result {
    let app = Router::new()
        .route("/", get(index))
        .route("/set", post(set))
        .route("/show", get(show))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out));
    let sinew = Sinew::new(app).reflex(Fields);
    let is_in_store = std::env::var("SESSION").is_ok_and(|session| session == "store");
    let sinew = if is_in_store {
        sinew
    } else {
        sinew.cookie_sessions()
    };
    sinew.serve().await
}
