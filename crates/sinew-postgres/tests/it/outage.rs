//! A server that is stopped, frozen, or not there at all.

use std::time::Duration;

use sinew_postgres::{Postgres, PostgresCache, PostgresSettings, PostgresStatus, PostgresStore};
use sinew_store::cache::{CacheEntry, CacheStore};
use sinew_store::{Commit, Key, Store, StoreErrorKind};
use test_servers::PostgresServer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

fn impatient(server: &PostgresServer) -> Postgres {
    let mut settings = PostgresSettings::from_url(&server.url()).unwrap();
    settings.statement_timeout = Duration::from_millis(500);
    settings.health_interval = Duration::from_millis(200);
    Postgres::connect_lazily(settings).unwrap()
}

fn creation() -> Commit {
    let mut commit = Commit::new();
    commit.create = true;
    commit.set = vec![("a".into(), "1".into())];
    commit
}

async fn is(postgres: &Postgres, wanted: PostgresStatus) {
    let mut watch = postgres.watch();
    watch.wait_for(|status| *status == wanted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_and_comes_back() {
    let mut server = PostgresServer::start();
    let postgres = impatient(&server);
    let (store, cache) = (
        PostgresStore::new(postgres.clone()),
        PostgresCache::new(postgres.clone()),
    );
    let key = Key::new("key");
    store.commit(&key, creation()).await.unwrap();
    let entry = CacheEntry::new(key.clone(), "value");
    cache.write(vec![entry]).await.unwrap();

    // Nobody asks anything: the status says so by itself.
    server.stop();
    is(&postgres, PostgresStatus::Away).await;
    let error = store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    server.start_again();
    is(&postgres, PostgresStatus::Available).await;
    assert!(store.load(&key).await.unwrap().is_some());
    let keys = [key.clone()];
    assert_eq!(cache.read(&keys).await.unwrap(), [Some("value".into())]);

    // In the middle of the work of many: each is served, or told that it is unavailable.
    let mut tasks = JoinSet::new();
    let (served, mut each_served) = mpsc::unbounded_channel();
    for worker in 0..8 {
        let (store, served) = (store.clone(), served.clone());
        tasks.spawn(async move {
            let key = Key::new(format!("worker {worker}"));
            store.commit(&key, creation()).await.unwrap();
            served.send(worker).unwrap();
            loop {
                if let Err(error) = store.commit(&key, creation()).await {
                    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                    return;
                }
            }
        });
    }
    for _ in 0..8 {
        each_served.recv().await.unwrap();
    }
    server.crash();
    tasks.join_all().await;
    is(&postgres, PostgresStatus::Away).await;
    server.start_again();
    is(&postgres, PostgresStatus::Available).await;
    assert!(store.load(&Key::new("worker 0")).await.unwrap().is_some());
    // Unlogged tables are empty after a crash.
    assert_eq!(cache.read(&keys).await.unwrap(), [None]);
    assert_eq!(postgres.statistics().outages, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_unavailable_and_thaws() {
    let server = PostgresServer::start();
    let postgres = impatient(&server);
    let store = PostgresStore::new(postgres.clone());
    let key = Key::new("key");
    store.commit(&key, creation()).await.unwrap();

    server.freeze();
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (store, key) = (store.clone(), key.clone());
        tasks.spawn(async move { store.load(&key).await });
    }
    for answer in tasks.join_all().await {
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    is(&postgres, PostgresStatus::Away).await;
    server.thaw();
    is(&postgres, PostgresStatus::Available).await;
    assert!(store.load(&key).await.unwrap().is_some());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_no_outage() {
    let server = PostgresServer::start();
    let postgres = impatient(&server);
    let store = PostgresStore::new(postgres.clone());
    let key = Key::new("key");
    store.commit(&key, creation()).await.unwrap();
    // Somebody else holds the record.
    let mut admin = crate::database::client(&server.url()).await;
    let held = admin.transaction().await.unwrap();
    held.execute("select from sinew_records for update", &[])
        .await
        .unwrap();
    let error = store.commit(&key, creation()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        store.load(&key).await.unwrap().is_some(),
        "readers wait for nobody"
    );
    held.rollback().await.unwrap();
    store.commit(&key, creation()).await.unwrap();
    assert_eq!(postgres.statistics().outages, 0);
    assert_eq!(postgres.statistics().connections_lost, 0);
}

#[test]
fn it_may_be_made_before_there_is_a_runtime() {
    let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app").unwrap();
    let postgres = Postgres::connect_lazily(settings).unwrap();
    assert_eq!(postgres.status(), PostgresStatus::Connecting);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let error = runtime.unwrap().block_on(async {
        let store = PostgresStore::new(postgres.clone());
        store.load(&Key::new("key")).await.unwrap_err()
    });
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(postgres.status(), PostgresStatus::Away);
}
