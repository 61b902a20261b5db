//! Fields, forms, and what survives a morph.

use crate::application::app;

#[tokio::test]
async fn typing_calls_a_debounced_reflex_with_the_value() {
    let mut tab = app().visit("/").await;
    tab.fill("#q", "rust").await;
    tab.assert_text("#found", "rust");
    tab.assert_text("#q", "rust");
}

#[tokio::test]
async fn boxes_and_selects_tell_what_was_chosen() {
    let mut tab = app().visit("/").await;
    tab.check("#box").await;
    tab.assert_text("#told", "yes true");
    tab.uncheck("#box").await;
    tab.assert_text("#told", "yes false");
    tab.select("#colour", "green").await;
    tab.assert_text("#told", "g false");
}

#[tokio::test]
async fn a_form_is_sent_with_what_a_person_put_into_it() {
    let mut tab = app().visit("/").await;
    tab.fill("#person textarea", "so & so").await;
    tab.check("#tea").await;
    tab.submit("#person").await;
    assert_eq!(
        tab.payload()["formData"],
        "name=Ada%20%26%20co&note=so%20%26%20so&likes=tea&likes=milk&size=M&commit=Save"
    );
}

#[tokio::test]
async fn a_click_on_its_button_submits_the_form() {
    let mut tab = app().visit("/").await;
    tab.click("#save").await;
    assert_eq!(tab.outcome().target(), "Board#save");
}

#[tokio::test]
async fn a_page_morph_leaves_alone_what_is_being_typed() {
    let mut tab = app().visit("/").await;
    tab.fill("#name", "Grace").await;
    tab.click("#increment").await;
    tab.assert_text("#count", "1");
    tab.assert_text("#name", "Grace");
}
