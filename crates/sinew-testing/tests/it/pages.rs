//! Getting from page to page.

use crate::application::app;
use crate::failures::message;

#[tokio::test]
async fn links_redirects_and_forms_lead_to_other_pages() {
    let mut tab = app().visit("/").await;
    assert_eq!((tab.title().as_str(), tab.status()), ("Board", 200));
    tab.click("#link").await;
    assert_eq!((tab.title().as_str(), tab.path()), ("Other", "/other?q=1"));

    tab.visit("/").await;
    tab.click("#leave").await;
    assert_eq!(tab.path(), "/other");

    tab.visit("/").await;
    tab.click("#send").await;
    tab.assert_text("#q", "hello");

    tab.visit("/").await;
    tab.click("#get").await;
    tab.assert_text("#q", "a b");
}

#[tokio::test]
async fn a_session_lasts_over_pages_and_is_shared_by_tabs() {
    let app = app();
    let browser = app.browser();
    let mut one = browser.visit("/").await;
    let mut other = browser.open_tab("/").await;
    one.click("#increment").await;
    other.assert_text("#count", "0");
    other.click("#increment").await;
    other.assert_text("#count", "2");
    one.assert_text("#count", "1");
    one.reload().await;
    one.assert_text("#count", "2");
    app.visit("/").await.assert_text("#count", "0");
}

#[tokio::test]
async fn a_tab_comes_again_when_its_session_has_another_id() {
    let browser = app().browser();
    let mut tab = browser.visit("/").await;
    tab.click("#increment").await;
    let before = browser.cookie("_sinew_session");
    browser.open_tab("/renew").await;
    assert_ne!(browser.cookie("_sinew_session"), before);
    tab.click("#increment").await;
    tab.assert_text("#count", "2");
}

#[tokio::test]
async fn two_tabs_are_used_at_once() {
    let browser = app().browser();
    let (mut one, mut other) = (browser.visit("/").await, browser.open_tab("/").await);
    tokio::join!(one.click("#increment"), other.click("#increment"));
    one.reload().await;
    one.assert_text("#count", "2");
}

#[tokio::test]
async fn back_and_forward_go_where_the_tab_has_been() {
    let mut tab = app().visit("/").await;
    tab.click("#link").await;
    tab.assert_path("/other?q=1");
    tab.back().await;
    tab.assert_exists("#link");
    tab.forward().await;
    tab.assert_text("#q", "1");
    tab.back().await;
    tab.stimulate("Board#push", ("/?page=2",)).await;
    tab.stimulate("Board#replace", ("/?page=3",)).await;
    tab.assert_path("/?page=3");
    let said = message(tab.forward()).await;
    assert!(said.contains("no page to go forward to"), "{said}");
    tab.back().await;
    tab.assert_path("/");
    let said = message(tab.back()).await;
    assert!(said.contains("no page to go back to"), "{said}");
}

#[tokio::test]
async fn an_operation_goes_back_too() {
    let mut tab = app().visit("/").await;
    tab.visit("/?page=2").await;
    tab.stimulate("Board#go", (-1,)).await;
    tab.assert_path("/");
    tab.stimulate("Board#go", (-1,)).await;
    tab.assert_path("/");
}

#[tokio::test]
async fn a_link_within_the_page_loads_nothing() {
    let mut tab = app().visit("/").await;
    tab.fill("#name", "Grace").await;
    tab.click("#within").await;
    tab.assert_text("#name", "Grace");
}
