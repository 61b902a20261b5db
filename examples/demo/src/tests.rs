//! The pages, used without a browser: what somebody would do there, and would see.
//!
//! What demo.js does in the browser is for the browser tests; where it turns something into an
//! event, these tests trigger that event.

mod chat;
mod counter;
mod form;
mod job;
mod search;
mod table;
mod todos;
mod wire;

use sinew_testing::TestApp;

/// The whole application, in memory.
fn app() -> TestApp {
    TestApp::new(super::application())
}

#[tokio::test]
async fn every_page_is_a_link_away_and_says_where_one_is() {
    let mut tab = app().visit("/").await;
    for page in [
        "Todos", "Search", "Form", "Chat", "Job", "Table", "Wire", "Counter",
    ] {
        let path = match page {
            "Counter" => "/".to_owned(),
            other => format!("/{}", other.to_lowercase()),
        };
        tab.click(&format!("nav[aria-label=Pages] a[href='{path}']"))
            .await;
        tab.assert_path(&path);
        tab.assert_text("h1", page);
        tab.assert_texts("[aria-current=page]", &[page]);
        assert_eq!(tab.title(), format!("{page} · Sinew"));
    }
}
