//! Sessions as Rails keeps them, against a real server; and with a Rails that reads and writes them.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sinew_redis::{RailsBlob, RailsBlobError, RailsIds, RailsSessions, Redis, RedisSettings};
use sinew_store::contract::{self, Subject};
use sinew_store::{
    Commit, Committed, Key, SessionError, SessionId, Sessions, Store, StoreErrorKind,
};
use sinew_verifier::rails::RailsSessionError;
use test_servers::{Rails, RedisServer};
use tokio::task::JoinSet;

const PREFIX: &str = "app:session:";

fn store(server: &RedisServer) -> RailsSessions {
    let settings = RedisSettings::from_url(&server.url()).expect("a URL");
    let redis = Redis::connect_lazily(settings).expect("settings");
    RailsSessions::new(redis, PREFIX)
}

/// Lets the time of every key pass by taking it from what is left of them.
async fn advance(redis: &Redis, by: Duration) {
    let script = sinew_redis::Script::new(
        "for _, key in ipairs(redis.call('KEYS', '*')) do
           local left = redis.call('PTTL', key)
           if left >= 0 then
             redis.call('PEXPIRE', key, left - tonumber(ARGV[1]))
           end
         end",
    );
    let by = by.as_millis().to_string();
    redis
        .script(&script, &[] as &[&str], &[by])
        .await
        .expect("runs");
}

#[tokio::test]
async fn the_contract_of_stores_as_far_as_json_goes() {
    let server = RedisServer::start();
    for form in [RailsBlob::Json, RailsBlob::CacheEntry] {
        for ids in [
            RailsIds::Private,
            RailsIds::PrivateOrPublic,
            RailsIds::Public,
        ] {
            let settings = RedisSettings::from_url(&server.url()).expect("a URL");
            let redis = Redis::connect_lazily(settings).expect("settings");
            let store = Arc::new(store(&server).form(form).ids(ids));
            let subject = Subject::with_async(store, move |by| {
                let redis = redis.clone();
                Box::pin(async move { advance(&redis, by).await })
            });
            contract::run_with_json(&subject).await;
        }
    }
}

#[tokio::test]
async fn writers_of_two_processes_all_survive() {
    let server = RedisServer::start();
    let nodes = [Arc::new(store(&server)), Arc::new(store(&server))];
    let id = SessionId::generate();
    let mut tasks = JoinSet::new();
    for index in 0..100 {
        let session = Sessions::new(nodes[index % 2].clone()).open(id);
        tasks.spawn(async move {
            session.set(&format!("field {index}"), &index).await?;
            session.update("count", |count: u32| count + 1).await?;
            session.commit().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic").expect("every writer is served");
    }
    let session = Sessions::new(nodes[0].clone()).open(id);
    assert_eq!(session.get::<u32>("count").await.unwrap(), Some(100));
    assert_eq!(session.keys().await.unwrap().len(), 101);
    let conflicts: u64 = nodes.iter().map(|node| node.statistics().conflicts).sum();
    assert!(conflicts > 0, "both wrote at the same time");
}

#[tokio::test]
async fn a_commit_is_one_round_trip_when_nobody_else_wrote() {
    let server = RedisServer::start();
    let store = Arc::new(store(&server));
    let sessions = Sessions::new(store.clone());
    let scripts = || {
        let info = server.command(&["INFO", "commandstats"]);
        let calls = |name: &str| {
            let line = info
                .lines()
                .find(|line| line.starts_with(&format!("cmdstat_{name}:")));
            let calls = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
            calls.map_or(0, |calls| calls.parse::<u64>().expect("a number"))
        };
        calls("evalsha") + calls("eval")
    };
    let session = sessions.create();
    session.set("a", &1).await.unwrap();
    session.commit().await.unwrap();
    // A load and a commit that the server did not know by digest before.
    let visit = sessions.open(session.id());
    visit.get::<u32>("a").await.unwrap();
    visit.set("a", &2).await.unwrap();
    visit.commit().await.unwrap();

    let before = scripts();
    visit.set("a", &3).await.unwrap();
    visit.commit().await.unwrap();
    assert_eq!(scripts(), before + 1);
    assert_eq!(store.statistics().conflicts, 0);
}

fn name_of(id: &SessionId) -> String {
    let digest = id.store_key();
    let digest = digest
        .as_str()
        .strip_prefix("session:")
        .expect("a session's");
    format!("{PREFIX}2::{digest}")
}

#[tokio::test]
async fn other_serializers_are_refused_by_name_and_left_alone() {
    let server = RedisServer::start();
    let store = store(&server);
    let id = SessionId::generate();
    let (key, name) = (id.store_key(), name_of(&id));
    let eval = |text: &str| {
        server.command(&[
            "EVAL",
            &format!("redis.call('SET', KEYS[1], {text})"),
            "1",
            &name,
        ])
    };
    let refusals = [
        (
            r"'\004\008{\000'",
            RailsBlobError::Session(RailsSessionError::Marshal),
        ),
        (
            r"'\204\128\128'",
            RailsBlobError::Session(RailsSessionError::MessagePack),
        ),
        (
            "'[]'",
            RailsBlobError::Session(RailsSessionError::NotObject),
        ),
        (
            "string.rep(' ', 2000000)",
            RailsBlobError::Session(RailsSessionError::TooLong {
                bytes: 1024 * 1024 + 1,
            }),
        ),
    ];
    for (text, expected) in refusals {
        eval(text);
        let before = server.command(&["GET", &name]);
        let mut commit = Commit::new();
        commit.create = true;
        commit.set.push(("a".into(), "1".into()));
        for error in [
            store.load(&key).await.expect_err("refused"),
            store.commit(&key, commit).await.expect_err("refused"),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            let source = error
                .source()
                .and_then(|it| it.downcast_ref::<RailsBlobError>());
            assert_eq!(source, Some(&expected));
        }
        assert_eq!(server.command(&["GET", &name]), before, "it stays");
    }
    server.command(&["DEL", &name]);
    server.command(&["LPUSH", &name, "1"]);
    assert_eq!(
        store.load(&key).await.expect_err("refused").kind(),
        StoreErrorKind::Corrupt
    );
    let statistics = store.statistics();
    assert_eq!(statistics.refused_marshal, 2);
    assert_eq!(statistics.refused_message_pack, 2);
    assert_eq!(statistics.refused_other, 5);
}

#[tokio::test]
async fn what_is_not_json_is_refused_and_nothing_is_written() {
    let server = RedisServer::start();
    let store = store(&server);
    let mut commit = Commit::new();
    commit.create = true;
    commit.set = vec![("good".into(), "1".into()), ("bad".into(), "{".into())];
    let error = store
        .commit(&Key::new("x"), commit.clone())
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), StoreErrorKind::Rejected);
    assert_eq!(server.command(&["KEYS", "*"]), "");

    let long = format!("\"{}\"", "x".repeat(1024 * 1024));
    commit.set = vec![("long".into(), long.into())];
    let committed = store
        .commit(&Key::new("x"), commit)
        .await
        .expect("an outcome");
    assert_eq!(committed, Committed::TooLarge);
    assert_eq!(server.command(&["KEYS", "*"]), "");
}

#[tokio::test]
async fn an_expiry_that_rails_has_set_stays() {
    let server = RedisServer::start();
    let store = store(&server);
    let id = SessionId::generate();
    server.command(&["SET", &name_of(&id), r#"{"user_id":1}"#, "EX", "1000"]);
    let mut commit = Commit::new();
    commit.set.push(("theme".into(), r#""dark""#.into()));
    assert_eq!(
        store.commit(&id.store_key(), commit).await.unwrap(),
        Committed::Applied
    );
    let left: u64 = server
        .command(&["TTL", &name_of(&id)])
        .parse()
        .expect("seconds");
    assert!((900..=1000).contains(&left), "{left}");
    assert_eq!(
        server.command(&["GET", &name_of(&id)]),
        r#"{"user_id":1,"theme":"dark"}"#
    );
}

#[tokio::test]
async fn an_ended_session_is_none_for_rails() {
    let server = RedisServer::start();
    let sessions = Sessions::new(Arc::new(store(&server)));
    let session = sessions.create();
    session.set("user_id", &1).await.unwrap();
    session.commit().await.unwrap();
    let socket = sessions.open(session.id());
    socket.get::<u32>("user_id").await.unwrap();

    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(server.command(&["EXISTS", &name_of(&session.id())]), "0");
    // Who has it open still cannot bring it back.
    socket.set("user_id", &2).await.unwrap();
    assert!(matches!(socket.commit().await, Err(SessionError::Ended)));
    assert_eq!(server.command(&["EXISTS", &name_of(&session.id())]), "0");
    let mark: u64 = server
        .command(&["TTL", &format!("sinew-ended:{}", name_of(&session.id()))])
        .parse()
        .expect("the mark has an end");
    assert!(mark > 80_000, "{mark}");
}

#[tokio::test]
async fn a_session_by_its_public_id_is_taken_over() {
    let server = RedisServer::start();
    let store = Arc::new(store(&server).ids(RailsIds::PrivateOrPublic));
    let id = SessionId::generate();
    let public = format!("{PREFIX}{id}");
    server.command(&["SET", &public, r#"{"user_id":1}"#, "EX", "1000"]);
    let session = Sessions::new(store).open(id);
    assert_eq!(session.get("user_id").await.unwrap(), Some(1));
    session.set("theme", "dark").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(server.command(&["EXISTS", &public]), "0");
    assert_eq!(
        server.command(&["GET", &name_of(&id)]),
        r#"{"user_id":1,"theme":"dark"}"#
    );
}

#[tokio::test]
async fn a_full_server_refuses_what_would_be_written_and_lets_sessions_end() {
    let server = RedisServer::start();
    let sessions = Sessions::new(Arc::new(store(&server)));
    let session = sessions.create();
    session.set("user_id", &1).await.unwrap();
    session.commit().await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);

    session.set("user_id", &2).await.unwrap();
    let SessionError::Store(error) = session.commit().await.expect_err("full") else {
        panic!("the store's error")
    };
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert_eq!(
        server.command(&["GET", &name_of(&session.id())]),
        r#"{"user_id":1}"#
    );
    session.discard();
    session.destroy();
    session.commit().await.expect("a logout needs no room");
    assert_eq!(server.command(&["EXISTS", &name_of(&session.id())]), "0");
}

/// Rails writes, Sinew reads and writes, Rails reads.
async fn share(settings: &[(&str, &str)], server: &RedisServer, store: RailsSessions) {
    let mut settings = settings.to_vec();
    let url = server.url();
    settings.push(("REDIS_URL", &url));
    let mut rails = Rails::start(&settings);
    assert_eq!(rails.get("/login?user_id=42").status, 204);
    let token = rails.get("/token").body;
    let cookie = rails.cookie.clone().expect("Rails has set its cookie");
    let id: SessionId = cookie.parse().expect("the cookie is the id");

    let store = Arc::new(store);
    let sessions = Sessions::new(store.clone());
    let session = sessions.open(id);
    assert_eq!(
        session.get("user_id").await.unwrap(),
        Some(42),
        "{settings:?}"
    );
    session.set("theme", "dark").await.unwrap();
    session
        .update("user_id", |user: u32| user + 1)
        .await
        .unwrap();
    session.commit().await.unwrap();

    let fields = rails.fields();
    assert_eq!(
        (&fields["user_id"], &fields["theme"]),
        (&json!(43), &json!("dark"))
    );
    let submit = json!({"authenticity_token": token});
    assert_eq!(rails.ask("POST", "/protected", submit).status, 200);

    // What Rails changes is found by who has the session open.
    rails.get("/remove?name=theme");
    session.set("seen", &true).await.unwrap();
    session.commit().await.unwrap();
    let fields = rails.fields();
    assert_eq!((&fields["seen"], fields.get("theme")), (&json!(true), None));
    assert_eq!(
        store.statistics().conflicts,
        1,
        "Rails was first, and the commit was made again"
    );

    // A login in a reflex gives the session another id, and Rails goes on under it.
    let before = id.to_string();
    session.renew_id();
    session.commit().await.unwrap();
    rails.cookie = Some(session.id().to_string());
    assert_eq!(rails.fields()["user_id"], 43);
    rails.cookie = Some(before);
    assert_eq!(
        rails.fields().get("user_id"),
        None,
        "the old id holds nothing"
    );

    // Who logs out here has logged out there, and the other way round.
    session.destroy();
    session.commit().await.unwrap();
    rails.cookie = Some(session.id().to_string());
    assert_eq!(rails.fields().get("user_id"), None);
    rails.get("/login?user_id=7");
    let id: SessionId = rails
        .cookie
        .clone()
        .expect("a cookie")
        .parse()
        .expect("an id");
    assert_eq!(sessions.open(id).get("user_id").await.unwrap(), Some(7));
    rails.get("/logout");
    assert_eq!(sessions.open(id).get::<u32>("user_id").await.unwrap(), None);
}

#[tokio::test]
async fn rails_with_redis_session_store_shares_a_login() {
    let server = RedisServer::start();
    let gem = [("STORE", "redis_session_store"), ("KEY_PREFIX", PREFIX)];
    share(&gem, &server, store(&server)).await;
    let with_life = [gem[0], gem[1], ("EXPIRE_AFTER", "3600")];
    share(&with_life, &server, store(&server)).await;
    let older = [gem[0], gem[1], ("PLAIN_IDS", "true")];
    share(&older, &server, store(&server).ids(RailsIds::Public)).await;
}

#[tokio::test]
async fn rails_with_its_redis_cache_store_shares_a_login() {
    let server = RedisServer::start();
    let settings = RedisSettings::from_url(&server.url()).expect("a URL");
    let redis = Redis::connect_lazily(settings).expect("settings");
    let store = RailsSessions::new(redis.clone(), "shop:_session_id:");
    share(&[("STORE", "cache"), ("NAMESPACE", "shop")], &server, store).await;
    let store = RailsSessions::new(redis, "_session_id:");
    share(
        &[("STORE", "cache"), ("EXPIRE_AFTER", "3600")],
        &server,
        store,
    )
    .await;
}

#[tokio::test]
async fn a_session_in_the_default_format_of_the_cache_store_is_refused() {
    let server = RedisServer::start();
    let url = server.url();
    let settings = [
        ("STORE", "cache"),
        ("SERIALIZER", "marshal"),
        ("REDIS_URL", &url),
    ];
    let mut rails = Rails::start(&settings);
    rails.get("/login?user_id=42");
    let id: SessionId = rails
        .cookie
        .clone()
        .expect("a cookie")
        .parse()
        .expect("an id");
    let settings = RedisSettings::from_url(&url).expect("a URL");
    let redis = Redis::connect_lazily(settings).expect("settings");
    let store = RailsSessions::new(redis, "_session_id:");
    let error = store.load(&id.store_key()).await.expect_err("refused");
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(store.statistics().refused_marshal, 1);
    assert_eq!(rails.fields()["user_id"], 42, "Rails has it still");
}
