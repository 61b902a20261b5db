//! Two complete applications that share a real PostgreSQL and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sinew::config::{Config, Secret};
use sinew::postgres::{Postgres, PostgresSettings, PostgresStore, PostgresStreams};
use test_servers::PostgresServer;

use crate::browser::Browser;
use crate::nodes_redis::{NEWS, PATIENCE, application, until};
use crate::server::{Server, config};

struct Node {
    server: Server,
    streams: Arc<PostgresStreams>,
}

struct Nodes {
    nodes: [Node; 2],
    database: PostgresServer,
}

impl Nodes {
    async fn start() -> Self {
        let database = PostgresServer::start();
        let mut config = config();
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
        let node = || Self::node(config.clone(), &database);
        let nodes = [node().await, node().await];
        let nodes = Self { nodes, database };
        nodes.until_all_listen().await;
        nodes
    }

    async fn node(config: Config, database: &PostgresServer) -> Node {
        let settings = PostgresSettings::from_url(&database.url()).expect("a URL");
        let postgres = Postgres::connect_lazily(settings).expect("no certificates");
        let streams = Arc::new(PostgresStreams::new(postgres.clone()));
        let sinew = application(config)
            .store(Arc::new(PostgresStore::new(postgres)))
            .streams(streams.clone());
        let server = Server::built(sinew).await;
        Node { server, streams }
    }

    /// Waits until every node hears of sessions that end on the other one.
    async fn until_all_listen(&self) {
        until("the nodes listen", || {
            self.nodes.iter().all(|node| {
                let statistics = node.streams.statistics();
                statistics.is_connected && statistics.streams > 0
            })
        })
        .await;
    }

    /// A visitor of the first node, and the same one at the second.
    async fn visitor(&self) -> (Browser, Browser) {
        let here = Browser::visit(&self.nodes[0].server, "/").await;
        let cookie = here.cookie.clone().expect("a session");
        (here, Browser::new(&self.nodes[1].server).cookie(cookie))
    }
}

#[tokio::test]
async fn logout_on_one_node_ends_the_sockets_on_every_node() {
    let nodes = Nodes::start().await;
    for ending in ["/sign-in", "/sign-out"] {
        let (mut here, there) = nodes.visitor().await;
        let mut near = here.tab("/").await;
        let mut far = there.tab("/").await;
        let stranger = Browser::visit(&nodes.nodes[1].server, "/").await;
        let mut stranger = stranger.tab("/").await;

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
async fn a_broadcast_reaches_every_node_also_after_a_restart_of_the_server() {
    let mut nodes = Nodes::start().await;
    let (here, there) = nodes.visitor().await;
    let (mut near, mut far) = (here.tab("/").await, there.tab("/").await);
    for tab in [&mut near, &mut far] {
        assert!(tab.cable.subscribe(NEWS).await);
    }
    let sinew = nodes.nodes[0].server.app.handle();
    // More than one notification of PostgreSQL holds.
    let long = "long ".repeat(10_000);
    let broadcaster = sinew.broadcaster();
    broadcaster
        .broadcast("news", &long)
        .await
        .expect("publishes");
    for tab in [&mut near, &mut far] {
        let expected = json!({"identifier": NEWS, "message": long});
        tab.cable.expect(expected).await;
    }

    nodes.database.restart();
    until("the connections were lost", || {
        let mut nodes = nodes.nodes.iter();
        nodes.all(|node| node.streams.statistics().interruptions == 1)
    })
    .await;
    nodes.until_all_listen().await;
    let deadline = Instant::now() + PATIENCE;
    // The connections that publish come back by themselves as well.
    while broadcaster.broadcast("news", "fresh").await.is_err() {
        assert!(Instant::now() < deadline, "it is published");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for tab in [&mut near, &mut far] {
        let expected = json!({"identifier": NEWS, "message": "fresh"});
        tab.cable.expect(expected).await;
    }
    let reply = far.perform("Writer#increment", json!([])).await;
    assert_eq!(*reply.payload(), json!(1));
    let metrics = sinew.metrics().to_string();
    let line = "sinew_streams_interruptions_total 1";
    assert!(metrics.lines().any(|it| it == line), "{metrics}");
}
