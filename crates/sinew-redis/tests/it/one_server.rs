//! One server: who gets in, and what happens while it is away.

use sinew_redis::{Redis, RedisSettings, redis};
use test_servers::RedisServer;

#[tokio::test]
async fn a_plain_server() {
    let server = RedisServer::start();
    let settings = RedisSettings::from_url(&server.url()).unwrap();
    let redis = Redis::connect_lazily(settings).unwrap();
    redis
        .query(redis::cmd("SET").arg("key").arg("value"))
        .await
        .unwrap();
    assert_eq!(server.command(&["GET", "key"]), "value");
}
