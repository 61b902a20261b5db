//! The cache: the contract of its port, and what is this adapter's own.

use std::sync::Arc;
use std::time::Duration;

use sinew_embedded::{CACHE_FILE_NAME, EmbeddedCache, EmbeddedError, EmbeddedStore};
use sinew_store::cache::contract::{self, Subject};
use sinew_store::cache::{CacheEntry, CacheStore};
use sinew_store::{Key, ManualClock};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new());
    let cache = EmbeddedCache::open_with_clock(directory.path(), Arc::clone(&clock)).unwrap();
    contract::run(&Subject::new(Arc::new(cache), move |by| clock.advance(by))).await;
}

fn keys(count: usize) -> Vec<Key> {
    (0..count)
        .map(|number| Key::new(format!("value {number}")))
        .collect()
}

async fn fill(cache: &EmbeddedCache, keys: &[Key], bytes: usize) {
    for key in keys {
        let entry = CacheEntry::new(key.clone(), vec![7; bytes]);
        assert_eq!(cache.write(vec![entry]).await.unwrap(), [true]);
    }
}

#[tokio::test]
async fn what_was_written_longest_ago_makes_room() {
    let directory = tempfile::tempdir().unwrap();
    let cache = EmbeddedCache::open(directory.path())
        .unwrap()
        .bytes_max(100_000);
    let keys = keys(1_000);
    fill(&cache, &keys, 900).await;
    let found = cache.read(&keys).await.unwrap();
    let kept = found.iter().filter(|value| value.is_some()).count();
    assert!((90..=100).contains(&kept), "{kept}");
    assert!(found[1_000 - kept..].iter().all(Option::is_some));
    let large = CacheEntry::new(keys[999].clone(), vec![7; 100_001]);
    assert_eq!(cache.write(vec![large]).await.unwrap(), [false]);
    assert_eq!(cache.read(&keys[999..]).await.unwrap(), [None]);

    // The bound holds across a restart, and when it is lowered.
    drop(cache);
    let cache = EmbeddedCache::open(directory.path())
        .unwrap()
        .bytes_max(10_000);
    fill(&cache, &keys[..1], 900).await;
    let found = cache.read(&keys).await.unwrap();
    assert!(found.iter().flatten().count() <= 10);
    assert!(found[0].is_some());
}

#[tokio::test]
async fn the_file_does_not_grow_with_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let cache = EmbeddedCache::open(directory.path())
        .unwrap()
        .bytes_max(1 << 20);
    let keys = keys(64);
    for _ in 0..100 {
        let entries = keys
            .iter()
            .map(|key| CacheEntry::new(key.clone(), vec![7; 10_000]));
        cache.write(entries.collect()).await.unwrap();
    }
    drop(cache);
    let file = std::fs::metadata(directory.path().join(CACHE_FILE_NAME)).unwrap();
    assert!(
        file.len() < 48 << 20,
        "{} bytes for a bound of 1 MiB",
        file.len()
    );
}

#[tokio::test]
async fn it_survives_a_restart_beside_the_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let _sessions = EmbeddedStore::open(directory.path()).unwrap();
    let clock = Arc::new(ManualClock::new());
    let keys = keys(3);
    let cache = EmbeddedCache::open_with_clock(directory.path(), clock.clone()).unwrap();
    fill(&cache, &keys[..1], 10).await;
    let minute = Some(Duration::from_secs(60));
    assert_eq!(cache.increment(&keys[1], 5, minute).await.unwrap(), 5);
    let second = EmbeddedCache::open(directory.path()).unwrap_err();
    assert!(matches!(second, EmbeddedError::Locked { .. }), "{second}");
    drop(cache);

    let cache = EmbeddedCache::open_with_clock(directory.path(), clock.clone()).unwrap();
    assert_eq!(cache.increment(&keys[1], 1, minute).await.unwrap(), 6);
    clock.advance(Duration::from_secs(60));
    let found = cache.read(&keys).await.unwrap();
    assert_eq!(found, [Some(vec![7; 10].into()), None, None]);
}

#[tokio::test]
async fn a_damaged_file_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(CACHE_FILE_NAME), "no database at all").unwrap();
    let cache = EmbeddedCache::open(directory.path()).unwrap();
    fill(&cache, &keys(1), 10).await;
    assert!(cache.read(&keys(1)).await.unwrap()[0].is_some());
}
