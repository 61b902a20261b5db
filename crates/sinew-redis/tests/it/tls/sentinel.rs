//! Sentinels and servers, each with a certificate.

use sinew_redis::{PubSubEvent, RedisStatus, redis};
use test_servers::{Authority, RedisSentinel, RedisServer};
use tokio::time::timeout;

use super::{Pair, believing, refusal};
use crate::{PATIENCE, get, set, wait_for};

fn url(servers: &RedisSentinel, host: &str) -> String {
    let sentinels = servers.sentinels.iter();
    let hosts: Vec<_> = sentinels
        .map(|it| format!("{host}:{}", it.port()))
        .collect();
    let service = servers.service();
    format!("rediss-sentinel://{}/{service}", hosts.join(","))
}

#[tokio::test]
async fn a_failover_is_followed() {
    let options = RedisServer::options().tls();
    let mut servers = RedisSentinel::start_with(options.clone().password("secret"), options);
    let url = url(&servers, "127.0.0.1").replace("//", "//:secret@");
    let redis = believing(&servers.primary.ca_file(), &url);
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(servers.primary.command(&["GET", "key"]), "value");
    let (subscriber, mut messages) = redis.subscriber();
    subscriber.subscribe("news").await.unwrap();

    servers.primary.kill();
    servers.wait_for_failover();
    while set(&redis, "key", "after").await.is_err() {
        wait_for(&redis, RedisStatus::Available).await;
    }
    assert_eq!(servers.replica.command(&["GET", "key"]), "after");
    assert_eq!(get(&redis, "key").await.unwrap().as_deref(), Some("after"));

    let mut next = async || timeout(PATIENCE, messages.next()).await.unwrap().unwrap();
    for expected in [
        PubSubEvent::Connected,
        PubSubEvent::Interrupted,
        PubSubEvent::Connected,
    ] {
        assert_eq!(next().await, expected);
    }
    let mut publish = redis::cmd("PUBLISH");
    redis.query(publish.arg("news").arg("one")).await.unwrap();
    let message = PubSubEvent::Message {
        name: "news".to_owned(),
        payload: "one".into(),
    };
    assert_eq!(next().await, message);
}

#[tokio::test]
async fn sentinels_and_servers_are_verified_each() {
    let pair = Pair::new();
    let mut servers = RedisSentinel::start_with(pair.server(&pair.one), pair.server(&pair.other));
    let url = url(&servers, "127.0.0.1");

    let address = |server: &RedisServer| format!("127.0.0.1:{}: ", server.port());
    let knows_servers = believing(&pair.one.ca_file(), &url);
    let refused = refusal(&knows_servers, "key").await;
    let mut sentinels = servers.sentinels.iter();
    assert!(
        sentinels.any(|it| refused.contains(&address(it))),
        "{refused}"
    );
    wait_for(&knows_servers, RedisStatus::Away).await;

    // One that is down hides nothing of the others.
    servers.sentinels[0].kill();
    let knows_servers = believing(&pair.one.ca_file(), &url);
    let refused = refusal(&knows_servers, "key").await;
    for sentinel in &servers.sentinels {
        assert!(refused.contains(&address(sentinel)), "{refused}");
    }

    let knows_sentinels = believing(&pair.other.ca_file(), &url);
    let refused = refusal(&knows_sentinels, "key").await;
    assert!(refused.contains(&address(&servers.primary)), "{refused}");
    wait_for(&knows_sentinels, RedisStatus::Away).await;
    assert_eq!(servers.primary.command(&["GET", "key"]), "");

    let knows_both = believing(&pair.both(), &url);
    set(&knows_both, "key", "value").await.unwrap();
    assert_eq!(servers.primary.command(&["GET", "key"]), "value");
}

#[tokio::test]
async fn the_certificate_has_to_be_of_what_the_sentinels_announce() {
    let authority = Authority::new();
    let of_name = RedisServer::options().tls_by(&authority);
    let of_name = of_name.certificate_names(&["localhost"]);

    let by_address = RedisSentinel::start_with(of_name.clone(), of_name.clone());
    let redis = believing(&authority.ca_file(), &url(&by_address, "localhost"));
    let refused = refusal(&redis, "key").await;
    let expected = format!("127.0.0.1:{}: ", by_address.primary.port());
    assert!(refused.contains(&expected), "{refused}");
    assert!(
        refused.contains("not valid for name \"127.0.0.1\""),
        "{refused}"
    );
    drop(by_address);

    let mut by_name = RedisSentinel::start_by_name(of_name.clone(), of_name);
    let redis = believing(&authority.ca_file(), &url(&by_name, "localhost"));
    set(&redis, "key", "value").await.unwrap();
    assert_eq!(by_name.primary.command(&["GET", "key"]), "value");
    by_name.primary.kill();
    by_name.wait_for_failover();
    while set(&redis, "key", "after").await.is_err() {
        wait_for(&redis, RedisStatus::Available).await;
    }
    assert_eq!(by_name.replica.command(&["GET", "key"]), "after");
}
