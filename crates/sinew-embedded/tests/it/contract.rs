//! The contract of the port, and what is this adapter's own: sweeping, closing, restarting.

use std::sync::Arc;
use std::time::Duration;

use sinew_embedded::EmbeddedStore;
use sinew_store::contract::{self, Subject};
use sinew_store::{Commit, Key, ManualClock, Sessions, Store, StoreErrorKind};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new());
    let store = EmbeddedStore::open_with_clock(directory.path(), Arc::clone(&clock)).unwrap();
    contract::run(&Subject::new(Arc::new(store), move |by| clock.advance(by))).await;
}

#[tokio::test]
async fn expired_records_leave_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new());
    let store = EmbeddedStore::open_with_clock(directory.path(), Arc::clone(&clock)).unwrap();
    let mut commit = Commit::new();
    commit.create = true;
    commit.set = vec![("filler".into(), "x".repeat(1_000).into())];
    commit.time_to_live = Some(Duration::from_secs(60));
    for number in 0..50 {
        let key = Key::new(format!("short {number}"));
        store.commit(&key, commit.clone()).await.unwrap();
    }
    clock.advance(Duration::from_secs(2 * 60 * 60));
    commit.time_to_live = None;
    for _ in 0..3 {
        store
            .commit(&Key::new("lasting"), commit.clone())
            .await
            .unwrap();
    }
    drop(store);
    assert_eq!(keys_in(directory.path()), ["lasting"]);
}

/// What is really in the file, expired or not.
fn keys_in(directory: &std::path::Path) -> Vec<String> {
    use redb::{ReadableDatabase, ReadableTable, TableDefinition};

    let table: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
    let database = redb::Database::open(directory.join(sinew_embedded::FILE_NAME)).unwrap();
    let records = database.begin_read().unwrap().open_table(table).unwrap();
    let keys = records.iter().unwrap();
    keys.map(|entry| entry.unwrap().0.value().to_owned())
        .collect()
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for round in 0..3 {
        let store = EmbeddedStore::open(directory.path()).unwrap();
        let sessions = Sessions::new(Arc::new(store));
        for (earlier, id) in ids.iter().enumerate() {
            let found = sessions.open(*id).get("round").await.unwrap();
            assert_eq!(found, Some(earlier));
        }
        let session = sessions.create();
        session.set("round", &round).await.unwrap();
        session.commit().await.unwrap();
        ids.push(session.id());
    }
}

#[tokio::test]
async fn a_closed_store_is_read_and_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let key = Key::new("key");
    let mut commit = Commit::new();
    commit.create = true;
    store.commit(&key, commit.clone()).await.unwrap();
    store.close().await;
    store.close().await;
    assert!(store.load(&key).await.unwrap().is_some());
    let error = store.commit(&key, commit).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Closed);
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn what_was_accepted_before_the_drop_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let key = Key::new("key");
    {
        let store = EmbeddedStore::open(directory.path()).unwrap();
        let mut commit = Commit::new();
        commit.create = true;
        let mut accepted = store.commit(&key, commit);
        // Once is enough to hand it over; nobody waits for the answer.
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(
                accepted.as_mut().poll(cx).is_pending()
            ))
            .await
        );
    }
    let store = EmbeddedStore::open(directory.path()).unwrap();
    assert!(store.load(&key).await.unwrap().is_some());
}
