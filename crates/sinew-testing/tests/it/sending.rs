//! Forms that are sent, files, and what a browser refuses to send.

use axum::extract::Multipart;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Form, Router};
use sinew::prelude::*;
use sinew_testing::{TestApp, Upload};

use crate::failures::message;

const PAGE: &str = r#"<form id="signup" method="post" action="/signed-up">
  <input id="email" name="email" type="email" required>
  <input id="code" name="code" pattern="[A-Z]{2}" minlength="2">
  <input id="seats" name="seats" type="number" min="1" max="6" value="1">
  <button id="sign-up">sign up</button>
  <button id="later" formnovalidate name="later" value="yes">later</button>
</form>
<form id="files" method="post" action="/filed" enctype="multipart/form-data">
  <textarea name="note"></textarea>
  <input id="picture" type="file" name="picture" required>
  <input id="more" type="file" name="more" multiple>
</form>
<form id="plain" method="post" enctype="text/plain"><input name="a"></form>
<input id="short" maxlength="3">
<label for="short">Short name</label> <label>Size <select id="size"><option>S<option>M</select></label>
<label>Terms <input type="checkbox" id="terms"></label> <label id="stray">of nothing</label>"#;

async fn signed_up(Form(fields): Form<Vec<(String, String)>>) -> Html<String> {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, it)| format!("{name}={it}"))
        .collect();
    Html(format!("<p id=got>{}</p>", fields.join(" ")))
}

async fn filed(mut form: Multipart) -> Html<String> {
    let mut got = Vec::new();
    while let Ok(Some(field)) = form.next_field().await {
        let said = |it: Option<&str>| it.unwrap_or("-").to_owned();
        let (name, file) = (said(field.name()), said(field.file_name()));
        let kind = said(field.content_type());
        let content = field.bytes().await.expect("its content");
        got.push(format!("[{name} {file} {kind} {content:?}]"));
    }
    Html(format!("<p id=got>{}</p>", got.join("")))
}

fn app() -> TestApp {
    let router = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/signed-up", post(signed_up))
        .route("/filed", post(filed));
    TestApp::new(Sinew::new(router))
}

#[tokio::test]
async fn a_form_that_a_browser_would_not_submit_is_not_submitted() {
    let mut tab = app().visit("/").await;
    assert_eq!(
        tab.invalid("#signup"),
        ["#email breaks `required`: it is empty"]
    );
    tab.fill("#email", "ada").await;
    tab.fill("#code", "x").await;
    tab.fill("#seats", "7").await;
    let said = message(tab.click("#sign-up")).await;
    assert!(
        said.contains(
            "a browser would not submit #signup: \
             #email breaks `type=email`: \"ada\" is no e-mail address; \
             #code breaks `minlength=2`: \"x\" has 1; \
             #seats breaks `max=6`: 7 is more"
        ),
        "{said}"
    );
    let said = message(tab.submit("#signup")).await;
    assert!(said.contains("a browser would not submit"), "{said}");
    tab.assert_path("/");

    tab.fill("#email", "ada@example.org").await;
    tab.fill("#code", "xy").await;
    tab.fill("#seats", "2").await;
    let broken = r##"#code breaks `pattern=[A-Z]{2}`: "xy" does not match"##;
    assert_eq!(tab.invalid("#email"), [broken]);
    tab.fill("#code", "XY").await;
    tab.press("#code", "Enter").await;
    tab.assert_text("#got", "email=ada@example.org code=XY seats=2");
}

#[tokio::test]
async fn a_button_may_send_what_is_not_finished() {
    let mut tab = app().visit("/").await;
    tab.click("#later").await;
    tab.assert_text("#got", "email= code= seats=1 later=yes");
}

#[tokio::test]
async fn files_travel_with_their_form() {
    let mut tab = app().visit("/").await;
    assert_eq!(
        tab.invalid("#files"),
        ["#picture breaks `required`: no file is chosen"]
    );
    tab.fill("#files textarea", "one\ntwo").await;
    let cat = Upload::new("a \"cat\".png", [1, 2]).content_type("image/png");
    tab.attach("#picture", Upload::new("dog.png", [9])).await;
    tab.attach("#picture", cat).await;
    tab.attach("#more", Upload::new("b.txt", "b")).await;
    tab.attach("#more", Upload::new("c.txt", "c")).await;
    tab.submit("#files").await;
    tab.assert_text(
        "#got",
        "[note - - b\"one\\r\\ntwo\"][picture a %22cat%22.png image/png b\"\\x01\\x02\"]\
         [more b.txt application/octet-stream b\"b\"][more c.txt application/octet-stream b\"c\"]",
    );
}

#[tokio::test]
async fn what_a_field_does_not_take_is_said() {
    let mut tab = app().visit("/").await;
    let said = message(tab.fill("#picture", "cat.png")).await;
    assert!(said.contains("give it one with `attach`"), "{said}");
    let said = message(tab.attach("#short", Upload::new("a", "a"))).await;
    assert!(said.contains("is no field for files"), "{said}");
    let said = message(tab.fill("#seats", "two")).await;
    assert!(
        said.contains(r##"#seats is a number, which takes no "two""##),
        "{said}"
    );
    let said = message(tab.submit("#plain")).await;
    assert!(
        said.contains("text/plain, which this test kit does not do"),
        "{said}"
    );
    tab.fill("#short", "a\nbcd").await;
    tab.assert_text("#short", "abc");
}

#[tokio::test]
async fn a_field_is_named_by_its_label() {
    let mut tab = app().visit("/").await;
    tab.fill("label:contains('Short name')", "Ada").await;
    tab.assert_text("#short", "Ada");
    tab.select("label:contains('Size')", "M").await;
    tab.assert_text("#size", "M");
    tab.check("label:contains('Terms')").await;
    assert!(tab.is_checked("#terms"));
    let said = message(tab.fill("#stray", "x")).await;
    assert!(said.contains("is the label of no field"), "{said}");
    tab.click("button:contains('later')").await;
    tab.assert_path("/signed-up");
}
