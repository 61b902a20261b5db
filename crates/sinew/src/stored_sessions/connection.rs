//! One connection whose session is in a store.

use std::sync::Arc;

use parking_lot::Mutex;
use sinew_reflex::{SessionLink, SessionTicket};
use sinew_store::{Session, SessionId};

use super::StoredSessions;
use crate::identify::{Connected, Label};
use crate::page_sockets::SocketName;

pub(crate) struct StoredConnection {
    stored: Arc<StoredSessions>,
    /// The name by which the page's own requests speak of this connection, if the page runs our client.
    socket: Option<SocketName>,
    held: Mutex<Held>,
}

/// The session as the connection has it now.
struct Held {
    id: SessionId,
    label: Label,
}

impl StoredConnection {
    pub(crate) fn new(stored: Arc<StoredSessions>, id: SessionId, is_ours: bool) -> Arc<Self> {
        let socket = is_ours.then(SocketName::generate);
        let label = label_of(id);
        let connection = Arc::new(Self {
            stored,
            socket,
            held: Mutex::new(Held { id, label }),
        });
        if let Some(socket) = socket {
            connection.stored.sockets.insert(socket, &connection);
        }
        connection
    }

    pub(crate) fn socket(&self) -> Option<SocketName> {
        self.socket
    }

    /// Whether the connection has the session of this label.
    pub(crate) fn is_of(&self, label: Label) -> bool {
        self.held.lock().label == label
    }

    /// The session `from` goes on under the id `to`, and the connection with it, if it has that session.
    pub(super) fn follow(&self, from: SessionId, to: SessionId) {
        let mut held = self.held.lock();
        if held.id == from {
            held.id = to;
            held.label = label_of(to);
        }
    }
}

fn label_of(id: SessionId) -> Label {
    Connected::label_from(&id.label()).unwrap_or_default()
}

impl SessionLink for StoredConnection {
    fn open(&self) -> Session {
        self.stored.sessions.open(self.id())
    }

    fn id(&self) -> SessionId {
        self.held.lock().id
    }

    fn saved(&self, _: &Session) {}

    fn ticket(&self) -> Option<SessionTicket> {
        None
    }
}

impl Drop for StoredConnection {
    fn drop(&mut self) {
        if let Some(socket) = self.socket {
            self.stored.sockets.remove(socket);
        }
    }
}
