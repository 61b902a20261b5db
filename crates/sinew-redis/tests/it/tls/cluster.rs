//! The nodes of a cluster, each with a certificate.

use sinew_redis::{PubSubEvent, RedisStatus, redis};
use test_servers::{Authority, RedisCluster, RedisServer};
use tokio::time::timeout;

use super::{Pair, believing, refusal};
use crate::cluster::KEYS;
use crate::{PATIENCE, get, set, wait_for};

fn url(cluster: &RedisCluster, host: &str) -> String {
    format!("rediss-cluster://{host}:{}", cluster.nodes[0].port())
}

#[tokio::test]
async fn each_key_is_found_where_it_is_and_followed_where_it_goes() {
    let cluster = RedisCluster::start_with(RedisServer::options().tls().password("secret"));
    let url = url(&cluster, ":secret@127.0.0.1");
    let redis = believing(&cluster.nodes[0].ca_file(), &url);
    for (key, node) in KEYS.iter().zip(&cluster.nodes) {
        set(&redis, key, "value").await.unwrap();
        assert_eq!(node.command(&["GET", key]), "value");
    }
    wait_for(&redis, RedisStatus::Available).await;
    let commands = KEYS.map(|key| {
        let mut command = redis::cmd("GET");
        command.arg(key);
        command
    });
    for answer in redis.pipeline(&commands).await {
        assert_eq!(answer.unwrap(), redis::Value::BulkString(b"value".to_vec()));
    }

    cluster.begin_move(3300, 0, 1);
    assert_eq!(get(&redis, "b").await.unwrap().as_deref(), Some("value"));
    set(&redis, "{b}new", "new").await.unwrap();
    assert_eq!(cluster.nodes[1].command(&["DBSIZE"]), "2");
    cluster.finish_move(3300, 0, 1);
    assert_eq!(get(&redis, "b").await.unwrap().as_deref(), Some("value"));
    assert_eq!(get(&redis, "{b}new").await.unwrap().as_deref(), Some("new"));
    set(&redis, "b", "moved").await.unwrap();
    assert_eq!(cluster.nodes[1].command(&["GET", "b"]), "moved");

    // What is published at one node comes out at every other, over their own TLS.
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("news").await.unwrap();
    let mut next = async || timeout(PATIENCE, messages.next()).await.unwrap().unwrap();
    assert_eq!(next().await, PubSubEvent::Connected);
    for node in &cluster.nodes {
        node.command(&["PUBLISH", "news", "one"]);
        let message = PubSubEvent::Message {
            name: "news".to_owned(),
            payload: "one".into(),
        };
        assert_eq!(next().await, message);
    }
}

#[tokio::test]
async fn each_node_is_verified() {
    let pair = Pair::new();
    // A node may be down for the client although it is not for the others.
    let node = |signed_by| {
        let options = pair.server(signed_by);
        options.config("cluster-require-full-coverage no")
    };
    let (one, other) = (&pair.one, &pair.other);
    let cluster = RedisCluster::start_each([node(one), node(one), node(other)]);
    let url = url(&cluster, "127.0.0.1");

    let address = |index: usize| format!("127.0.0.1:{}: ", cluster.nodes[index].port());
    let stranger = believing(&Authority::new().ca_file(), &url);
    let refused = refusal(&stranger, "b").await;
    assert!(refused.contains(&address(0)), "{refused}");
    wait_for(&stranger, RedisStatus::Away).await;

    let knows_two = believing(&one.ca_file(), &url);
    for (key, node) in KEYS.iter().zip(&cluster.nodes).take(2) {
        set(&knows_two, key, "value").await.unwrap();
        assert_eq!(node.command(&["GET", key]), "value");
    }
    let refused = refusal(&knows_two, KEYS[2]).await;
    assert!(refused.contains(&address(2)), "{refused}");
    wait_for(&knows_two, RedisStatus::Away).await;
    assert_eq!(cluster.nodes[2].command(&["GET", KEYS[2]]), "");

    let knows_all = believing(&pair.both(), &url);
    set(&knows_all, KEYS[2], "value").await.unwrap();
    wait_for(&knows_all, RedisStatus::Available).await;
}

#[tokio::test]
async fn the_certificate_has_to_be_of_what_the_nodes_announce() {
    let authority = Authority::new();
    let of_name = RedisServer::options().tls_by(&authority);
    let of_name = of_name.certificate_names(&["localhost"]);

    let by_address = RedisCluster::start_with(of_name.clone());
    let redis = believing(&authority.ca_file(), &url(&by_address, "localhost"));
    let refused = refusal(&redis, "c").await;
    let expected = format!("127.0.0.1:{}: ", by_address.nodes[1].port());
    assert!(refused.contains(&expected), "{refused}");
    assert!(
        refused.contains("not valid for name \"127.0.0.1\""),
        "{refused}"
    );
    drop(by_address);

    let by_name = of_name
        .config("cluster-announce-hostname localhost")
        .config("cluster-preferred-endpoint-type hostname");
    let by_name = RedisCluster::start_with(by_name);
    let redis = believing(&authority.ca_file(), &url(&by_name, "localhost"));
    for (key, node) in KEYS.iter().zip(&by_name.nodes) {
        set(&redis, key, "value").await.unwrap();
        assert_eq!(node.command(&["GET", key]), "value");
    }
    by_name.begin_move(3300, 0, 1);
    set(&redis, "{b}new", "new").await.unwrap();
    by_name.finish_move(3300, 0, 1);
    assert_eq!(get(&redis, "{b}new").await.unwrap().as_deref(), Some("new"));
    assert_eq!(get(&redis, "b").await.unwrap().as_deref(), Some("value"));
    wait_for(&redis, RedisStatus::Available).await;
}
