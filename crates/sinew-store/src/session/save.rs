//! Storing what was written: all of it or nothing, and again when others were first.

use std::time::Duration;

use bytes::Bytes;

use super::id::SessionId;
use super::pending::Planned;
use super::renewal::Renewal;
use super::state::{Life, Origin, Snapshot};
use super::{ENDED, Session};
use crate::error::SessionError;
use crate::record::{Commit, Committed, Key};

/// How long an ended session is remembered as such: longer than a socket usually lives. After
/// that a write under its id would begin an empty session, which holds nobody's login.
pub(crate) const ENDED_REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a [`Session::commit`] did, for the layer that keeps the visitor's cookie.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{MemoryStore, Sessions};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// use sinew_store::Saved;
///
/// let session = sessions.create();
/// assert_eq!(session.commit().await?, Saved::Unchanged);
/// session.set("theme", "dark").await?;
/// assert_eq!(session.commit().await?, Saved::Written);
/// session.destroy();
/// assert_eq!(session.commit().await?, Saved::Destroyed);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// Nothing: there was nothing to save.
    Unchanged,
    /// The session's life was renewed and nothing else: the cookie's should be as well.
    Renewed,
    /// Fields or the id were saved, under [`Session::id`] as it is now.
    Written,
    /// The session is gone, and so should the cookie be.
    Destroyed,
}

impl Session {
    /// Stores everything written since the last commit, all of it or nothing.
    ///
    /// A session in which nothing was written costs nothing, unless it was read and more than
    /// a tenth of its life has passed, which is then renewed.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// // Two holders of one session write different fields: nothing is lost.
    /// let one = sessions.create();
    /// let other = sessions.open(one.id());
    /// one.set("theme", "dark").await?;
    /// one.commit().await?;
    /// other.set("language", "de").await?;
    /// other.commit().await?;
    /// assert_eq!(sessions.open(one.id()).keys().await?, ["language", "theme"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The store's, a limit that only the store could check, a value that an
    /// [`update`](Session::update) could not read, [`SessionError::Ended`],
    /// [`SessionError::RenewalRefused`], [`SessionError::Contended`]. What was written is still pending afterwards:
    /// [`discard`](Session::discard) it, or commit again.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves it open whether the writes are stored; they are never stored
    /// in part. They stay pending, so a later commit may run an `update` a second time.
    pub async fn commit(&self) -> Result<Saved, SessionError> {
        if self.is_untouched() {
            return Ok(Saved::Unchanged);
        }
        let _turn = self.0.turn.lock().await;
        if self.0.state.lock().is_only_ensured() {
            // Most visitors have their record already: a look is cheaper than writing nothing to it.
            self.load().await?;
        }
        match self.renewing() {
            Some((Renewal::Copies, to)) => return self.copy(to).await,
            Some((Renewal::Refused, _)) => return Err(SessionError::RenewalRefused),
            _ => {}
        }
        let mut conflicts = 0;
        loop {
            let plan = match self.plan()? {
                Step::Nothing => return Ok(Saved::Unchanged),
                Step::Forget(settlement) => return Ok(self.settle(&settlement)),
                Step::Touch(key, commit) => return Ok(self.touch(&key, commit).await),
                Step::Write(plan) => plan,
            };
            let store = self.0.sessions.store();
            match store.commit(&plan.key, plan.commit).await? {
                Committed::Applied => {
                    let saved = self.settle(&plan.settlement);
                    if plan.settlement.renewal.is_some() && plan.settlement.was_visible {
                        store.commit(&plan.key, epitaph(true)).await?;
                    }
                    return Ok(saved);
                }
                // Nothing was there to destroy.
                Committed::Missing if plan.settlement.destroys => {
                    return Ok(self.settle(&plan.settlement));
                }
                Committed::Missing => self.state_mut(|state| state.adopt(None, store.as_ref())),
                Committed::Conflict(current) => {
                    conflicts += 1;
                    if conflicts > self.0.sessions.config().conflicts_max {
                        return Err(SessionError::Contended { conflicts });
                    }
                    self.state_mut(|state| state.adopt(Some(current), store.as_ref()));
                }
                Committed::TooLarge => return Err(self.too_large()),
                Committed::TooManyFields => return Err(self.too_many_fields()),
            }
            self.derive_again()?;
        }
    }

    pub(super) fn too_large(&self) -> SessionError {
        match self.0.sessions.store().room() {
            Some(room) => SessionError::CookieTooLarge {
                bytes_max: room.bytes_max(),
            },
            None => SessionError::SessionTooLarge {
                bytes_max: self.0.sessions.config().session_bytes_max,
            },
        }
    }

    pub(super) fn too_many_fields(&self) -> SessionError {
        SessionError::TooManyFields {
            fields_max: self.0.sessions.config().fields_max,
        }
    }

    /// Whether this session was neither written, nor destroyed, nor read from a record that is
    /// there: the commit of most requests, which costs nothing and renews nobody's cookie.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.get::<String>("theme").await?;
    /// assert!(session.is_untouched(), "read, and there was nothing");
    /// session.set("theme", "dark").await?;
    /// assert!(!session.is_untouched());
    /// session.commit().await?;
    ///
    /// let next = sessions.open(session.id());
    /// assert!(next.is_untouched());
    /// next.get::<String>("theme").await?;
    /// assert!(!next.is_untouched(), "read, and so its life may be due for renewal");
    /// # Ok(()) }
    /// ```
    pub fn is_untouched(&self) -> bool {
        let state = self.0.state.lock();
        state.life != Life::Condemned
            && !state.is_dirty()
            && state.snapshot.as_ref().is_none_or(|it| !it.is_stored)
    }

    pub(super) fn plan(&self) -> Result<Step, SessionError> {
        let config = self.0.sessions.config();
        let state = self.0.state.lock();
        let key = state.key.clone();
        let mut commit = Commit::new();
        let planned = state.pending.plan(&mut commit);
        match state.life {
            Life::Alive => {}
            Life::Ended if state.is_dirty() => return Err(SessionError::Ended),
            Life::Ended => return Ok(Step::Nothing),
            Life::Condemned => {
                let settlement = Settlement {
                    planned,
                    renewal: None,
                    ensure: state.ensure,
                    destroys: true,
                    was_visible: false,
                };
                if !state.is_dirty() {
                    return Ok(Step::Forget(settlement));
                }
                // An id that this server did not make leaves no trace in the store.
                let commit = epitaph(state.origin == Origin::Trusted);
                return Ok(Step::Write(Plan {
                    key,
                    commit,
                    settlement,
                }));
            }
        }
        commit.time_to_live = Some(config.expire_after);
        if !state.is_dirty() {
            return Ok(match &state.snapshot {
                Some(snapshot) if snapshot.is_stored && state.is_due(config) => {
                    Step::Touch(key, commit)
                }
                _ => Step::Nothing,
            });
        }
        commit.create = state.origin != Origin::Claimed;
        commit.expect.push((ENDED.to_owned(), None));
        commit.fields_max = Some(config.fields_max);
        commit.bytes_max = Some(config.session_bytes_max);
        let store = self.0.sessions.store();
        commit.move_to = state.renewal.map(|id| store.session_key(&id));
        let is_new = state.origin == Origin::Created
            && state.snapshot.as_ref().is_some_and(|it| !it.is_stored);
        Ok(Step::Write(Plan {
            key,
            commit,
            settlement: Settlement {
                planned,
                renewal: state.renewal,
                ensure: state.ensure,
                destroys: false,
                was_visible: !is_new,
            },
        }))
    }

    /// Renews the life of a session that was only read. That it failed is no reason to fail
    /// what the visitor asked for: the session lives on for most of its time anyway.
    async fn touch(&self, key: &Key, commit: Commit) -> Saved {
        let life = commit.time_to_live;
        match self.0.sessions.store().commit(key, commit).await {
            Ok(Committed::Applied) => {
                self.state_mut(|state| {
                    if let Some(snapshot) = &mut state.snapshot {
                        snapshot.expires_in = life;
                    }
                });
                Saved::Renewed
            }
            Ok(_) => Saved::Unchanged,
            Err(error) => {
                tracing::warn!(%error, "could not renew the life of a session");
                Saved::Unchanged
            }
        }
    }

    pub(super) fn settle(&self, settlement: &Settlement) -> Saved {
        let life = self.0.sessions.config().expire_after;
        self.state_mut(|state| {
            if settlement.destroys {
                state.life = Life::Ended;
                state.snapshot = Some(Snapshot::default());
                return Saved::Destroyed;
            }
            if let Some(snapshot) = &mut state.snapshot {
                settlement.planned.apply_to(&mut snapshot.fields);
                snapshot.is_stored = true;
                snapshot.expires_in = Some(life);
            }
            state.pending.settle(&settlement.planned);
            if settlement.ensure {
                state.ensure = false;
            }
            if let Some(id) = settlement.renewal {
                state.id = id;
                state.key = self.0.sessions.store().session_key(&id);
                state.origin = Origin::Trusted;
                if state.renewal == Some(id) {
                    state.renewal = None;
                }
            }
            Saved::Written
        })
    }

    /// Runs the updates again whose field is no longer what they were made from.
    pub(super) fn derive_again(&self) -> Result<(), SessionError> {
        loop {
            let (stale, stored) = {
                let state = self.0.state.lock();
                let Some(snapshot) = &state.snapshot else {
                    return Ok(());
                };
                let stale = state.pending.stale(&snapshot.fields);
                let stored: Vec<Option<Bytes>> = stale
                    .iter()
                    .map(|stale| snapshot.fields.get(&stale.name).cloned())
                    .collect();
                (stale, stored)
            };
            let mut outcomes = Vec::with_capacity(stale.len());
            for (stale, seen) in stale.iter().zip(&stored) {
                outcomes.push(stale.outcome_from(seen.as_ref())?);
            }
            let settled = self.state_mut(|state| {
                let mut settled = true;
                for ((stale, seen), outcome) in stale.iter().zip(stored).zip(outcomes) {
                    settled &= state.pending.refresh(stale, seen, outcome);
                }
                settled
            });
            if settled {
                return Ok(());
            }
        }
    }
}

/// What a commit has to do next.
pub(super) enum Step {
    Nothing,
    /// To be destroyed, and never stored.
    Forget(Settlement),
    Touch(Key, Commit),
    Write(Plan),
}

pub(super) struct Plan {
    pub(super) key: Key,
    pub(super) commit: Commit,
    pub(super) settlement: Settlement,
}

/// What has to be struck from the list once the plan is stored.
pub(super) struct Settlement {
    pub(super) planned: Planned,
    pub(super) renewal: Option<SessionId>,
    pub(super) ensure: bool,
    pub(super) destroys: bool,
    /// Whether anybody may know the id that was renewed.
    pub(super) was_visible: bool,
}

/// Leaves nothing of a record but the mark that it has ended.
pub(super) fn epitaph(create: bool) -> Commit {
    let mut commit = Commit::new();
    commit.create = create;
    commit.clear = true;
    commit.set = vec![(ENDED.to_owned(), Bytes::from_static(b"true"))];
    commit.time_to_live = Some(ENDED_REMEMBERED);
    commit
}
