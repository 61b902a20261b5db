//! Sessions that live in their cookie, and the connections that have them.
//!
//! A connection keeps its session's newest version in mind. What a reflex has written leaves as a ticket, which the page
//! redeems at [`PATH`]. What any response's cookie holds is told to the nodes that have connections of the session,
//! sealed, on a stream of the session's label.

mod connection;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::{Request, StatusCode};
use parking_lot::Mutex;
use sinew_reflex::SessionLink as _;
use sinew_store::cookie::CookieStore;
use sinew_store::{SessionId, Sessions};
use sinew_web::session_layer::SessionChange;
use sinew_web::{SessionLayer, SessionSealer};

pub(crate) use self::connection::CookieConnection;
use crate::node_streams::NodeStreams;
use crate::page_sockets::PageSockets;
use crate::session_notice::Notice;

/// Where pages redeem tickets.
pub(crate) const PATH: &str = "/_sinew/session";

/// The longest request that is read there: a ticket and what is around it.
const REQUEST_BYTES_MAX: usize = sinew_web::sealed::TICKET_BYTES_MAX + 64;

/// The sessions of this node that live in their cookie.
pub(crate) struct CookieSessions {
    pub(crate) store: CookieStore,
    pub(crate) sessions: Sessions,
    sealer: SessionSealer,
    streams: Arc<NodeStreams>,
    /// Where pages redeem tickets, with the base path.
    path: String,
    sockets: PageSockets<CookieConnection>,
    /// How many connections have the session of this label.
    by_label: Mutex<HashMap<String, usize>>,
}

impl CookieSessions {
    pub(crate) fn new(
        store: CookieStore,
        sessions: Sessions,
        sealer: SessionSealer,
        streams: Arc<NodeStreams>,
        path: String,
    ) -> Arc<Self> {
        let cookies = Arc::new(Self {
            store,
            sessions,
            sealer,
            streams,
            path,
            sockets: PageSockets::default(),
            by_label: Mutex::default(),
        });
        let listener = Arc::downgrade(&cookies);
        cookies.streams.hear_sessions(move |payload| {
            if let Some(cookies) = listener.upgrade() {
                cookies.hear(payload);
            }
        });
        cookies
    }

    /// The layer's sessions, kept in their cookies.
    pub(crate) fn wrap(self: &Arc<Self>, layer: SessionLayer) -> SessionLayer {
        let cookies = Arc::downgrade(self);
        layer.in_cookies(self.store.clone(), self.sealer.clone(), move |change| {
            if let Some(cookies) = cookies.upgrade() {
                cookies.changed(change);
            }
        })
    }

    /// What a response of this node has changed: carried out here, told to the others.
    fn changed(&self, change: SessionChange) {
        let Some(notice) = Notice::of(change) else {
            return;
        };
        self.carry_out(&notice);
        let text = self.sealer.seal_notice(&notice.to_bytes());
        // JSON, as whoever carries it may expect; there is nothing in it to escape.
        let payload = format!("\"{text}\"");
        for label in notice.labels() {
            self.streams.tell_session(&label, payload.clone());
        }
    }

    /// What another node has said, or this one.
    fn hear(&self, payload: &[u8]) {
        let text = std::str::from_utf8(payload).ok();
        let text = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        let notice = text
            .and_then(|text| self.sealer.open_notice(text))
            .and_then(|bytes| Notice::from_bytes(&bytes));
        let Some(notice) = notice else {
            tracing::warn!(
                "a message about a session is none of ours: have all nodes the same SINEW_SECRET?"
            );
            return;
        };
        match &notice {
            Notice::Written(state) => drop(self.store.learn(state.clone())),
            Notice::Renewed { from, state, .. } => self.store.renewed(*from, state.clone()),
            Notice::Ended(id) => self.store.end(*id),
            // Of a node that keeps its sessions elsewhere.
            Notice::Moved { .. } => {}
        }
        self.carry_out(&notice);
    }

    fn carry_out(&self, notice: &Notice) {
        match notice {
            Notice::Written(_) | Notice::Moved { .. } => {}
            Notice::Renewed {
                from,
                state,
                socket,
            } => {
                let page = socket
                    .as_deref()
                    .and_then(|socket| self.sockets.get(socket));
                if let Some(connection) = page.filter(|connection| connection.id() == *from) {
                    connection.follow(state.id());
                }
                self.streams.end_connections_here(*from);
            }
            Notice::Ended(id) => self.streams.end_connections_here(*id),
        }
    }

    /// One more connection has the session. Whoever asks first hears what other nodes say of it from now on.
    fn follow(&self, id: SessionId) {
        let label = id.label();
        let mut by_label = self.by_label.lock();
        let count = by_label.entry(label.clone()).or_default();
        *count += 1;
        if *count == 1 {
            self.streams.follow_session(&label);
        }
    }

    fn unfollow(&self, id: SessionId) {
        let label = id.label();
        let mut by_label = self.by_label.lock();
        let Some(count) = by_label.get_mut(&label) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            by_label.remove(&label);
            self.streams.unfollow_session(&label);
        }
    }
}

/// The route at which pages redeem tickets.
pub(crate) fn routes(layer: SessionLayer) -> Router {
    Router::new().route(PATH, post(redeem)).with_state(layer)
}

async fn redeem(State(layer): State<SessionLayer>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match to_bytes(body, REQUEST_BYTES_MAX).await {
        Ok(body) => layer.redeem(Request::from_parts(parts, body)).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}
