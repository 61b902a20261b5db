//! Memory in front of another store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sinew_store::cache::contract::{self, Subject};
use sinew_store::cache::{Cache, CacheEntry, CacheStore, MemoryCache, TieredCache};
use sinew_store::{Key, ManualClock};
use tokio::task::JoinSet;

use super::failing::Unsteady;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_the_contract() {
    let clock = Arc::new(ManualClock::new());
    let back = Arc::new(MemoryCache::with_clock(clock.clone()));
    let front = MemoryCache::with_clock(clock.clone());
    let store = TieredCache::new(back).front(front, Duration::from_secs(5));
    contract::run(&Subject::new(Arc::new(store), move |by| clock.advance(by))).await;
}

#[tokio::test]
async fn what_was_read_is_read_from_memory() {
    let back = Arc::new(Unsteady::default());
    let store = TieredCache::new(back.clone());
    let keys = [Key::new("a"), Key::new("b")];
    let entry = |key: &Key| CacheEntry::new(key.clone(), key.as_str().to_owned());
    store.write(keys.iter().map(entry).collect()).await.unwrap();
    assert_eq!(store.read(&keys[..1]).await.unwrap(), [Some("a".into())]);

    back.fails.store(true, Ordering::Relaxed);
    assert_eq!(store.read(&keys[..1]).await.unwrap(), [Some("a".into())]);
    assert!(store.read(&keys).await.is_err());
    // A change that fails may have been made: memory does not know it any more.
    assert!(store.delete(&keys).await.is_err());
    assert!(store.read(&keys[..1]).await.is_err());
    assert!(store.delete_matched("", "*").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_reads_what_was_deleted_before() {
    let store = Arc::new(TieredCache::new(Arc::new(MemoryCache::new())));
    let key = [Key::new("visits")];
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let (store, key) = (store.clone(), key.clone());
        readers.spawn(async move {
            for _ in 0..2_000 {
                store.read(&key).await.expect("reads");
                tokio::task::yield_now().await;
            }
        });
    }
    for round in 0..1_000 {
        let entry = CacheEntry::new(key[0].clone(), round.to_string());
        store.write(vec![entry]).await.unwrap();
        let found = store.read(&key).await.unwrap();
        assert_eq!(found, [Some(round.to_string().into())]);
        store.delete(&key).await.unwrap();
        assert_eq!(store.read(&key).await.unwrap(), [None]);
    }
    readers.join_all().await;
}

#[tokio::test]
async fn a_cache_works_on_two_tiers() {
    let back = Arc::new(MemoryCache::new());
    let [here, there] = [(); 2].map(|()| Cache::new(Arc::new(TieredCache::new(back.clone()))));
    assert_eq!(here.fetch("answer", (), async || 42).await, 42);
    assert_eq!(there.fetch("answer", (), async || 0).await, 42);
    assert_eq!(here.increment("visits", 1, ()).await, Some(1));
    assert_eq!(there.increment("visits", 1, ()).await, Some(2));
    assert_eq!(here.clear().await, 2);
    assert_eq!(here.read::<i32>("answer").await, None);
}
