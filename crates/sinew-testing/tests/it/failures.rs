//! What a failing test says.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::application::app;

/// What a test that fails says.
pub(crate) async fn message<T>(test: impl Future<Output = T>) -> String {
    let panic = AssertUnwindSafe(test).catch_unwind().await.err();
    let panic = panic.expect("it fails");
    panic.downcast_ref::<String>().expect("a text").clone()
}

#[tokio::test]
async fn an_assertion_shows_the_part_of_the_page_and_the_operations() {
    let mut tab = app().visit("/").await;
    tab.click("#increment").await;
    let said = message(async { tab.assert_text("#count", "2") }).await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines[..5],
        [
            r##""#count" says "1", not "2""##,
            "the page at http://localhost/ has there:",
            r#"    <p id="count">1</p>"#,
            "the last reflex: Board#count: success (page morph)",
            "operations since the last action:",
        ],
        "{said}"
    );
    assert!(lines[5].starts_with("    1. morph body"), "{said}");
}

#[tokio::test]
async fn an_action_names_the_line_of_the_test() {
    let mut tab = app().visit("/").await;
    let line = line!() + 1;
    let said = message(tab.click("#nowhere")).await;
    let place = format!("failures.rs:{line}:");
    assert!(said.contains(&place), "{said}");
    assert!(
        said.contains(r##"nothing on the page matches "#nowhere""##),
        "{said}"
    );
    assert!(said.contains(r#"<p id="count">0</p>"#), "the page: {said}");
}

#[tokio::test]
async fn what_a_person_cannot_do_is_said() {
    let app = app();
    let mut tab = app.visit("/").await;
    let said = message(tab.click("#off")).await;
    assert!(said.contains(r##""#off" is disabled"##), "{said}");
    let said = message(tab.click("#idle")).await;
    assert!(
        said.contains(r##"a click on "#idle" does nothing"##),
        "{said}"
    );
    let said = message(tab.select("#colour", "blue")).await;
    assert!(said.contains(r#"has no option "blue""#), "{said}");
    let said = message(
        tab.stimulate("Board#count", ())
            .on("p:first-of-type..")
            .into_future(),
    )
    .await;
    assert!(said.contains("is not a CSS selector"), "{said}");
    let said = message(app.visit("/broken")).await;
    assert!(said.contains("answered 500"), "{said}");
}

#[tokio::test]
async fn a_page_without_a_session_is_told_what_it_lacks() {
    let mut tab = app().visit("/bare").await;
    let said = message(tab.click("button")).await;
    assert!(said.contains("`ClientTags` in the page's head"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_waited_for_no_longer_than_told() {
    let app = app().patience(std::time::Duration::from_secs(3600));
    let mut tab = app.visit("/").await;
    let said = message(tab.until("#news", "peace")).await;
    assert!(
        said.contains(r##""#news" did not come to say "peace""##),
        "{said}"
    );
}

#[tokio::test]
async fn what_does_not_match_shows_the_part_where_it_ends() {
    let mut tab = app().visit("/").await;
    let said = message(tab.click("#rows tr .gone")).await;
    let lines: Vec<_> = said.lines().skip(1).take(4).collect();
    assert_eq!(
        lines,
        [
            r##"the page at http://localhost/ has at "#rows tr":"##,
            "    <tr>",
            "      <td>one</td>",
            "    </tr>",
        ],
        "{said}"
    );
}
