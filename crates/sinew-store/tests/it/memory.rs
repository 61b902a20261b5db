//! The store in memory, by the contract and by its own bounds.

use std::sync::Arc;
use std::time::Duration;

use sinew_store::contract::{self, Subject};
use sinew_store::{Commit, Committed, Key, ManualClock, MemoryStore, Store, StoreErrorKind};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_the_contract() {
    let clock = Arc::new(ManualClock::new());
    let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock)));
    contract::run(&Subject::new(store, move |by| clock.advance(by))).await;
}

fn create(time_to_live: Option<Duration>) -> Commit {
    let mut commit = Commit::new();
    commit.create = true;
    commit.time_to_live = time_to_live;
    commit
}

#[tokio::test]
async fn a_full_store_refuses_another_record_and_keeps_what_it_has() {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::with_clock(Arc::clone(&clock)).records_max(1);
    let minute = Some(Duration::from_secs(60));
    store.commit(&Key::new("a"), create(minute)).await.unwrap();
    let refused = store.commit(&Key::new("b"), create(None)).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(error.is_retryable());
    let again = store.commit(&Key::new("a"), create(minute)).await.unwrap();
    assert_eq!(again, Committed::Applied);

    // Room comes back with the first commit after the expiry.
    clock.advance(Duration::from_secs(61));
    store.commit(&Key::new("b"), create(None)).await.unwrap();
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn expired_records_are_swept_by_later_commits() {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::with_clock(Arc::clone(&clock));
    for name in 0..10 {
        let key = Key::new(name.to_string());
        let life = Some(Duration::from_secs(1));
        store.commit(&key, create(life)).await.unwrap();
    }
    clock.advance(Duration::from_secs(2));
    for _ in 0..5 {
        store.commit(&Key::new("x"), create(None)).await.unwrap();
    }
    assert_eq!(store.len(), 1);
}
