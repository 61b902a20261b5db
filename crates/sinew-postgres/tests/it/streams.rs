//! Streams over a real server.

mod away;
mod large;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sinew_postgres::{Postgres, PostgresStreams};
use sinew_streams::{BoxFuture, Position, Sink, StreamName, Streams, contract};
use tokio::sync::{Notify, mpsc};

use crate::database::Database;

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sink that hands on what it gets.
struct Ear(mpsc::UnboundedSender<(String, Position, Bytes)>);

type Heard = mpsc::UnboundedReceiver<(String, Position, Bytes)>;

impl Sink for Ear {
    fn deliver(&self, stream: &StreamName, position: Position, payload: &Bytes) {
        // The test may have heard enough.
        let _ = self.0.send((stream.to_string(), position, payload.clone()));
    }
}

fn node(postgres: Postgres) -> (PostgresStreams, Heard) {
    let streams = PostgresStreams::new(postgres);
    let (ear, heard) = mpsc::unbounded_channel();
    streams.attach(Arc::new(Ear(ear))).unwrap();
    (streams, heard)
}

async fn publish(streams: &PostgresStreams, stream: &str, payload: impl ToString) -> Position {
    let payload = payload.to_string().into();
    streams.publish(&stream.into(), payload).await.unwrap()
}

async fn next(heard: &mut Heard) -> String {
    let heard = tokio::time::timeout(PATIENCE, heard.recv()).await;
    let (_, _, payload) = heard.expect("something comes").unwrap();
    String::from_utf8(payload.into()).unwrap()
}

/// Waits for something that nobody tells.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept() {
    let database = Database::create().await;
    let number = AtomicU64::new(0);
    contract::run_all(|| {
        let prefix = format!("test_{}_", number.fetch_add(1, Relaxed));
        let settings = database.settings().tables("public", &prefix).unwrap();
        PostgresStreams::new(Postgres::connect_lazily(settings).unwrap())
    })
    .await;
    assert_eq!(number.load(Relaxed), 10, "each on streams of its own");
}

/// Two nodes publish to one stream: both see the same order, with growing positions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_see_one_order() {
    let database = Database::create().await;
    let nodes = [node(database.node()), node(database.node())];
    for (streams, _) in &nodes {
        streams.follow(&"news".into()).await.unwrap();
    }
    let from = async |index: usize| {
        for number in 0..200 {
            publish(&nodes[index].0, "news", format!("{index}.{number}")).await;
        }
    };
    tokio::join!(from(0), from(1));
    let mut seen = Vec::new();
    for (streams, mut heard) in nodes {
        let mut messages = Vec::new();
        while messages.len() < 400 {
            heard.recv_many(&mut messages, 400).await;
        }
        assert!(messages.is_sorted_by(|one, next| one.1 < next.1));
        assert!(heard.try_recv().is_err(), "each once");
        let statistics = streams.statistics();
        assert_eq!((statistics.lost, statistics.unreadable), (0, 0));
        seen.push(messages);
    }
    assert_eq!(seen[0], seen[1]);
}

/// Nobody waits for one call before the next, and nothing is lost on the way to the other node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_messages_arrive_in_the_order_of_their_calls() {
    const MESSAGES: u64 = 10_000;
    let database = Database::create().await;
    let (here, _) = node(database.node());
    let (there, mut heard) = node(database.node());
    there.follow(&"news".into()).await.unwrap();
    for number in 0..MESSAGES {
        drop(here.publish(&"news".into(), number.to_string().into()));
    }
    for number in 0..MESSAGES {
        assert_eq!(next(&mut heard).await, number.to_string());
    }
    // Answers come in the order of the calls: all others are there when this one is.
    publish(&here, "other", "last").await;
    assert!(heard.try_recv().is_err(), "each once");
    let (here, there) = (here.statistics(), there.statistics());
    assert_eq!((here.published, here.publish_failed), (MESSAGES + 1, 0));
    assert_eq!((there.received, there.lost), (MESSAGES, 0));
}

#[tokio::test]
async fn tables_of_another_name_are_other_streams() {
    let database = Database::create().await;
    let named = |schema: &str, prefix: &str| {
        let settings = database.settings().tables(schema, prefix).unwrap();
        node(Postgres::connect_lazily(settings).unwrap())
    };
    let nodes = [
        named("public", "sinew_"),
        named("public", "shop_"),
        named("shop", "sinew_"),
        named("shop", "sinew_"),
    ];
    for (streams, _) in &nodes {
        streams.follow(&"news".into()).await.unwrap();
    }
    for (number, (streams, _)) in nodes.iter().enumerate() {
        publish(streams, "news", number).await;
    }
    let expected: [&[&str]; 4] = [&["0"], &["1"], &["2", "3"], &["2", "3"]];
    for ((streams, mut heard), expected) in nodes.into_iter().zip(expected) {
        for payload in expected {
            assert_eq!(next(&mut heard).await, *payload);
        }
        // Whatever else is on its way comes before this.
        publish(&streams, "news", "last").await;
        assert_eq!(next(&mut heard).await, "last");
        streams.unfollow(&"news".into());
        while let Ok((_, _, payload)) = heard.try_recv() {
            assert_eq!(payload, "last");
        }
    }
}

#[tokio::test]
async fn what_nobody_here_follows_is_passed_over() {
    let database = Database::create().await;
    let (here, _) = node(database.node());
    let (there, mut heard) = node(database.node());
    let names: Vec<StreamName> = (0..5_000).map(|it| it.to_string().into()).collect();
    for name in &names {
        there.follow(name).await.unwrap();
    }
    assert_eq!(there.statistics().streams, 5_000);
    for name in &names[..4_999] {
        there.unfollow(name);
    }
    publish(&here, "17", "left").await;
    publish(&here, "never", "followed").await;
    publish(&here, "4999", "stays").await;
    assert_eq!(next(&mut heard).await, "stays");
    let statistics = there.statistics();
    assert_eq!((statistics.received, statistics.passed_over), (1, 2));
    assert_eq!(statistics.streams, 1);
}

/// Another program notifies on our channel.
#[tokio::test]
async fn foreign_notifications_are_left_and_counted() {
    let database = Database::create().await;
    let (streams, mut heard) = node(database.node());
    streams.follow(&"news".into()).await.unwrap();
    let foreign = [
        "",
        "hello",
        "1 ffffffffffffffff 1 0/1 t ",
        "1 ffffffffffffffff 1 0/1 t 9:news",
        "1 ffffffffffffffff 1 1/2 t 4:news",
        "1 ffffffffffffffff 1 0/1 b ????",
        "1 ffffffffffffffff 1 0/99999 t 4:news1",
        "99999999999999999999 ffffffffffffffff 1 0/1 t 4:news1",
    ];
    for payload in foreign {
        let sql = "select pg_notify('public.sinew_streams', $1)";
        database.admin.query(sql, &[&payload]).await.unwrap();
    }
    publish(&streams, "news", "ours").await;
    assert_eq!(next(&mut heard).await, "ours");
    assert_eq!(streams.statistics().unreadable, foreign.len() as u64);
}

/// Takes one message, and wants no other before it is told so.
#[derive(Default)]
struct Busy {
    is_under_pressure: AtomicBool,
    relief: Arc<Notify>,
    delivered: AtomicU64,
}

impl Sink for Busy {
    fn deliver(&self, _: &StreamName, _: Position, _: &Bytes) {
        let asked_for_rest = self.is_under_pressure.swap(true, Relaxed);
        assert!(!asked_for_rest, "it asked for a rest");
        self.delivered.fetch_add(1, Relaxed);
    }

    fn pressure(&self) -> Option<BoxFuture<'static, ()>> {
        let relief = Arc::clone(&self.relief);
        let waits = self.is_under_pressure.load(Relaxed);
        waits.then(|| Box::pin(async move { relief.notified().await }) as BoxFuture<'static, ()>)
    }
}

#[tokio::test]
async fn a_sink_under_pressure_is_waited_for() {
    let database = Database::create().await;
    let streams = PostgresStreams::new(database.node());
    let sink = Arc::new(Busy::default());
    streams.attach(sink.clone()).unwrap();
    streams.follow(&"news".into()).await.unwrap();
    for number in 0..20 {
        publish(&streams, "news", number).await;
    }
    for delivered in 1..=20 {
        let is_delivered = async || sink.delivered.load(Relaxed) == delivered;
        until("it is delivered", is_delivered).await;
        sink.is_under_pressure.store(false, Relaxed);
        sink.relief.notify_one();
    }
}
