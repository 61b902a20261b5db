//! The pages, used without a browser and without a port.

use sinew_testing::{Tab, TestApp};

use crate::database::Database;

const PASSWORD: &str = "correct horse battery";

pub(crate) fn application() -> TestApp {
    let database = Database::in_memory().unwrap();
    TestApp::new(crate::application::application(database))
}

/// Somebody new registers, and is shown the first page.
pub(crate) async fn register(app: &TestApp, name: &str) -> Tab {
    let mut tab = app.visit("/register").await;
    send(&mut tab, name, PASSWORD).await;
    assert_eq!(tab.path(), "/");
    tab
}

/// Somebody who has registered opens a page.
pub(crate) async fn visit(path: &str) -> Tab {
    let tab = register(&application(), "ada").await;
    tab.browser().visit(path).await
}

/// Fills the form and sends it.
async fn send(tab: &mut Tab, name: &str, password: &str) {
    tab.fill("#name", name).await;
    tab.fill("#password", password).await;
    tab.submit("main form").await;
}

#[tokio::test]
async fn who_has_not_signed_in_is_sent_to_the_form() {
    let tab = application().visit("/").await;
    assert_eq!(tab.path(), "/sign-in");
    tab.assert_missing("script");
}

#[tokio::test]
async fn what_was_done_is_there_after_signing_out_and_in_again() {
    let app = application();
    let mut tab = register(&app, "ada").await;
    tab.fill("#title", "Tea").await;
    tab.submit("#title").await;
    tab.click("#sign-out").await;
    assert_eq!(tab.path(), "/sign-in");
    tab.visit("/").await;
    assert_eq!(tab.path(), "/sign-in");
    send(&mut tab, "Ada", PASSWORD).await;
    tab.assert_text("#todo-1 span", "Tea");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let app = application();
    register(&app, "ada").await;
    for (name, password) in [("ada", "wrong horse battery"), ("bob", PASSWORD)] {
        let mut tab = app.visit("/sign-in").await;
        send(&mut tab, name, password).await;
        assert_eq!((tab.status(), tab.path()), (422, "/sign-in"));
        tab.assert_text("#password-problem", "Name and password do not match.");
        tab.visit("/").await;
        assert_eq!(tab.path(), "/sign-in");
    }
}

#[tokio::test]
async fn registering_says_what_is_wrong() {
    let app = application();
    register(&app, "ada").await;
    for (name, password, problem) in [
        ("ADA", PASSWORD, "#name-problem"),
        ("a b", PASSWORD, "#name-problem"),
        ("bob", "short", "#password-problem"),
    ] {
        let mut tab = app.visit("/register").await;
        send(&mut tab, name, password).await;
        assert_eq!(tab.status(), 422);
        tab.assert_exists(problem);
        tab.assert_text("#name", name);
        tab.assert_text("#password", "");
    }
}

#[tokio::test]
async fn too_many_attempts_are_stopped_even_with_the_right_password() {
    let app = application();
    register(&app, "ada").await;
    let mut tab = app.visit("/sign-in").await;
    for _ in 0..9 {
        send(&mut tab, "ada", "wrong horse battery").await;
        assert_eq!(tab.status(), 422);
    }
    send(&mut tab, "ada", PASSWORD).await;
    assert_eq!((tab.status(), tab.path()), (429, "/sign-in"));
}

#[tokio::test]
async fn signing_in_gives_the_session_a_new_id() {
    let app = application();
    let mut tab = register(&app, "ada").await;
    let before = tab.browser().cookie("_sinew_session");
    tab.visit("/sign-in").await;
    send(&mut tab, "ada", PASSWORD).await;
    assert_eq!(tab.path(), "/");
    assert_ne!(tab.browser().cookie("_sinew_session"), before);
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let app = application();
    let stranger = app.browser().header("origin", "https://elsewhere.example");
    let mut tab = stranger.visit("/register").await;
    send(&mut tab, "ada", PASSWORD).await;
    assert_eq!(tab.status(), 403);
    assert_eq!(stranger.cookie("_sinew_session"), None);
}
