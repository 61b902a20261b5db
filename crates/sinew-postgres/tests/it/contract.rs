//! The contracts of both ports, and what is this adapter's own.

use std::sync::Arc;
use std::time::Duration;

use sinew_store::{Commit, Committed, Key, SessionId, Sessions, Store, StoreErrorKind};
use tokio::task::JoinSet;

use crate::database::{Database, advance, client};
use crate::relay::Relay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_keeps_the_contract() {
    use sinew_store::contract::{Subject, run};

    let database = Database::create().await;
    let store = database.store();
    store.postgres().migrate().await.unwrap();
    let admin = Arc::new(client(&database.url).await);
    let subject = Subject::with_async(Arc::new(store), move |by| {
        let admin = Arc::clone(&admin);
        Box::pin(async move { advance(&admin, by).await })
    });
    run(&subject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_keeps_the_contract() {
    use sinew_store::cache::contract::{Subject, run};

    let database = Database::create().await;
    let cache = database.cache();
    cache.postgres().migrate().await.unwrap();
    let admin = Arc::new(client(&database.url).await);
    let subject = Subject::with_async(Arc::new(cache), move |by| {
        let admin = Arc::clone(&admin);
        Box::pin(async move { advance(&admin, by).await })
    });
    run(&subject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_on_two_nodes_lose_nothing_of_each_other() {
    let database = Database::create().await;
    let nodes = [(); 2].map(|()| Sessions::new(Arc::new(database.store())));
    let id = SessionId::generate();
    let mut tasks = JoinSet::new();
    for index in 0..100 {
        let session = nodes[index % 2].open(id);
        tasks.spawn(async move {
            session.set(&format!("field {index}"), &index).await?;
            session.update("count", |count: u32| count + 1).await?;
            session.commit().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    let session = nodes[0].open(id);
    assert_eq!(session.keys().await.unwrap().len(), 101);
    assert_eq!(session.get("count").await.unwrap(), Some(100));
}

#[tokio::test]
async fn a_load_a_commit_and_a_deletion_are_one_round_trip_each() {
    let database = Database::create().await;
    let relay = Relay::before(database.server.port()).await;
    let port = database.server.port().to_string();
    let url = database.url.replace(&port, &relay.port().to_string()) + "?sslmode=disable";
    let mut settings = crate::database::settings(&url);
    settings.health_interval = Duration::from_secs(600);
    let postgres = sinew_postgres::Postgres::connect_lazily(settings).unwrap();
    let store = sinew_postgres::PostgresStore::new(postgres);
    let key = Key::new("key");
    // Connects and makes the tables.
    assert_eq!(store.load(&key).await.unwrap(), None);

    let mut commit = Commit::new();
    commit.create = true;
    commit.set = (0..100)
        .map(|it| (format!("field {it}"), "1".into()))
        .collect();
    commit.time_to_live = Some(Duration::from_secs(60));
    let mut change = Commit::new();
    change.expect = vec![("field 1".into(), Some("1".into()))];
    change.set = vec![("field 1".into(), "2".into())];
    change.move_to = Some(Key::new("moved"));
    let before = relay.round_trips();
    assert_eq!(
        store.commit(&key, commit).await.unwrap(),
        Committed::Applied
    );
    assert_eq!(relay.round_trips() - before, 1);
    assert_eq!(
        store.commit(&key, change).await.unwrap(),
        Committed::Applied
    );
    assert_eq!(relay.round_trips() - before, 2);
    let record = store.load(&Key::new("moved")).await.unwrap().unwrap();
    assert_eq!(record.fields["field 1"], "2");
    assert_eq!(relay.round_trips() - before, 3);
    assert!(store.delete(&Key::new("moved")).await.unwrap());
    assert_eq!(relay.round_trips() - before, 4);
    assert_eq!(store.postgres().statistics().statements, 5);
}

/// Every node moves a record to where another one moves its own from, and back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_in_a_circle_do_not_lock_each_other_out() {
    let database = Database::create().await;
    let store = Arc::new(database.store());
    let keys: Vec<Key> = (0..4).map(|it| Key::new(format!("place {it}"))).collect();
    let mut tasks = JoinSet::new();
    for worker in 0..8 {
        let (store, keys) = (Arc::clone(&store), keys.clone());
        tasks.spawn(async move {
            for round in 0..25 {
                let from = &keys[(worker + round) % 4];
                let to = &keys[(worker + round + 1 + worker % 3) % 4];
                let mut commit = Commit::new();
                commit.create = worker % 2 == 0;
                commit.set = vec![("worker".into(), worker.to_string().into())];
                commit.move_to = Some(to.clone());
                store.commit(from, commit).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(store.postgres().statistics().statements_failed, 0);
    let left = database.number("select count(*) from sinew_records").await;
    assert!((1..=4).contains(&left), "{left}");
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(database.number(deadlocks).await, 0);
}

#[tokio::test]
async fn a_foreign_row_is_corrupt_and_can_be_written_over() {
    let database = Database::create().await;
    let store = database.store();
    store.postgres().migrate().await.unwrap();
    let foreign = "insert into sinew_records (key, names, contents)
        values ('torn', '{a,b}', '{1}'), ('binary', '{\"\\\\xff\"}', '{1}')";
    database.admin.batch_execute(foreign).await.unwrap();
    for key in ["torn", "binary"] {
        let key = Key::new(key);
        let error = store.load(&key).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let mut commit = Commit::new();
        commit.clear = true;
        commit.set = vec![("a".into(), "1".into())];
        assert_eq!(
            store.commit(&key, commit).await.unwrap(),
            Committed::Applied
        );
        assert_eq!(store.load(&key).await.unwrap().unwrap().fields["a"], "1");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_connection_that_works() {
    let database = Database::create().await;
    let mut settings = database.settings();
    settings.pool_size = std::num::NonZeroUsize::MIN;
    let postgres = sinew_postgres::Postgres::connect_lazily(settings).unwrap();
    let store = sinew_postgres::PostgresStore::new(postgres);
    let key = Key::new("key");
    let mut commit = Commit::new();
    commit.create = true;
    store.commit(&key, commit.clone()).await.unwrap();
    for _ in 0..20 {
        // Polled until it is sent, and no further.
        let asked = tokio::time::timeout(Duration::from_micros(200), store.load(&key));
        drop(asked.await);
        commit.set = vec![("a".into(), "1".into())];
        store.commit(&key, commit.clone()).await.unwrap();
        assert_eq!(store.load(&key).await.unwrap().unwrap().fields.len(), 1);
    }
}
