//! Streams over a real server, and over a cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use sinew_redis::{Redis, RedisStatus, RedisStreams, redis};
use sinew_streams::{BoxFuture, Position, Sink, StreamName, Streams, contract};
use test_servers::{RedisCluster, RedisSentinel, RedisServer};
use tokio::sync::{Notify, mpsc};

use crate::connected;

/// A sink that hands on what it gets.
struct Ear(mpsc::UnboundedSender<(String, Position, String)>);

type Heard = mpsc::UnboundedReceiver<(String, Position, String)>;

impl Sink for Ear {
    fn deliver(&self, stream: &StreamName, position: Position, payload: &Bytes) {
        let payload = String::from_utf8_lossy(payload).into_owned();
        // The test may have heard enough.
        let _ = self.0.send((stream.to_string(), position, payload));
    }
}

fn node(redis: Redis) -> (RedisStreams, Heard) {
    let streams = RedisStreams::new(redis);
    let (ear, heard) = mpsc::unbounded_channel();
    streams.attach(Arc::new(Ear(ear))).unwrap();
    (streams, heard)
}

async fn publish(streams: &RedisStreams, stream: &str, payload: impl ToString) -> Position {
    let payload = payload.to_string().into();
    streams.publish(&stream.into(), payload).await.unwrap()
}

async fn contract_with(redis: impl Fn() -> Redis) {
    let number = AtomicU64::new(0);
    contract::run_all(|| {
        let number = number.fetch_add(1, Relaxed);
        RedisStreams::with_prefix(redis(), format!("test {number}:"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_keeps_the_contract() {
    let server = RedisServer::start();
    contract_with(|| connected::to(&server)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_contract() {
    let cluster = RedisCluster::start();
    contract_with(|| connected::to_cluster(&cluster)).await;
}

/// Two nodes publish to one stream: both see the same order, with growing positions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_see_one_order() {
    let server = RedisServer::start();
    let nodes = [node(connected::to(&server)), node(connected::to(&server))];
    for (streams, _) in &nodes {
        streams.follow(&"news".into()).await.unwrap();
    }
    let publishing = nodes
        .iter()
        .enumerate()
        .map(|(index, (streams, _))| async move {
            for number in 0..200 {
                publish(streams, "news", format!("{index}.{number}")).await;
            }
        });
    futures_util::future::join_all(publishing).await;
    let mut seen = Vec::new();
    for (_, mut heard) in nodes {
        let mut messages = Vec::new();
        heard.recv_many(&mut messages, 400).await;
        while messages.len() < 400 {
            heard.recv_many(&mut messages, 400).await;
        }
        assert!(messages.is_sorted_by(|one, next| one.1 < next.1));
        seen.push(messages);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn databases_do_not_hear_each_other() {
    let server = RedisServer::start();
    let database = |number: u32| crate::connect(&format!("{}/{number}", server.url()));
    let nodes = [0, 1, 1, 2].map(|number| node(database(number)));
    for (streams, _) in &nodes {
        streams.follow(&"news".into()).await.unwrap();
    }
    for (index, (streams, _)) in nodes.iter().enumerate() {
        publish(streams, "news", index).await;
    }
    let expected: [&[&str]; 4] = [&["0"], &["1", "2"], &["1", "2"], &["3"]];
    for ((streams, mut heard), expected) in nodes.into_iter().zip(expected) {
        for payload in expected {
            assert_eq!(heard.recv().await.unwrap().2, *payload);
        }
        // Whatever else is on its way comes before this.
        publish(&streams, "news", "last").await;
        assert_eq!(heard.recv().await.unwrap().2, "last");
        streams.unfollow(&"news".into());
        while let Ok((_, _, payload)) = heard.try_recv() {
            assert_eq!(payload, "last");
        }
    }
}

/// Nobody waits for one call before the next.
#[tokio::test]
async fn calls_keep_their_order_when_nobody_waits() {
    let server = RedisServer::start();
    let (streams, mut heard) = node(connected::to(&server));
    streams.follow(&"news".into()).await.unwrap();
    for number in 0..1_000 {
        drop(streams.publish(&"news".into(), number.to_string().into()));
    }
    for number in 0..1_000 {
        assert_eq!(heard.recv().await.unwrap().2, number.to_string());
    }
    assert_eq!(streams.statistics().published, 1_000);
    assert_eq!(streams.statistics().received, 1_000);
}

#[tokio::test]
async fn thousands_of_streams_are_followed_at_once() {
    let server = RedisServer::start();
    let (streams, mut heard) = node(connected::to(&server));
    let names: Vec<StreamName> = (0..5_000).map(|it| it.to_string().into()).collect();
    let following = names.iter().map(|name| streams.follow(name));
    for followed in futures_util::future::join_all(following).await {
        followed.unwrap();
    }
    assert_eq!(streams.statistics().streams, 5_000);
    assert!(connected::calls(&server, "subscribe") < 20);
    for name in &names[..4_999] {
        streams.unfollow(name);
    }
    publish(&streams, "17", "left").await;
    publish(&streams, "4999", "stays").await;
    assert_eq!(heard.recv().await.unwrap().2, "stays");
    connected::until("they are left", async || {
        server
            .command(&["PUBSUB", "NUMSUB", "sinew:17"])
            .ends_with('0')
    })
    .await;
}

#[tokio::test]
async fn a_restarted_server_is_followed_again_by_itself() {
    let mut server = RedisServer::start();
    let redis = connected::to(&server);
    let (streams, mut heard) = node(redis.clone());
    for stream in ["one", "two", "left"] {
        streams.follow(&stream.into()).await.unwrap();
    }
    let before = publish(&streams, "one", "before").await;
    assert_eq!(heard.recv().await.unwrap().2, "before");

    server.kill();
    connected::until("it is away", async || !redis.status().is_available()).await;
    let refused = streams
        .publish(&"one".into(), "lost".into())
        .await
        .unwrap_err();
    assert!(refused.is_retryable());
    // What is wished for meanwhile comes true as well.
    streams.unfollow(&"left".into());
    let new = streams.follow(&"new".into());
    server.start_again();
    new.await.unwrap();
    connected::until("all is followed", async || {
        let count = server.command(&["PUBSUB", "CHANNELS"]);
        count.lines().count() == 3
    })
    .await;
    connected::until("it is back", async || redis.status().is_available()).await;
    publish(&streams, "left", "nobody hears it").await;
    for stream in ["new", "two", "one"] {
        publish(&streams, stream, "after").await;
        let (from, position, payload) = heard.recv().await.unwrap();
        assert_eq!((from.as_str(), payload.as_str()), (stream, "after"));
        assert!(
            stream != "one" || position > before,
            "although the counter is gone"
        );
    }
    let statistics = streams.statistics();
    assert_eq!(
        (statistics.interruptions, statistics.streams_interrupted),
        (1, 3)
    );
    assert!(statistics.is_connected);
    assert_eq!(statistics.publish_failed, 1);
}

#[tokio::test]
async fn streams_go_over_to_the_primary_that_the_sentinels_name() {
    let mut servers = RedisSentinel::start();
    let redis = crate::connect(&crate::sentinel::url(&servers));
    let (streams, mut heard) = node(redis.clone());
    streams.follow(&"news".into()).await.unwrap();
    publish(&streams, "news", "before").await;
    assert_eq!(heard.recv().await.unwrap().2, "before");

    servers.primary.kill();
    servers.wait_for_failover();
    connected::until("it follows at the new primary", async || {
        servers
            .replica
            .command(&["PUBSUB", "NUMSUB", "sinew:news"])
            .ends_with('1')
    })
    .await;
    crate::wait_for(&redis, RedisStatus::Available).await;
    publish(&streams, "news", "after").await;
    assert_eq!(heard.recv().await.unwrap().2, "after");
}

/// A node whose connection is cut misses what is published meanwhile, and says how much.
#[tokio::test]
async fn what_was_missed_is_counted() {
    let server = RedisServer::start();
    let (streams, mut heard) = node(connected::to(&server));
    let (other, _) = node(connected::to(&server));
    streams.follow(&"news".into()).await.unwrap();
    publish(&other, "news", "1").await;
    heard.recv().await.unwrap();

    assert_eq!(server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]), "1");
    for _ in 2..5 {
        // What a message does that nobody hears.
        server.command(&["INCR", "sinew:position:news"]);
    }
    connected::until("it is back", async || {
        let is_subscribed = server
            .command(&["PUBSUB", "NUMSUB", "sinew:news"])
            .ends_with('1');
        is_subscribed && streams.statistics().interruptions == 1
    })
    .await;
    publish(&other, "news", "5").await;
    assert_eq!(heard.recv().await.unwrap().2, "5");
    assert_eq!(streams.statistics().lost, 3);
    let missed = streams.missed();
    assert_eq!((missed.interruptions, missed.messages), (1, 3));
}

/// A frozen server neither answers nor closes: the connection is given up, and opened anew.
#[tokio::test]
async fn a_frozen_server_is_noticed() {
    let server = RedisServer::start();
    let (streams, mut heard) = node(connected::to(&server));
    streams.follow(&"news".into()).await.unwrap();
    server.freeze();
    let refused = streams.follow(&"other".into()).await.unwrap_err();
    assert!(refused.is_retryable());
    connected::until("it is noticed", async || !streams.statistics().is_connected).await;
    server.thaw();
    connected::until("it is back", async || streams.statistics().is_connected).await;
    streams.follow(&"other".into()).await.unwrap();
    for stream in ["news", "other"] {
        publish(&streams, stream, "thawed").await;
        assert_eq!(heard.recv().await.unwrap().0, stream);
    }
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_server_that_is_away() {
    let mut server = RedisServer::start();
    server.kill();
    let (streams, _) = node(connected::to(&server));
    let refused = streams.follow(&"news".into()).await.unwrap_err();
    assert!(refused.is_retryable());
    assert_eq!(streams.statistics().streams, 0);
    let refused = streams
        .publish(&"news".into(), "1".into())
        .await
        .unwrap_err();
    assert!(refused.is_retryable());
}

/// Another program publishes on our channels.
#[tokio::test]
async fn foreign_messages_are_left_and_counted() {
    let server = RedisServer::start();
    let (streams, mut heard) = node(connected::to(&server));
    streams.follow(&"news".into()).await.unwrap();
    for message in ["", "hello", "12", ":1", "99999999999999999999:1"] {
        server.command(&["PUBLISH", "sinew:news", message]);
    }
    publish(&streams, "news", "ours").await;
    assert_eq!(heard.recv().await.unwrap().2, "ours");
    assert_eq!(streams.statistics().unreadable, 5);
}

#[tokio::test]
async fn a_server_without_memory_still_publishes_in_order() {
    let server = RedisServer::options()
        .config("maxmemory-policy noeviction")
        .start();
    let (streams, mut heard) = node(connected::to(&server));
    streams.follow(&"news".into()).await.unwrap();
    let mut last = publish(&streams, "news", "0").await;
    for (number, maxmemory) in [(1, "1"), (2, "1"), (3, "0"), (4, "0"), (5, "1")] {
        server.command(&["CONFIG", "SET", "maxmemory", maxmemory]);
        let position = publish(&streams, "news", number).await;
        assert!(position > last, "{number}");
        last = position;
    }
    for number in 0..=5 {
        assert_eq!(heard.recv().await.unwrap().2, number.to_string());
    }
    assert_eq!(streams.statistics().lost, 0);
}

#[tokio::test]
async fn a_counter_does_not_outlive_its_stream_for_long() {
    let server = RedisServer::start();
    let redis = connected::to(&server);
    let streams = RedisStreams::new(redis.clone());
    let first = publish(&streams, "news", "1").await;
    let left: i64 = server
        .command(&["PTTL", "sinew:position:news"])
        .parse()
        .unwrap();
    assert!((1..=300_000).contains(&left), "{left}");
    redis
        .query(redis::cmd("DEL").arg("sinew:position:news"))
        .await
        .unwrap();
    assert!(publish(&streams, "news", "2").await > first);
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
        assert!(
            !self.is_under_pressure.swap(true, Relaxed),
            "it asked for a rest"
        );
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
    let server = RedisServer::start();
    let streams = RedisStreams::new(connected::to(&server));
    let sink = Arc::new(Busy::default());
    streams.attach(sink.clone()).unwrap();
    streams.follow(&"news".into()).await.unwrap();
    for number in 0..20 {
        publish(&streams, "news", number).await;
    }
    for delivered in 1..=20 {
        connected::until("it is delivered", async || {
            sink.delivered.load(Relaxed) == delivered
        })
        .await;
        // Other streams can be followed meanwhile.
        streams
            .follow(&delivered.to_string().as_str().into())
            .await
            .unwrap();
        sink.is_under_pressure.store(false, Relaxed);
        sink.relief.notify_one();
    }
}
