//! An application whose page lies in a file that is read once, at the start: `PAGE=page.html cargo run -p sinew --example page_from_file`.
//!
//! Started again with another file it is what a program is after a rebuild, and the page that is open follows.
//! Its reflexes go wrong in as many ways as a developer may meet. The browser tests drive it.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Router, routing::get};
use sinew::prelude::*;

struct Page;

#[reflex]
impl Page {
    /// Goes well, and renders the page again.
    async fn render(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    async fn fail(&self, cx: &mut Reflex, is_mended: Option<bool>) -> Result {
        cx.morph_nothing();
        if is_mended == Some(true) {
            return Ok(());
        }
        Err("the <b>database</b> is away".into())
    }

    async fn panic(&self, _cx: &mut Reflex) -> Result {
        panic!("an index is out of bounds")
    }

    /// From now on the page answers 500 in this session, until it is called again.
    async fn break_page(&self, cx: &mut Reflex) -> Result {
        cx.session()
            .update("is_broken", |is_broken: bool| !is_broken)
            .await?;
        Ok(())
    }

    /// Changes an element that is not on the page.
    async fn miss(&self, cx: &mut Reflex) -> Result {
        cx.morph("#headign", "<b>new</b>");
        Ok(())
    }
}

#[derive(Clone)]
struct Text(std::sync::Arc<str>);

async fn page(
    session: Session,
    Extension(Text(text)): Extension<Text>,
    client: ClientTags,
) -> Result<Response> {
    if session.get_or_default("is_broken").await? {
        let answer = (StatusCode::INTERNAL_SERVER_ERROR, "the template is broken");
        return Ok(answer.into_response());
    }
    Ok(Html(text.replace("{client}", &client.to_string())).into_response())
}

/// Another stylesheet for every name: the heading's red is as strong as the name is long.
async fn style(Path(name): Path<String>) -> impl IntoResponse {
    let red = name.len();
    let rule = format!("h1 {{ color: rgb({red}, 0, 0); }}");
    ([(CONTENT_TYPE, "text/css")], rule)
}

async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], "")
}

#[tokio::main]
async fn main() -> Result {
    let file = std::env::var("PAGE").map_err(|_| "PAGE must name a file of HTML with {client}")?;
    let text = Text(std::fs::read_to_string(file)?.into());
    let app = Router::new()
        .route("/", get(page))
        .route("/style/{name}", get(style))
        .route("/script/{name}", get(script));
    Sinew::new(app).state(text).reflex(Page).serve().await
}
