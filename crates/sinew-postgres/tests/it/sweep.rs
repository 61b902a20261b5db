//! Expired rows are removed: in batches, by one node at a time, past those in use.

use std::time::Duration;

use sinew_postgres::{Postgres, PostgresCache, PostgresStore};
use sinew_store::cache::{CacheEntry, CacheStore};
use sinew_store::{Commit, Key, SessionId, Store};

use crate::database::{Database, advance};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn fill(database: &Database, rows: u32) {
    let sql = format!(
        "insert into sinew_records (key, names, contents, expires_at, sweep_at)
            select 'r' || it, '{{}}', '{{}}', now() - interval '2 hours', now() - interval '1 hour'
            from generate_series(1, {rows}) as it;
        insert into sinew_cache (key, content, written_at, expires_at, sweep_at)
            select 'c' || it, '', now(), now() - interval '2 hours', now() - interval '1 hour'
            from generate_series(1, {rows}) as it;"
    );
    database.admin.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn what_has_expired_is_removed_and_nothing_else() {
    let database = Database::create().await;
    let postgres = database.node();
    let (store, cache) = (
        PostgresStore::new(postgres.clone()),
        PostgresCache::new(postgres.clone()),
    );
    for (name, life) in [
        ("short", Some(HOUR)),
        ("long", Some(HOUR * 9)),
        ("ever", None),
    ] {
        let mut commit = Commit::new();
        commit.create = true;
        commit.time_to_live = life;
        store.commit(&Key::new(name), commit).await.unwrap();
        let mut entry = CacheEntry::new(Key::new(name), "");
        entry.time_to_live = life;
        cache.write(vec![entry]).await.unwrap();
    }
    advance(&database.admin, HOUR * 3).await;
    assert_eq!(store.load(&Key::new("short")).await.unwrap(), None);
    let swept = postgres.sweep().await.unwrap();
    assert_eq!((swept.records, swept.cache_entries), (1, 1));
    assert_eq!(
        database.number("select count(*) from sinew_records").await,
        2
    );
    assert_eq!(database.number("select count(*) from sinew_cache").await, 2);
    assert_eq!(postgres.statistics().rows_swept, 2);
}

#[tokio::test]
async fn many_are_removed_in_batches_past_those_in_use() {
    let database = Database::create().await;
    let postgres = database.node();
    postgres.migrate().await.unwrap();
    fill(&database, 2_500).await;
    let mut other = crate::database::client(&database.url).await;
    let held = other.transaction().await.unwrap();
    held.execute("select from sinew_records where key = 'r7' for update", &[])
        .await
        .unwrap();
    let swept = postgres.sweep().await.unwrap();
    assert_eq!((swept.records, swept.cache_entries), (2_499, 2_500));
    held.rollback().await.unwrap();
    assert_eq!(postgres.sweep().await.unwrap().records, 1);
}

#[tokio::test]
async fn one_node_sweeps_at_a_time() {
    let database = Database::create().await;
    let postgres = database.node();
    postgres.migrate().await.unwrap();
    fill(&database, 10).await;
    // The lock that another node would hold, taken from what this one asks for.
    let mut other = crate::database::client(&database.url).await;
    let held = other.transaction().await.unwrap();
    held.execute(
        "select pg_advisory_xact_lock(hashtextextended('public.sinew_', 89396612628482))",
        &[],
    )
    .await
    .unwrap();
    let swept = postgres.sweep().await.unwrap();
    assert_eq!((swept.records, swept.cache_entries), (0, 0));
    held.rollback().await.unwrap();

    let mut all = (0, 0);
    let nodes: Vec<Postgres> = (0..4).map(|_| database.node()).collect();
    for swept in futures_util::future::join_all(nodes.iter().map(Postgres::sweep)).await {
        let swept = swept.unwrap();
        all = (all.0 + swept.records, all.1 + swept.cache_entries);
    }
    assert_eq!(all, (10, 10));
}

#[tokio::test]
async fn the_cache_forgets_what_was_written_first() {
    let database = Database::create().await;
    let mut settings = database.settings();
    settings.cache_bytes_max = 64 * 1024;
    let postgres = Postgres::connect_lazily(settings).unwrap();
    let cache = PostgresCache::new(postgres.clone());
    for index in 0..20 {
        let key = Key::new(format!("key {index:02}"));
        // Nothing that could be compressed.
        let value = (0..8 * 1024 / 32).map(|_| SessionId::generate().to_string());
        let entry = CacheEntry::new(key, value.collect::<String>());
        cache.write(vec![entry]).await.unwrap();
    }
    let swept = postgres.sweep().await.unwrap();
    assert_eq!(swept.cache_entries, 13);
    let first = "select min(right(key, 2)::bigint) from sinew_cache";
    assert_eq!(database.number(first).await, 13);
    // The files are as large as before, and what is left fits.
    assert_eq!(postgres.sweep().await.unwrap().cache_entries, 0);
}
