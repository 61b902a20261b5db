//! Where an application's sessions are kept: in their cookies, or in a store.

use std::sync::Arc;

use sinew_store::Sessions;
use sinew_store::cookie::CookieStore;
use sinew_web::{SessionLayer, SessionSealer};

use crate::cookie_sessions::CookieSessions;
use crate::node_streams::NodeStreams;
use crate::stored_sessions::StoredSessions;

pub(crate) enum Kept {
    InCookies(Arc<CookieSessions>),
    InStore(Arc<StoredSessions>),
}

impl Kept {
    /// In cookies, if there is a `cookie_store`. `path`: where pages redeem tickets. `follows`: whether the identity of
    /// a connection is its session, and may go on under another id.
    pub(crate) fn new(
        cookie_store: Option<CookieStore>,
        sessions: &Sessions,
        sealer: SessionSealer,
        streams: &Arc<NodeStreams>,
        path: String,
        follows: bool,
    ) -> Self {
        let (sessions, streams) = (sessions.clone(), Arc::clone(streams));
        match cookie_store {
            Some(store) => {
                Self::InCookies(CookieSessions::new(store, sessions, sealer, streams, path))
            }
            None => Self::InStore(StoredSessions::new(
                sessions, sealer, streams, path, follows,
            )),
        }
    }

    /// The layer, whose changes the connections hear of.
    pub(crate) fn wrap(&self, layer: SessionLayer) -> SessionLayer {
        match self {
            Self::InCookies(cookies) => cookies.wrap(layer),
            Self::InStore(stored) => stored.wrap(layer),
        }
    }
}
