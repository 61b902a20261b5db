//! Sessions that live in their cookies, on two nodes that share streams and a secret.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::{Value, json};
use sinew::Config;
use sinew::cable::ConnectionIdentifiers;
use sinew::config::Secret;
use sinew::prelude::*;
use sinew_streams::Streams;
use sinew_web::config::SessionStoreKind;

use crate::browser::{Browser, Tab};
use crate::nodes::Joined;
use crate::server::{Server, config};

struct Fields;

#[reflex]
impl Fields {
    async fn set(&self, cx: &mut Reflex, name: String, value: i64) -> Result {
        cx.session().set(&name, &value).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn add(&self, cx: &mut Reflex) -> Result {
        cx.session().update("sum", |sum: i64| sum + 1).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn show(&self, cx: &mut Reflex) -> Result {
        let mut fields = json!({});
        for name in cx.session().keys().await? {
            fields[&name] = cx.session().get::<Value>(&name).await?.into();
        }
        cx.set_payload(fields);
        cx.morph_nothing();
        Ok(())
    }
}

async fn page(session: Session, client: ClientTags) -> Result<Html<String>> {
    session.ensure();
    Ok(Html(format!("<head>{client}</head><body></body>")))
}

async fn set(session: Session, Path((name, value)): Path<(String, i64)>) -> Result<()> {
    session.set(&name, &value).await?;
    Ok(())
}

async fn show(session: Session, Path(name): Path<String>) -> Result<String> {
    let value: Value = session.get_or_default(&name).await?;
    Ok(value.to_string())
}

async fn sign_in(session: Session) -> Result<()> {
    session.renew_id();
    session.set("user", &7).await?;
    Ok(())
}

async fn sign_out(session: Session) {
    session.destroy();
}

struct Nodes {
    one: Server,
    two: Server,
}

impl Nodes {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let [one, two] = Joined::pair();
        let mut config = config();
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
        change(&mut config);
        Self {
            one: node(&config, one).await,
            two: node(&config, two).await,
        }
    }

    /// A visitor of the first node, and the tab that is open there.
    async fn visitor(&self) -> (Browser, Tab, String) {
        let browser = Browser::visit(&self.one, "/").await;
        let (tab, socket) = browser.our_tab("/").await;
        (browser, tab, socket)
    }

    /// The same visitor at the other node.
    fn at_two(&self, browser: &Browser) -> Browser {
        Browser::new(&self.two).cookie(browser.cookie.clone().expect("a session"))
    }
}

async fn node(config: &Config, streams: Arc<dyn Streams>) -> Server {
    Server::built(application(config).streams(streams)).await
}

fn application(config: &Config) -> Sinew {
    let router = Router::new()
        .route("/", get(page))
        .route("/set/{name}/{value}", post(set))
        .route("/show/{name}", get(show))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out));
    let sinew = Sinew::new(router).config(config.clone()).reflex(Fields);
    sinew.cookie_sessions()
}

/// Calls, redeems the ticket and waits for the reply.
async fn write(tab: &mut Tab, browser: &mut Browser, name: &str, value: i64) {
    tab.fire("Fields#set", json!([name, value])).await;
    let body = tab.ticket().await;
    let answer = browser.post_json("/_sinew/session", &body).await;
    assert_eq!(answer.status, 204);
    tab.bare_reply().await.expect_event("nothing");
}

async fn shown(tab: &mut Tab) -> Value {
    tab.fire("Fields#show", json!([])).await;
    let reply = tab.bare_reply().await;
    reply.operations[0]["payload"].clone()
}

#[tokio::test]
async fn a_ticket_that_is_redeemed_on_another_node_lets_the_reply_go() {
    let nodes = Nodes::with(|config| config.reflex.ticket_time_limit = Duration::MAX).await;
    let (browser, mut tab, _) = nodes.visitor().await;
    let mut there = nodes.at_two(&browser);
    tab.fire("Fields#set", json!(["a", 1])).await;
    let body = tab.ticket().await;
    tab.cable.expect_nothing().await;

    let answer = there.post_json("/_sinew/session", &body).await;
    assert_eq!(answer.header("sinew-ticket"), Some("redeemed"));
    tab.bare_reply().await.expect_event("nothing");
    assert_eq!(there.get("/show/a").await.body, "1");
    let statistics = nodes.one.app.engine().statistics();
    assert_eq!((statistics.tickets, statistics.tickets_pending), (1, 0));

    // A reply that was missed is let go by whoever presents the ticket again.
    let again = there.post_json("/_sinew/session", &body).await;
    assert_eq!(again.header("sinew-ticket"), Some("replayed"));
    assert_eq!(again.header("set-cookie"), None);
}

#[tokio::test]
async fn what_a_response_of_any_node_writes_is_seen_by_the_next_reflex() {
    let nodes = Nodes::start().await;
    let (mut browser, mut tab, _) = nodes.visitor().await;
    write(&mut tab, &mut browser, "a", 1).await;
    let mut there = nodes.at_two(&browser);
    there.post("/set/b/2").await;
    assert_eq!(shown(&mut tab).await, json!({ "a": 1, "b": 2 }));
    there.post("/set/a/3").await;
    assert_eq!(shown(&mut tab).await, json!({ "a": 3, "b": 2 }));

    // And the other way about.
    write(&mut tab, &mut there, "c", 4).await;
    let (mut far, _) = there.our_tab("/").await;
    assert_eq!(shown(&mut far).await, json!({ "a": 3, "b": 2, "c": 4 }));
    write(&mut tab, &mut there, "c", 5).await;
    assert_eq!(shown(&mut far).await["c"], 5);
}

#[tokio::test]
async fn a_login_on_another_node_keeps_the_socket_of_its_page_and_no_other() {
    let nodes = Nodes::start().await;
    let (browser, mut mine, socket) = nodes.visitor().await;
    let (mut second, _) = browser.our_tab("/").await;
    let before = browser.cookie.clone().expect("a session");
    let mut there = nodes.at_two(&browser).header("sinew-socket", socket);

    there.post("/sign-in").await;
    let answered = tokio::time::Instant::now();
    second.cable.expect_session_end(answered).await;
    assert_eq!(shown(&mut mine).await, json!({ "user": 7 }));
    write(&mut mine, &mut there, "a", 1).await;
    assert_eq!(there.get("/show/a").await.body, "1");

    // The session from before the login is dead, on both nodes.
    for node in [&nodes.one, &nodes.two] {
        let mut late = Browser::new(node).cookie(before.clone());
        assert_eq!(late.get("/show/user").await.body, "null");
        assert_eq!(late.get("/show/a").await.body, "null");
    }

    there.post("/sign-out").await;
    let answered = tokio::time::Instant::now();
    mine.cable.expect_session_end(answered).await;
}

#[tokio::test]
async fn where_the_application_says_who_a_visitor_is_a_login_asks_it_again() {
    let identify = async |visitor: sinew::cable::Visitor| {
        let session = visitor.session().expect("a page was visited");
        let user: i64 = session.get_or_default("user").await.unwrap_or_default();
        Ok(ConnectionIdentifiers::new().with("user", user.to_string()))
    };
    let mut config = config();
    config.edge.configured_secret = Some(Secret::generate().expect("random"));
    let server = Server::built(application(&config).identify(identify)).await;
    let browser = Browser::visit(&server, "/").await;
    let (mut stranger, socket) = browser.our_tab("/").await;
    let mut page = browser.header("sinew-socket", socket);

    page.post("/sign-in").await;
    let answered = tokio::time::Instant::now();
    stranger.cable.expect_session_end(answered).await;
    let (mut user, _) = page.our_tab("/").await;
    assert_eq!(shown(&mut user).await, json!({ "user": 7 }));
}

#[tokio::test]
async fn what_a_connection_is_told_reaches_no_other_of_the_same_session() {
    let nodes = Nodes::start().await;
    let (mut browser, mut tab, _) = nodes.visitor().await;
    let (mut other, _) = browser.our_tab("/").await;
    write(&mut tab, &mut browser, "a", 1).await;
    other.cable.expect_nothing().await;
    assert_eq!(shown(&mut other).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn a_ticket_that_is_not_redeemed_is_reported_and_sent_again() {
    let nodes = Nodes::with(|config| config.reflex.ticket_time_limit = Duration::ZERO).await;
    let (mut browser, mut tab, _) = nodes.visitor().await;
    tab.fire("Fields#set", json!(["a", 1])).await;
    let first = tab.ticket().await;
    let frame = tab.cable.json().await;
    let event = &frame["message"]["operations"][0];
    assert_eq!(event["name"], "sinew:session-pending");
    tab.bare_reply().await.expect_event("nothing");
    assert_eq!(nodes.one.app.engine().statistics().tickets_pending, 1);

    // The connection sees its own; no reply waits for the same a second time.
    tab.fire("Fields#show", json!([])).await;
    let second = tab.ticket().await;
    let shown = tab.bare_reply().await.operations[0]["payload"].clone();
    assert_eq!(shown, json!({ "a": 1 }));
    assert_eq!(nodes.one.app.engine().statistics().tickets_pending, 1);

    let mut there = nodes.at_two(&browser);
    for (body, outcome) in [(&second, "redeemed"), (&first, "replayed")] {
        let answer = there.post_json("/_sinew/session", body).await;
        assert_eq!(answer.header("sinew-ticket"), Some(outcome));
    }
    assert_eq!(there.get("/show/a").await.body, "1");
    browser.get("/").await;
    assert_eq!(browser.get("/show/a").await.body, "1");
}

#[tokio::test]
async fn a_hundred_writers_over_http_and_sockets_of_one_node_lose_nothing() {
    let nodes = Nodes::start().await;
    let (browser, tab, _) = nodes.visitor().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..50 {
        // All of them come with the cookie of the first page.
        let mut browser = browser.clone();
        writers.spawn(async move {
            assert_eq!(browser.post(&format!("/set/h{writer}/1")).await.status, 200);
        });
    }
    // No ticket of it arrives: the next request brings it all.
    let mut socket = browser.tab("/").await;
    for writer in 0..50 {
        let name = format!("r{writer}");
        socket.perform("Fields#set", json!([name, 1])).await;
    }
    writers.join_all().await;
    drop(tab);
    let shown = socket.perform("Fields#show", json!([])).await;
    let fields = shown.operations[0]["payload"]
        .as_object()
        .map(|it| it.len());
    assert_eq!(fields, Some(100));
    let mut browser = browser;
    browser.get("/").await;
    let mut fresh = nodes.at_two(&browser);
    for name in ["h0", "h49", "r0", "r49"] {
        assert_eq!(
            fresh.get(&format!("/show/{name}")).await.body,
            "1",
            "{name}"
        );
    }
}

#[tokio::test]
async fn increments_of_one_node_are_all_counted() {
    let nodes = Nodes::start().await;
    let (mut browser, _, _) = nodes.visitor().await;
    let mut tabs = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let browser = browser.clone();
        tabs.spawn(async move {
            let mut tab = browser.tab("/").await;
            for _ in 0..10 {
                tab.perform("Fields#add", json!([])).await;
            }
        });
    }
    tabs.join_all().await;
    browser.get("/").await;
    assert_eq!(nodes.at_two(&browser).get("/show/sum").await.body, "50");
}

#[tokio::test]
async fn after_a_new_secret_old_cookies_are_read_and_sealed_anew() {
    let old = Secret::generate().expect("random");
    let with = |secret: &Secret, previous: &[Secret]| {
        let mut config = config();
        config.edge.configured_secret = Some(secret.clone());
        config.edge.previous_secrets = previous.to_vec();
        config
    };
    let [one, two] = Joined::pair();
    let before = node(&with(&old, &[]), one).await;
    let new = Secret::generate().expect("random");
    let after = node(&with(&new, &[old]), two).await;
    let mut browser = Browser::visit(&before, "/").await;
    browser.post("/set/a/1").await;
    let mut browser = Browser::new(&after).cookie(browser.cookie.expect("a session"));
    let shown = browser.get("/show/a").await;
    assert_eq!(shown.body, "1");
    assert!(shown.header("set-cookie").is_some());
    assert!(browser.get("/show/a").await.header("set-cookie").is_none());

    let [only, _] = Joined::pair();
    let later = node(&with(&new, &[]), only).await;
    let mut browser = Browser::new(&later).cookie(browser.cookie.expect("a session"));
    assert_eq!(browser.get("/show/a").await.body, "1");
}

#[tokio::test]
async fn the_variable_chooses_cookies_too() {
    let mut config = config();
    config.edge.configured_secret = Some(Secret::generate().expect("random"));
    config.edge.stores.sessions = Some(SessionStoreKind::Cookie);
    let router = Router::new()
        .route("/", get(page))
        .route("/set/{name}/{value}", post(set));
    let server = Server::built(Sinew::new(router).config(config).reflex(Fields)).await;
    let mut browser = Browser::visit(&server, "/").await;
    let empty = browser.cookie.clone().map_or(0, |it| it.len());
    browser.post("/set/a/1").await;
    assert!(browser.cookie.clone().map_or(0, |it| it.len()) > empty);
    let (mut tab, _) = browser.our_tab("/").await;
    assert_eq!(shown(&mut tab).await, json!({ "a": 1 }));
    let metrics = server.app.handle().metrics().to_string();
    assert!(
        metrics.contains("sinew_session_tickets_total 0"),
        "{metrics}"
    );
}
