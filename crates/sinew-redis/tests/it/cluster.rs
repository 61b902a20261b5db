//! A cluster of three.

use sinew_redis::{RedisErrorKind, RedisStatus, Script, redis};
use test_servers::{RedisCluster, RedisServer};

use crate::{connect, get, set, wait_for};

/// Of slots 3300, 7365 and 15495: one of each node.
pub(crate) const KEYS: [&str; 3] = ["b", "c", "a"];

fn url(cluster: &RedisCluster) -> String {
    format!("redis-cluster://{}", cluster.addresses()[0])
}

#[tokio::test]
async fn each_key_is_found_where_it_is() {
    let cluster = RedisCluster::start();
    let redis = connect(&url(&cluster));
    for (key, node) in KEYS.iter().zip(&cluster.nodes) {
        set(&redis, key, "value").await.unwrap();
        assert_eq!(node.command(&["GET", key]), "value");
    }
    wait_for(&redis, RedisStatus::Available).await;

    // One script, several nodes.
    let script = Script::new("return redis.call('APPEND', KEYS[1], ARGV[1])");
    for key in KEYS {
        let length = redis.script(&script, &[key], &["!"]).await.unwrap();
        assert_eq!(length, redis::Value::Int(6));
    }

    // Answers come in the order of the commands, whoever gives them.
    let commands: Vec<_> = (0..30)
        .map(|index| {
            let mut command = redis::cmd("ECHO");
            command.arg(index);
            if index % 2 == 0 {
                command = redis::cmd("SETRANGE");
                command
                    .arg(KEYS[index % 3])
                    .arg(0)
                    .arg("x".repeat(index + 10));
            }
            command
        })
        .collect();
    for (index, answer) in redis.pipeline(&commands).await.into_iter().enumerate() {
        match answer.unwrap() {
            redis::Value::Int(length) => assert_eq!(length as usize, index + 10),
            redis::Value::BulkString(echo) => assert_eq!(echo, index.to_string().as_bytes()),
            other => panic!("{other:?}"),
        }
    }

    // Each node has one of the keys.
    let mut sizes = Vec::new();
    for primary in redis.primaries().await.unwrap() {
        sizes.push(
            primary
                .query_as::<u64>(&redis::cmd("DBSIZE"))
                .await
                .unwrap(),
        );
    }
    assert_eq!(sizes, [1, 1, 1]);

    let both = redis
        .query(redis::cmd("MGET").arg(&KEYS))
        .await
        .unwrap_err();
    assert_eq!(both.kind(), RedisErrorKind::Rejected);
    assert_eq!(both.code(), Some("CROSSSLOT"));
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let cluster = RedisCluster::start();
    let redis = connect(&url(&cluster));
    set(&redis, "b", "value").await.unwrap();
    wait_for(&redis, RedisStatus::Available).await;
    cluster.begin_move(3300, 0, 1);
    // Half-way: what is there is at the old node, what is new at the other.
    assert_eq!(get(&redis, "b").await.unwrap().as_deref(), Some("value"));
    set(&redis, "{b}new", "value").await.unwrap();
    assert_eq!(
        get(&redis, "{b}new").await.unwrap().as_deref(),
        Some("value")
    );
    cluster.finish_move(3300, 0, 1);
    let get = |key: &str| {
        let mut command = redis::cmd("GET");
        command.arg(key);
        command
    };
    for answer in redis.pipeline(&[get("b"), get("{b}new")]).await {
        assert_eq!(answer.unwrap(), redis::Value::BulkString(b"value".to_vec()));
    }
    set(&redis, "b", "moved").await.unwrap();
    assert_eq!(cluster.nodes[1].command(&["GET", "b"]), "moved");
}

#[tokio::test]
async fn without_one_node_the_others_go_on() {
    // Nodes of a cluster that miss a slot refuse everything unless they are told otherwise.
    let options = RedisServer::options().config("cluster-require-full-coverage no");
    let mut cluster = RedisCluster::start_with(options);
    let redis = connect(&url(&cluster));
    for key in KEYS {
        set(&redis, key, "value").await.unwrap();
    }
    cluster.nodes[0].kill();
    wait_for(&redis, RedisStatus::Away).await;
    let error = get(&redis, "b").await.unwrap_err();
    assert_eq!(error.kind(), RedisErrorKind::Unavailable);
    for key in ["c", "a"] {
        assert_eq!(get(&redis, key).await.unwrap().as_deref(), Some("value"));
    }
    cluster.nodes[0].start_again();
    wait_for(&redis, RedisStatus::Available).await;
}

#[tokio::test]
async fn nodes_that_do_not_say_where_they_are_are_where_they_were_asked() {
    let options = RedisServer::options().config("cluster-preferred-endpoint-type unknown-endpoint");
    let cluster = RedisCluster::start_with(options);
    let redis = connect(&url(&cluster));
    for (key, node) in KEYS.iter().zip(&cluster.nodes) {
        set(&redis, key, "value").await.unwrap();
        assert_eq!(node.command(&["GET", key]), "value");
    }
    // Both `ASK :7001` and `MOVED :7001`.
    cluster.begin_move(3300, 0, 1);
    set(&redis, "{b}new", "new").await.unwrap();
    assert_eq!(cluster.nodes[1].command(&["DBSIZE"]), "2");
    cluster.finish_move(3300, 0, 1);
    assert_eq!(get(&redis, "{b}new").await.unwrap().as_deref(), Some("new"));
    assert_eq!(get(&redis, "b").await.unwrap().as_deref(), Some("value"));
    wait_for(&redis, RedisStatus::Available).await;
}
