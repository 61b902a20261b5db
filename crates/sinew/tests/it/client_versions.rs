//! What a client that says its version is told after it has subscribed.

use serde_json::{Value, json};
use sinew::config::Environment;

use crate::application::counter;
use crate::browser::{Browser, Cable};
use crate::server::{Server, config};

/// This crate's version, and one that no release of it is compatible with.
const OURS: &str = env!("CARGO_PKG_VERSION");
const OTHER: &str = "4000000000.0.0";

fn identifier(version: impl Into<Value>) -> String {
    json!({"channel": "StimulusReflex::Channel", "sinew": version.into()}).to_string()
}

async fn development() -> Server {
    let mut config = config();
    config.edge.environment = Environment::Development;
    Server::with(counter(), config).await
}

/// Subscribes; the confirmation comes first.
async fn subscribed(server: &Server, identifier: &str) -> Cable {
    let mut cable = Browser::visit(server, "/").await.cable().await;
    assert!(cable.subscribe(identifier).await, "confirmed");
    cable
}

/// What our client is told beside its version: the name of its connection.
async fn expect_socket(cable: &mut Cable) {
    let frame = cable.json().await;
    assert!(
        frame["message"]["sinew"]["socket"].is_string(),
        "of the connection: {frame}"
    );
}

#[tokio::test]
async fn another_version_is_told_on_its_own_subscription_alone() {
    let server = Server::start(counter()).await;
    let visitor = Browser::visit(&server, "/").await;
    let mut bystander = visitor.cable().await;
    assert!(bystander.subscribe(&identifier(OURS)).await);
    expect_socket(&mut bystander).await;

    let mut cable = visitor.cable().await;
    let identifier = identifier(OTHER);
    assert!(cable.subscribe(&identifier).await, "confirmed first");
    let frame = cable.json().await;
    assert_eq!(frame["identifier"], identifier);
    let about = &frame["message"]["sinew"];
    assert_eq!(about["server"], OURS);
    assert_eq!(about["compatible"], false);
    assert_eq!(about["update"], "crate");
    let text = about["text"].as_str().expect("a sentence");
    assert!(text.contains("cargo add sinew@4000000000"), "{text}");
    assert_eq!(
        about.get("boot"),
        None,
        "only a developer is told of the process"
    );
    expect_socket(&mut cable).await;
    cable.expect_nothing().await;
    bystander.expect_nothing().await;
}

#[tokio::test]
async fn the_embedded_script_of_before_a_deploy_is_told_to_load_the_page_again() {
    let server = Server::start(counter()).await;
    let mut cable = subscribed(&server, &identifier("0.0.1+embedded")).await;
    let frame = cable.json().await;
    assert_eq!(frame["message"]["sinew"]["update"], "page", "{frame}");
    assert_eq!(
        frame["message"].get("cableReady"),
        None,
        "the stock client passes over it"
    );
}

#[tokio::test]
async fn nobody_else_is_told_anything() {
    let server = Server::start(counter()).await;
    let long = format!("0.0.1-{}", "a".repeat(60));
    for (version, is_ours) in [
        (json!(OURS), true),
        (json!(format!("{OURS}+embedded")), true),
        (json!("latest"), false),
        (json!("0.0.1\u{0}"), false),
        (json!(long), false),
        (json!(1), false),
        (json!({"0": 1}), false),
        (json!(null), false),
    ] {
        let mut cable = subscribed(&server, &identifier(version)).await;
        if is_ours {
            expect_socket(&mut cable).await;
        }
        cable.expect_nothing().await;
    }
}

#[tokio::test]
async fn a_reflex_answers_under_the_identifier_with_the_version() {
    let server = Server::start(counter()).await;
    let identifier = identifier(OURS);
    let mut cable = subscribed(&server, &identifier).await;
    expect_socket(&mut cable).await;
    let call = json!({"target": "Counter#nothing", "id": "one", "version": "3.5.5", "url": "http://app.test/"});
    cable.message(&identifier, &call.to_string()).await;
    let frame = cable.json().await;
    assert_eq!(frame["identifier"], identifier);
    assert_eq!(
        frame["message"]["operations"][0]["stimulusReflex"]["id"],
        "one"
    );
}

#[tokio::test]
async fn in_development_each_process_says_which_it_is() {
    let (one, other) = (development().await, development().await);
    let mut boots = Vec::new();
    for server in [&one, &one, &other] {
        let mut cable = subscribed(server, &identifier(format!("{OURS}+embedded"))).await;
        let frame = cable.json().await;
        let about = &frame["message"]["sinew"];
        assert_eq!(about["compatible"], true, "{frame}");
        assert_eq!(about.get("text"), None);
        boots.push(about["boot"].as_str().expect("a text").to_owned());
    }
    assert_eq!(boots[0], boots[1]);
    assert_ne!(boots[1], boots[2]);

    // The stock client is told nothing there either.
    let mut cable = subscribed(&one, crate::browser::REFLEXES).await;
    cable.expect_nothing().await;
}

#[tokio::test]
async fn the_script_for_developers_is_there_in_development_alone() {
    for (environment, expected) in [
        (Environment::Development, true),
        (Environment::Test, false),
        (Environment::Production, false),
    ] {
        let mut config = config();
        config.edge.environment = environment;
        let server = Server::with(counter(), config).await;
        let mut browser = Browser::new(&server);
        let page = browser.get("/").await.body;
        let [client, development] = [sinew::client::SCRIPT, sinew::client::DEVELOPMENT]
            .map(|script| page.find(&format!("<script src=\"{}\"", script.path)));
        assert_eq!(development.is_some(), expected, "{environment}: {page}");
        if expected {
            assert!(client < development, "it needs what the other has started");
        }
        let script = browser.get(sinew::client::DEVELOPMENT.path).await;
        assert_eq!(script.status == 200, expected, "{environment}");
    }
}
