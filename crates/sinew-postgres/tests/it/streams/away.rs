//! A server that is restarted, frozen, or not there, and a connection that is cut.

use std::time::Duration;

use sinew_postgres::{Postgres, PostgresSettings, PostgresStatus, PostgresStreams};
use sinew_streams::Streams;
use test_servers::PostgresServer;

use super::{next, node, publish, until};
use crate::database::Database;

fn impatient(server: &PostgresServer) -> Postgres {
    let mut settings = PostgresSettings::from_url(&server.url()).unwrap();
    settings.statement_timeout = Duration::from_millis(500);
    settings.health_interval = Duration::from_millis(200);
    Postgres::connect_lazily(settings).unwrap()
}

async fn is(postgres: &Postgres, wanted: PostgresStatus) {
    let mut watch = postgres.watch();
    watch.wait_for(|status| *status == wanted).await.unwrap();
}

async fn is_connected(streams: &PostgresStreams, wanted: bool) {
    let is_so = async || streams.statistics().is_connected == wanted;
    until("the connection that listens", is_so).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_is_listened_to_again_by_itself() {
    let mut server = PostgresServer::start();
    let postgres = impatient(&server);
    let (streams, mut heard) = node(postgres.clone());
    for stream in ["one", "two", "left"] {
        streams.follow(&stream.into()).await.unwrap();
    }
    let before = publish(&streams, "one", "before").await;
    assert_eq!(next(&mut heard).await, "before");

    server.stop();
    is(&postgres, PostgresStatus::Away).await;
    is_connected(&streams, false).await;
    let refused = streams.publish(&"one".into(), "lost".into()).await;
    assert!(refused.unwrap_err().is_retryable());
    // What is wished for meanwhile comes true as well.
    streams.unfollow(&"left".into());
    let new = streams.follow(&"new".into());
    server.start_again();
    new.await.unwrap();
    is(&postgres, PostgresStatus::Available).await;

    publish(&streams, "left", "nobody hears it").await;
    for stream in ["new", "two", "one"] {
        publish(&streams, stream, "after").await;
        let (from, position, payload) = heard.recv().await.unwrap();
        assert_eq!((from.as_str(), &payload[..]), (stream, &b"after"[..]));
        assert!(position > before);
    }
    let statistics = streams.statistics();
    assert_eq!(statistics.interruptions, 1);
    assert_eq!(statistics.streams_interrupted, 3);
    assert_eq!((statistics.publish_failed, statistics.passed_over), (1, 1));
    assert!(statistics.is_connected);
    // Whoever watches over the node is told that it may have missed something.
    assert_eq!(streams.missed().interruptions, 1);
    assert_eq!(
        streams.missed().messages,
        0,
        "what was refused is not missed"
    );
}

/// A node whose connection is cut misses what is published meanwhile, and says how much.
#[tokio::test]
async fn what_was_missed_is_counted() {
    let database = Database::create().await;
    let (streams, mut heard) = node(database.node());
    let (other, _) = node(database.node());
    streams.follow(&"news".into()).await.unwrap();
    other.follow(&"news".into()).await.unwrap();
    publish(&other, "news", "1").await;
    assert_eq!(next(&mut heard).await, "1");

    // It cannot come back, and the other connections stay.
    let (_, name) = database.url.rsplit_once('/').unwrap();
    let allow = |is_allowed: bool| {
        let sql = format!("alter database {name} allow_connections {is_allowed}");
        database.server.query(&sql);
    };
    allow(false);
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
            and (query like 'listen%' or query like '%pg_listening_channels%')";
    assert_eq!(database.number(cut).await, 2);
    is_connected(&streams, false).await;
    for number in 2..5 {
        publish(&other, "news", number).await;
    }
    allow(true);
    is_connected(&streams, true).await;
    publish(&other, "news", "5").await;
    assert_eq!(next(&mut heard).await, "5");
    assert_eq!(streams.statistics().lost, 3);
    let missed = streams.missed();
    assert_eq!((missed.interruptions, missed.messages), (1, 3));
}

/// A frozen server neither answers nor closes: the connection is given up, and opened anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_noticed() {
    let server = PostgresServer::start();
    let (streams, mut heard) = node(impatient(&server));
    streams.follow(&"news".into()).await.unwrap();
    server.freeze();
    // Nobody asks anything of it.
    is_connected(&streams, false).await;
    let refused = streams.publish(&"news".into(), "frozen".into()).await;
    assert!(refused.unwrap_err().is_retryable());
    let refused = streams.follow(&"other".into()).await;
    assert!(refused.unwrap_err().is_retryable());
    server.thaw();
    is_connected(&streams, true).await;
    is(streams.postgres(), PostgresStatus::Available).await;
    streams.follow(&"other".into()).await.unwrap();
    publish(&streams, "other", "thawed").await;
    // Whether the server took what it did not answer is unknown.
    let first = next(&mut heard).await;
    let thawed = match first.as_str() {
        "frozen" => next(&mut heard).await,
        _ => first,
    };
    assert_eq!(thawed, "thawed");
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_server_that_is_away() {
    let mut server = PostgresServer::start();
    server.stop();
    let (streams, _) = node(impatient(&server));
    let refused = streams.follow(&"news".into()).await.unwrap_err();
    assert!(refused.is_retryable());
    assert_eq!(streams.statistics().streams, 0);
    let refused = streams.publish(&"news".into(), "1".into()).await;
    let refused = refused.unwrap_err();
    assert!(refused.is_retryable());
    let whole = format!("{refused:?}");
    assert!(!whole.contains(server.password()), "{whole}");
}

/// The other connections go through something that shares them.
#[tokio::test]
async fn the_connection_that_listens_has_an_address_of_its_own() {
    let database = Database::create().await;
    let listen_url = format!("{}?application_name=listens", database.url);
    let settings = database.settings().listen_at(&listen_url).unwrap();
    let (streams, mut heard) = node(Postgres::connect_lazily(settings).unwrap());
    streams.follow(&"news".into()).await.unwrap();
    publish(&streams, "news", "1").await;
    assert_eq!(next(&mut heard).await, "1");
    let named = |name: &str| {
        format!(
            "select count(*) from pg_stat_activity
            where datname = current_database() and application_name = '{name}'"
        )
    };
    assert_eq!(database.number(&named("listens")).await, 1);
    // One that looks after the server, and one that publishes.
    assert_eq!(database.number(&named("sinew")).await, 2);

    let refused = database
        .settings()
        .listen_at("postgres://ada:secret@db:port/app");
    let refused = refused.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("secret"));
}
