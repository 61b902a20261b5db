//! One server: how it is reached, and who gets in.

use sinew_redis::{RedisErrorKind, RedisStatus, Script, redis};
use test_servers::RedisServer;

use crate::{connect, get, set, wait_for};

#[tokio::test]
async fn a_plain_server() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(server.command(&["GET", "key"]), "value");
    assert_eq!(redis.status(), RedisStatus::Available);
}

#[tokio::test]
async fn a_database_of_its_own() {
    let server = RedisServer::start();
    let redis = connect(&format!("{}/3", server.url()));
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(server.command(&["-n", "3", "GET", "key"]), "value");
    assert_eq!(server.command(&["GET", "key"]), "");
}

#[tokio::test]
async fn a_socket() {
    let server = RedisServer::start();
    let redis = connect(&format!("unix://{}", server.socket().display()));
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(server.command(&["GET", "key"]), "value");
}

#[tokio::test]
async fn a_password() {
    let server = RedisServer::options().password("p@ss").start();
    let port = server.port();
    let redis = connect(&format!("redis://:p%40ss@127.0.0.1:{port}"));
    set(&redis, "key", "value").await.unwrap();
    for url in [
        format!("redis://:wrong@127.0.0.1:{port}"),
        format!("redis://127.0.0.1:{port}"),
    ] {
        let redis = connect(&url);
        let error = set(&redis, "key", "other").await.unwrap_err();
        assert_eq!(error.kind(), RedisErrorKind::Denied, "{error}");
        assert!(!error.is_retryable());
        assert!(!error.to_string().contains("wrong@"), "{error}");
        wait_for(&redis, RedisStatus::Away).await;
    }
    assert_eq!(server.command(&["GET", "key"]), "value");
}

#[tokio::test]
async fn a_user_who_may_not_do_everything() {
    let server = RedisServer::options().user("ada", "secret").start();
    server.command(&["ACL", "SETUSER", "ada", "resetkeys", "~mine:*"]);
    let redis = connect(&format!("redis://ada:secret@127.0.0.1:{}", server.port()));
    set(&redis, "mine:key", "value").await.unwrap();
    let error = set(&redis, "key", "value").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Denied);
    assert_eq!(error.code(), Some("NOPERM"));
    // Whoever may not do one thing is still connected.
    assert_eq!(redis.status(), RedisStatus::Available);
}

#[tokio::test]
async fn an_error_repeats_no_argument() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let error = redis.query(redis::cmd("NONSENSE").arg("secret")).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Rejected);
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_script_is_sent_once() {
    let server = RedisServer::start();
    let redis = connect(&server.url());
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    let run = || redis.script::<_, &str>(&script, &["count"], &[]);
    assert_eq!(run().await.unwrap(), redis::Value::Int(1));
    assert_eq!(run().await.unwrap(), redis::Value::Int(2));
    let calls = |name: &str| {
        let statistics = server.command(&["INFO", "commandstats"]);
        let line = statistics.lines().find(|line| line.contains(name));
        line.map_or(0, |line| {
            let (_, rest) = line.split_once("calls=").unwrap();
            rest.split(',').next().unwrap().parse::<u32>().unwrap()
        })
    };
    assert_eq!((calls("cmdstat_evalsha:"), calls("cmdstat_eval:")), (2, 1));
    // Whoever empties the server takes the scripts along.
    server.command(&["SCRIPT", "FLUSH"]);
    server.command(&["FLUSHALL"]);
    assert_eq!(run().await.unwrap(), redis::Value::Int(1));
    assert_eq!(run().await.unwrap(), redis::Value::Int(2));
    assert_eq!((calls("cmdstat_evalsha:"), calls("cmdstat_eval:")), (4, 2));
}

#[tokio::test]
async fn a_server_without_room_is_full_and_nothing_is_half_written() {
    let server = RedisServer::options()
        .config("maxmemory 3mb")
        .config("maxmemory-policy noeviction")
        .start();
    let redis = connect(&server.url());
    set(&redis, "before", "value").await.unwrap();
    let large = "x".repeat(100_000);
    let mut stored = 0;
    let error = loop {
        match set(&redis, &format!("large:{stored}"), &large).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "3 MB hold no 10 MB");
    };
    assert_eq!(error.kind(), RedisErrorKind::Full);
    assert!(error.is_retryable() && !error.was_sent());

    let script = Script::new(
        "#!lua\nredis.call('DEL', KEYS[1]) redis.call('SET', KEYS[2], ARGV[1]) return 1",
    );
    let keys = ["before", "after"];
    let error = redis.script(&script, &keys, &["value"]).await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Full);
    // What is there can be read, and it is still connected.
    assert_eq!(
        get(&redis, "before").await.unwrap().as_deref(),
        Some("value")
    );
    assert_eq!(get(&redis, "after").await.unwrap(), None);
    assert_eq!(redis.status(), RedisStatus::Available);
    assert_eq!(server.command(&["DBSIZE"]), format!("{}", stored + 1));
}
