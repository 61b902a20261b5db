//! The session: saved before the reply leaves, all of it or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt;
use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Config, Environment, Page, Reflex, Result};
use sinew_store::{
    BoxFuture, Commit, Committed, Key, MemoryStore, Record, Store, StoreError, StoreErrorKind,
};

use crate::server::{Server, html, last, status};

struct Sess;

#[reflex(crate = sinew_reflex)]
impl Sess {
    async fn write(&self, cx: &mut Reflex) -> Result {
        cx.session().set("value", &"written").await?;
        cx.session().set("other", &1).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn increment(&self, cx: &mut Reflex) -> Result {
        cx.session().update("count", |count: i64| count + 1).await?;
        Ok(())
    }

    #[action(concurrent)]
    async fn bump(&self, cx: &mut Reflex) -> Result {
        cx.session().update("count", |count: i64| count + 1).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn write_and_fail(&self, cx: &mut Reflex) -> Result {
        cx.session()
            .set("value", &"written before the error")
            .await?;
        Err("after the write".into())
    }

    async fn flash(&self, cx: &mut Reflex) -> Result {
        cx.flash().set("notice", &"from the reflex").await?;
        Ok(())
    }

    async fn read_nothing(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }
}

/// A store that can be told to fail, and counts.
#[derive(Default)]
struct Stub {
    inner: MemoryStore,
    fails: AtomicBool,
    hangs: AtomicBool,
    loads: AtomicU64,
    commits: AtomicU64,
}

impl Stub {
    fn refused() -> StoreError {
        StoreError::new(
            StoreErrorKind::Unavailable,
            "the disk at /secret is on fire",
        )
    }
}

impl Store for Stub {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(key)
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            if self.fails.load(Ordering::SeqCst) {
                return Err(Self::refused());
            }
            self.inner.commit(key, commit).await
        })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.delete(key)
    }
}

async fn server(store: &Arc<Stub>) -> Server {
    let config = Config {
        environment: Environment::Production,
        ..Config::default()
    };
    Server::with_store(store.clone(), |builder| builder.config(config).reflex(Sess)).await
}

#[tokio::test]
async fn the_session_is_saved_before_the_reply_leaves() {
    let store = Arc::new(Stub::default());
    let mut server = server(&store).await;
    server.send("Sess#write", json!({}));
    let reply = server.message().await;
    assert_eq!(status(&reply), "nothing");
    assert_eq!(server.stored("value").await, Some(json!("written")));
    assert_eq!(
        store.commits.load(Ordering::SeqCst),
        1,
        "all fields in one commit"
    );
}

#[tokio::test]
async fn a_reflex_without_a_session_costs_the_store_nothing() {
    let store = Arc::new(Stub::default());
    let mut server = server(&store).await;
    assert_eq!(status(&server.call("Sess#read_nothing").await), "nothing");
    assert_eq!(
        store.loads.load(Ordering::SeqCst) + store.commits.load(Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn the_page_sees_what_was_saved_and_what_it_writes_is_saved_too() {
    let store = Arc::new(Stub::default());
    let mut server = server(&store).await;
    let (sessions, id) = (server.sessions.clone(), server.session_id);
    server.pages.answer(move |request| {
        let sessions = sessions.clone();
        async move {
            let stored: Option<i64> = sessions.open(id).get("count").await.expect("works");
            let session = request.session.expect("a session");
            let seen: Option<i64> = session.get("count").await.expect("works");
            session.set("page", &"was here").await.expect("works");
            Ok(html(&format!("<p>{stored:?} {seen:?}</p>")))
        }
        .boxed()
    });
    let reply = server.call("Sess#increment").await;
    assert_eq!(last(&reply)["html"], "<p>Some(1) Some(1)</p>");
    assert_eq!(server.stored("page").await, Some(json!("was here")));
}

#[tokio::test]
async fn what_was_written_before_an_error_is_kept() {
    let mut server = server(&Arc::new(Stub::default())).await;
    assert_eq!(status(&server.call("Sess#write_and_fail").await), "error");
    assert_eq!(
        server.stored("value").await,
        Some(json!("written before the error"))
    );
    server.pages.answer(|_| {
        async {
            Ok(Page {
                status: 500,
                ..Page::default()
            })
        }
        .boxed()
    });
    assert_eq!(status(&server.call("Sess#increment").await), "error");
    assert_eq!(server.stored("count").await, Some(json!(1)));
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_and_saves_nothing() {
    let store = Arc::new(Stub::default());
    let mut server = server(&store).await;
    store.fails.store(true, Ordering::SeqCst);
    assert_eq!(
        server.error("Sess#write", json!({})).await,
        "Something went wrong on the server."
    );
    store.fails.store(false, Ordering::SeqCst);
    assert_eq!(
        (server.stored("value").await, server.stored("other").await),
        (None, None)
    );
    assert_eq!(
        status(&server.call("Sess#write").await),
        "nothing",
        "the connection lives"
    );
    assert_eq!(server.stored("value").await, Some(json!("written")));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_an_error() {
    let store = Arc::new(Stub::default());
    let mut server = server(&store).await;
    store.hangs.store(true, Ordering::SeqCst);
    assert_eq!(
        server.error("Sess#write", json!({})).await,
        "Something went wrong on the server."
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_increments_at_once_are_a_hundred() {
    let mut server = server(&Arc::new(Stub::default())).await;
    for _ in 0..100 {
        server.send("Sess#bump", json!({}));
    }
    for _ in 0..100 {
        assert_eq!(status(&server.message().await), "nothing");
    }
    assert_eq!(server.stored("count").await, Some(json!(100)));
}

#[tokio::test]
async fn a_flash_is_for_the_page_of_its_reflex() {
    let mut server = server(&Arc::new(Stub::default())).await;
    server.pages.answer(|request| {
        async move {
            let notice: Option<String> = request.flash.get("notice").await.expect("works");
            Ok(html(&format!("<p>{notice:?}</p>")))
        }
        .boxed()
    });
    assert_eq!(
        last(&server.call("Sess#flash").await)["html"],
        "<p>Some(\"from the reflex\")</p>"
    );
    assert_eq!(
        last(&server.call("Sess#increment").await)["html"],
        "<p>None</p>"
    );
}
