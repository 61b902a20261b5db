//! Which connection a page has, by a name that nobody else knows.
//!
//! The server tells each connection its name, and our client names it in the requests of its page. So a request that
//! renews the session's id lets the connection of its own page go on, and no other that has come with the old cookie.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sinew_store::SessionId;

/// The name of a connection: 128 random bits, told to the connection itself and to nobody else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SocketName(SessionId);

impl SocketName {
    pub(crate) fn generate() -> Self {
        // As long as a session id, and as random.
        Self(SessionId::generate())
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for SocketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The connections of this node that have a name.
pub(crate) struct PageSockets<C>(Mutex<HashMap<SocketName, Weak<C>>>);

impl<C> Default for PageSockets<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> PageSockets<C> {
    pub(crate) fn insert(&self, name: SocketName, connection: &Arc<C>) {
        let connection = Arc::downgrade(connection);
        self.0.lock().insert(name, connection);
    }

    /// The connection that a request names, if it is one of this node.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<C>> {
        self.0.lock().get(&SocketName::parse(name)?)?.upgrade()
    }

    pub(crate) fn remove(&self, name: SocketName) {
        self.0.lock().remove(&name);
    }
}
