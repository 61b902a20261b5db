//! Against real servers.

mod away;
mod cache;
mod cluster;
mod connected;
mod one_server;
mod pubsub;
#[cfg(feature = "rails")]
mod rails_sessions;
mod sentinel;
mod store;
mod streams;
mod tls;

use std::time::Duration;

use sinew_redis::{Redis, RedisError, RedisSettings, RedisStatus, redis};

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of a test: short times, so that a server that is away is found soon.
fn settings(url: &str) -> RedisSettings {
    let mut settings = RedisSettings::from_url(url).unwrap();
    settings.connect_timeout = Duration::from_millis(1000);
    settings.command_timeout = Duration::from_millis(1000);
    settings.health_interval = Duration::from_millis(200);
    settings
}

fn connect(url: &str) -> Redis {
    Redis::connect_lazily(settings(url)).unwrap()
}

/// Waits for a status.
async fn wait_for(redis: &Redis, expected: RedisStatus) {
    let mut watch = redis.watch();
    let seen = tokio::time::timeout(PATIENCE, watch.wait_for(|status| *status == expected));
    seen.await.expect("the status in time").unwrap();
}

async fn set(redis: &Redis, key: &str, value: &str) -> Result<(), RedisError> {
    let stored = redis.query(redis::cmd("SET").arg(key).arg(value)).await?;
    assert_eq!(stored, redis::Value::Okay);
    Ok(())
}

async fn get(redis: &Redis, key: &str) -> Result<Option<String>, RedisError> {
    redis.query_as(redis::cmd("GET").arg(key)).await
}
