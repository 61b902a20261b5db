use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use http::Request;
use parking_lot::Mutex;
use sinew_store::{MemoryStore, Session, SessionId, Sessions};
use sinew_verifier::SecretKeyBase;
use tower::ServiceExt as _;

use super::*;
use crate::sealed::MoveTicket;
use crate::{CookieConfig, TrustedProxies};

struct Process {
    layer: SessionLayer,
    sessions: Sessions,
    sealer: SessionSealer,
    changes: Arc<Mutex<Vec<SessionChange>>>,
}

fn process() -> Process {
    let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
    let changes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&changes);
    let layer = SessionLayer::new(
        sessions.clone(),
        CookieConfig::default(),
        TrustedProxies::none(),
    )
    .in_store(sealer.clone(), move |change| told.lock().push(change));
    Process {
        layer,
        sessions,
        sealer,
        changes,
    }
}

impl Process {
    async fn stored(&self) -> SessionId {
        let session = self.sessions.create();
        session.ensure();
        session.commit().await.expect("stored");
        session.id()
    }

    fn ticket(&self, from: SessionId, to: SessionId) -> String {
        let ticket = MoveTicket::new(from, to, "page", SystemTime::now());
        self.sealer.seal_move(&ticket)
    }

    /// The outcome, and the id that the cookie names afterwards.
    async fn present(&self, ticket: &str, ids: &[SessionId]) -> (String, Option<String>) {
        let mut request = Request::post("/_sinew/session")
            .header("content-type", "application/json")
            .header("sec-fetch-site", "same-origin");
        for id in ids {
            request = request.header("cookie", format!("_sinew_session={id}"));
        }
        let body = Bytes::from(format!(r#"{{"ticket":"{ticket}"}}"#));
        let request = request.body(body).expect("a request");
        let response = self.layer.redeem(request).await;
        let headers = response.headers();
        let cookie = headers.get("set-cookie").map(|cookie| {
            let cookie = cookie.to_str().expect("text");
            assert!(cookie.contains("; HttpOnly"), "{cookie}");
            cookie["_sinew_session=".len()..][..32].to_owned()
        });
        let outcome = headers["sinew-ticket"].to_str().expect("text").to_owned();
        (outcome, cookie)
    }

    fn moves(&self) -> Vec<(SessionId, SessionId, Option<String>)> {
        let changes = self.changes.lock().drain(..).collect::<Vec<_>>();
        let moved = |change| match change {
            SessionChange::Moved { from, to, socket } => (from, to, socket),
            other => panic!("{other:?}"),
        };
        changes.into_iter().map(moved).collect()
    }
}

#[tokio::test]
async fn a_ticket_is_good_once_and_ends_the_session_of_before() {
    let process = process();
    let (from, to) = (process.stored().await, process.stored().await);
    let ticket = process.ticket(from, to);
    let planted = SessionId::generate();
    let redeemed = process.present(&ticket, &[planted, from]).await;
    assert_eq!(redeemed, ("redeemed".to_owned(), Some(to.to_string())));
    let told = (from, to, Some("page".to_owned()));
    assert_eq!(process.moves(), std::slice::from_ref(&told));
    assert!(!process.sessions.open(from).exists().await.expect("read"));

    assert_eq!(process.present(&ticket, &[from]).await.0, "over");
    assert_eq!(process.moves(), []);
    let replayed = process.present(&ticket, &[to]).await;
    assert_eq!(replayed, ("replayed".to_owned(), None));
    assert_eq!(process.moves(), [told], "whoever waits may have missed it");
    let statistics = process.layer.statistics();
    assert_eq!(
        (statistics.tickets_redeemed, statistics.tickets_refused),
        (1, 1)
    );
    assert_eq!(statistics.tickets_replayed, 1);
}

#[tokio::test]
async fn of_many_who_present_a_ticket_at_once_one_is_the_first() {
    let process = Arc::new(process());
    let (from, to) = (process.stored().await, process.stored().await);
    let ticket = process.ticket(from, to);
    let mut presenting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (process, ticket) = (Arc::clone(&process), ticket.clone());
        presenting.spawn(async move { process.present(&ticket, &[from]).await.0 });
    }
    let outcomes = presenting.join_all().await;
    let redeemed = outcomes.iter().filter(|outcome| *outcome == "redeemed");
    assert_eq!(redeemed.count(), 1, "{outcomes:?}");
    assert_eq!(process.moves().len(), 1);
}

#[tokio::test]
async fn tickets_that_change_nothing() {
    let process = process();
    let (from, to) = (process.stored().await, process.stored().await);
    let stranger = process.stored().await;
    let ticket = process.ticket(from, to);
    let long_ago = SystemTime::now() - Duration::from_secs(60 * 60);
    let expired = MoveTicket::new(from, to, "page", long_ago);
    let expired = process.sealer.seal_move(&expired);
    let nowhere = process.ticket(from, SessionId::generate());
    let other = SessionSealer::new(&SecretKeyBase::new("another"), &[]);
    let forged = other.seal_move(&MoveTicket::new(from, to, "page", SystemTime::now()));
    for (ticket, ids, expected) in [
        (&ticket, &[][..], "no-session"),
        (&ticket, &[stranger], "foreign"),
        (&expired, &[from], "expired"),
        (&nowhere, &[from], "over"),
        (&forged, &[from], "malformed"),
        (&"made-up".to_owned(), &[from], "malformed"),
    ] {
        let refused = process.present(ticket, ids).await;
        assert_eq!(refused, (expected.to_owned(), None));
    }
    assert_eq!(process.moves(), []);
    assert!(process.sessions.open(from).exists().await.expect("read"));

    // A logout meanwhile.
    process.sessions.end(from).await.expect("ended");
    assert_eq!(process.present(&ticket, &[from]).await.0, "over");
}

#[tokio::test]
async fn a_name_that_is_too_long_is_not_looked_at() {
    let process = process();
    let from = process.stored().await;
    let login = get(async |session: Session| _ = session.renew_id());
    let router = Router::new().route("/", login).layer(process.layer.clone());
    let request = Request::get("/")
        .header("cookie", format!("_sinew_session={from}"))
        .header("sinew-socket", "a".repeat(65))
        .body(Body::empty());
    let Ok(response) = router.oneshot(request.expect("a request")).await;
    assert_eq!(response.status(), 200);
    let moves = process.moves();
    let [(told, _, None)] = &moves[..] else {
        panic!("{moves:?}")
    };
    assert_eq!(*told, from);
}
