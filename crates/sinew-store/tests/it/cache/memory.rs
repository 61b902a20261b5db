//! The cache in memory, by the contract and by its own bounds.

use std::sync::Arc;

use sinew_store::cache::contract::{self, Subject};
use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache, VALUE_BYTES_MAX};
use sinew_store::{Key, ManualClock};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_the_contract() {
    for bytes_max in [6 * VALUE_BYTES_MAX, 64 * VALUE_BYTES_MAX] {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryCache::with_clock(Arc::clone(&clock)).bytes_max(bytes_max);
        let subject = Subject::new(Arc::new(store), move |by| clock.advance(by));
        contract::run(&subject).await;
    }
}

#[tokio::test]
async fn never_holds_more_than_its_bound() {
    let store = MemoryCache::new().bytes_max(20 * VALUE_BYTES_MAX);
    for index in 0..100 {
        let key = Key::new(format!("value {index}"));
        let entry = CacheEntry::new(key, vec![0; VALUE_BYTES_MAX - 1_000]);
        assert_eq!(store.write(vec![entry]).await.unwrap(), [true]);
        assert!(store.bytes() <= 20 * VALUE_BYTES_MAX);
    }
    assert!(store.len() >= 10, "{store:?}");
}

#[tokio::test]
async fn a_value_larger_than_a_part_is_not_kept_and_leaves_nothing_behind() {
    let store = MemoryCache::new().bytes_max(1_000);
    let key = Key::new("page");
    let entry = |size| CacheEntry::new(key.clone(), vec![0; size]);
    assert_eq!(store.write(vec![entry(10)]).await.unwrap(), [true]);
    assert_eq!(store.write(vec![entry(2_000)]).await.unwrap(), [false]);
    assert_eq!(
        store.read(std::slice::from_ref(&key)).await.unwrap(),
        [None]
    );
    assert_eq!(store.bytes(), 0);
}
