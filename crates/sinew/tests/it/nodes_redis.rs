//! Two complete applications that share sessions and streams over a real Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::response::Html;
use axum::routing::{get, post};
use futures_util::future::join_all;
use serde_json::json;
use sinew::Config;
use sinew::config::Secret;
use sinew::prelude::*;
use sinew_redis::{Redis, RedisSettings, RedisStore, RedisStreams};
use test_servers::RedisServer;

use crate::browser::{Browser, Tab};
use crate::server::{Server, config};

/// A guard against waiting for ever for what will not come; no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

struct Writer;

#[reflex]
impl Writer {
    async fn write(&self, cx: &mut Reflex, name: String) -> Result {
        cx.session().set(&name, &true).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn increment(&self, cx: &mut Reflex) -> Result {
        let count = cx.session().update("count", |count: i64| count + 1);
        let count = count.await?;
        cx.set_payload(json!(count));
        cx.morph_nothing();
        Ok(())
    }
}

/// The subscription to [`News`].
pub(crate) const NEWS: &str = r#"{"channel":"News"}"#;

struct News;

#[channel]
impl News {
    async fn subscribed(&self, cx: &mut Subscription) {
        cx.stream_from("news");
    }
}

async fn page(session: Session, client: ClientTags) -> Result<Html<String>> {
    session.ensure();
    Ok(Html(format!("<head>{client}</head><body></body>")))
}

async fn write(session: Session, Path(name): Path<String>) -> Result<()> {
    session.set(&name, &true).await?;
    Ok(())
}

async fn count(session: Session) -> Result<String> {
    Ok(session.keys().await?.len().to_string())
}

async fn sign_in(session: Session) {
    session.renew_id();
}

async fn sign_out(session: Session) {
    session.destroy();
}

/// What runs on every node, but for where it keeps its sessions and by what it broadcasts.
pub(crate) fn application(config: Config) -> Sinew {
    let router = Router::new()
        .route("/", get(page))
        .route("/write/{name}", post(write))
        .route("/count", get(count))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out));
    Sinew::new(router)
        .config(config)
        .reflex(Writer)
        .channel(News)
}

/// Two nodes; sessions and streams have a server each, so that the commands of one can be counted.
struct Nodes {
    nodes: [Server; 2],
    sessions: RedisServer,
    streams: RedisServer,
}

fn connect(server: &RedisServer) -> Redis {
    let settings = RedisSettings::from_url(&server.url()).expect("a URL");
    Redis::connect_lazily(settings).expect("no certificates")
}

impl Nodes {
    async fn start() -> Self {
        let (sessions, streams) = (RedisServer::start(), RedisServer::start());
        let mut config = config();
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
        let node = || Self::node(config.clone(), &sessions, &streams);
        Self {
            nodes: [node().await, node().await],
            sessions,
            streams,
        }
    }

    async fn node(config: Config, sessions: &RedisServer, streams: &RedisServer) -> Server {
        let sinew = application(config)
            .store(Arc::new(RedisStore::new(connect(sessions))))
            .streams(Arc::new(RedisStreams::new(connect(streams))));
        Server::built(sinew).await
    }

    /// Waits until so many nodes hear of sessions that end on the other one.
    async fn until_nodes_listen(&self, nodes: usize) {
        let line = format!("sinew:sinew:sessions\n{nodes}");
        let listen = || {
            self.streams
                .command(&["PUBSUB", "NUMSUB", "sinew:sinew:sessions"])
        };
        until("the nodes listen", || listen() == line).await;
    }

    /// A visitor of the first node, and the same one at the second.
    async fn visitor(&self) -> (Browser, Browser) {
        let here = Browser::visit(&self.nodes[0], "/").await;
        let cookie = here.cookie.clone().expect("a session");
        (here, Browser::new(&self.nodes[1]).cookie(cookie))
    }

    /// Calls until the connection has heard of its session's new id: the news of the other node come over Redis.
    async fn until_followed(&self, tab: &mut Tab, count: i64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = tab.perform("Writer#increment", json!([])).await;
            match reply.event() {
                Some("nothing") => return assert_eq!(*reply.payload(), json!(count)),
                _ => assert!(Instant::now() < deadline, "{reply:?}"),
            }
        }
    }

    /// How often the sessions' server ran a script.
    fn scripts_run(&self) -> u64 {
        let said = self.sessions.command(&["INFO", "commandstats"]);
        let counts = said.lines().filter_map(|line| {
            let (name, count) = line.split_once(":calls=")?;
            let is_script = ["cmdstat_evalsha", "cmdstat_eval"].contains(&name);
            is_script.then(|| count.split(',').next())?
        });
        counts.map(|it| it.parse::<u64>().expect("a number")).sum()
    }
}

pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn logout_on_one_node_ends_the_sockets_on_every_node() {
    let nodes = Nodes::start().await;
    nodes.until_nodes_listen(2).await;
    for ending in ["/sign-in", "/sign-out"] {
        let (mut here, there) = nodes.visitor().await;
        let mut near = here.tab("/").await;
        let mut far = there.tab("/").await;
        let mut stranger = Browser::visit(&nodes.nodes[1], "/").await.tab("/").await;

        here.post(ending).await;
        let answered = tokio::time::Instant::now();
        near.cable.expect_session_end(answered).await;
        far.cable.expect_session_end(answered).await;
        stranger
            .perform("Writer#write", json!(["still here"]))
            .await;

        let mut refused = there.connect().await.expect("upgrades");
        refused.expect_disconnect("unauthorized", false).await;
    }
}

#[tokio::test]
async fn a_login_on_one_node_keeps_the_socket_of_its_page_on_another() {
    let nodes = Nodes::start().await;
    nodes.until_nodes_listen(2).await;
    let (here, mut there) = nodes.visitor().await;
    let (mut near, _) = here.our_tab("/").await;
    let (mut far, socket) = there.our_tab("/").await;
    far.perform("Writer#increment", json!([])).await;

    // The page has its socket at the second node, and the first one answers its login.
    let mut login = here.clone().header("sinew-socket", socket);
    login.post("/sign-in").await;
    near.cable.expect_disconnect("remote", true).await;
    near.cable.expect_close(1000).await;
    nodes.until_followed(&mut far, 2).await;
    assert_eq!(login.get("/count").await.body, "1");

    // The session from before is dead, on both nodes.
    for browser in [&here, &there] {
        let mut refused = browser.connect().await.expect("upgrades");
        refused.expect_disconnect("unauthorized", false).await;
    }
    there.cookie = login.cookie;
    there.post("/sign-out").await;
    far.cable.expect_disconnect("remote", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_writers_on_two_nodes_all_survive() {
    let nodes = Nodes::start().await;
    let (here, there) = nodes.visitor().await;
    let mut writers: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
    for index in 0..50 {
        let mut browser = [&here, &there][index % 2].clone();
        writers.push(Box::pin(async move {
            let answer = browser.post(&format!("/write/http-{index}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }));
    }
    for index in 0..50 {
        let browser = [&here, &there][index % 2].clone();
        writers.push(Box::pin(async move {
            let mut tab = browser.tab("/").await;
            let name = format!("reflex-{index}");
            let reply = tab.perform("Writer#write", json!([name])).await;
            reply.expect_event("nothing");
        }));
    }
    join_all(writers).await;
    assert_eq!(here.clone().get("/count").await.body, "100");
    assert_eq!(there.clone().get("/count").await.body, "100");
}

#[tokio::test]
async fn the_commit_of_a_reflex_is_one_round_trip() {
    let nodes = Nodes::start().await;
    let (here, there) = nodes.visitor().await;
    let mut tab = here.tab("/").await;
    // The server knows the scripts by now.
    tab.perform("Writer#increment", json!([])).await;

    let before = nodes.scripts_run();
    tab.perform("Writer#write", json!(["name"])).await;
    assert_eq!(nodes.scripts_run() - before, 1, "the commit");

    let before = nodes.scripts_run();
    let reply = tab.perform("Writer#increment", json!([])).await;
    assert_eq!(*reply.payload(), json!(2));
    assert_eq!(nodes.scripts_run() - before, 2, "the load and the commit");

    // Somebody else wrote another field in between: nothing has to be done again.
    let mut other = there.tab("/").await;
    other.perform("Writer#write", json!(["other"])).await;
    let before = nodes.scripts_run();
    tab.perform("Writer#increment", json!([])).await;
    assert_eq!(nodes.scripts_run() - before, 2, "the load and the commit");
}

#[tokio::test]
async fn subscriptions_live_again_after_redis_has_restarted() {
    let mut nodes = Nodes::start().await;
    let (here, there) = nodes.visitor().await;
    let mut near = here.tab("/").await;
    let mut far = there.tab("/").await;
    for tab in [&mut near, &mut far] {
        assert!(tab.cable.subscribe(NEWS).await);
    }
    nodes.streams.restart();
    let server = &nodes.streams;
    until("all is followed", || {
        let said = server.command(&["PUBSUB", "NUMSUB", "sinew:news", "sinew:sinew:sessions"]);
        said == "sinew:news\n2\nsinew:sinew:sessions\n2"
    })
    .await;

    let sinew = nodes.nodes[0].app.handle();
    let deadline = Instant::now() + PATIENCE;
    // The connection for commands comes back by itself as well.
    while sinew
        .broadcaster()
        .broadcast("news", "fresh")
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "it is published");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for tab in [&mut near, &mut far] {
        tab.cable
            .expect(json!({"identifier": NEWS, "message": "fresh"}))
            .await;
    }
    let reply = near.perform("Writer#increment", json!([])).await;
    assert_eq!(*reply.payload(), json!(1));
    let metrics = sinew.metrics().to_string();
    let line = "sinew_streams_interruptions_total 1";
    assert!(metrics.lines().any(|it| it == line), "{metrics}");
}
