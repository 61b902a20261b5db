//! Where sessions come from.

use std::fmt;
use std::sync::Arc;

use super::config::SessionConfig;
use super::id::SessionId;
use super::{Origin, Session};
use crate::store::Store;

/// The sessions of one store, under one configuration. Cheap to clone.
///
/// Which constructor to use depends on where the id comes from:
///
/// | the id | use | no such record |
/// |---|---|---|
/// | none yet | [`create`](Sessions::create) | made under a new id at the first commit that wrote |
/// | came in this request's cookie, and the answer can set another | [`claim`](Sessions::claim) | the session goes on under a **new** id, so that nobody can plant one of his choice |
/// | belongs to an open socket, or was made by this server | [`open`](Sessions::open) | made under this id by the first commit that writes, unless the session has ended |
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::{MemoryStore, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
///
/// let visit = sessions.create();
/// visit.set("name", "Ada").await?;
/// visit.commit().await?;
///
/// let socket = sessions.open(visit.id());
/// assert_eq!(socket.get::<String>("name").await?.as_deref(), Some("Ada"));
/// assert_eq!(sessions.config().fields_max, 256);
///
/// // An id that the store does not know is not taken over from a visitor.
/// let planted = sinew_store::SessionId::generate();
/// let claimed = sessions.claim(planted);
/// claimed.set("name", "Eve").await?;
/// claimed.commit().await?;
/// assert_ne!(claimed.id(), planted);
/// assert!(sessions.store().load(&planted.store_key()).await?.is_none());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    config: SessionConfig,
}

impl Sessions {
    /// Sessions kept in `store`, with the default configuration.
    pub fn new(store: Arc<dyn Store>) -> Sessions {
        Sessions::with_config(store, SessionConfig::default())
    }

    /// Sessions kept in `store`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_store::{MemoryStore, SessionConfig, Sessions};
    ///
    /// let mut config = SessionConfig::default();
    /// config.expire_after = Duration::from_secs(60 * 60);
    /// let sessions = Sessions::with_config(Arc::new(MemoryStore::new()), config);
    /// assert_eq!(sessions.config().expire_after, Duration::from_secs(60 * 60));
    /// ```
    pub fn with_config(store: Arc<dyn Store>, config: SessionConfig) -> Sessions {
        Sessions(Arc::new(Inner { store, config }))
    }

    /// A session that nobody has seen yet. Nothing is stored before a commit that has
    /// something to write, or follows [`Session::ensure`].
    pub fn create(&self) -> Session {
        Session::new(self.clone(), SessionId::generate(), Origin::Created)
    }

    /// The session of this id, which is trusted: made by this server, or found valid when the
    /// socket was opened. Reads nothing yet.
    pub fn open(&self, id: SessionId) -> Session {
        Session::new(self.clone(), id, Origin::Trusted)
    }

    /// The session of an id that a visitor presents. Reads nothing yet.
    ///
    /// When the store does not know the id, the session goes on as a new one: ask
    /// [`Session::id`] again after the commit.
    pub fn claim(&self, id: SessionId) -> Session {
        Session::new(self.clone(), id, Origin::Claimed)
    }

    /// The configuration.
    pub fn config(&self) -> &SessionConfig {
        &self.0.config
    }

    /// The store below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sessions")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
