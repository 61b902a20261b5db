//! One connection whose session is in a store.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use sinew_reflex::{SessionLink, SessionTicket};
use sinew_store::{Renewal, Session, SessionId};
use sinew_web::sealed::MoveTicket;
use tokio::sync::oneshot;

use super::StoredSessions;
use crate::identify::{Connected, Label};
use crate::page_sockets::SocketName;

pub(crate) struct StoredConnection {
    stored: Arc<StoredSessions>,
    /// The name by which the page's own requests speak of this connection, if the page runs our client.
    socket: Option<SocketName>,
    /// Whether the browser's cookie names the session, and has to be told of another id.
    is_known: bool,
    held: Mutex<Held>,
}

/// The session as the connection has it now.
struct Held {
    id: SessionId,
    label: Label,
    /// A reflex has given it this id, and the browser's cookie names another one still.
    pending: Option<Box<Pending>>,
}

/// An id on its way to the browser.
struct Pending {
    /// What the browser's cookie names.
    from: SessionId,
    label: Label,
    was_offered: bool,
    /// Who waits for it to arrive.
    waiting: Option<oneshot::Sender<()>>,
}

impl StoredConnection {
    pub(crate) fn new(
        stored: Arc<StoredSessions>,
        id: SessionId,
        is_known: bool,
        is_ours: bool,
    ) -> Arc<Self> {
        let socket = is_ours.then(SocketName::generate);
        let held = Held {
            id,
            label: label_of(id),
            pending: None,
        };
        let connection = Arc::new(Self {
            stored,
            socket,
            is_known,
            held: Mutex::new(held),
        });
        if let Some(socket) = socket {
            connection.stored.sockets.insert(socket, &connection);
        }
        connection
    }

    pub(crate) fn socket(&self) -> Option<SocketName> {
        self.socket
    }

    /// Whether the connection has the session of this label, or its browser's cookie does.
    pub(crate) fn is_of(&self, label: Label) -> bool {
        let held = self.held.lock();
        let pending = held.pending.as_ref();
        held.label == label || pending.is_some_and(|pending| pending.label == label)
    }

    /// The session `from` goes on under the id `to`, and the connection with it, if it has that session.
    pub(super) fn follow(&self, from: SessionId, to: SessionId) {
        let mut held = self.held.lock();
        if held.is_pending(from) || held.id == from {
            held.become_session(to);
            // Whatever a reflex has renewed meanwhile, the browser has this one.
            held.pending = None;
        }
    }

    /// The browser's cookie names `to` now. Whether that is what this connection has waited for.
    pub(super) fn taken_over(&self, from: SessionId, to: SessionId) -> bool {
        let mut held = self.held.lock();
        let is_awaited = held.is_pending(from) && held.id == to;
        if is_awaited && let Some(pending) = held.pending.take() {
            pending.arrived();
        }
        is_awaited
    }
}

impl Held {
    fn is_pending(&self, from: SessionId) -> bool {
        let pending = self.pending.as_ref();
        pending.is_some_and(|pending| pending.from == from)
    }

    fn become_session(&mut self, id: SessionId) {
        self.id = id;
        self.label = label_of(id);
    }
}

impl Pending {
    fn arrived(self) {
        if let Some(waiting) = self.waiting {
            // Nobody waits any longer when it took too long.
            let _ = waiting.send(());
        }
    }
}

fn label_of(id: SessionId) -> Label {
    Connected::label_from(&id.label()).unwrap_or_default()
}

impl SessionLink for StoredConnection {
    fn open(&self) -> Session {
        let held = self.held.lock();
        let renewal = if !self.is_known || held.pending.is_some() {
            // No cookie names the id that it has.
            Renewal::Moves
        } else if self.socket.is_some() {
            Renewal::Copies
        } else {
            // A login that the page cannot take over: what follows would be shown to whoever came with the old cookie.
            Renewal::Refused
        };
        self.stored.sessions.open(held.id).with_renewal(renewal)
    }

    fn id(&self) -> SessionId {
        self.held.lock().id
    }

    fn saved(&self, session: &Session) {
        let id = session.id();
        let mut held = self.held.lock();
        // A reflex beside may have begun with the session of before.
        if held.id == id || held.is_pending(id) {
            return;
        }
        if self.is_known {
            let before = held.pending.take();
            let (from, label) = match before {
                Some(pending) => (pending.from, pending.label),
                None => (held.id, held.label),
            };
            held.pending = Some(Box::new(Pending {
                from,
                label,
                was_offered: false,
                waiting: None,
            }));
        }
        held.become_session(id);
    }

    fn ticket(&self) -> Option<SessionTicket> {
        let socket = self.socket?;
        let mut held = self.held.lock();
        let to = held.id;
        let pending = held.pending.as_mut()?;
        let is_on_its_way = pending.waiting.as_ref();
        if is_on_its_way.is_some_and(|waiting| !waiting.is_closed()) {
            return None;
        }
        let (waiting, arrived) = oneshot::channel();
        pending.waiting = Some(waiting);
        let is_again = std::mem::replace(&mut pending.was_offered, true);
        let ticket = MoveTicket::new(pending.from, to, socket.to_string(), SystemTime::now());
        Some(SessionTicket {
            sealed: self.stored.sealer.seal_move(&ticket),
            path: self.stored.path.clone(),
            is_again,
            // Also when another id has taken its place: nothing comes of this one any more.
            redeemed: arrived.map(drop).boxed(),
        })
    }
}

impl Drop for StoredConnection {
    fn drop(&mut self) {
        if let Some(socket) = self.socket {
            self.stored.sockets.remove(socket);
        }
    }
}
