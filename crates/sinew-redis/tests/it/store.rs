//! Records in a real server, and in a cluster.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sinew_redis::{Redis, RedisStore};
use sinew_store::contract::{self, Subject};
use sinew_store::{Commit, Committed, Key, Sessions, Store, StoreErrorKind};
use test_servers::{RedisCluster, RedisServer};
use tokio::task::JoinSet;

use crate::connected::{self, calls};

fn subject(redis: Redis) -> Subject {
    let store = Arc::new(RedisStore::new(redis.clone()));
    Subject::with_async(store, move |by| {
        let redis = redis.clone();
        Box::pin(async move { connected::let_time_pass(&redis, by).await })
    })
}

fn create(fields: &[(&str, &str)]) -> Commit {
    let mut commit = Commit::new();
    commit.create = true;
    let owned = fields
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string().into()));
    commit.set = owned.collect();
    commit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_keeps_the_contract() {
    let server = RedisServer::start();
    contract::run(&subject(connected::to(&server))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_contract() {
    let cluster = RedisCluster::start();
    contract::run(&subject(connected::to_cluster(&cluster))).await;
}

#[tokio::test]
async fn names_and_values_may_be_anything() {
    let server = RedisServer::start();
    let store = RedisStore::new(connected::to(&server));
    let key = Key::new("any");
    let names = ["", "\0", "\0\0a", "a\0", "\r\n", "é"];
    let fields: Vec<_> = names.iter().map(|name| (*name, "\0")).collect();
    let mut commit = create(&fields);
    // 14 bytes of names and 6 of values: what is stored besides does not count.
    let bytes = names.iter().map(|name| name.len() + 1).sum();
    commit.bytes_max = Some(bytes);
    commit.fields_max = Some(names.len());
    assert_eq!(
        store.commit(&key, commit.clone()).await.unwrap(),
        Committed::Applied
    );
    let record = store.load(&key).await.unwrap().unwrap();
    assert_eq!(record.bytes(), bytes);
    assert!(record.fields.keys().map(String::as_str).eq({
        let mut names = names;
        names.sort();
        names
    }));
    commit.bytes_max = Some(bytes - 1);
    assert_eq!(
        store.commit(&key, commit).await.unwrap(),
        Committed::TooLarge
    );
}

#[tokio::test]
async fn a_large_record_is_written_and_removed_at_once() {
    let server = RedisServer::start();
    let store = RedisStore::new(connected::to(&server));
    let key = Key::new("large");
    let names: Vec<String> = (0..20_000).map(|it| format!("field {it}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(
        store.commit(&key, create(&fields)).await.unwrap(),
        Committed::Applied
    );
    assert_eq!(
        store.load(&key).await.unwrap().unwrap().fields.len(),
        20_000
    );

    let mut commit = Commit::new();
    commit.remove = names;
    assert_eq!(
        store.commit(&key, commit).await.unwrap(),
        Committed::Applied
    );
    assert!(store.load(&key).await.unwrap().unwrap().fields.is_empty());
}

/// What another program has put there without our mark is a record too.
#[tokio::test]
async fn a_foreign_hash_is_a_record_and_anything_else_is_corrupt() {
    let server = RedisServer::start();
    let store = RedisStore::new(connected::to(&server));
    let key = Key::new("foreign");
    server.command(&["HSET", "sinew:foreign", "a", "1"]);
    server.command(&["EXPIRE", "sinew:foreign", "1000"]);
    let mut commit = Commit::new();
    commit.remove = vec!["a".into()];
    assert_eq!(
        store.commit(&key, commit).await.unwrap(),
        Committed::Applied
    );
    let record = store.load(&key).await.unwrap().unwrap();
    assert!(record.fields.is_empty());
    assert!(
        record
            .expires_in
            .is_some_and(|left| left > Duration::from_secs(900))
    );

    server.command(&["SET", "sinew:text", "1"]);
    let text = Key::new("text");
    let error = store.load(&text).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let error = store.commit(&text, create(&[])).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(server.command(&["GET", "sinew:text"]), "1");
}

/// One commit of a session is one command, whatever it does, and so is one load.
#[tokio::test]
async fn a_commit_is_one_round_trip() {
    let server = RedisServer::start();
    let store = Arc::new(RedisStore::new(connected::to(&server)));
    let sessions = Sessions::new(store);
    let first = sessions.create();
    first.set("count", &0).await.unwrap();
    first.commit().await.unwrap();
    // The scripts are known by now.
    let session = sessions.open(first.id());
    session
        .update("count", |count: i64| count + 1)
        .await
        .unwrap();
    session.commit().await.unwrap();

    server.command(&["CONFIG", "RESETSTAT"]);
    let session = sessions.open(first.id());
    session
        .update("count", |count: i64| count + 1)
        .await
        .unwrap();
    assert_eq!(calls(&server, "evalsha"), 1, "the load");
    session.set("name", "Ada").await.unwrap();
    session.remove("other").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(calls(&server, "evalsha"), 2, "the commit");
    assert_eq!(calls(&server, "eval"), 0);
    let said = server.command(&["INFO", "commandstats"]);
    let asked = said.lines().filter(|it| it.starts_with("cmdstat_"));
    let asked: Vec<_> = asked.filter_map(|it| it.split(':').next()).collect();
    let within = ["evalsha", "hgetall", "pttl", "hset", "hdel", "pexpire"];
    let ours = [
        "info",
        "config|resetstat",
        "ping",
        "client|setinfo",
        "hello",
    ];
    for command in asked {
        let command = command.trim_start_matches("cmdstat_");
        assert!(
            within.contains(&command) || ours.contains(&command),
            "{command}"
        );
    }
}

#[tokio::test]
async fn a_server_without_memory_refuses_the_whole_commit() {
    let server = RedisServer::options()
        .config("maxmemory-policy noeviction")
        .start();
    let store = RedisStore::new(connected::to(&server));
    let key = Key::new("session");
    store
        .commit(&key, create(&[("a", "1"), ("b", "2")]))
        .await
        .unwrap();
    let before = store.load(&key).await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);

    let mut commit = create(&[("a", "9"), ("c", "9")]);
    commit.time_to_live = Some(Duration::from_secs(60));
    let error = store.commit(&key, commit.clone()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(error.is_retryable());
    assert_eq!(store.load(&key).await.unwrap(), before);
    let error = store.commit(&Key::new("new"), commit).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert_eq!(store.load(&Key::new("new")).await.unwrap(), None);

    // It is still renewed, shrunk and ended.
    let mut touch = Commit::new();
    touch.time_to_live = Some(Duration::from_secs(60));
    touch.remove = vec!["b".into()];
    assert_eq!(store.commit(&key, touch).await.unwrap(), Committed::Applied);
    assert_eq!(store.load(&key).await.unwrap().unwrap().fields.len(), 1);
    assert!(store.delete(&key).await.unwrap());
}

#[tokio::test]
async fn a_server_that_was_flushed_or_restarted_has_no_records_and_takes_new_ones() {
    let mut server = RedisServer::start();
    let redis = connected::to(&server);
    let store = RedisStore::new(redis.clone());
    let key = Key::new("session");
    store.commit(&key, create(&[("a", "1")])).await.unwrap();
    server.command(&["FLUSHALL"]);
    server.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.load(&key).await.unwrap(), None);
    assert_eq!(
        store.commit(&key, create(&[])).await.unwrap(),
        Committed::Applied
    );

    server.kill();
    connected::until("it is away", async || !redis.status().is_available()).await;
    let error = store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    server.start_again();
    connected::until("it is back", async || redis.status().is_available()).await;
    assert_eq!(
        store.commit(&key, create(&[])).await.unwrap(),
        Committed::Applied
    );
}

/// Two nodes of a cluster's clients: renewals race with writers, and nothing that was answered is
/// lost, nor is it found under two keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_in_a_cluster_race_with_writers() {
    let cluster = RedisCluster::start();
    let store = Arc::new(RedisStore::new(connected::to_cluster(&cluster)));
    let another = Arc::new(RedisStore::new(connected::to_cluster(&cluster)));
    for round in 0..10 {
        let from = Key::new(format!("from {round}"));
        store.commit(&from, create(&[("a", "1")])).await.unwrap();
        let targets: Vec<Key> = (0..4)
            .map(|it| Key::new(format!("to {round} {it}")))
            .collect();
        let mut moves = JoinSet::new();
        for (index, to) in targets.iter().enumerate() {
            let store = Arc::clone(if index % 2 == 0 { &store } else { &another });
            let (from, mut commit) = (from.clone(), Commit::new());
            commit.move_to = Some(to.clone());
            commit.set = vec![("moved".into(), "1".into())];
            moves.spawn(async move { store.commit(&from, commit).await.unwrap() });
        }
        let mut writes = JoinSet::new();
        for index in 0..20 {
            let (another, from, mut commit) = (another.clone(), from.clone(), Commit::new());
            let name = format!("write {index}");
            commit.set = vec![(name.clone(), "1".into())];
            writes.spawn(async move { (name, another.commit(&from, commit).await.unwrap()) });
        }
        let written = writes.join_all().await;
        let moved = moves.join_all().await;
        let applied = moved.iter().filter(|it| **it == Committed::Applied).count();
        assert_eq!(applied, 1, "{moved:?}");
        assert_eq!(store.load(&from).await.unwrap(), None);
        let mut found = Vec::new();
        for to in &targets {
            found.extend(store.load(to).await.unwrap());
        }
        let [record] = found.as_slice() else {
            panic!("found under {} keys", found.len());
        };
        for (name, committed) in written {
            let was_applied = committed == Committed::Applied;
            assert_eq!(record.fields.contains_key(&name), was_applied, "{name}");
        }
    }
}

/// The process ends in the middle of a move: the old key is as it was.
#[tokio::test]
async fn a_move_in_a_cluster_that_ends_early_leaves_the_old_record() {
    let cluster = RedisCluster::start();
    let store = RedisStore::new(connected::to_cluster(&cluster));
    let [from, to] = ["from", "to"].map(Key::new);
    store.commit(&from, create(&[("a", "1")])).await.unwrap();
    let before = store.load(&from).await.unwrap();
    let mut commit = Commit::new();
    commit.set = vec![("user".into(), "ada".into())];
    commit.move_to = Some(to.clone());

    // Dropped each time that it is woken, as by a process that ends there.
    for steps in 1.. {
        let mut moving = store.commit(&from, commit.clone());
        let mut polls = 0;
        let moved = std::future::poll_fn(|context| {
            polls += 1;
            match moving.as_mut().poll(context) {
                _ if polls > steps => Poll::Ready(None),
                Poll::Ready(committed) => Poll::Ready(Some(committed)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        drop(moving);
        if let Some(committed) = moved {
            assert_eq!(committed.unwrap(), Committed::Applied);
            assert_eq!(store.load(&from).await.unwrap(), None);
            let moved = store.load(&to).await.unwrap().unwrap();
            assert_eq!(moved.fields.len(), 2);
            return;
        }
        match store.load(&from).await.unwrap() {
            // It was the last step that nobody heard the answer of.
            None => {
                assert_eq!(store.load(&to).await.unwrap().unwrap().fields.len(), 2);
                store.commit(&from, create(&[("a", "1")])).await.unwrap();
            }
            left => assert_eq!(left, before),
        }
    }
}
