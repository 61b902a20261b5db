//! A cache in a real server, and in a cluster.

use std::sync::Arc;

use sinew_redis::{Redis, RedisCache};
use sinew_store::Key;
use sinew_store::cache::contract::{self, Subject};
use sinew_store::cache::{CacheEntry, CacheStore};
use test_servers::{RedisCluster, RedisServer};

use crate::connected;

fn subject(redis: Redis) -> Subject {
    let store = Arc::new(RedisCache::new(redis.clone()));
    Subject::with_async(store, move |by| {
        let redis = redis.clone();
        Box::pin(async move { connected::let_time_pass(&redis, by).await })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_keeps_the_contract() {
    let server = RedisServer::start();
    contract::run(&subject(connected::to(&server))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_contract() {
    let cluster = RedisCluster::start();
    contract::run(&subject(connected::to_cluster(&cluster))).await;
}

#[tokio::test]
async fn more_than_a_batch_is_read_written_and_found() {
    let server = RedisServer::start();
    let cache = RedisCache::new(connected::to(&server));
    let keys: Vec<Key> = (0..3_000).map(|it| Key::new(format!("it {it}"))).collect();
    let entries = keys
        .iter()
        .map(|key| CacheEntry::new(key.clone(), key.as_str().to_owned()));
    assert_eq!(cache.write(entries.collect()).await.unwrap(), [true; 3_000]);
    let values = cache.read(&keys).await.unwrap();
    for (key, value) in keys.iter().zip(values) {
        assert_eq!(value.unwrap(), key.as_str());
    }
    assert_eq!(connected::calls(&server, "mget"), 6);
    assert_eq!(cache.delete_matched("it ", "1*").await.unwrap(), 1_111);
    assert_eq!(cache.delete(&keys).await.unwrap(), 3_000 - 1_111);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

#[tokio::test]
async fn what_there_is_no_memory_for_is_not_kept() {
    let server = RedisServer::options()
        .config("maxmemory-policy noeviction")
        .start();
    let cache = RedisCache::new(connected::to(&server));
    let [old, new] = ["old", "new"].map(Key::new);
    cache
        .write(vec![CacheEntry::new(old.clone(), "1")])
        .await
        .unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let mut shy = CacheEntry::new(old.clone(), "2");
    shy.only_if_absent = true;
    assert_eq!(cache.write(vec![shy]).await.unwrap(), [false]);
    assert_eq!(
        cache.read(std::slice::from_ref(&old)).await.unwrap(),
        [Some("1".into())]
    );

    let entries = [&old, &new].map(|key| CacheEntry::new(key.clone(), "2"));
    assert_eq!(cache.write(entries.into()).await.unwrap(), [false, false]);
    assert_eq!(cache.read(&[old, new]).await.unwrap(), [None, None]);
}

/// Keys that another program has put there are not touched, nor are they an error.
#[tokio::test]
async fn what_is_no_text_is_not_there() {
    let server = RedisServer::start();
    let cache = RedisCache::new(connected::to(&server));
    server.command(&["LPUSH", "sinew:cache:list", "1"]);
    assert_eq!(cache.read(&[Key::new("list")]).await.unwrap(), [None]);
    server.command(&["SET", "sinew:cached", "1"]);
    assert_eq!(cache.delete_matched("", "*").await.unwrap(), 1);
    assert_eq!(server.command(&["KEYS", "*"]), "sinew:cached");
}
