//! Ids of sessions in a store that a reflex renews, on two nodes that share store, streams and a secret.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::{Value, json};
use sinew::Config;
use sinew::config::Secret;
use sinew::prelude::*;
use sinew::session::{MemoryStore, Store};
use sinew_streams::Streams;

use crate::browser::{Browser, Tab};
use crate::nodes::Joined;
use crate::server::{Server, config};

struct Login;

#[reflex]
impl Login {
    async fn sign_in(&self, cx: &mut Reflex, user: String) -> Result {
        cx.session().renew_id();
        cx.session().set("user", &user).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn sign_out(&self, cx: &mut Reflex) -> Result {
        cx.session().reset().await?;
        cx.session().set("notice", "bye").await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn count(&self, cx: &mut Reflex) -> Result {
        cx.session().update("count", |count: i64| count + 1).await?;
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

async fn show(session: Session) -> Result<String> {
    let mut shown = Vec::new();
    for name in session.keys().await? {
        let value: Value = session.get_or_default(&name).await?;
        shown.push(format!("{name}={value}"));
    }
    Ok(shown.join(" "))
}

async fn sign_in(session: Session) -> Result<()> {
    session.renew_id();
    session.set("user", "over HTTP").await?;
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
    /// Nodes whose replies wait for their ticket, however long that takes.
    async fn patient() -> Self {
        Self::with(Duration::MAX).await
    }

    async fn with(ticket_time_limit: Duration) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let [one, two] = Joined::pair();
        let mut config = config();
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
        config.reflex.ticket_time_limit = ticket_time_limit;
        Self {
            one: node(&config, &store, one).await,
            two: node(&config, &store, two).await,
        }
    }

    /// A visitor of the first node, who has counted to one there, and the tab that is open.
    async fn visitor(&self) -> (Browser, Tab) {
        let browser = Browser::visit(&self.one, "/").await;
        let (mut tab, _) = browser.our_tab("/").await;
        tab.perform("Login#count", json!([])).await;
        (browser, tab)
    }

    /// The same visitor at the other node.
    fn at_two(&self, browser: &Browser) -> Browser {
        Browser::new(&self.two).cookie(browser.cookie.clone().expect("a session"))
    }
}

async fn node(config: &Config, store: &Arc<dyn Store>, streams: Arc<dyn Streams>) -> Server {
    let router = Router::new()
        .route("/", get(page))
        .route("/show", get(show))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out));
    let sinew = Sinew::new(router).config(config.clone()).reflex(Login);
    Server::built(sinew.store(store.clone()).streams(streams)).await
}

async fn redeem(browser: &mut Browser, ticket: &str) -> String {
    let answer = browser.post_json("/_sinew/session", ticket).await;
    let outcome = answer.header("sinew-ticket").expect("an outcome");
    format!("{} {outcome}", answer.status)
}

async fn shown(tab: &mut Tab) -> Value {
    tab.perform("Login#show", json!([])).await.payload().clone()
}

#[tokio::test]
async fn a_login_by_a_reflex_reaches_the_cookie_before_the_reply() {
    let nodes = Nodes::patient().await;
    let (mut browser, mut tab) = nodes.visitor().await;
    let before = browser.clone();
    let (mut second, _) = before.our_tab("/").await;
    let (mut far, _) = nodes.at_two(&before).our_tab("/").await;

    tab.fire("Login#sign_in", json!(["ada"])).await;
    let body = tab.ticket().await;
    tab.cable.expect_nothing().await;
    // Until it is redeemed the cookie has the session of before, without the login.
    assert_eq!(before.clone().get("/show").await.body, "count=1");
    assert!(!body.contains(&browser.cookie.clone().expect("a session")[14..]));

    // The other node answers.
    let mut there = nodes.at_two(&browser);
    assert_eq!(redeem(&mut there, &body).await, "204 redeemed");
    tab.bare_reply().await.expect_event("nothing");
    browser.cookie = there.cookie.clone();
    assert_ne!(browser.cookie, before.cookie);
    assert_eq!(browser.get("/show").await.body, r#"count=1 user="ada""#);
    assert_eq!(shown(&mut tab).await, json!({ "count": 1, "user": "ada" }));
    tab.perform("Login#count", json!([])).await;
    assert_eq!(browser.get("/show").await.body, r#"count=2 user="ada""#);

    // Whoever came with the old cookie is not signed in.
    for ended in [&mut second, &mut far] {
        ended.cable.expect_disconnect("remote", true).await;
    }
    assert_eq!(before.clone().get("/show").await.body, "");
    let mut refused = before.connect().await.expect("upgrades");
    refused.expect_disconnect("unauthorized", false).await;

    // The ticket is good once, for its own session alone.
    assert_eq!(redeem(&mut there, &body).await, "204 replayed");
    assert_eq!(redeem(&mut before.clone(), &body).await, "409 over");
    let mut stranger = Browser::visit(&nodes.two, "/").await;
    assert_eq!(redeem(&mut stranger, &body).await, "409 foreign");
    assert_eq!(
        redeem(&mut Browser::new(&nodes.two), &body).await,
        "409 no-session"
    );
    assert_eq!(
        redeem(&mut stranger, r#"{"ticket":"made up"}"#).await,
        "400 malformed"
    );
    let statistics = nodes.one.app.engine().statistics();
    assert_eq!((statistics.tickets, statistics.tickets_pending), (1, 0));

    // A logout ends the connection as any other of the session.
    browser.post("/sign-out").await;
    tab.cable.expect_disconnect("remote", true).await;
}

#[tokio::test]
async fn a_ticket_that_is_not_redeemed_is_reported_and_sent_again() {
    let nodes = Nodes::with(Duration::ZERO).await;
    let (mut browser, mut tab) = nodes.visitor().await;
    tab.fire("Login#sign_in", json!(["ada"])).await;
    let first = tab.ticket().await;
    let frame = tab.cable.json().await;
    let event = &frame["message"]["operations"][0];
    assert_eq!(event["name"], "sinew:session-pending");
    tab.bare_reply().await.expect_event("nothing");
    assert_eq!(nodes.one.app.engine().statistics().tickets_pending, 1);

    // The connection has the login, the cookie has not.
    assert_eq!(browser.get("/show").await.body, "count=1");
    tab.fire("Login#show", json!([])).await;
    let second = tab.ticket().await;
    let fields = tab.bare_reply().await.payload().clone();
    assert_eq!(fields, json!({ "count": 1, "user": "ada" }));
    assert_eq!(nodes.one.app.engine().statistics().tickets_pending, 1);

    assert_eq!(redeem(&mut browser, &second).await, "204 redeemed");
    assert_eq!(redeem(&mut browser, &first).await, "204 replayed");
    assert_eq!(browser.get("/show").await.body, r#"count=1 user="ada""#);
    assert_eq!(shown(&mut tab).await["user"], "ada");
}

#[tokio::test]
async fn of_two_logins_the_older_ticket_is_refused() {
    let nodes = Nodes::with(Duration::ZERO).await;
    let (mut browser, mut tab) = nodes.visitor().await;
    let mut tickets = Vec::new();
    for user in ["ada", "grace"] {
        tab.fire("Login#sign_in", json!([user])).await;
        tickets.push(tab.ticket().await);
        tab.cable.json().await;
        tab.bare_reply().await.expect_event("nothing");
    }
    assert_eq!(redeem(&mut browser, &tickets[0]).await, "409 over");
    assert_eq!(browser.get("/show").await.body, "count=1");
    assert_eq!(redeem(&mut browser, &tickets[1]).await, "204 redeemed");
    assert_eq!(browser.get("/show").await.body, r#"count=1 user="grace""#);
}

#[tokio::test]
async fn a_logout_by_a_reflex_counts_at_once() {
    let nodes = Nodes::with(Duration::ZERO).await;
    let (mut browser, mut tab) = nodes.visitor().await;
    tab.fire("Login#sign_out", json!([])).await;
    let body = tab.ticket().await;
    assert_eq!(browser.get("/show").await.body, "", "redeemed or not");
    assert_eq!(redeem(&mut browser, &body).await, "204 redeemed");
    assert_eq!(browser.get("/show").await.body, r#"notice="bye""#);
}

#[tokio::test]
async fn a_login_over_http_wins_over_one_that_is_pending() {
    let nodes = Nodes::with(Duration::ZERO).await;
    let browser = Browser::visit(&nodes.one, "/").await;
    let (mut tab, socket) = browser.our_tab("/").await;
    tab.fire("Login#sign_in", json!(["ada"])).await;
    let body = tab.ticket().await;
    tab.cable.json().await;
    tab.bare_reply().await.expect_event("nothing");

    let mut login = nodes.at_two(&browser).header("sinew-socket", socket);
    login.post("/sign-in").await;
    assert_eq!(shown(&mut tab).await, json!({ "user": "over HTTP" }));
    assert_eq!(redeem(&mut login, &body).await, "409 foreign");
    assert_eq!(redeem(&mut browser.clone(), &body).await, "409 over");
}

#[tokio::test]
async fn a_logout_over_http_ends_a_connection_whose_login_is_pending() {
    let nodes = Nodes::with(Duration::ZERO).await;
    let (browser, mut tab) = nodes.visitor().await;
    tab.fire("Login#sign_in", json!(["ada"])).await;
    let body = tab.ticket().await;
    tab.cable.json().await;
    tab.bare_reply().await.expect_event("nothing");

    nodes.at_two(&browser).post("/sign-out").await;
    tab.cable.expect_disconnect("remote", true).await;
    assert_eq!(redeem(&mut browser.clone(), &body).await, "409 over");
}

#[tokio::test]
async fn without_our_client_a_login_by_a_reflex_is_refused_and_nothing_is_written() {
    let nodes = Nodes::patient().await;
    let (mut browser, _) = nodes.visitor().await;
    let mut stock = browser.tab("/").await;
    let reply = stock.perform("Login#sign_in", json!(["ada"])).await;
    reply.expect_event("error");
    assert_eq!(browser.get("/show").await.body, "count=1");
    stock.perform("Login#count", json!([])).await;
    assert_eq!(browser.get("/show").await.body, "count=2");
}

#[tokio::test]
async fn a_session_that_no_cookie_names_is_renewed_without_a_ticket() {
    let mut config = config();
    config.anonymous = true;
    let router = Router::new().route("/", get(page));
    let server = Server::with(Sinew::new(router).reflex(Login), config).await;
    let (mut tab, _) = Browser::new(&server).our_tab("/").await;
    tab.perform("Login#sign_in", json!(["ada"])).await;
    assert_eq!(shown(&mut tab).await, json!({ "user": "ada" }));
    assert_eq!(server.app.engine().statistics().tickets, 0);
}
