//! Templates that change while the program runs.

use std::fs;
use std::sync::Arc;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use sinew::config::Environment;
use sinew::prelude::*;
use tempfile::TempDir;

use crate::application::Counter;
use crate::browser::{Browser, REFLEXES};
use crate::server::{Server, config};

/// An application whose one page is a file.
async fn start(environment: Environment) -> (Arc<TempDir>, Server) {
    let folder = Arc::new(tempfile::tempdir().expect("a directory"));
    fs::create_dir(folder.path().join("pages")).expect("made");
    write(&folder, "before");
    let read = Arc::clone(&folder);
    let page = get(async move |_client: ClientTags| -> Result<Html<String>> {
        Ok(Html(fs::read_to_string(
            read.path().join("pages/index.html"),
        )?))
    });
    let sinew = Sinew::new(Router::new().route("/", page))
        .reflex(Counter)
        .watch_templates(folder.path());
    let mut config = config();
    config.edge.environment = environment;
    (folder, Server::with(sinew, config).await)
}

fn write(folder: &TempDir, text: &str) {
    let html = format!("<html><body><h1>{text}</h1></body></html>");
    fs::write(folder.path().join("pages/index.html"), html).expect("written");
}

#[tokio::test]
async fn open_pages_hear_of_a_changed_template() {
    let (folder, server) = start(Environment::Development).await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/").await;
    // Nothing is heard before something has changed: this is the first message that comes.
    let reply = tab.perform("Counter#increment", json!([])).await;
    assert_eq!(reply.html(), "<h1>before</h1>");

    write(&folder, "after, and longer");
    let mut heard = tab.cable.json().await;
    let boot = heard["message"]["sinew"]["boot"].take();
    assert_eq!(boot.as_str().map(str::len), Some(16));
    assert_eq!(
        heard,
        json!({
            "identifier": REFLEXES,
            "message": {"sinew": {"server": env!("CARGO_PKG_VERSION"), "compatible": true, "boot": null}},
        })
    );
    assert!(
        browser
            .get("/")
            .await
            .body
            .contains("<h1>after, and longer</h1>")
    );
}

#[tokio::test]
async fn pages_in_production_hear_nothing() {
    let (_folder, server) = start(Environment::Production).await;
    let browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/").await;
    server
        .app
        .handle()
        .refresh_pages()
        .await
        .expect("sent to nobody");
    let reply = tab.perform("Counter#increment", json!([])).await;
    assert_eq!(reply.html(), "<h1>before</h1>");
}
