//! The application most tests serve: a counter in the session.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use sinew::prelude::*;

pub(crate) struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, cx: &mut Reflex, step: Option<i64>) -> Result {
        let step = step.unwrap_or(1);
        let count = cx.session().update("count", move |count: i64| count + step);
        count.await?;
        Ok(())
    }

    async fn add_quietly(&self, cx: &mut Reflex, step: i64) -> Result {
        let count = cx.session().update("count", move |count: i64| count + step);
        count.await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn read(&self, cx: &mut Reflex) -> Result {
        let count: i64 = cx.session().get_or_default("count").await?;
        cx.set_payload(json!({ "count": count }));
        cx.morph_nothing();
        Ok(())
    }

    async fn nothing(&self, cx: &mut Reflex) -> Result {
        cx.morph_nothing();
        Ok(())
    }
}

/// `/` has the client's tags, `/bare` and `/count` have not.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/bare", get(async || Html("<p>bare</p>")))
        .route("/count", get(count))
}

pub(crate) fn counter() -> Sinew {
    Sinew::new(router()).reflex(Counter)
}

async fn page(session: Session, client: ClientTags) -> Result<Html<String>> {
    let count: i64 = session.get_or_default("count").await?;
    let html =
        format!("<html><head>{client}</head><body><p id=\"count\">{count}</p></body></html>");
    Ok(Html(html))
}

async fn count(session: Session) -> Result<String> {
    let count: i64 = session.get_or_default("count").await?;
    Ok(count.to_string())
}
