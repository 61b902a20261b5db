//! Whoever the sentinels call the primary.

use sinew_redis::{RedisErrorKind, RedisStatus};
use test_servers::{RedisSentinel, RedisServer};

use crate::{connect, get, set, wait_for};

pub(crate) fn url(redis: &RedisSentinel) -> String {
    let hosts: Vec<_> = redis
        .sentinels
        .iter()
        .map(|it| format!("127.0.0.1:{}", it.port()))
        .collect();
    format!("redis-sentinel://{}/{}", hosts.join(","), redis.service())
}

#[tokio::test]
async fn a_failover_is_followed() {
    let mut servers = RedisSentinel::start();
    // The first sentinel of the URL does not answer.
    servers.sentinels[0].freeze();
    let redis = connect(&url(&servers));
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(servers.primary.command(&["GET", "key"]), "value");
    servers.sentinels[0].thaw();

    servers.primary.kill();
    servers.wait_for_failover();
    wait_for(&redis, RedisStatus::Available).await;
    while set(&redis, "key", "after").await.is_err() {
        wait_for(&redis, RedisStatus::Available).await;
    }
    assert_eq!(servers.replica.command(&["GET", "key"]), "after");
    assert_eq!(get(&redis, "key").await.unwrap().as_deref(), Some("after"));
}

#[tokio::test]
async fn servers_and_sentinels_have_passwords_of_their_own() {
    let mut servers = RedisSentinel::start_with(
        RedisServer::options().password("secret"),
        RedisServer::options().password("other"),
    );
    let url = url(&servers);
    let redis = connect(&format!(
        "{}?sentinel_password=other",
        url.replace("//", "//:secret@")
    ));
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(servers.primary.command(&["GET", "key"]), "value");

    let stranger = connect(&url.replace("//", "//:secret@"));
    let error = set(&stranger, "key", "value").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Denied);

    // Nobody watches over the primary any more: it is used for as long as it answers.
    for sentinel in &mut servers.sentinels {
        sentinel.freeze();
    }
    let lost = redis.statistics().connections_lost;
    let settings = redis.settings();
    let look = settings.health_interval + settings.command_timeout;
    let looked = tokio::time::Instant::now() + look + settings.health_interval;
    while tokio::time::Instant::now() < looked {
        set(&redis, "key", "later").await.unwrap();
    }
    assert_eq!(redis.statistics().connections_lost, lost);
}

#[tokio::test]
async fn sentinels_that_know_nothing_of_it_are_no_help() {
    let sentinel = RedisServer::start();
    let redis = connect(&format!(
        "redis-sentinel://127.0.0.1:{}/primary",
        sentinel.port()
    ));
    let error = set(&redis, "key", "value").await.unwrap_err();
    assert!(!error.is_retryable() || error.kind() == RedisErrorKind::Unavailable);
    wait_for(&redis, RedisStatus::Away).await;
}
