//! Users who may not do everything.

use sinew_postgres::{Postgres, PostgresErrorKind, PostgresStatus, PostgresStore};
use sinew_store::cache::CacheStore;
use sinew_store::{Commit, Committed, Key, Store};

use crate::database::{Database, settings};

async fn trouble(postgres: &Postgres) -> sinew_postgres::PostgresError {
    let mut watch = postgres.watch();
    watch
        .wait_for(|status| *status == PostgresStatus::Away)
        .await
        .unwrap();
    postgres.trouble().unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_told_nobody() {
    let database = Database::create().await;
    let url = database.url.replace(database.server.password(), "wr0ng");
    let postgres = Postgres::connect_lazily(settings(&url)).unwrap();
    let trouble = trouble(&postgres).await;
    assert_eq!(trouble.kind(), PostgresErrorKind::Denied);
    assert_eq!(trouble.code(), Some("28P01"));
    let store = PostgresStore::new(postgres.clone());
    let error = store.load(&Key::new("key")).await.unwrap_err();
    assert!(!error.is_retryable());
    for said in [format!("{trouble:?} {error:?}"), format!("{postgres:?}")] {
        assert!(!said.contains("wr0ng"), "{said}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there() {
    let database = Database::create().await;
    let postgres = Postgres::connect_lazily(settings(&(database.url.clone() + "_not"))).unwrap();
    let trouble = trouble(&postgres).await;
    assert_eq!(trouble.kind(), PostgresErrorKind::Rejected);
    assert!(trouble.to_string().contains("does not exist"), "{trouble}");
}

#[tokio::test]
async fn rights_that_are_missing_are_named_and_enough_when_granted() {
    let database = Database::create().await;
    let number = database
        .number("select oid::bigint from pg_database where datname = current_database()")
        .await;
    let (user, password) = (format!("web_{number}"), "pa55");
    let run = async |sql: &str| database.admin.batch_execute(sql).await.unwrap();
    run(&format!("create role {user} login password '{password}'")).await;
    let url = database.url.replace(
        &format!("postgres:{}@", database.server.password()),
        &format!("{user}:{password}@"),
    );
    let postgres = Postgres::connect_lazily(settings(&url)).unwrap();
    let said = trouble(&postgres).await;
    assert_eq!(said.kind(), PostgresErrorKind::Denied);
    assert!(
        said.to_string()
            .contains("grant create on the schema public"),
        "{said}"
    );

    run(&postgres.schema_sql()).await;
    let said = loop {
        let said = postgres.migrate().await.unwrap_err();
        if said.to_string().contains("select, insert") {
            break said;
        }
    };
    assert_eq!(said.kind(), PostgresErrorKind::Denied);

    run(&format!(
        "grant usage on schema public to {user};
        grant select, insert, update, delete on sinew_records, sinew_cache to {user};"
    ))
    .await;
    postgres.migrate().await.unwrap();
    let mut watch = postgres.watch();
    watch.wait_for(|it| it.is_available()).await.unwrap();
    let store = PostgresStore::new(postgres.clone());
    let mut commit = Commit::new();
    commit.create = true;
    commit.move_to = Some(Key::new("other"));
    let committed = store.commit(&Key::new("key"), commit).await.unwrap();
    assert_eq!(committed, Committed::Applied);
    let cache = sinew_postgres::PostgresCache::new(postgres.clone());
    assert_eq!(
        cache.increment(&Key::new("visits"), 1, None).await.unwrap(),
        1
    );
    postgres.sweep().await.unwrap();
    // Its schema's functions and tables would keep the role.
    run(&format!("drop owned by {user}; drop role {user}")).await;
}
