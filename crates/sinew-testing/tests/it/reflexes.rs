//! Clicks and what comes of them.

use crate::application::app;

#[tokio::test]
async fn a_click_inside_an_element_calls_its_reflex_and_morphs_the_page() {
    let mut tab = app().visit("/").await;
    tab.click("#inner").await;
    tab.assert_text("#count", "1");
    assert!(tab.outcome().is_success());
    assert_eq!(tab.outcome().target(), "Board#count");
}

#[tokio::test]
async fn halted_forbidden_and_failed_reflexes_are_told_apart() {
    let mut tab = app().visit("/").await;
    tab.click("#halted").await;
    assert!(tab.outcome().is_halted());
    tab.click("#forbidden").await;
    assert!(
        tab.outcome().is_forbidden(),
        "its parent's data came with it"
    );
    tab.click("#fails").await;
    let error = tab.outcome().error().expect("an error");
    assert!(error.contains("the kettle is empty"), "{error}");
    tab.assert_text("#count", "0");
}

#[tokio::test]
async fn operations_change_the_page_and_are_listed() {
    let mut tab = app().visit("/").await;
    tab.click("#many").await;
    assert_eq!(tab.texts("#rows td"), ["one", "two"]);
    assert_eq!(tab.attribute("#rows", "class").as_deref(), Some("full"));
    tab.assert_text("#name", "set");
    tab.assert_missing("#gone");
    assert_eq!(tab.console(), ["done"]);
    let lost = tab.operations().last().expect("operations");
    assert_eq!(
        (lost.name(), lost.selector(), lost.matches()),
        ("textContent", Some("#nowhere"), 0)
    );
}

#[tokio::test]
async fn a_controller_stimulates_with_arguments() {
    let mut tab = app().visit("/").await;
    tab.stimulate("Board#count", (5,)).await;
    tab.stimulate("Board#count", ()).on("#increment").await;
    tab.assert_text("#count", "6");
}
