//! Subscriptions that outlive their connection.

use sinew_redis::{Messages, PubSubEvent, Redis, RedisStatus, redis};
use test_servers::{RedisCluster, RedisSentinel, RedisServer};
use tokio::time::timeout;

use crate::{PATIENCE, connect, wait_for};

async fn next(messages: &mut Messages) -> PubSubEvent {
    let next = timeout(PATIENCE, messages.next()).await;
    next.expect("an event in time").expect("an event")
}

fn message(name: &str, payload: &str) -> PubSubEvent {
    PubSubEvent::Message {
        name: name.to_owned(),
        payload: payload.to_owned().into(),
    }
}

async fn publish(redis: &Redis, name: &str, payload: &str) {
    // Subscriptions have a connection of their own, which may be back before the others.
    wait_for(redis, RedisStatus::Available).await;
    let mut command = redis::cmd("PUBLISH");
    redis.query(command.arg(name).arg(payload)).await.unwrap();
}

#[tokio::test]
async fn subscriptions_come_back() {
    let mut server = RedisServer::start();
    let redis = connect(&server.url());
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("a").await.unwrap();
    subscriber.subscribe("b").await.unwrap();
    subscriber.unsubscribe("b").await.unwrap();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    publish(&redis, "b", "nobody").await;
    publish(&redis, "a", "one").await;
    assert_eq!(next(&mut messages).await, message("a", "one"));

    server.kill();
    assert_eq!(next(&mut messages).await, PubSubEvent::Interrupted);
    // A wish while it is away is remembered.
    assert!(subscriber.subscribe("c").await.unwrap_err().is_retryable());
    server.start_again();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    publish(&redis, "a", "two").await;
    publish(&redis, "c", "three").await;
    assert_eq!(next(&mut messages).await, message("a", "two"));
    assert_eq!(next(&mut messages).await, message("c", "three"));
}

#[tokio::test]
async fn a_frozen_server_interrupts() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("a").await.unwrap();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    server.freeze();
    assert_eq!(next(&mut messages).await, PubSubEvent::Interrupted);
    server.thaw();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    publish(&redis, "a", "one").await;
    assert_eq!(next(&mut messages).await, message("a", "one"));
}

#[tokio::test]
async fn whoever_reads_too_slowly_is_told() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("a").await.unwrap();
    let publish_many = |count| {
        let script = sinew_redis::Script::new(
            "for i = 1, tonumber(ARGV[1]) do redis.call('PUBLISH', 'a', i) end",
        );
        let redis = redis.clone();
        async move {
            redis
                .script::<&str, _>(&script, &[], &[count])
                .await
                .unwrap()
        }
    };
    publish_many("10000").await;
    // Nobody reads until the connection is given up.
    while server.command(&["PUBSUB", "NUMSUB", "a"]).ends_with('1') {
        tokio::task::yield_now().await;
    }
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    let mut read = 0;
    while let PubSubEvent::Message { .. } = next(&mut messages).await {
        read += 1;
    }
    assert!(read < 10_000);
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    publish_many("1").await;
    assert_eq!(next(&mut messages).await, message("a", "1"));
}

#[tokio::test]
async fn messages_cross_a_cluster_and_end_with_the_subscriber() {
    let cluster = RedisCluster::start();
    let redis = connect(&format!(
        "redis-cluster://{}",
        cluster.addresses().join(",")
    ));
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("a").await.unwrap();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    for node in &cluster.nodes {
        node.command(&["PUBLISH", "a", "hello"]);
        assert_eq!(next(&mut messages).await, message("a", "hello"));
    }
    drop(subscriber);
    assert_eq!(
        timeout(PATIENCE, messages.next()).await.expect("in time"),
        None
    );
}

/// Sentinels lose sight of a primary that a subscriber still sees.
#[tokio::test]
async fn whom_the_sentinels_replace_is_left_although_it_answers() {
    let servers = RedisSentinel::start_with(
        RedisServer::options()
            .password("secret")
            .user("admin", "admin"),
        RedisServer::options(),
    );
    let redis = connect(&crate::sentinel::url(&servers).replace("//", "//:secret@"));
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("a").await.unwrap();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);

    // Whoever has to say the password again is out. The subscriber stays.
    let primary = &servers.primary;
    let changed = primary.command(&["CONFIG", "SET", "requirepass", "other"]);
    assert_eq!(changed, "OK");
    let admin = ["--user", "admin", "--pass", "admin"];
    primary.command(&[&admin[..], &["CLIENT", "KILL", "TYPE", "normal"]].concat());
    servers.wait_for_failover();
    assert_eq!(next(&mut messages).await, PubSubEvent::Interrupted);
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    publish(&redis, "a", "one").await;
    assert_eq!(next(&mut messages).await, message("a", "one"));
    let subscribers = servers.replica.command(&["PUBSUB", "NUMSUB", "a"]);
    assert_eq!(subscribers, "a\n1");
}

#[tokio::test]
async fn whoever_may_not_ask_whether_the_server_is_there_may_listen() {
    let server = RedisServer::options()
        .config("user quiet on >secret ~* &* +@all -ping")
        .start();
    let redis = connect(&server.url().replace("//", "//quiet:secret@"));
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("a").await.unwrap();
    assert_eq!(next(&mut messages).await, PubSubEvent::Connected);
    publish(&redis, "a", "one").await;
    assert_eq!(next(&mut messages).await, message("a", "one"));
}
