//! Style and icon: plain files inside the program.

use axum::{Router, http::header::CONTENT_TYPE, routing::MethodRouter, routing::get};

pub(crate) fn routes() -> Router {
    let style = file("text/css; charset=utf-8", include_str!("style.css"));
    let icon = file("image/svg+xml", include_str!("icon.svg"));
    Router::new()
        .route("/style.css", style)
        .route("/icon.svg", icon)
}

fn file(content_type: &'static str, content: &'static str) -> MethodRouter {
    get(move || async move { ([(CONTENT_TYPE, content_type)], content) })
}
