use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use futures_util::future::join_all;
use serde_json::json;
use sinew::{
    cable::{ConnectionIdentifiers, Refusal},
    prelude::*,
    session::{MemoryStore, SessionId, Sessions, Store},
};
use sinew_store::{BoxFuture, Commit, Committed, Key, Record, StoreError, StoreErrorKind};

use crate::application::{Counter, counter, router};
use crate::browser::Browser;
use crate::server::{Server, config};

const SORRY: &str = "Something went wrong on the server.";

/// Writes, and then ends in every way there is.
struct Writer;

#[reflex]
impl Writer {
    #[before(only(halted))]
    async fn halt(&self, cx: &mut Reflex) -> Result {
        cx.session().set("halted", &true).await?;
        cx.halt()
    }

    #[before(only(forbidden))]
    async fn forbid(&self, cx: &mut Reflex) -> Result {
        cx.session().set("forbidden", &true).await?;
        cx.forbid()
    }

    async fn halted(&self, _cx: &mut Reflex) -> Result {
        Err("never runs".into())
    }

    async fn forbidden(&self, _cx: &mut Reflex) -> Result {
        Err("never runs".into())
    }

    async fn failed(&self, cx: &mut Reflex) -> Result {
        cx.session().set("failed", &true).await?;
        Err("after the write".into())
    }

    async fn panicked(&self, cx: &mut Reflex) -> Result {
        cx.session().set("panicked", &true).await?;
        panic!("after the write")
    }

    async fn page_failed(&self, cx: &mut Reflex) -> Result {
        cx.session().set("page_failed", &true).await?;
        Ok(())
    }

    async fn two(&self, cx: &mut Reflex) -> Result {
        cx.session().set("one", &1).await?;
        cx.session().set("two", &2).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn read(&self, cx: &mut Reflex) -> Result {
        let one: Option<u32> = cx.session().get("one").await?;
        cx.set_payload(json!({ "one": one }));
        cx.morph_nothing();
        Ok(())
    }

    async fn for_page(&self, cx: &mut Reflex) -> Result {
        cx.session().set("from_reflex", &true).await?;
        Ok(())
    }
}

/// The names of the session's fields; `/note` leaves one of its own.
async fn keys(session: Session) -> Result<Html<String>> {
    Ok(Html(session.keys().await?.join(" ")))
}

async fn note(session: Session) -> Result<Html<String>> {
    session.set("from_page", &true).await?;
    keys(session).await
}

async fn increment(session: Session) -> Result<String> {
    let count: i64 = session.update("count", |count: i64| count + 1).await?;
    Ok(count.to_string())
}

async fn sign_in(session: Session) {
    session.renew_id();
}

async fn sign_out(session: Session) {
    session.destroy();
}

fn writer() -> Sinew {
    let router: Router = router()
        .route("/keys", get(keys))
        .route("/note", get(note))
        .route("/increment", post(increment))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out));
    Sinew::new(router).reflex(Counter).reflex(Writer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_increments_from_everywhere_give_a_hundred() {
    for server in [
        Server::start(writer()).await,
        Server::embedded(writer()).await,
    ] {
        let browser = Browser::visit(&server, "/").await;
        let by_http = join_all((0..50).map(|_| {
            let mut browser = browser.clone();
            async move { assert_eq!(browser.post("/increment").await.status, 200) }
        }));
        let by_reflex = join_all((0..5).map(|_| {
            let browser = browser.clone();
            async move {
                let mut tab = browser.tab("/").await;
                let mut ids = Vec::new();
                for _ in 0..10 {
                    ids.push(tab.fire("Counter#add_quietly", json!([1])).await);
                }
                for id in ids {
                    tab.reply(&id).await.expect_event("nothing");
                }
            }
        }));
        tokio::join!(by_http, by_reflex);
        assert_eq!(browser.clone().get("/count").await.body, "100");
    }
}

#[tokio::test]
async fn what_was_written_before_the_end_is_kept() {
    let server = Server::start(writer()).await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/").await;
    let end = async |tab: &mut crate::browser::Tab, action: &str| {
        tab.perform(&format!("Writer#{action}"), json!([])).await
    };
    end(&mut tab, "halted").await.expect_event("halted");
    end(&mut tab, "forbidden").await.expect_event("forbidden");
    assert_eq!(end(&mut tab, "failed").await.error(), SORRY);
    assert_eq!(end(&mut tab, "panicked").await.error(), SORRY);
    let call = tab.call("Writer#page_failed").with("url", "/nowhere");
    tab.answer(call).await.expect_event("error");
    assert_eq!(
        browser.get("/keys").await.body,
        "failed forbidden halted page_failed panicked"
    );
}

#[tokio::test]
async fn page_sees_what_the_reflex_wrote_and_writes_too() {
    let server = Server::start(writer()).await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/note").await;
    let reply = tab.perform("Writer#for_page", json!([])).await;
    assert_eq!(reply.html(), "from_page from_reflex");
    assert_eq!(browser.get("/keys").await.body, "from_page from_reflex");
}

#[tokio::test]
async fn reply_comes_after_the_commit() {
    for server in [
        Server::start(writer()).await,
        Server::embedded(writer()).await,
    ] {
        let mut browser = Browser::visit(&server, "/").await;
        let mut tab = browser.tab("/").await;
        for count in 1..=20 {
            let action = ["Counter#add_quietly", "Counter#increment"][count % 2];
            tab.perform(action, json!([1])).await;
            assert_eq!(browser.get("/count").await.body, count.to_string());
        }
    }
}

#[tokio::test]
async fn http_and_reflexes_see_each_others_writes() {
    let server = Server::start(writer()).await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/").await;
    for count in [2, 4, 6] {
        browser.post("/increment").await;
        tab.perform("Counter#add_quietly", json!([1])).await;
        let reply = tab.perform("Counter#read", json!([])).await;
        assert_eq!(reply.payload()["count"], count);
    }
}

/// A store that can be told to fail.
struct Moody {
    memory: MemoryStore,
    fails_to_load: AtomicBool,
    fails_to_commit: AtomicBool,
}

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryStore::new(),
            fails_to_load: AtomicBool::new(false),
            fails_to_commit: AtomicBool::new(false),
        })
    }
}

fn check(fails: &AtomicBool) -> Result<(), StoreError> {
    if fails.load(Ordering::Relaxed) {
        let cause = "the disk of 10.0.0.7 is on fire";
        return Err(StoreError::new(StoreErrorKind::Unavailable, cause));
    }
    Ok(())
}

impl Store for Moody {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            check(&self.fails_to_load)?;
            self.memory.load(key).await
        })
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move {
            check(&self.fails_to_commit)?;
            self.memory.commit(key, commit).await
        })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.memory.delete(key)
    }
}

#[tokio::test]
async fn store_that_fails_fails_the_reflex_and_nothing_is_half_saved() {
    let store = Moody::new();
    let server = Server::built(writer().config(secretive()).store(store.clone())).await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/").await;

    store.fails_to_commit.store(true, Ordering::Relaxed);
    let reply = tab.perform("Writer#two", json!([])).await;
    assert_eq!(reply.error(), SORRY);
    assert!(!format!("{reply:?}").contains("10.0.0.7"), "{reply:?}");
    let reply = tab.perform("Writer#for_page", json!([])).await;
    assert_eq!(reply.error(), SORRY);
    assert_eq!(browser.post("/increment").await.status, 500);

    store.fails_to_load.store(true, Ordering::Relaxed);
    let reply = tab.perform("Writer#read", json!([])).await;
    assert_eq!(reply.error(), SORRY);
    // A socket that comes meanwhile is sent away, to come again.
    let mut cable = browser.connect().await.expect("upgrades");
    cable.expect_disconnect("unauthorized", true).await;
    cable.expect_close(1000).await;

    store.fails_to_load.store(false, Ordering::Relaxed);
    store.fails_to_commit.store(false, Ordering::Relaxed);
    assert_eq!(browser.get("/keys").await.body, "");
    tab.perform("Writer#two", json!([]))
        .await
        .expect_event("nothing");
    assert_eq!(browser.get("/keys").await.body, "one two");
}

/// Settings for a store that is given: it needs a secret.
fn secretive() -> sinew::Config {
    let mut config = config();
    config.edge.configured_secret = Some(sinew::config::Secret::generate().expect("random"));
    config
}

#[tokio::test]
async fn made_up_session_never_comes_to_life_through_a_socket() {
    let planted = SessionId::generate().to_string();
    let server = Server::start(counter()).await;
    let browser = Browser::new(&server).cookie(format!("_sinew_session={planted}"));
    let mut cable = browser.connect().await.expect("upgrades");
    cable.expect_disconnect("unauthorized", false).await;
    cable.expect_close(1000).await;

    // An application that lets such a socket in gives it a session of its own.
    let sinew = counter().identify(async |visitor| {
        let id = visitor
            .presented_session_id()
            .ok_or(Refusal::unauthorized())?;
        assert!(visitor.session().is_none());
        Ok(ConnectionIdentifiers::new().with("visitor", id.label()))
    });
    let server = Server::start(sinew).await;
    let mut browser = Browser::new(&server).cookie(format!("_sinew_session={planted}"));
    let mut tab = browser.tab("/").await;
    let reply = tab.perform("Counter#increment", json!([1])).await;
    assert_eq!(reply.html(), r#"<p id="count">1</p>"#);
    let reply = tab.perform("Counter#increment", json!([1])).await;
    assert_eq!(reply.html(), r#"<p id="count">2</p>"#);
    let page = browser.get("/").await;
    let cookie = page.header("set-cookie").expect("a new session");
    assert!(!cookie.contains(&planted), "{cookie}");
    assert!(
        page.body.contains(r#"<p id="count">0</p>"#),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn socket_of_a_session_that_ends_is_sent_away() {
    for server in [
        Server::start(writer()).await,
        Server::embedded(writer()).await,
    ] {
        let mut browser = Browser::visit(&server, "/").await;
        let mut stranger = Browser::visit(&server, "/").await.tab("/").await;
        let mut tab = browser.tab("/").await;
        tab.perform("Counter#increment", json!([])).await;

        // Signed in: another id, the same session.
        let before = browser.clone();
        browser.post("/sign-in").await;
        let answered = tokio::time::Instant::now();
        assert_ne!(browser.cookie, before.cookie);
        tab.cable.expect_session_end(answered).await;
        let mut refused = before.connect().await.expect("upgrades");
        refused.expect_disconnect("unauthorized", false).await;
        let mut tab = browser.tab("/").await;
        let reply = tab.perform("Counter#increment", json!([])).await;
        assert_eq!(reply.html(), r#"<p id="count">2</p>"#);

        // Signed out: no session.
        let before = browser.clone();
        browser.post("/sign-out").await;
        let answered = tokio::time::Instant::now();
        tab.cable.expect_session_end(answered).await;
        let mut refused = before.connect().await.expect("upgrades");
        refused.expect_disconnect("unauthorized", false).await;
        assert_eq!(before.clone().get("/count").await.body, "0");

        let reply = stranger.perform("Counter#increment", json!([])).await;
        assert_eq!(reply.html(), r#"<p id="count">1</p>"#);
    }
}

/// A reflex that was under way when its session ended.
#[tokio::test]
async fn session_that_has_ended_stays_ended() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::built(writer().config(secretive()).store(store.clone())).await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut tab = browser.tab("/").await;
    tab.perform("Counter#increment", json!([])).await;
    // Ended behind the server's back, so that the socket stays.
    let id = browser.cookie.as_deref().and_then(|it| it.split_once('='));
    let id: SessionId = id.expect("a cookie").1.parse().expect("an id");
    let session = Sessions::new(store).open(id);
    session.destroy();
    session.commit().await.expect("in memory");

    let reply = tab.perform("Counter#add_quietly", json!([1])).await;
    assert_eq!(reply.error(), SORRY);
    assert_eq!(browser.get("/count").await.body, "0");
}

#[tokio::test]
async fn sessions_of_two_visitors_are_two() {
    let server = Server::start(writer()).await;
    let mut counts = HashMap::new();
    for step in [3, 5] {
        let mut browser = Browser::visit(&server, "/").await;
        let mut tab = browser.tab("/").await;
        tab.perform("Counter#increment", json!([step])).await;
        let count = browser.get("/count").await.body;
        counts.insert(browser.cookie.expect("a cookie"), count);
    }
    let mut counts: Vec<_> = counts.into_values().collect();
    counts.sort();
    assert_eq!(counts, ["3", "5"]);
}
