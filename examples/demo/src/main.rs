//! The smallest application worth clicking: a counter that lives in the session.
//!
//! Run it with `cargo xtask demo`, open the printed address, click.

use axum::{Router, http::header, routing::get};
use maud::{DOCTYPE, Markup, html};
use sinew::prelude::*;

/// The reflexes of the counter page.
#[derive(Clone)]
struct Counter;

#[reflex]
impl Counter {
    /// Adds `data-step`, or one. Nothing is said about what to morph, so the page is rendered again.
    async fn increment(&self, cx: &mut Reflex) -> Result {
        let step = cx
            .element()
            .dataset()
            .get("step")
            .and_then(|step| step.parse().ok())
            .unwrap_or(1);
        cx.session()
            .update("count", move |count: i64| count + step)
            .await?;
        Ok(())
    }

    /// Starts again, and morphs the one element that changes.
    async fn reset(&self, cx: &mut Reflex) -> Result {
        cx.session().remove("count").await?;
        cx.morph("#count", html! { output #count { "0" } });
        Ok(())
    }
}

async fn index(session: Session, client: ClientTags) -> Result<Markup> {
    let count: i64 = session.get_or_default("count").await?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Counter · Sinew" }
                link rel="stylesheet" href="/style.css";
                (client)
            }
            body {
                main {
                    h1 { "Counter" }
                    p.quiet { "Each click calls a method in Rust; the answer is this page, rendered again and morphed." }
                    div.count {
                        output #count aria-live="polite" { (count) }
                        span.quiet { "clicks, kept in your session" }
                    }
                    div.actions {
                        button #increment .primary data-reflex=(sinew::reflex!("click" => Counter::increment)) { "Add one" }
                        button #by-ten data-step="10" data-reflex=(sinew::reflex!("click" => Counter::increment)) { "Add ten" }
                        button #reset data-reflex=(sinew::reflex!("click" => Counter::reset)) { "Start again" }
                    }
                }
            }
        }
    })
}

async fn style() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("style.css"),
    )
}

#[tokio::main]
async fn main() -> Result {
    let app = Router::new()
        .route("/", get(index))
        .route("/style.css", get(style));
    Sinew::new(app).reflex(Counter).serve().await
}
