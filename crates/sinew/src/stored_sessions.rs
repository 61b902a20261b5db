//! Sessions that are in a store, and the connections that have them.
//!
//! A request that renews the id of such a session lets the connection of its own page go on under the new one. All others
//! that have come with the old cookie are told to come again, on every node: who knew the old id, because they planted
//! it, is not carried into the login.
//!
//! A reflex that renews the id goes on with a copy of the session. The page takes the new id over into its cookie by a
//! ticket, and only then the old one is dead.

mod connection;

use std::sync::Arc;

use sinew_store::{SessionId, Sessions};
use sinew_web::session_layer::SessionChange;
use sinew_web::{SessionLayer, SessionSealer};

pub(crate) use self::connection::StoredConnection;
use crate::node_streams::NodeStreams;
use crate::page_sockets::PageSockets;
use crate::session_notice::Notice;

/// The sessions of this node that are in a store.
pub(crate) struct StoredSessions {
    sessions: Sessions,
    sealer: SessionSealer,
    streams: Arc<NodeStreams>,
    /// Whether a connection's identity is its session and nothing else. What an application has said of a visitor at the
    /// handshake may not be true of who has signed in since: such a connection has to come again.
    follows: bool,
    /// Where pages redeem tickets, with the base path.
    path: String,
    sockets: PageSockets<StoredConnection>,
}

impl StoredSessions {
    pub(crate) fn new(
        sessions: Sessions,
        sealer: SessionSealer,
        streams: Arc<NodeStreams>,
        path: String,
        follows: bool,
    ) -> Arc<Self> {
        let stored = Arc::new(Self {
            sessions,
            sealer,
            streams,
            follows,
            path,
            sockets: PageSockets::default(),
        });
        let listener = Arc::downgrade(&stored);
        stored.streams.hear_sessions(move |sealed| {
            if let Some(stored) = listener.upgrade() {
                stored.hear(sealed);
            }
        });
        stored
    }

    /// The layer, whose changes are carried out here and told to the other nodes.
    pub(crate) fn wrap(self: &Arc<Self>, layer: SessionLayer) -> SessionLayer {
        let stored = Arc::clone(self);
        layer.in_store(self.sealer.clone(), move |change| stored.changed(change))
    }

    fn changed(&self, change: SessionChange) {
        match change {
            SessionChange::Ended(id) => self.streams.end_connections(id, false, true),
            SessionChange::Moved { from, to, socket } => {
                let sealed = socket.map(|socket| {
                    self.follow(from, to, &socket);
                    let notice = Notice::Moved { from, to, socket };
                    self.sealer.seal_notice(&notice.to_bytes())
                });
                self.streams.end_other_connections(from, sealed);
            }
            _ => {}
        }
    }

    /// What another node says of a session whose connections it ends.
    fn hear(&self, sealed: &[u8]) {
        let notice = std::str::from_utf8(sealed)
            .ok()
            .and_then(|text| self.sealer.open_notice(text))
            .and_then(|bytes| Notice::from_bytes(&bytes));
        match notice {
            Some(Notice::Moved { from, to, socket }) => self.follow(from, to, &socket),
            Some(_) => {}
            None => tracing::warn!(
                "a message about a session is none of ours: have all nodes the same SINEW_SECRET?"
            ),
        }
    }

    /// Lets the connection of this name go on under the session's new id, if it has the session; and tells it when the
    /// browser has taken over the id that one of its reflexes has renewed.
    fn follow(&self, from: SessionId, to: SessionId, socket: &str) {
        let Some(connection) = self.sockets.get(socket) else {
            return;
        };
        if !connection.taken_over(from, to) && self.follows {
            connection.follow(from, to);
        }
    }
}
