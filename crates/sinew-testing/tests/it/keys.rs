//! The focus, keys, double clicks.

use axum::{Router, response::Html, routing::get};
use sinew::prelude::*;
use sinew_testing::TestApp;

use crate::failures::message;

struct Desk;

#[reflex]
impl Desk {
    /// Writes down what was called, and for what.
    async fn note(&self, cx: &mut Reflex) -> Result {
        let id = cx.element().id().unwrap_or_default().to_owned();
        let note = move |notes: String| format!("{notes} {id}");
        let notes = cx.session().update("notes", note).await?;
        cx.morph("#notes", format!("<p id=notes>{}</p>", notes.trim()));
        Ok(())
    }
}

async fn index(client: ClientTags) -> Html<String> {
    Html(format!(
        "<head>{client}</head><body><p id=notes></p>
         <input id=left data-reflex='blur->Desk#note'>
         <input id=keyed data-reflex='keydown->Desk#note'>
         <form id=one data-reflex='submit->Desk#note'><input id=only></form>
         <form id=two data-reflex='submit->Desk#note'><input id=first><input><select id=choice><option>a</select></form>
         <form id=three><input id=asked><button id=go data-reflex='click->Desk#note'>go</button></form>
         <form id=four data-reflex='submit->Desk#note'><input id=stuck><button disabled>no</button></form>
         <label id=name data-reflex='dblclick->Desk#note'><input type=checkbox id=box data-reflex='change->Desk#note'>a</label>
         <p id=plain>plain</p></body>"
    ))
}

fn app() -> TestApp {
    TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Desk))
}

#[tokio::test]
async fn a_field_is_left_when_something_else_is_used() {
    let mut tab = app().visit("/").await;
    tab.fill("#left", "a").await;
    assert!(tab.is_focused("#left"));
    tab.assert_text("#notes", "");
    tab.fill("#only", "b").await;
    tab.assert_text("#notes", "left");
    tab.focus("#left").await;
    tab.blur("#left").await;
    tab.assert_text("#notes", "left left");
    assert!(!tab.is_focused("#left"));
    let said = message(tab.blur("#left")).await;
    assert!(said.contains("does not have the focus"), "{said}");
    let said = message(tab.focus("#plain")).await;
    assert!(said.contains("cannot have the focus"), "{said}");
}

#[tokio::test]
async fn enter_submits_as_a_browser_does() {
    let mut tab = app().visit("/").await;
    tab.press("#only", "Enter").await;
    tab.assert_text("#notes", "one");
    tab.press("#asked", "Enter").await;
    tab.assert_text("#notes", "one go");
    tab.press("#go", "Space").await;
    tab.assert_text("#notes", "one go go");
    for field in ["#first", "#choice", "#stuck"] {
        let said = message(tab.press(field, "Enter")).await;
        assert!(said.contains("does nothing"), "{field}: {said}");
    }
    tab.assert_text("#notes", "one go go");
}

#[tokio::test]
async fn a_key_that_a_reflex_listens_to_does_nothing_else() {
    let mut tab = app().visit("/").await;
    tab.press("#keyed", "a").await;
    tab.assert_text("#notes", "keyed");
    let said = message(tab.press("#only", "Escape")).await;
    assert!(said.contains("pressing Escape"), "{said}");
}

#[tokio::test]
async fn a_double_click_is_two_clicks_besides() {
    let mut tab = app().visit("/").await;
    tab.double_click("#name").await;
    tab.assert_text("#notes", "box box name");
    assert!(!tab.is_checked("#box"));
    let said = message(tab.double_click("#plain")).await;
    assert!(said.contains("does nothing"), "{said}");
}
