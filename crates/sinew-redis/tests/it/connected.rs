//! Connections to the servers of a test.

use std::time::{Duration, Instant};

use sinew_redis::{Redis, RedisSettings, redis};
use test_servers::{RedisCluster, RedisServer};

/// A guard against waiting for ever for what will not come; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn to(server: &RedisServer) -> Redis {
    Redis::connect_lazily(RedisSettings::from_url(&server.url()).unwrap()).unwrap()
}

pub(crate) fn to_cluster(cluster: &RedisCluster) -> Redis {
    let url = format!("redis-cluster://{}", cluster.addresses().join(","));
    Redis::connect_lazily(RedisSettings::from_url(&url).unwrap()).unwrap()
}

/// Brings every key that expires so much nearer to its end.
pub(crate) async fn let_time_pass(redis: &Redis, by: Duration) {
    const SHORTEN: &str = "for _, key in ipairs(redis.call('KEYS', '*')) do
        local left = redis.call('PTTL', key)
        if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
    end";
    for primary in redis.primaries().await.unwrap() {
        let mut shorten = redis::cmd("EVAL");
        shorten.arg(SHORTEN).arg(0).arg(by.as_millis() as u64);
        primary.query(&shorten).await.unwrap();
    }
}

/// How often the server was asked this, by anybody.
pub(crate) fn calls(server: &RedisServer, command: &str) -> u64 {
    let said = server.command(&["INFO", "commandstats"]);
    let line = format!("cmdstat_{command}:calls=");
    let count = said.lines().find_map(|it| it.strip_prefix(&line));
    let digits = count.map(|it| it.split(',').next().unwrap());
    digits.map_or(0, |it| it.parse().unwrap())
}

/// Asks until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
