//! One visitor's fields, read once and saved together.

mod config;
mod id;
mod pending;
mod sessions;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::config::SessionConfig;
pub use self::id::{SessionId, SessionIdError};
pub use self::sessions::Sessions;

use self::pending::{Pending, Planned};
use crate::error::SessionError;
use crate::record::{Commit, Committed, Key, Record};

/// Names that begin so are Sinew's own: an application cannot write them and does not see them.
const RESERVED: &str = "_sinew:";
/// Stands in the record of a session that has ended, so that an open socket which still knows
/// its id cannot bring it back to life.
const ENDED: &str = "_sinew:ended";
/// How long an ended session is remembered as such: longer than a socket usually lives. After
/// that a write under its id would begin an empty session, which holds nobody's login.
const ENDED_REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a visitor's requests and reflexes have in common.
///
/// A clone is the same session: one page's handler, its extractors and layers share what was
/// written and not committed yet. It is made for one request or one reflex and sees the store
/// as it was when it was first read; [`Sessions::open`] it again for the next.
///
/// - **Reading** is lazy: the first read loads the whole record, the others are answered from
///   memory. A session that is only written is never read.
/// - **Writing** is kept here, visible to reads at once, until [`commit`](Session::commit).
///   Whoever made the session (the web layer, the reflex engine) commits it; handlers do not.
/// - **Values** are anything that serde can turn into JSON and back.
///
/// Limits: [`SessionConfig`].
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::{MemoryStore, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let session = sessions.create();
/// session.set("theme", "dark").await?;
/// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
///
/// // Nobody else sees it before the commit.
/// let other = sessions.open(session.id());
/// assert_eq!(other.get::<String>("theme").await?, None);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    sessions: Sessions,
    state: Mutex<State>,
    /// Held by the one commit that is under way, so that a second answers only when what the
    /// first took with it is stored.
    turn: futures_util::lock::Mutex<()>,
}

struct State {
    id: SessionId,
    key: Key,
    origin: Origin,
    life: Life,
    snapshot: Option<Snapshot>,
    pending: Pending,
    renewal: Option<SessionId>,
    ensure: bool,
    /// Counts every change of this struct that a reader could notice.
    changes: u64,
}

/// Where the id came from, and so what happens when its record is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Created,
    Trusted,
    Claimed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Alive,
    /// To be destroyed by the next commit.
    Condemned,
    Ended,
}

#[derive(Default)]
struct Snapshot {
    fields: BTreeMap<String, Bytes>,
    is_stored: bool,
    expires_in: Option<Duration>,
}

/// What a [`Session::commit`] did, for the layer that keeps the visitor's cookie.
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
    fn new(sessions: Sessions, id: SessionId, origin: Origin) -> Session {
        let snapshot = (origin == Origin::Created).then(Snapshot::default);
        Session(Arc::new(Shared {
            state: Mutex::new(State {
                id,
                key: id.store_key(),
                origin,
                life: Life::Alive,
                snapshot,
                pending: Pending::default(),
                renewal: None,
                ensure: false,
                changes: 0,
            }),
            sessions,
            turn: futures_util::lock::Mutex::new(()),
        }))
    }

    /// The id under which the session is stored, or will be.
    ///
    /// It changes when a [claimed](Sessions::claim) id turns out to be unknown, and when a
    /// commit has carried out [`renew_id`](Session::renew_id).
    pub fn id(&self) -> SessionId {
        self.0.state.lock().id
    }

    /// The field's value, or `None` when there is no such field.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] when the stored JSON is no `T`, or no JSON at all.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        match self.read(name).await?.0 {
            Some(text) => decode(name, &text).map(Some),
            None => Ok(None),
        }
    }

    /// The field's value, or the type's default when there is no such field.
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get): a value of another type is an error, not a default.
    pub async fn get_or_default<T>(&self, name: &str) -> Result<T, SessionError>
    where
        T: DeserializeOwned + Default,
    {
        Ok(self.get(name).await?.unwrap_or_default())
    }

    /// Writes a field, whatever it held. Reads nothing from the store.
    ///
    /// Writing what a session that was read holds already is not a change.
    ///
    /// # Errors
    ///
    /// Over a limit, a reserved name, or [`SessionError::Ended`]; the field keeps its value.
    pub async fn set<T>(&self, name: &str, value: &T) -> Result<(), SessionError>
    where
        T: Serialize + Sync + ?Sized,
    {
        self.check_name(name)?;
        let text = self.encode(name, value)?;
        self.put(name, Some(text))
    }

    /// Makes the field's next value from its present one (or from the type's default), and
    /// returns it.
    ///
    /// The function is kept and runs again, on the newest value, when somebody else has
    /// written the field before this session is committed: increments are never lost. So it
    /// should do nothing but compute. The value returned is the one seen by this session now;
    /// after the commit, [`get`](Session::get) tells what was stored.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let session = Sessions::new(Arc::new(MemoryStore::new())).create();
    /// assert_eq!(session.update("count", |count: i64| count + 1).await?, 1);
    /// assert_eq!(session.update("count", |count: i64| count + 1).await?, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`set`](Session::set); the field keeps its value.
    pub async fn update<T, F>(&self, name: &str, function: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned + Default + 'static,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        self.check_name(name)?;
        let sessions = self.0.sessions.clone();
        let field = name.to_owned();
        self.derive(name, move |present: Option<&Bytes>| {
            let value = match present {
                Some(text) => decode(&field, text)?,
                None => T::default(),
            };
            let value = function(value);
            let text = encode(sessions.config(), &field, &value)?;
            Ok((Some(text), value))
        })
        .await
    }

    /// Removes a field; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// A reserved name, or [`SessionError::Ended`].
    pub async fn remove(&self, name: &str) -> Result<(), SessionError> {
        self.check_name(name)?;
        self.put(name, None)
    }

    /// Removes every field, those included that others have written since this session was
    /// read. The session itself and its id stay.
    ///
    /// # Errors
    ///
    /// [`SessionError::Ended`].
    pub async fn clear(&self) -> Result<(), SessionError> {
        let mut state = self.0.state.lock();
        state.check_alive()?;
        state.pending.clear();
        state.changes += 1;
        Ok(())
    }

    /// The names of all fields, in order.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn keys(&self) -> Result<Vec<String>, SessionError> {
        self.load().await?;
        let state = self.0.state.lock();
        Ok(state
            .effective()
            .into_keys()
            .filter(|name| !name.starts_with(RESERVED))
            .map(str::to_owned)
            .collect())
    }

    /// Whether the store has a record of this session.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn exists(&self) -> Result<bool, SessionError> {
        self.load().await?;
        let state = self.0.state.lock();
        Ok(state.life != Life::Ended && state.snapshot.as_ref().is_some_and(|it| it.is_stored))
    }

    /// Sees to it that the session is stored by the next commit although no field was written,
    /// so that the visitor has an id.
    pub fn ensure(&self) {
        let mut state = self.0.state.lock();
        state.ensure = true;
        state.changes += 1;
    }

    /// Gives the session a new id at the next commit, and returns it. The fields move along;
    /// the old id is dead from then on, also for sockets that were opened with it.
    ///
    /// Do so when the visitor's rights change: at a login above all, so that an id which
    /// somebody else has planted or seen before is worth nothing.
    pub fn renew_id(&self) -> SessionId {
        let mut state = self.0.state.lock();
        let new = SessionId::generate();
        state.renewal = Some(new);
        state.changes += 1;
        new
    }

    /// Removes every field and gives the session a new id at the next commit: what a logout
    /// wants that has something to say afterwards.
    ///
    /// # Errors
    ///
    /// [`SessionError::Ended`].
    pub async fn reset(&self) -> Result<SessionId, SessionError> {
        self.clear().await?;
        Ok(self.renew_id())
    }

    /// Ends the session at the next commit: its record goes, its id is dead, and writing to it
    /// from now on is [`SessionError::Ended`]. What was written and not committed is dropped.
    pub fn destroy(&self) {
        let mut state = self.0.state.lock();
        if state.life == Life::Alive {
            state.life = Life::Condemned;
        }
        state.pending = Pending::default();
        state.renewal = None;
        state.changes += 1;
    }

    /// Forgets everything since the last commit: writes, a new id, an end.
    pub fn discard(&self) {
        let mut state = self.0.state.lock();
        if state.life == Life::Condemned {
            state.life = Life::Alive;
        }
        state.pending = Pending::default();
        state.renewal = None;
        state.ensure = false;
        state.changes += 1;
    }

    /// Whether the next commit has something to write.
    pub fn is_dirty(&self) -> bool {
        self.0.state.lock().is_dirty()
    }

    /// Stores everything written since the last commit, all of it or nothing.
    ///
    /// A session in which nothing was written costs nothing, unless it was read and more than
    /// a tenth of its life has passed, which is then renewed.
    ///
    /// # Errors
    ///
    /// The store's, a limit that only the store could check, a value that an
    /// [`update`](Session::update) could not read, [`SessionError::Ended`],
    /// [`SessionError::Contended`]. What was written is still pending afterwards:
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
                Committed::Missing => self.state_mut(|state| state.adopt(None)),
                Committed::Conflict(current) => {
                    conflicts += 1;
                    if conflicts > self.0.sessions.config().conflicts_max {
                        return Err(SessionError::Contended { conflicts });
                    }
                    self.state_mut(|state| state.adopt(Some(current)));
                }
                Committed::TooLarge => {
                    let bytes_max = self.0.sessions.config().session_bytes_max;
                    return Err(SessionError::SessionTooLarge { bytes_max });
                }
                Committed::TooManyFields => {
                    let fields_max = self.0.sessions.config().fields_max;
                    return Err(SessionError::TooManyFields { fields_max });
                }
            }
            self.derive_again()?;
        }
    }
}

/// What a commit has to do next.
enum Step {
    Nothing,
    /// To be destroyed, and never stored.
    Forget(Settlement),
    Touch(Key, Commit),
    Write(Plan),
}

struct Plan {
    key: Key,
    commit: Commit,
    settlement: Settlement,
}

/// What has to be struck from the list once the plan is stored.
struct Settlement {
    planned: Planned,
    renewal: Option<SessionId>,
    ensure: bool,
    destroys: bool,
    /// Whether anybody may know the id that was renewed.
    was_visible: bool,
}

// Reading and writing fields.
impl Session {
    fn state_mut<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.0.state.lock();
        state.changes += 1;
        change(&mut state)
    }

    fn check_name(&self, name: &str) -> Result<(), SessionError> {
        let bytes_max = self.0.sessions.config().name_bytes_max;
        if name.len() > bytes_max {
            return Err(SessionError::NameTooLong {
                bytes: name.len(),
                bytes_max,
            });
        }
        if name.is_empty() || name.starts_with(RESERVED) {
            return Err(SessionError::NameReserved {
                field: name.to_owned(),
            });
        }
        Ok(())
    }

    fn encode<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<Bytes, SessionError> {
        encode(self.0.sessions.config(), name, value)
    }

    /// Loads the record unless that was done. Two callers at once may both load; the first
    /// answer counts.
    async fn load(&self) -> Result<(), SessionError> {
        loop {
            let key = {
                let state = self.0.state.lock();
                if state.snapshot.is_some() {
                    return Ok(());
                }
                state.key.clone()
            };
            let record = self.0.sessions.store().load(&key).await?;
            let mut state = self.0.state.lock();
            if state.snapshot.is_none() && state.key == key {
                state.changes += 1;
                state.adopt(record);
            }
        }
    }

    /// A field's present text, and the count of changes at which it was so.
    async fn read(&self, name: &str) -> Result<(Option<Bytes>, u64), SessionError> {
        loop {
            {
                let state = self.0.state.lock();
                if let Some(present) = state.get(name) {
                    return Ok((present, state.changes));
                }
            }
            self.load().await?;
        }
    }

    fn put(&self, name: &str, outcome: Option<Bytes>) -> Result<(), SessionError> {
        let mut state = self.0.state.lock();
        state.check_alive()?;
        // Only a field without pending changes: a derived one says more than its outcome.
        if state.pending.get(name).is_none()
            && let Some(snapshot) = &state.snapshot
            && snapshot.fields.get(name) == outcome.as_ref()
        {
            return Ok(());
        }
        state.check_room(self.0.sessions.config(), name, outcome.as_ref())?;
        state.pending.put(name, outcome);
        state.changes += 1;
        Ok(())
    }

    /// Adds a change that depends on the field's present text.
    ///
    /// The function runs without the lock; when a clone of this session wrote meanwhile, it
    /// runs again.
    async fn derive<R, F>(&self, name: &str, function: F) -> Result<R, SessionError>
    where
        F: Fn(Option<&Bytes>) -> Result<(Option<Bytes>, R), SessionError> + Send + Sync + 'static,
        R: 'static,
    {
        let function = Arc::new(function);
        loop {
            let (present, changes) = self.read(name).await?;
            let (outcome, answer) = function(present.as_ref())?;
            let mut state = self.0.state.lock();
            state.check_alive()?;
            if state.changes != changes {
                continue;
            }
            state.check_room(self.0.sessions.config(), name, outcome.as_ref())?;
            let again = Arc::clone(&function);
            let derive = Arc::new(move |present: Option<&Bytes>| Ok(again(present)?.0));
            state.pending.derive(name, present, outcome, derive);
            state.changes += 1;
            return Ok(answer);
        }
    }

    /// One of Sinew's own fields, as text.
    pub(crate) async fn read_reserved(&self, name: &str) -> Result<Option<Bytes>, SessionError> {
        debug_assert!(name.starts_with(RESERVED));
        Ok(self.read(name).await?.0)
    }

    /// Changes one of Sinew's own fields.
    pub(crate) async fn derive_reserved<F>(
        &self,
        name: &str,
        function: F,
    ) -> Result<(), SessionError>
    where
        F: Fn(Option<&Bytes>) -> Result<Option<Bytes>, SessionError> + Send + Sync + 'static,
    {
        debug_assert!(name.starts_with(RESERVED));
        self.derive(name, move |present| Ok((function(present)?, ())))
            .await
    }
}

// Saving.
impl Session {
    /// Whether this session was neither written nor read from a record that is there: the
    /// commit of most requests, which costs nothing and renews nobody's cookie.
    pub fn is_untouched(&self) -> bool {
        let state = self.0.state.lock();
        state.life != Life::Condemned
            && !state.is_dirty()
            && state.snapshot.as_ref().is_none_or(|it| !it.is_stored)
    }

    fn plan(&self) -> Result<Step, SessionError> {
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
        commit.move_to = state.renewal.map(|id| id.store_key());
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

    fn settle(&self, settlement: &Settlement) -> Saved {
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
                state.key = id.store_key();
                state.origin = Origin::Trusted;
                if state.renewal == Some(id) {
                    state.renewal = None;
                }
            }
            Saved::Written
        })
    }

    /// Runs the updates again whose field is no longer what they were made from.
    fn derive_again(&self) -> Result<(), SessionError> {
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

impl State {
    /// Takes over what the store has, or has not, under this id.
    fn adopt(&mut self, record: Option<Record>) {
        let ended = record
            .as_ref()
            .is_some_and(|record| record.fields.contains_key(ENDED));
        match record {
            Some(record) if !ended => {
                self.snapshot = Some(Snapshot {
                    fields: record.fields,
                    is_stored: true,
                    expires_in: record.expires_in,
                });
                return;
            }
            _ => {}
        }
        // Whoever has read this session and then finds it ended must hear of it; an id that
        // was presented and never read is simply not known.
        let was_read = self.snapshot.as_ref().is_some_and(|it| it.is_stored);
        self.snapshot = Some(Snapshot::default());
        if self.origin == Origin::Claimed && !(ended && was_read) {
            self.id = SessionId::generate();
            self.key = self.id.store_key();
            self.origin = Origin::Created;
        } else if ended {
            self.life = Life::Ended;
        }
    }

    fn check_alive(&self) -> Result<(), SessionError> {
        match self.life {
            Life::Alive => Ok(()),
            Life::Condemned | Life::Ended => Err(SessionError::Ended),
        }
    }

    fn is_dirty(&self) -> bool {
        match self.life {
            Life::Alive | Life::Ended => {
                let is_stored = self.snapshot.as_ref().is_some_and(|it| it.is_stored);
                !self.pending.is_empty() || self.renewal.is_some() || (self.ensure && !is_stored)
            }
            Life::Condemned => match &self.snapshot {
                Some(snapshot) => snapshot.is_stored || self.origin == Origin::Trusted,
                None => true,
            },
        }
    }

    /// Whether more than a tenth of the session's life has passed.
    fn is_due(&self, config: &SessionConfig) -> bool {
        let left = self.snapshot.as_ref().and_then(|it| it.expires_in);
        left.is_some_and(|left| left < config.expire_after - config.expire_after / 10)
    }

    /// A field as the next commit would leave it; `None` when it has to be loaded.
    fn get(&self, name: &str) -> Option<Option<Bytes>> {
        if self.life != Life::Alive {
            return Some(None);
        }
        match self.pending.get(name) {
            Some(outcome) => Some(outcome.cloned()),
            None => self
                .snapshot
                .as_ref()
                .map(|snapshot| snapshot.fields.get(name).cloned()),
        }
    }

    /// All fields as the next commit would leave them, as far as they are known here.
    fn effective(&self) -> BTreeMap<&str, &Bytes> {
        let mut fields = BTreeMap::new();
        if self.life != Life::Alive {
            return fields;
        }
        if let Some(snapshot) = &self.snapshot
            && !self.pending.is_cleared()
        {
            fields.extend(snapshot.fields.iter().map(|(name, it)| (name.as_str(), it)));
        }
        for (name, outcome) in self.pending.outcomes() {
            match outcome {
                Some(value) => fields.insert(name, value),
                None => fields.remove(name),
            };
        }
        fields
    }

    /// Whether the session stays within its limits with this write, as far as is known here.
    fn check_room(
        &self,
        config: &SessionConfig,
        name: &str,
        outcome: Option<&Bytes>,
    ) -> Result<(), SessionError> {
        let Some(value) = outcome else {
            return Ok(());
        };
        let mut fields = 1;
        let mut bytes = name.len() + value.len();
        for (other, value) in self.effective() {
            if other != name {
                fields += 1;
                bytes += other.len() + value.len();
            }
        }
        if fields > config.fields_max {
            return Err(SessionError::TooManyFields {
                fields_max: config.fields_max,
            });
        }
        if bytes > config.session_bytes_max {
            return Err(SessionError::SessionTooLarge {
                bytes_max: config.session_bytes_max,
            });
        }
        Ok(())
    }
}

/// Leaves nothing of a record but the mark that it has ended.
fn epitaph(create: bool) -> Commit {
    let mut commit = Commit::new();
    commit.create = create;
    commit.clear = true;
    commit.set = vec![(ENDED.to_owned(), Bytes::from_static(b"true"))];
    commit.time_to_live = Some(ENDED_REMEMBERED);
    commit
}

fn decode<T: DeserializeOwned>(name: &str, text: &Bytes) -> Result<T, SessionError> {
    serde_json::from_slice(text).map_err(|source| SessionError::Decode {
        field: name.to_owned(),
        source,
    })
}

fn encode<T: Serialize + ?Sized>(
    config: &SessionConfig,
    name: &str,
    value: &T,
) -> Result<Bytes, SessionError> {
    let text = serde_json::to_vec(value).map_err(|source| SessionError::Encode {
        field: name.to_owned(),
        source,
    })?;
    if text.len() > config.field_bytes_max {
        return Err(SessionError::FieldTooLarge {
            field: name.to_owned(),
            bytes: text.len(),
            bytes_max: config.field_bytes_max,
        });
    }
    Ok(text.into())
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        formatter
            .debug_struct("Session")
            .field("id", &state.id)
            .field("is_read", &state.snapshot.is_some())
            .field("is_dirty", &state.is_dirty())
            .finish_non_exhaustive()
    }
}
