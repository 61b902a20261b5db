//! Sessions that only the browser can store: the ticket ahead of the reply, and how long the reply waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sinew_macros::reflex;
use sinew_reflex::{Client, Handshake, Reflex, Result, SessionLink, SessionTicket};
use sinew_store::{MemoryStore, Session, SessionId, Sessions};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::server::{STREAM, Server, status};

struct Sess;

#[reflex(crate = sinew_reflex)]
impl Sess {
    async fn write(&self, cx: &mut Reflex) -> Result {
        cx.session().set("value", &1).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn renew(&self, cx: &mut Reflex) -> Result {
        cx.session().renew_id();
        cx.morph_nothing();
        Ok(())
    }

    async fn write_and_fail(&self, cx: &mut Reflex) -> Result {
        cx.session().set("value", &2).await?;
        Err("after the write".into())
    }

    async fn nothing(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }
}

/// Makes a ticket of every save, and redeems it when the test says so.
struct Link {
    sessions: Sessions,
    id: Mutex<SessionId>,
    is_pending: AtomicBool,
    is_again: AtomicBool,
    redeem: Mutex<Option<oneshot::Sender<()>>>,
}

impl SessionLink for Link {
    fn open(&self) -> Session {
        self.sessions.open(self.id())
    }

    fn id(&self) -> SessionId {
        *self.id.lock()
    }

    fn saved(&self, session: &Session) {
        *self.id.lock() = session.id();
        self.is_pending.store(true, Ordering::SeqCst);
    }

    fn ticket(&self) -> Option<SessionTicket> {
        if !self.is_pending.swap(false, Ordering::SeqCst) {
            return None;
        }
        let (redeem, redeemed) = oneshot::channel();
        *self.redeem.lock() = Some(redeem);
        Some(SessionTicket {
            sealed: "sealed".to_owned(),
            path: "/session".to_owned(),
            is_again: self.is_again.load(Ordering::SeqCst),
            redeemed: redeemed.map(|_| ()).boxed(),
        })
    }
}

async fn linked() -> (Server, Arc<Link>) {
    let mut server = Server::new(|engine| engine.reflex(Sess)).await;
    let link = Arc::new(Link {
        sessions: Sessions::new(Arc::new(MemoryStore::new())),
        id: Mutex::new(SessionId::generate()),
        is_pending: AtomicBool::new(false),
        is_again: AtomicBool::new(false),
        redeem: Mutex::new(None),
    });
    let client = Client::new(STREAM.into(), Arc::new(Handshake::default()));
    server.client = Arc::new(client.with_session_link(link.clone()));
    (server, link)
}

fn expect_ticket(message: &Value, call: &str) {
    let ticket = json!({
        "operation": "sinewSession",
        "ticket": "sealed",
        "path": "/session",
        "reflexId": call,
    });
    assert_eq!(message["operations"], json!([ticket]));
    assert_eq!(message["cableReady"], true);
}

#[tokio::test]
async fn the_reply_leaves_when_the_ticket_is_redeemed() {
    let (mut server, link) = linked().await;
    for target in ["Sess#write", "Sess#write_and_fail"] {
        let call = server.send(target, json!({}));
        expect_ticket(&server.message().await, &call);
        assert!(server.is_silent());
        let redeem = link.redeem.lock().take().expect("a ticket");
        redeem.send(()).expect("somebody waits");
        let expected = if target == "Sess#write" {
            "nothing"
        } else {
            "error"
        };
        assert_eq!(status(&server.message().await), expected);
    }
    assert_eq!(status(&server.call("Sess#nothing").await), "nothing");
    let statistics = server.engine.statistics();
    assert_eq!((statistics.tickets, statistics.tickets_pending), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_reply_leaves_after_two_seconds_and_the_page_is_told() {
    let (mut server, link) = linked().await;
    let call = server.send("Sess#write", json!({}));
    expect_ticket(&server.message().await, &call);
    let began = Instant::now();
    let event = json!({
        "operation": "dispatchEvent",
        "name": "sinew:session-pending",
        "detail": {},
        "reflexId": call,
    });
    assert_eq!(server.message().await["operations"], json!([event]));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(status(&server.message().await), "nothing");

    // For one that goes out again nobody waits.
    link.is_again.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let call = server.send("Sess#write", json!({}));
    expect_ticket(&server.message().await, &call);
    assert_eq!(status(&server.message().await), "nothing");
    assert_eq!(began.elapsed(), Duration::ZERO);
    let statistics = server.engine.statistics();
    assert_eq!((statistics.tickets, statistics.tickets_pending), (2, 1));
}

#[tokio::test]
async fn the_connection_goes_on_under_the_id_that_its_reflex_has_renewed() {
    let (mut server, link) = linked().await;
    let before = link.id();
    server.send("Sess#renew", json!({}));
    server.message().await;
    assert_ne!(link.id(), before);
}
