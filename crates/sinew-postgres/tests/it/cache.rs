//! What is the cache's own beyond the contract.

use std::sync::Arc;

use sinew_store::Key;
use sinew_store::cache::{CacheEntry, CacheStore};
use tokio::task::JoinSet;

use crate::database::Database;

#[tokio::test]
async fn many_entries_are_one_statement() {
    let database = Database::create().await;
    let cache = database.cache();
    let keys: Vec<Key> = (0..500).map(|it| Key::new(format!("key {it}"))).collect();
    let entries = keys.iter().map(|key| CacheEntry::new(key.clone(), "value"));
    assert_eq!(cache.write(entries.collect()).await.unwrap(), [true; 500]);
    assert_eq!(
        cache.read(&keys).await.unwrap().iter().flatten().count(),
        500
    );
    assert_eq!(cache.delete(&keys).await.unwrap(), 500);
    assert_eq!(cache.postgres().statistics().statements, 3);
}

#[tokio::test]
async fn more_than_one_batch_matches() {
    let database = Database::create().await;
    let cache = database.cache();
    let entries = (0..2_500).map(|it| CacheEntry::new(Key::new(format!("50%_{it}")), ""));
    cache.write(entries.collect()).await.unwrap();
    cache
        .write(vec![CacheEntry::new(Key::new("50 other"), "")])
        .await
        .unwrap();
    assert_eq!(cache.delete_matched("50%", "_*").await.unwrap(), 2_500);
    assert_eq!(database.number("select count(*) from sinew_cache").await, 1);
}

/// The same keys, written and deleted in all orders at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_many_keys_do_not_lock_each_other_out() {
    let database = Database::create().await;
    let cache = Arc::new(database.cache());
    let keys: Vec<Key> = (0..40).map(|it| Key::new(format!("key {it}"))).collect();
    let mut tasks = JoinSet::new();
    for worker in 0..8 {
        let (cache, mut keys) = (Arc::clone(&cache), keys.clone());
        tasks.spawn(async move {
            for round in 0..10 {
                keys.rotate_left(worker + round);
                if worker % 2 == 0 {
                    keys.reverse();
                }
                let entries = keys.iter().map(|key| CacheEntry::new(key.clone(), "1"));
                cache.write(entries.collect()).await.unwrap();
                match worker % 3 {
                    0 => cache.delete(&keys).await.unwrap(),
                    1 => cache.delete_matched("key", "*").await.unwrap(),
                    _ => 0,
                };
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(database.number(deadlocks).await, 0);
}

#[tokio::test]
async fn the_table_of_the_cache_is_unlogged_and_that_of_the_records_is_not() {
    let database = Database::create().await;
    database.node().migrate().await.unwrap();
    let kinds = "select string_agg(relname || ' ' || relpersistence::text, ', ' order by relname)
        from pg_class where relname in ('sinew_cache', 'sinew_records')";
    let row = database.admin.query_one(kinds, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "sinew_cache u, sinew_records p");
}
