//! Renewing an id where the visitor's cookie does not change with it.

use super::id::SessionId;
use super::pending::Planned;
use super::save::{Saved, Settlement, epitaph};
use super::sessions::Sessions;
use super::state::Life;
use super::{ENDED, Session};
use crate::error::SessionError;
use crate::record::{Commit, Committed, Key};

/// What a commit does that gives a session another id ([`Session::renew_id`]).
///
/// Whoever opens a session for a socket chooses, since a socket cannot give its visitor another cookie.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{MemoryStore, Renewal, SessionError, Sessions};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), SessionError> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let visit = sessions.create();
/// visit.set("theme", "dark").await?;
/// visit.commit().await?;
///
/// let socket = sessions.open(visit.id()).with_renewal(Renewal::Copies);
/// socket.renew_id();
/// socket.set("user", "ada").await?;
/// socket.commit().await?;
/// assert_eq!(sessions.open(socket.id()).keys().await?, ["theme", "user"]);
/// assert_eq!(sessions.open(visit.id()).keys().await?, ["theme"], "without the login");
///
/// // The browser has the new id now.
/// assert!(sessions.end(visit.id()).await?);
/// assert!(!sessions.open(visit.id()).exists().await?);
///
/// let stock = sessions.open(socket.id()).with_renewal(Renewal::Refused);
/// stock.renew_id();
/// assert!(matches!(stock.commit().await, Err(SessionError::RenewalRefused)));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// The record moves, and the old id is dead: the answer that is under way sets the new one.
    #[default]
    Moves,
    /// The record is copied, and what was written is in the copy alone. Under the old id the session stays as it was,
    /// until somebody [ends](Sessions::end) it; but if it was [cleared](Session::clear), it is empty there as well.
    Copies,
    /// The commit fails with [`SessionError::RenewalRefused`], and nothing is written.
    Refused,
}

impl Session {
    /// The same session, whose id is renewed in this way.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Renewal, SessionError, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create().with_renewal(Renewal::Refused);
    /// session.set("theme", "dark").await?;
    /// session.commit().await?;
    /// session.renew_id();
    /// assert!(matches!(session.commit().await, Err(SessionError::RenewalRefused)));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_renewal(self, renewal: Renewal) -> Session {
        self.0.state.lock().renewing = renewal;
        self
    }

    /// What is to be done instead of a commit in place, if the id is to be renewed.
    pub(super) fn renewing(&self) -> Option<(Renewal, SessionId)> {
        let state = self.0.state.lock();
        let to = state.renewal.filter(|_| state.life == Life::Alive)?;
        Some((state.renewing, to))
    }

    /// Stores the session as it is with everything that was written under another id.
    pub(super) async fn copy(&self, to: SessionId) -> Result<Saved, SessionError> {
        let store = self.0.sessions.store();
        let from = self.0.state.lock().key.clone();
        let record = store.load(&from).await?;
        self.state_mut(|state| state.adopt(record, store.as_ref()));
        self.derive_again()?;
        let copy = self.plan_copy(to)?;
        match store.commit(&copy.key, copy.commit).await? {
            Committed::Applied => {}
            Committed::TooLarge => return Err(self.too_large()),
            Committed::TooManyFields => return Err(self.too_many_fields()),
            // Nothing is expected of a record that is made here.
            Committed::Conflict(_) | Committed::Missing => return Err(SessionError::Ended),
        }
        // Nobody knows the copy before this has gone well, too.
        if copy.is_cleared {
            store.commit(&from, self.emptied()).await?;
        }
        Ok(self.settle(&Settlement {
            planned: copy.planned,
            renewal: Some(to),
            ensure: copy.ensure,
            destroys: false,
            was_visible: false,
        }))
    }

    fn plan_copy(&self, to: SessionId) -> Result<Copy, SessionError> {
        let config = self.0.sessions.config();
        let state = self.0.state.lock();
        state.check_alive()?;
        let mut commit = Commit::new();
        commit.create = true;
        commit.clear = true;
        commit.time_to_live = Some(config.expire_after);
        commit.fields_max = Some(config.fields_max);
        commit.bytes_max = Some(config.session_bytes_max);
        let fields = state.effective().into_iter();
        commit.set = fields
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        let planned = state.pending.plan(&mut Commit::new());
        Ok(Copy {
            key: self.0.sessions.store().session_key(&to),
            commit,
            planned,
            ensure: state.ensure,
            is_cleared: state.pending.is_cleared(),
        })
    }

    /// Leaves a session under its id, and nothing in it.
    fn emptied(&self) -> Commit {
        let mut commit = Commit::new();
        commit.expect.push((ENDED.to_owned(), None));
        commit.clear = true;
        commit.time_to_live = Some(self.0.sessions.config().expire_after);
        commit
    }
}

struct Copy {
    key: Key,
    commit: Commit,
    planned: Planned,
    ensure: bool,
    is_cleared: bool,
}

impl Sessions {
    /// Ends the session of this id, whatever it holds: from now on nobody reads or writes it. The answer is whether it
    /// had not ended yet, so that of several who end it one knows to be the first.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, SessionError, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("user", "ada").await?;
    /// session.commit().await?;
    /// assert!(sessions.end(session.id()).await?);
    /// assert!(!sessions.end(session.id()).await?, "it has ended already");
    /// assert!(!sessions.open(session.id()).exists().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn end(&self, id: SessionId) -> Result<bool, SessionError> {
        let mut commit = epitaph(true);
        commit.expect.push((ENDED.to_owned(), None));
        let key = self.store().session_key(&id);
        Ok(self.store().commit(&key, commit).await? == Committed::Applied)
    }
}
