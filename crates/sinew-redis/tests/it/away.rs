//! What happens while a server is away, and when it is back.

use sinew_redis::{RedisErrorKind, RedisStatus, redis};
use test_servers::RedisServer;
use tokio::time::timeout;

use crate::{PATIENCE, connect, get, set, wait_for};

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let mut server = RedisServer::start();
    let redis = connect(&server.url());
    set(&redis, "key", "value").await.unwrap();

    server.kill();
    wait_for(&redis, RedisStatus::Away).await;
    let error = get(&redis, "key").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
    assert!(error.is_retryable() && !error.was_sent());

    server.start_again();
    wait_for(&redis, RedisStatus::Available).await;
    assert_eq!(get(&redis, "key").await.unwrap(), None);
    set(&redis, "key", "value").await.unwrap();
    let statistics = redis.statistics();
    assert_eq!(statistics.outages, 1);
    assert!(statistics.connections_lost >= 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_found_when_it_is() {
    let mut server = RedisServer::start();
    server.kill();
    let redis = connect(&server.url());
    assert_eq!(redis.status(), RedisStatus::Connecting);
    let error = get(&redis, "key").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
    wait_for(&redis, RedisStatus::Away).await;
    server.start_again();
    wait_for(&redis, RedisStatus::Available).await;
    set(&redis, "key", "value").await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_gone_for_good_keeps_nobody_waiting() {
    let mut server = RedisServer::start();
    let redis = connect(&server.url());
    set(&redis, "key", "value").await.unwrap();
    server.kill();
    let calls = (0..100).map(|_| {
        let redis = redis.clone();
        tokio::spawn(async move { get(&redis, "key").await })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = timeout(PATIENCE, call).await.expect("an answer").unwrap();
        assert_eq!(answer.unwrap_err().kind(), RedisErrorKind::Unavailable);
    }
    wait_for(&redis, RedisStatus::Away).await;
    for answer in redis
        .pipeline(&[redis::cmd("PING"), redis::cmd("PING")])
        .await
    {
        assert_eq!(answer.unwrap_err().kind(), RedisErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_frozen_server_is_found_and_used_again() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    set(&redis, "key", "value").await.unwrap();

    server.freeze();
    let error = timeout(PATIENCE, set(&redis, "key", "other")).await;
    let error = error.expect("an answer in time").unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
    // It was on its way: nobody can say whether it is carried out.
    assert!(error.was_sent());
    wait_for(&redis, RedisStatus::Away).await;
    let error = set(&redis, "key", "third").await.unwrap_err();
    assert!(!error.was_sent());

    server.thaw();
    wait_for(&redis, RedisStatus::Available).await;
    assert!(get(&redis, "key").await.unwrap().is_some());
}

#[tokio::test]
async fn a_frozen_server_is_found_without_a_command() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    wait_for(&redis, RedisStatus::Available).await;
    server.freeze();
    wait_for(&redis, RedisStatus::Away).await;
}

#[tokio::test]
async fn a_command_that_waits_keeps_nobody_waiting_on_other_connections() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let patient = redis.separate(std::num::NonZeroUsize::MIN, PATIENCE);
    let waiting =
        tokio::spawn(async move { patient.query(redis::cmd("BLPOP").arg("queue").arg(0)).await });
    // Until it waits.
    while !server
        .command(&["INFO", "clients"])
        .contains("blocked_clients:1")
    {
        tokio::task::yield_now().await;
    }
    set(&redis, "key", "value").await.unwrap();
    redis
        .query(redis::cmd("RPUSH").arg("queue").arg("job"))
        .await
        .unwrap();
    let answer = timeout(PATIENCE, waiting)
        .await
        .expect("an answer")
        .unwrap();
    assert!(matches!(answer, Ok(redis::Value::Array(parts)) if parts.len() == 2));
}

#[test]
fn another_runtime_takes_over() {
    let server = RedisServer::start();
    // No runtime yet: it is connected with the first command.
    let redis = connect(&server.url());
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let key = format!("key:{round}");
        let stored = runtime.unwrap().block_on(set(&redis, &key, "value"));
        stored.unwrap();
    }
    assert_eq!(server.command(&["DBSIZE"]), "3");
}

#[tokio::test]
async fn nobody_stays_connected_for_a_handle_that_is_gone() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    set(&redis, "key", "value").await.unwrap();
    drop(redis);
    while server.command(&["CLIENT", "LIST"]).lines().count() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.command(&["GET", "key"]), "value");
}
