//! Style, script and icon: plain files inside the program.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};

const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b6e4f"/><path d="M22 10c-7-5-13 1-7 5s3 11-5 7" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>"##;

pub(crate) fn routes() -> Router {
    Router::new()
        .route(
            "/style.css",
            file("text/css; charset=utf-8", include_str!("style.css")),
        )
        .route(
            "/demo.js",
            file("text/javascript; charset=utf-8", include_str!("demo.js")),
        )
        .route("/icon.svg", file("image/svg+xml", ICON))
}

fn file(content_type: &'static str, content: &'static str) -> axum::routing::MethodRouter {
    get(move || async move { ([(CONTENT_TYPE, content_type)], content) })
}
