//! The servers themselves: that they start, answer, and are gone afterwards.

use test_servers::{PostgresServer, RedisCluster, RedisSentinel, RedisServer};

#[test]
fn a_server_is_gone_with_its_value() {
    let mut redis = RedisServer::options().password("secret").tls().start();
    let pid = redis.pid();
    assert_eq!(redis.command(&["SET", "key", "value"]), "OK");
    redis.restart();
    assert_ne!(redis.pid(), pid);
    assert_eq!(redis.command(&["GET", "key"]), "");
    redis.freeze();
    let process = format!("/proc/{}", redis.pid());
    assert!(std::fs::exists(&process).unwrap());
    drop(redis);
    assert!(!std::fs::exists(&process).unwrap());
}

#[test]
fn sentinels_replace_a_primary() {
    let mut redis = RedisSentinel::start();
    assert_eq!(redis.primary_port(), redis.primary.port());
    redis.primary.kill();
    redis.wait_for_failover();
    assert_eq!(redis.replica.command(&["SET", "key", "value"]), "OK");
}

#[test]
fn each_node_of_a_cluster_has_its_slots() {
    let cluster = RedisCluster::start();
    // `a` is of slot 15495, `b` of 3300, `c` of 7365.
    assert_eq!(cluster.nodes[2].command(&["SET", "a", "1"]), "OK");
    assert_eq!(cluster.nodes[0].command(&["SET", "b", "1"]), "OK");
    assert_eq!(cluster.nodes[1].command(&["SET", "c", "1"]), "OK");
    cluster.begin_move(3300, 0, 1);
    cluster.finish_move(3300, 0, 1);
    assert_eq!(cluster.nodes[1].command(&["GET", "b"]), "1");
}

#[test]
fn a_database_survives_a_restart_and_its_unlogged_tables_no_crash() {
    let mut postgres = PostgresServer::options().tls().start();
    assert!(postgres.create_database().ends_with("/test_0"));
    postgres.query("create table kept as select 1 as one");
    postgres.query("create unlogged table lost as select 1 as one");
    postgres.restart();
    assert_eq!(postgres.query("select one from lost"), "1");
    postgres.crash();
    postgres.start_again();
    assert_eq!(postgres.query("select one from kept"), "1");
    assert_eq!(postgres.query("select one from lost"), "");
    postgres.freeze();
    let socket = postgres.socket_directory().to_owned();
    drop(postgres);
    assert!(!socket.exists());
}
