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

fn application() -> Sinew {
    let app = Router::new()
        .route("/", get(index))
        .route("/style.css", get(style));
    Sinew::new(app).reflex(Counter)
}

#[tokio::main]
async fn main() -> Result {
    application().serve().await
}

#[cfg(test)]
mod tests {
    use sinew_testing::TestApp;

    use super::application;

    #[tokio::test]
    async fn each_click_counts_and_the_page_is_morphed() {
        let mut tab = TestApp::new(application()).visit("/").await;
        tab.assert_text("#count", "0");
        tab.click("#increment").await;
        tab.click("#by-ten").await;
        tab.assert_text("#count", "11");
        assert_eq!(tab.outcome().morph(), Some("page"));
    }

    #[tokio::test]
    async fn starting_again_morphs_the_count_alone_and_lasts() {
        let mut tab = TestApp::new(application()).visit("/").await;
        tab.click("#by-ten").await;
        tab.click("#reset").await;
        tab.assert_text("#count", "0");
        assert_eq!(tab.outcome().morph(), Some("selector"));
        tab.reload().await;
        tab.assert_text("#count", "0");
    }

    #[tokio::test]
    async fn tabs_share_a_session_and_browsers_do_not() {
        let app = TestApp::new(application());
        let browser = app.browser();
        let (mut one, mut other) = (browser.open_tab("/").await, browser.open_tab("/").await);
        one.click("#increment").await;
        other.click("#increment").await;
        other.assert_text("#count", "2");
        app.visit("/").await.assert_text("#count", "0");
    }
}
