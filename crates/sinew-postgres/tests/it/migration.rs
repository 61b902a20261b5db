//! How the tables come into the database.

use sinew_postgres::{Postgres, PostgresErrorKind, PostgresStatus, PostgresStore};
use sinew_store::{Commit, Committed, Key, Store};
use tokio::task::JoinSet;

use crate::database::Database;

fn creation() -> Commit {
    let mut commit = Commit::new();
    commit.create = true;
    commit.set = vec![("a".into(), "1".into())];
    commit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_the_same_time_make_the_tables_once() {
    let database = Database::create().await;
    let mut tasks = JoinSet::new();
    for node in 0..6 {
        let settings = database.settings().tables("shop", "web_").unwrap();
        tasks.spawn(async move {
            let postgres = Postgres::connect_lazily(settings).unwrap();
            postgres.migrate().await.unwrap();
            let store = PostgresStore::new(postgres.clone());
            let key = Key::new(format!("node {node}"));
            let committed = store.commit(&key, creation()).await.unwrap();
            assert_eq!(committed, Committed::Applied);
            postgres.migrate().await.unwrap();
            assert_eq!(postgres.statistics().outages, 0);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(
        database
            .number("select count(*) from shop.web_records")
            .await,
        6
    );
}

#[tokio::test]
async fn without_its_tables_it_is_away_and_says_what_to_do() {
    let database = Database::create().await;
    let mut settings = database.settings();
    settings.migrate = false;
    let postgres = Postgres::connect_lazily(settings).unwrap();
    let store = PostgresStore::new(postgres.clone());
    let error = store
        .commit(&Key::new("key"), creation())
        .await
        .unwrap_err();
    assert!(!error.is_retryable());
    let trouble = postgres.trouble().unwrap();
    assert_eq!(trouble.kind(), PostgresErrorKind::NotMigrated);
    assert!(
        trouble.to_string().contains("call Postgres::migrate()"),
        "{trouble}"
    );

    // A database administrator does it; nobody starts the program again.
    database
        .admin
        .batch_execute(&postgres.schema_sql())
        .await
        .unwrap();
    let mut watch = postgres.watch();
    watch
        .wait_for(|status| status.is_available())
        .await
        .unwrap();
    let committed = store.commit(&Key::new("key"), creation()).await.unwrap();
    assert_eq!(committed, Committed::Applied);
    // Twice is once.
    database
        .admin
        .batch_execute(&postgres.schema_sql())
        .await
        .unwrap();
    assert!(store.load(&Key::new("key")).await.unwrap().is_some());
}

#[tokio::test]
async fn tables_that_are_dropped_are_made_again() {
    let database = Database::create().await;
    let store = database.store();
    store.commit(&Key::new("key"), creation()).await.unwrap();
    database
        .admin
        .batch_execute("drop table sinew_records")
        .await
        .unwrap();
    let error = store.load(&Key::new("key")).await.unwrap_err();
    assert!(!error.is_retryable());
    store.postgres().migrate().await.unwrap();
    assert_eq!(store.load(&Key::new("key")).await.unwrap(), None);
    assert_ne!(store.postgres().status(), PostgresStatus::Connecting);
}
