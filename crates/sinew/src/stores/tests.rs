//! What is chosen, and why.

use sinew_web::EdgeConfig;

use super::*;

fn variables(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    let pairs: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    move |name| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }
}

fn plan(storage: &Storage, pairs: &[(&str, &str)]) -> Result<Plan, StartError> {
    let lookup = variables(pairs);
    let edge = EdgeConfig::from_lookup(&lookup).expect("good settings");
    let said = Said {
        storage,
        has_cache: false,
        has_streams: false,
    };
    Plan::new(&said, &edge.stores, &lookup)
}

fn chosen(pairs: &[(&str, &str)]) -> [String; 3] {
    let plan = plan(&Storage::Chosen, pairs).expect("a plan");
    [
        plan.sessions.to_string(),
        plan.cache.to_string(),
        plan.streams.to_string(),
    ]
}

/// Opens it in a directory of its own.
fn open<R>(
    pairs: &[(&str, &str)],
    open: impl FnOnce(&Opener<'_>) -> Result<R, StartError>,
) -> Result<R, StartError> {
    let lookup = variables(pairs);
    let plan = plan(&Storage::Chosen, pairs)?;
    let directory = tempfile::tempdir().expect("a directory");
    open(&Opener {
        plan: &plan,
        variables: &EdgeConfig::from_lookup(&lookup)
            .expect("good settings")
            .stores,
        data_directory: directory.path(),
        lookup: &lookup,
        services: RefCell::default(),
        postgres: on_postgres::Connected::default(),
    })
}

#[test]
fn nothing_said_is_the_disk_for_sessions_and_memory_for_the_rest() {
    let default = "(by default)";
    assert_eq!(
        chosen(&[]),
        ["embedded", "memory", "memory"].map(|kind| format!("{kind} {default}"))
    );
}

#[test]
fn a_variable_that_names_a_store_decides() {
    let pairs = [
        ("SINEW_SESSION_STORE", "memory"),
        ("SINEW_CACHE_STORE", "none"),
        ("SINEW_STREAMS", "memory"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
    ];
    assert_eq!(
        chosen(&pairs),
        [
            "memory (SINEW_SESSION_STORE)",
            "none (SINEW_CACHE_STORE)",
            "memory (SINEW_STREAMS)"
        ]
    );
}

#[test]
fn code_comes_before_variables() {
    let pairs = [
        ("SINEW_SESSION_STORE", "postgres"),
        ("SINEW_CACHE_STORE", "redis"),
        ("SINEW_STREAMS", "redis"),
    ];
    let in_memory = plan(&Storage::Memory, &pairs).expect("a plan");
    assert_eq!(in_memory.sessions.to_string(), "memory (Sinew::in_memory)");
    assert_eq!(in_memory.cache.to_string(), "memory (Sinew::in_memory)");
    assert_eq!(in_memory.streams.to_string(), "memory (Sinew::in_memory)");

    let cookies = plan(&Storage::Cookies, &pairs).expect("a plan");
    assert_eq!(
        cookies.sessions.to_string(),
        "cookie (Sinew::cookie_sessions)"
    );

    let own = Storage::Given(Arc::new(MemoryStore::new()));
    let said = Said {
        storage: &own,
        has_cache: true,
        has_streams: true,
    };
    let lookup = variables(&pairs);
    let edge = EdgeConfig::from_lookup(&lookup).expect("good settings");
    let plan = Plan::new(&said, &edge.stores, &lookup).expect("a plan");
    assert_eq!(plan.sessions.to_string(), "own (Sinew::store)");
    assert_eq!(plan.cache.to_string(), "own (Sinew::cache)");
    assert_eq!(plan.streams.to_string(), "own (Sinew::streams)");
    assert_eq!(plan.without_effects(), plan);
}

#[tokio::test]
async fn what_is_chosen_is_opened() {
    for (kind, keeps) in [("memory", true), ("embedded", true), ("none", false)] {
        let pairs = [
            ("SINEW_CACHE_STORE", kind),
            ("SINEW_CACHE_BYTES_MAX", "1048576"),
        ];
        let cache = open(&pairs, |it| it.cache())
            .expect("opens")
            .expect("a cache");
        assert_eq!(cache.write("key", &1, ()).await, keeps, "{kind}");
    }
    for kind in ["memory", "embedded"] {
        let sessions = open(&[("SINEW_SESSION_STORE", kind)], |it| it.sessions());
        assert!(sessions.expect("opens").is_some());
    }
    assert!(open(&[], |it| it.streams()).expect("opens").is_some());
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_store_that_was_not_compiled_says_so() {
    let sentence = |error: StartError| error.to_string();
    let cache = open(&[("SINEW_CACHE_STORE", "redis")], |it| it.cache());
    assert_eq!(
        sentence(cache.expect_err("not compiled")),
        "SINEW_CACHE_STORE is `redis`, and this program was built without it: build it with the feature `redis` of sinew, or choose another store"
    );
    let sessions = open(&[("SINEW_SESSION_STORE", "redis")], |it| it.sessions());
    assert!(sentence(sessions.err().expect("not compiled")).starts_with("SINEW_SESSION_STORE"));
    let streams = open(&[("SINEW_STREAMS", "redis")], |it| it.streams());
    assert!(sentence(streams.err().expect("not compiled")).starts_with("SINEW_STREAMS"));
    // An address alone changes nothing.
    let pairs = [("REDIS_URL", "redis://127.0.0.1:1")];
    assert_eq!(chosen(&pairs), chosen(&[]));
}

#[cfg(feature = "redis")]
mod redis {
    use super::*;

    #[test]
    fn a_redis_of_the_role_is_used() {
        let pairs = [
            ("REDIS_URL", "redis://127.0.0.1:1"),
            ("SINEW_CACHE_REDIS_URL", "redis://:secret@127.0.0.1:2"),
        ];
        assert_eq!(
            chosen(&pairs),
            [
                "redis (REDIS_URL)",
                "redis (SINEW_CACHE_REDIS_URL)",
                "redis (REDIS_URL)"
            ]
        );
        let pairs = [("SINEW_CABLE_REDIS_URL", "redis://127.0.0.1:1")];
        assert_eq!(chosen(&pairs)[..2], chosen(&[])[..2]);
        assert_eq!(chosen(&pairs)[2], "redis (SINEW_CABLE_REDIS_URL)");
    }

    #[test]
    fn what_cannot_be_used_stops_the_start_without_its_password() {
        let pairs = [("REDIS_URL", "redis://:hunter2@127.0.0.1:port")];
        let error = plan(&Storage::Chosen, &pairs).expect_err("no port");
        assert!(error.to_string().starts_with("REDIS_URL"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        // It does not matter to who keeps everything in memory.
        assert!(plan(&Storage::Memory, &pairs).is_ok());
    }

    #[tokio::test]
    async fn redis_without_an_address_says_where_to_put_one() {
        let error = open(&[("SINEW_CACHE_STORE", "redis")], |it| it.cache());
        let sentence = error.expect_err("no address").to_string();
        assert!(sentence.contains("SINEW_CACHE_REDIS_URL"), "{sentence}");
    }

    #[tokio::test]
    async fn everything_is_kept_in_a_real_one() {
        let server = test_servers::RedisServer::start();
        let url = server.url();
        let pairs = [
            ("REDIS_URL", url.as_str()),
            ("SINEW_CACHE_FRONT_SECONDS", "5"),
        ];
        let opened = open(&pairs, |opener| {
            let stores = (opener.sessions()?, opener.cache()?, opener.streams()?);
            let services = opener.services.borrow();
            let labels: Vec<String> = services.iter().map(Service::label).collect();
            Ok((stores, labels))
        });
        let ((sessions, cache, streams), labels) = opened.expect("opens");
        assert_eq!(labels, ["redis_sessions", "redis_cache", "redis_cable"]);

        let cache = cache.expect("a cache");
        assert!(cache.write("menu", "tea", ()).await);
        assert_eq!(cache.read::<String>("menu").await.as_deref(), Some("tea"));
        let sessions = sinew_store::Sessions::new(sessions.expect("a store"));
        let session = sessions.create();
        session.set("name", "Ada").await.expect("sets");
        session.commit().await.expect("commits");
        let streams = streams.expect("streams");
        streams
            .publish(&"news".into(), "1".into())
            .await
            .expect("publishes");
        let keys = server.command(&["DBSIZE"]);
        assert_eq!(keys, "3", "{}", server.command(&["KEYS", "*"]));
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use sinew_store::SessionId;
    use test_servers::PostgresServer;

    use super::*;

    const BOTH: [(&str, &str); 2] = [
        ("SINEW_SESSION_STORE", "postgres"),
        ("SINEW_CACHE_STORE", "postgres"),
    ];

    #[tokio::test]
    async fn sessions_and_cache_share_its_connections() {
        let server = PostgresServer::start();
        let url = server.url();
        let pairs = [BOTH[0], BOTH[1], ("DATABASE_URL", url.as_str())];
        let (sessions, cache, service) = open(&pairs, |it| {
            Ok((it.sessions()?, it.cache()?, it.postgres.service()))
        })
        .expect("opens");
        let sessions = sinew_store::Sessions::new(sessions.expect("a store"));
        let session = sessions.open(SessionId::generate());
        session.set("name", "Ada").await.expect("is set");
        session.commit().await.expect("is stored");
        let cache = cache.expect("a cache");
        assert!(cache.write("key", &1, ()).await);

        let service = service.expect("a server that is used");
        assert_eq!(service.label(), "postgres_sessions");
        assert!(service.state().is_available);
        // One for each of both, one after the other, and one that looks after the server.
        assert_eq!(service.state().connections_opened, 2);
    }

    #[test]
    fn streams_go_where_the_sessions_are_unless_something_else_is_said() {
        let url = ("DATABASE_URL", "postgres://ada@127.0.0.1:1/app");
        let with = |more: &[(&str, &str)]| {
            let pairs: Vec<_> = [BOTH[0], url].into_iter().chain(more.to_vec()).collect();
            chosen(&pairs)[2].clone()
        };
        assert_eq!(with(&[]), "postgres (SINEW_SESSION_STORE)");
        assert_eq!(
            with(&[("SINEW_STREAMS", "memory")]),
            "memory (SINEW_STREAMS)"
        );
        #[cfg(feature = "redis")]
        assert_eq!(
            with(&[("SINEW_CABLE_REDIS_URL", "redis://127.0.0.1:1")]),
            "redis (SINEW_CABLE_REDIS_URL)"
        );
        // A cache says nothing of several nodes, and an address nothing at all.
        let streams = |pairs: &[(&str, &str)]| chosen(pairs)[2].clone();
        assert_eq!(streams(&[BOTH[1], url]), "memory (by default)");
        assert_eq!(streams(&[url]), "memory (by default)");
        assert_eq!(
            streams(&[url, ("SINEW_STREAMS", "postgres")]),
            "postgres (SINEW_STREAMS)"
        );
    }

    #[tokio::test]
    async fn streams_alone_are_a_server_that_visitors_need() {
        let mut server = PostgresServer::start();
        let url = server.url();
        let pairs = [
            ("SINEW_STREAMS", "postgres"),
            ("DATABASE_URL", url.as_str()),
        ];
        let (streams, services) = open(&pairs, |it| {
            let streams = it.streams()?.expect("streams");
            assert!(it.postgres.service().is_none());
            Ok((streams, it.services.take()))
        })
        .expect("opens");
        let (health, services) = (sinew_web::Health::new(), Arc::from(services));
        crate::services::require(&health, &services);
        assert_eq!(services[0].label(), "postgres_streams");
        assert_eq!(
            health.missing(),
            ["postgres (streams)"],
            "nobody listens yet"
        );
        streams.follow(&"news".into()).await.expect("follows");
        let published = streams.publish(&"news".into(), "1".into()).await;
        published.expect("publishes");
        assert!(health.is_ready());

        server.stop();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while health.is_ready() {
            assert!(std::time::Instant::now() < deadline, "readiness is red");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    #[test]
    fn without_an_address_it_says_where_to_put_one() {
        let error = open(&BOTH, |it| it.sessions()).err().expect("no address");
        let sentence = error.to_string();
        assert!(
            sentence.contains("SINEW_DATABASE_URL or DATABASE_URL"),
            "{sentence}"
        );
    }

    #[test]
    fn what_cannot_be_used_stops_the_start_without_its_password() {
        let pairs = [
            BOTH[1],
            ("DATABASE_URL", "postgres://ada:hunter2@db:port/app"),
        ];
        let error = open(&pairs, |it| it.cache()).expect_err("no port");
        assert!(error.to_string().starts_with("DATABASE_URL"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_cache_that_is_away_keeps_no_visitor_out() {
        let pairs = [BOTH[1], ("DATABASE_URL", "postgres://ada@127.0.0.1:1/app")];
        let service = open(&pairs, |it| {
            it.cache()?;
            Ok(it.postgres.service())
        });
        let service = service.expect("opens").expect("a server that is used");
        assert_eq!(service.label(), "postgres_cache");
        let (health, services) = (sinew_web::Health::new(), Arc::from([service]));
        crate::services::require(&health, &services);
        assert!(health.is_ready());
    }
}
