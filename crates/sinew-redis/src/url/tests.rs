use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> RedisUrl {
    RedisUrl::parse(text).unwrap()
}

fn server(text: &str) -> (String, u16) {
    match parse(text).topology {
        Topology::Server(address) => (address.host, address.port),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_with_and_without_a_port() {
    assert_eq!(server("redis://db"), ("db".to_owned(), 6379));
    assert_eq!(server("redis://db:7000/"), ("db".to_owned(), 7000));
    assert_eq!(server("rediss://[::1]:7000"), ("::1".to_owned(), 7000));
    assert_eq!(server("valkey://[::1]"), ("::1".to_owned(), 6379));
    assert!(parse("rediss://db").is_tls);
    assert!(!parse("REDIS://db").is_tls);
}

#[test]
fn user_password_and_database() {
    let url = parse("redis://ada:p%40ss%2Fword@db/3");
    assert_eq!(url.credentials.username.as_deref(), Some("ada"));
    assert_eq!(url.credentials.password.as_deref(), Some("p@ss/word"));
    assert_eq!(url.database, 3);
    let url = parse("redis://:secret@db?db=4");
    assert_eq!(url.credentials.username, None);
    assert_eq!(url.credentials.password.as_deref(), Some("secret"));
    assert_eq!(url.database, 4);
    // A password with an unescaped at sign or colon is still unambiguous.
    let url = parse("redis://:a@b:c@db:1");
    assert_eq!(url.credentials.password.as_deref(), Some("a@b:c"));
    assert!(!format!("{url:?}").contains("a@b"));
}

#[test]
fn a_socket() {
    for text in [
        "unix:///run/redis.sock?db=2",
        "redis+unix:///run/redis.sock?db=2",
    ] {
        let url = parse(text);
        assert_eq!(url.topology, Topology::Socket("/run/redis.sock".into()));
        assert_eq!(url.database, 2);
    }
    let url = parse("unix://ada:secret@/run/my%20redis.sock");
    assert_eq!(url.topology, Topology::Socket("/run/my redis.sock".into()));
    assert_eq!(url.credentials.password.as_deref(), Some("secret"));
}

#[test]
fn sentinels() {
    let url = parse("rediss-sentinel://:secret@s1,s2:5000/main/2?sentinel_password=other");
    assert!(url.is_tls);
    assert_eq!(url.database, 2);
    let Topology::Sentinel {
        sentinels,
        service,
        credentials,
    } = url.topology
    else {
        panic!("sentinels");
    };
    let shown: Vec<_> = sentinels.iter().map(Address::to_string).collect();
    assert_eq!(shown, ["s1:26379", "s2:5000"]);
    assert_eq!(service, "main");
    assert_eq!(credentials.password.as_deref(), Some("other"));
}

#[test]
fn clusters() {
    for text in ["redis-cluster://a,b:1", "redis://a,b:1?cluster=true"] {
        let Topology::Cluster(seeds) = parse(text).topology else {
            panic!("a cluster");
        };
        let shown: Vec<_> = seeds.iter().map(Address::to_string).collect();
        assert_eq!(shown, ["a:6379", "b:1"]);
    }
}

#[test]
fn what_is_wrong_is_said() {
    let problem = |text: &str| RedisUrl::parse(text).unwrap_err();
    for (text, words) in [
        ("db:6379", "does not begin with"),
        ("http://db", "scheme"),
        ("redis://", "no host"),
        ("redis://:secret@", "no host"),
        ("redis://db:port", "port"),
        ("redis://:sec/ret@db", "password"),
        ("redis://u:sec/ret@db", "password"),
        ("redis://db:0", "port"),
        ("redis://db/first", "database"),
        ("redis://db/1?db=2", "twice"),
        ("redis://db?secret", "parameter"),
        ("redis://db#secret", "`#`"),
        ("redis://a,b", "several hosts"),
        ("redis://a b", "character"),
        ("redis://[::1", "not closed"),
        ("redis-sentinel://a,b", "which primary"),
        ("redis-sentinel://a/main?cluster=true", "no cluster"),
        ("redis-cluster://a/1", "database 0"),
        ("redis://a?sentinel_password=secret", "sentinel"),
        ("unix://run/redis.sock", "begin with `/`"),
        ("redis://:%ff@db", "UTF-8"),
    ] {
        let said = problem(text);
        assert!(said.contains(words), "{text}: {said}");
        assert!(!said.contains("secret"), "{text}: {said}");
    }
    let long = format!("redis://{}", "a".repeat(URL_BYTES_MAX));
    assert!(problem(&long).contains("4096"));
    assert!(problem(&format!("redis-cluster://a{}", ",a".repeat(HOSTS_MAX))).contains("64"));
}

proptest! {
    #[test]
    fn any_text_is_a_url_or_a_sentence(text in "\\PC{0,80}", scheme in 0..6usize) {
        let scheme = ["", "redis://", "unix://", "redis-sentinel://", "rediss-cluster://", "redis+unix://"][scheme];
        let _ = RedisUrl::parse(&format!("{scheme}{text}"));
    }

    #[test]
    fn an_encoded_password_is_read_back(password in "\\PC{1,40}") {
        let encoded = percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC);
        let url = parse(&format!("redis://ada:{encoded}@db:7/1"));
        prop_assert_eq!(url.credentials.password, Some(password));
        prop_assert_eq!(url.topology, Topology::Server(Address { host: "db".into(), port: 7 }));
    }
}
