//! A session opened, read, changed and saved, by a task each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use parking_lot::Mutex;
use sinew_store::cookie::{CookieStore, CookieStoreConfig};
use sinew_store::{Session, SessionId, Sessions, Store};
use sinew_verifier::SecretKeyBase;
use sinew_web::SessionSealer;

use crate::VALUE_BYTES;
use crate::stores::Stores;
use crate::turns::{self, Measured};

pub(crate) async fn measure(
    stores: &Stores,
    tasks: usize,
    time: Duration,
) -> Result<Vec<(&'static str, Measured)>> {
    let mut measured = Vec::new();
    for (name, store) in &stores.sessions {
        measured.push((*name, count(store.clone(), tasks, time).await?));
    }
    measured.push(("cookie", count_in_cookies(tasks, time).await?));
    Ok(measured)
}

/// A session with something in it.
async fn filled(sessions: &Sessions) -> Result<SessionId> {
    let session: Session = sessions.create();
    session.set("user", "ada").await?;
    session.set("cart", &"x".repeat(VALUE_BYTES)).await?;
    session.commit().await?;
    Ok(session.id())
}

async fn count(store: Arc<dyn Store>, tasks: usize, time: Duration) -> Result<Measured> {
    let sessions = Sessions::new(store);
    let mut ids: Vec<SessionId> = Vec::new();
    for _ in 0..tasks {
        ids.push(filled(&sessions).await?);
    }
    let ids = Arc::new(ids);
    let (counted, opened) = (sessions.clone(), ids.clone());
    let measured = turns::run(tasks, time, move |task, _| {
        let session = counted.open(opened[task]);
        async move {
            session.update("count", |count: u64| count + 1).await?;
            session.commit().await?;
            Ok(())
        }
    })
    .await?;
    let mut total = 0;
    for id in ids.iter() {
        total += sessions.open(*id).get_or_default::<u64>("count").await?;
    }
    ensure!(total > 0, "nothing was counted");
    Ok(measured)
}

/// What a server keeps of sessions in cookies, and what it seals them with.
struct Cookies {
    store: CookieStore,
    sessions: Sessions,
    sealer: SessionSealer,
}

impl Cookies {
    fn new() -> Self {
        let store = CookieStore::new(CookieStoreConfig::default());
        Self {
            sessions: Sessions::new(Arc::new(store.clone())),
            store,
            sealer: SessionSealer::new(&SecretKeyBase::new("a secret of this run alone"), &[]),
        }
    }

    /// The cookie that a visitor has after this.
    fn cookie(&self, id: SessionId) -> Result<String> {
        let state = self.store.handed_out(id).context("it was saved")?;
        let compress_over = self.store.config().compress_over;
        Ok(self.sealer.seal_cookie(&state, compress_over))
    }

    fn open(&self, cookie: &str) -> Result<Session> {
        let (state, _) = self.sealer.open_cookie(cookie).context("it is ours")?;
        let id = state.id();
        self.store.learn(state);
        Ok(self.sessions.open(id))
    }
}

/// The same where the session is in its cookie: opened, changed and sealed again, as a request and its answer do it.
async fn count_in_cookies(tasks: usize, time: Duration) -> Result<Measured> {
    let cookies = Arc::new(Cookies::new());
    let mut visitors = Vec::new();
    for _ in 0..tasks {
        let id = filled(&cookies.sessions).await?;
        visitors.push(Mutex::new(cookies.cookie(id)?));
    }
    let visitors = Arc::new(visitors);
    let (server, browsers) = (cookies.clone(), visitors.clone());
    let measured = turns::run(tasks, time, move |task, _| {
        let (server, browsers) = (server.clone(), browsers.clone());
        async move {
            let session = server.open(&browsers[task].lock())?;
            session.update("count", |count: u64| count + 1).await?;
            session.commit().await?;
            *browsers[task].lock() = server.cookie(session.id())?;
            Ok(())
        }
    })
    .await?;
    let mut total = 0;
    for cookie in visitors.iter() {
        let session = cookies.open(&cookie.lock())?;
        total += session.get_or_default::<u64>("count").await?;
    }
    ensure!(total > 0, "nothing was counted");
    Ok(measured)
}
