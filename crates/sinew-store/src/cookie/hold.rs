//! Somebody who wants to see every version of a session.

use std::fmt;

use parking_lot::Mutex;

use super::store::CookieStore;
use crate::session::SessionId;

/// Keeps a session in mind for as long as it is there: an open connection has one. Made by [`CookieStore::hold`].
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{Sessions, cookie::{CookieStore, CookieStoreConfig, Hold}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let store = CookieStore::new(CookieStoreConfig::default());
/// let sessions = Sessions::new(Arc::new(store.clone()));
/// let session = sessions.create();
/// session.set("user", "ada").await?;
/// session.commit().await?;
/// let hold: Hold = store.hold(session.id());
///
/// // The visitor logs in, and this connection is theirs.
/// session.renew_id();
/// session.commit().await?;
/// hold.follow(session.id());
/// assert!(sessions.open(hold.id()).exists().await?);
/// # Ok(()) }
/// ```
pub struct Hold {
    store: CookieStore,
    id: Mutex<SessionId>,
}

impl Hold {
    pub(super) fn new(store: CookieStore, id: SessionId) -> Hold {
        Hold {
            store,
            id: Mutex::new(id),
        }
    }

    /// The session's id as it is now.
    pub fn id(&self) -> SessionId {
        *self.id.lock()
    }

    /// The session has another id now.
    pub fn follow(&self, id: SessionId) {
        let mut held = self.id.lock();
        if *held != id {
            self.store.add_holder(id);
            self.store.remove_holder(*held);
            *held = id;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.store.remove_holder(*self.id.get_mut());
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Hold").field(&self.id()).finish()
    }
}
