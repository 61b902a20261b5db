use serde_json::json;

use crate::application::counter;
use crate::browser::{Browser, REFLEXES, Tab};
use crate::server::{Server, config};

#[tokio::test]
async fn first_visit_can_call_reflexes_at_once() {
    for server in [
        Server::start(counter()).await,
        Server::embedded(counter()).await,
    ] {
        let mut browser = Browser::new(&server);
        let page = browser.get("/").await;
        assert!(
            page.body.contains(r#"<p id="count">0</p>"#),
            "{}",
            page.body
        );
        let cookie = page.header("set-cookie").expect("a cookie");
        assert!(
            cookie.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
        assert_eq!(page.header("cache-control"), Some("private"));

        let mut tab = browser.tab("/").await;
        let reply = tab.perform("Counter#increment", json!([])).await;
        assert_eq!(reply.operations[0]["selector"], "body");
        assert_eq!(reply.html(), r#"<p id="count">1</p>"#);
        let reply = tab.perform("Counter#increment", json!([10])).await;
        assert_eq!(reply.html(), r#"<p id="count">11</p>"#);
        assert_eq!(browser.get("/count").await.body, "11");
    }
}

#[tokio::test]
async fn script_of_the_page_is_served() {
    let server = Server::start(counter()).await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/").await.body;
    let (_, script) = page.split_once("<script src=\"").expect("a script");
    let (path, _) = script.split_once('"').expect("a path");
    let script = browser.get(path).await;
    assert_eq!(script.status, 200);
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(script.header("set-cookie"), None);
    for path in ["/health", "/ready"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn page_without_tags_gives_no_cookie_and_its_socket_is_refused() {
    let server = Server::start(counter()).await;
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get("/bare").await.header("set-cookie"), None);
    let mut cable = browser.connect().await.expect("upgrades");
    cable.expect_disconnect("unauthorized", false).await;
    cable.expect_close(1000).await;
    assert_eq!(
        server.app.handle().cable().statistics().connections_refused,
        1
    );
}

#[tokio::test]
async fn anonymous_sockets_are_strangers_to_each_other() {
    let mut config = config();
    config.anonymous = true;
    let server = Server::with(counter(), config).await;
    let browser = Browser::new(&server);
    let (mut one, mut other) = (browser.tab("/").await, browser.tab("/").await);

    let reply = one.perform("Counter#increment", json!([5])).await;
    assert_eq!(reply.html(), r#"<p id="count">5</p>"#);
    let reply = one.perform("Counter#increment", json!([])).await;
    assert_eq!(
        reply.html(),
        r#"<p id="count">6</p>"#,
        "a session of its own"
    );

    // The other hears of none of it before its own reply, and shares nothing.
    let id = other.fire("Counter#read", json!([])).await;
    let (first, reply) = other.next_reply().await;
    assert_eq!(first, id);
    assert_eq!(reply.payload()["count"], 0);
}

#[tokio::test]
async fn tabs_of_one_visitor_share_replies() {
    let server = Server::start(counter()).await;
    let browser = Browser::visit(&server, "/").await;
    let (mut one, mut other) = (browser.tab("/").await, browser.tab("/").await);
    let id = one.fire("Counter#nothing", json!([])).await;
    assert_eq!(one.next_reply().await.0, id);
    assert_eq!(other.next_reply().await.0, id);

    let stranger = Browser::visit(&server, "/").await;
    let mut stranger = stranger.tab("/").await;
    one.perform("Counter#nothing", json!([])).await;
    let id = stranger.fire("Counter#nothing", json!([])).await;
    assert_eq!(stranger.next_reply().await.0, id);
}

#[tokio::test]
async fn subscription_with_params_gets_replies_under_its_own_identifier() {
    let server = Server::start(counter()).await;
    let mut cable = Browser::visit(&server, "/").await.cable().await;
    let identifier = r#"{"channel":"StimulusReflex::Channel","token":"abc"}"#;
    assert!(cable.subscribe(identifier).await);
    assert!(cable.subscribe(REFLEXES).await, "a second one beside it");
    let mut tab = Tab::on(cable, "/");
    let call = tab.call("Counter#nothing");
    tab.cable.message(identifier, &call.text()).await;
    let mut heard = [tab.cable.json().await, tab.cable.json().await]
        .map(|frame| frame["identifier"].as_str().expect("a text").to_owned());
    heard.sort();
    assert_eq!(heard, [identifier, REFLEXES], "both hear it");
}
