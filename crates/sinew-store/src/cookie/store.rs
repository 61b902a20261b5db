//! The store whose records are cookies.

use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;

use super::config::CookieStoreConfig;
use super::hold::Hold;
use super::offer::{Offer, Redemption};
use super::shared::shared_bytes;
use super::state::{CookieState, packed_bytes};
use super::table::{Base, Content, Entry};
use super::tables::Tables;
use super::ticket::{Ticket, changes, merge};
use super::version::{Lineage, Version};
use crate::clock::{Clock, SystemClock};
use crate::error::StoreError;
use crate::record::{Commit, Committed, Key, Record};
use crate::session::{ENDED, ENDED_REMEMBERED, SessionId};
use crate::store::{BoxFuture, Room, Store};

/// What this process knows of sessions that live in cookies. A clone is the same store. See the [module](super).
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::Sessions;
/// use sinew_store::cookie::{CookieStore, CookieStoreConfig, Redeemed};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// // A response has set this cookie, and a connection was opened with it.
/// let store = CookieStore::new(CookieStoreConfig::default());
/// let sessions = Sessions::new(Arc::new(store.clone()));
/// let session = sessions.create();
/// session.set("count", &1).await?;
/// session.commit().await?;
/// let cookie = store.handed_out(session.id()).expect("there is something to hand out");
/// let hold = store.hold(cookie.id());
///
/// // A reflex writes, and its ticket is redeemed in another process.
/// let reflex = sessions.open(hold.id());
/// reflex.update("count", |count: i64| count + 1).await?;
/// reflex.commit().await?;
/// let offer = store.offer(hold.id()).expect("the browser has not got it");
/// let other = CookieStore::new(CookieStoreConfig::default());
/// let Redeemed::Applied(next) = other.redeem(offer.ticket().clone(), cookie) else { panic!() };
/// assert_eq!(next, *offer.ticket().state());
///
/// // It is good once, and this process hears what the browser holds.
/// let again = other.redeem(offer.ticket().clone(), next.clone());
/// assert!(matches!(again, Redeemed::Replayed));
/// store.learn(next);
/// offer.redeemed().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CookieStore(Arc<Inner>);

struct Inner {
    tables: Tables,
    config: CookieStoreConfig,
    clock: Box<dyn Clock>,
    merged: AtomicU64,
    conflicts: AtomicU64,
}

/// What a [`CookieStore`] has met.
///
/// ```
/// use sinew_store::cookie::{CookieStore, CookieStoreConfig, CookieStoreStatistics};
///
/// let store = CookieStore::new(CookieStoreConfig::default());
/// let statistics: CookieStoreStatistics = store.statistics();
/// assert_eq!((statistics.known, statistics.merged, statistics.conflicts), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieStoreStatistics {
    /// Sessions it knows at the moment.
    pub known: u64,
    /// Versions that were made of two others, since both had been made from the same one.
    pub merged: u64,
    /// Fields that two had changed, and of which the change was dropped that reached the cookie second.
    pub conflicts: u64,
}

/// What [`CookieStore::learn`] made of a cookie.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{Sessions, cookie::{CookieStore, CookieStoreConfig, Learned}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let store = CookieStore::new(CookieStoreConfig::default());
/// let session = Sessions::new(Arc::new(store.clone())).create();
/// session.ensure();
/// session.commit().await?;
/// let cookie = store.handed_out(session.id()).unwrap();
/// assert_eq!(store.learn(cookie.clone()), Learned::Known);
/// assert_eq!(CookieStore::new(CookieStoreConfig::default()).learn(cookie.clone()), Learned::Newer);
///
/// session.destroy();
/// session.commit().await?;
/// assert_eq!(store.learn(cookie), Learned::Over);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learned {
    /// It said nothing new: what is known here is the same version, or one made from it.
    Known,
    /// It is taken over.
    Newer,
    /// It was written by somebody else while something was written here: both are in the newest version now.
    Merged,
    /// Its session has ended, or it has expired.
    Over,
}

/// What became of a [`Ticket`].
///
/// `docs/guide/sessions.md` tells what a visitor sees of each.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{Sessions, cookie::{CookieState, CookieStore, CookieStoreConfig, Redeemed}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// # let store = CookieStore::new(CookieStoreConfig::default());
/// # let sessions = Sessions::new(Arc::new(store.clone()));
/// # async fn visit(sessions: &Sessions, store: &CookieStore) -> CookieState {
/// #     let session = sessions.create();
/// #     session.ensure();
/// #     session.commit().await.unwrap();
/// #     store.handed_out(session.id()).unwrap()
/// # }
/// let (mine, another) = (visit(&sessions, &store).await, visit(&sessions, &store).await);
/// let session = sessions.open(mine.id());
/// session.set("theme", "dark").await?;
/// session.commit().await?;
/// let ticket = store.offer(mine.id()).expect("something was written").ticket().clone();
///
/// assert_eq!(store.redeem(ticket.clone(), another), Redeemed::Foreign);
/// let Redeemed::Applied(next) = store.redeem(ticket.clone(), mine) else { panic!() };
/// assert_eq!(store.redeem(ticket, next), Redeemed::Replayed);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redeemed {
    /// The cookie held the version it was made from: this is what it shall hold now.
    Applied(CookieState),
    /// Somebody else has written meanwhile. The fields of both are in this version.
    Merged(CookieState),
    /// The cookie has it already: nothing changes.
    Replayed,
    /// It is of another session: nothing changes.
    Foreign,
    /// Neither is made from the other, as far back as is remembered: nothing changes.
    Unknown,
    /// Both together would not fit into the cookie: nothing changes.
    TooLarge,
    /// The session has ended: nothing changes.
    Over,
}

impl CookieStore {
    /// A store that knows no session yet.
    pub fn new(config: CookieStoreConfig) -> CookieStore {
        CookieStore::with_clock(config, SystemClock)
    }

    /// A store that asks `clock` what time it is.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_store::cookie::{CookieStore, CookieStoreConfig, Learned};
    /// use sinew_store::{ManualClock, Sessions};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// let clock = Arc::new(ManualClock::new());
    /// let mut config = CookieStoreConfig::default();
    /// config.expire_after = Duration::from_secs(60);
    /// let store = CookieStore::with_clock(config, clock.clone());
    /// let session = Sessions::new(Arc::new(store.clone())).create();
    /// session.ensure();
    /// session.commit().await?;
    /// let cookie = store.handed_out(session.id()).unwrap();
    /// clock.advance(Duration::from_secs(61));
    /// assert_eq!(store.learn(cookie), Learned::Over);
    /// # Ok(()) }
    /// ```
    pub fn with_clock(config: CookieStoreConfig, clock: impl Clock) -> CookieStore {
        CookieStore(Arc::new(Inner {
            tables: Tables::new(config.remembered_max),
            config,
            clock: Box::new(clock),
            merged: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
        }))
    }

    /// The configuration.
    ///
    /// ```
    /// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
    ///
    /// let store = CookieStore::new(CookieStoreConfig::default());
    /// assert_eq!(store.config().compress_over, 512);
    /// ```
    pub fn config(&self) -> &CookieStoreConfig {
        &self.0.config
    }

    /// What it has met so far.
    ///
    /// ```
    /// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
    ///
    /// assert_eq!(CookieStore::new(CookieStoreConfig::default()).statistics().known, 0);
    /// ```
    pub fn statistics(&self) -> CookieStoreStatistics {
        CookieStoreStatistics {
            known: self.0.tables.len() as u64,
            merged: self.0.merged.load(Ordering::Relaxed),
            conflicts: self.0.conflicts.load(Ordering::Relaxed),
        }
    }

    /// Takes over what the browser holds: from the cookie of a request, or from a process that has set one.
    pub fn learn(&self, state: CookieState) -> Learned {
        self.changed(state.id, |entry, now| self.learn_into(entry, state, now))
    }

    /// The newest version that is known of a session; nothing when it is not known, or has ended.
    pub fn state(&self, id: SessionId) -> Option<CookieState> {
        let now = self.0.clock.now();
        let key = id.store_key();
        self.0.tables.lock(&key).get(&key)?.state(id, now)
    }

    /// The newest version that is known of a session, for a cookie that is set now: from here on it counts as what the
    /// browser holds.
    pub fn handed_out(&self, id: SessionId) -> Option<CookieState> {
        self.changed(id, |entry, now| {
            let state = entry.state(id, now)?;
            entry.set_base(&state);
            Some(state)
        })
    }

    /// Keeps a session in mind until the hold is dropped.
    pub fn hold(&self, id: SessionId) -> Hold {
        self.add_holder(id);
        Hold::new(self.clone(), id)
    }

    /// A ticket for the browser, when there is a version that it does not hold and that is not on its way.
    ///
    /// A session that no cookie has ever held has none: it belongs to a connection alone.
    pub fn offer(&self, id: SessionId) -> Option<Offer> {
        let key = id.store_key();
        let (ticket, is_again, redemption) = self.changed(id, |entry, now| {
            if !entry.is_pending() {
                return None;
            }
            let state = entry.state(id, now)?;
            let base = entry.base.as_ref()?;
            if entry.offers.iter().any(|it| it.version == state.version) {
                return None;
            }
            let ticket = Ticket {
                from: base.id,
                base: base.version,
                changed: changes(&base.fields, &state.fields),
                state,
            };
            let version = ticket.state.version;
            let redemption = Arc::new(Redemption::new(version));
            entry.offers.push(Arc::clone(&redemption));
            Some((ticket, entry.lost == Some(version), redemption))
        })?;
        Some(Offer::new(self.clone(), key, ticket, is_again, redemption))
    }

    /// Says what becomes of the cookie of a request that presents a ticket. What is to be set counts as
    /// [handed out](Self::handed_out).
    pub fn redeem(&self, ticket: Ticket, cookie: CookieState) -> Redeemed {
        let has_it = cookie.descends_from(ticket.state.version);
        if cookie.id != ticket.from {
            // Its id was changed by this very ticket.
            let is_replayed = cookie.id == ticket.state.id && has_it;
            return if is_replayed {
                Redeemed::Replayed
            } else {
                Redeemed::Foreign
            };
        }
        let learned = self.learn(cookie.clone());
        if learned == Learned::Over && !self.awaits_renewal(&ticket) {
            return Redeemed::Over;
        }
        if has_it {
            return Redeemed::Replayed;
        }
        // The base may be further back than a version remembers, when many tickets were lost.
        let is_base = cookie.version == ticket.base;
        let is_merged = !is_base && !ticket.state.descends_from(cookie.version);
        let from = ticket.from;
        let state = if is_merged {
            match self.merged(&ticket, &cookie) {
                Ok(state) => state,
                Err(refused) => return refused,
            }
        } else {
            ticket.state
        };
        let id = state.id;
        if id == from {
            self.learn(state.clone());
        } else {
            self.renewed(from, state.clone());
        }
        // This process may know more, and what was set a moment ago must not be set back.
        let newest = self.handed_out(id);
        let state = newest.filter(|newest| newest.descends_from(state.version));
        match state {
            Some(state) if is_merged => Redeemed::Merged(state),
            Some(state) => Redeemed::Applied(state),
            None => Redeemed::Over,
        }
    }

    /// A session got another id and, with it, this version, elsewhere: the old one is dead from now on.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{SessionId, Sessions, cookie::{CookieStore, CookieStoreConfig, Learned}};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let (here, elsewhere) = (CookieStore::new(CookieStoreConfig::default()), CookieStore::new(CookieStoreConfig::default()));
    /// # let session = Sessions::new(Arc::new(elsewhere.clone())).create();
    /// session.set("user", "ada").await?;
    /// session.commit().await?;
    /// let before = elsewhere.handed_out(session.id()).unwrap();
    /// session.renew_id();
    /// session.commit().await?;
    ///
    /// here.renewed(before.id(), elsewhere.state(session.id()).unwrap());
    /// assert_eq!(here.state(session.id()), elsewhere.state(session.id()));
    /// assert_eq!(here.learn(before), Learned::Over);
    /// # Ok(()) }
    /// ```
    pub fn renewed(&self, from: SessionId, state: CookieState) {
        if from != state.id {
            self.end(from);
        }
        self.learn(state);
    }

    /// A session has ended elsewhere: its cookie is worth nothing here from now on.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_store::{Sessions, cookie::{CookieStore, CookieStoreConfig, Learned}};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// # let store = CookieStore::new(CookieStoreConfig::default());
    /// # let session = Sessions::new(Arc::new(store.clone())).create();
    /// # session.ensure();
    /// # session.commit().await?;
    /// let cookie = store.handed_out(session.id()).unwrap();
    /// store.end(cookie.id());
    /// assert_eq!(store.learn(cookie), Learned::Over);
    /// # Ok(()) }
    /// ```
    pub fn end(&self, id: SessionId) {
        self.changed(id, |entry, now| {
            entry.newest = Some(Content {
                version: Version::new(0),
                lineage: Lineage::default(),
                fields: BTreeMap::from([(ENDED.to_owned(), Bytes::from_static(b"true"))]),
                issued: now,
                expires_at: now.checked_add(ENDED_REMEMBERED),
            });
            entry.base = None;
            entry.release();
        });
    }
}

impl CookieStore {
    /// Runs `change` on what is known of a session.
    fn changed<R>(&self, id: SessionId, change: impl FnOnce(&mut Entry, SystemTime) -> R) -> R {
        let key = id.store_key();
        let now = self.0.clock.now();
        let mut table = self.0.tables.lock(&key);
        table.sweep(now);
        let mut entry = table.take(&key);
        let result = change(&mut entry, now);
        table.put(&key, entry, &self.0.config, now);
        result
    }

    fn learn_into(&self, entry: &mut Entry, state: CookieState, now: SystemTime) -> Learned {
        let fresh = Content::of(&state, self.0.config.expire_after);
        if fresh.expires_at.is_none_or(|at| at <= now) {
            return Learned::Over;
        }
        let Some(known) = entry.live(now) else {
            entry.newest = Some(fresh);
            entry.set_base(&state);
            return Learned::Newer;
        };
        if known.is_ended() {
            return Learned::Over;
        }
        let base = entry.base.as_ref();
        if known.version == state.version && fresh.issued > known.issued {
            // Somebody else has renewed its life.
            entry.newest = Some(fresh);
            entry.set_base(&state);
            return Learned::Known;
        }
        let is_base = base.is_some_and(|base| base.version == state.version);
        if is_base || known.descends_from(state.version) {
            // An older one may be a request that was sent before the last answer came.
            if base.is_none_or(|base| state.descends_from(base.version)) {
                entry.set_base(&state);
            }
            return Learned::Known;
        }
        if state.descends_from(known.version) {
            entry.newest = Some(fresh);
            entry.set_base(&state);
            return Learned::Newer;
        }
        let is_sibling = base.is_some_and(|base| state.descends_from(base.version));
        // What another program has written has no order but that in which it reaches the browser.
        let is_older = !state.is_foreign && state.version.number <= known.version.number;
        if !is_sibling && is_older {
            return Learned::Known;
        }
        let merged = base.and_then(|base| self.rebased(known, base, &state));
        let learned = if merged.is_some() {
            Learned::Merged
        } else {
            Learned::Newer
        };
        entry.newest = Some(merged.unwrap_or(fresh));
        entry.set_base(&state);
        learned
    }

    /// Makes the changes that the browser has not got to what it has got instead; nothing when none is left.
    fn rebased(&self, known: &Content, base: &Base, state: &CookieState) -> Option<Content> {
        let changed = changes(&base.fields, &known.fields);
        let merged = merge(&state.fields, &changed, &known.fields);
        self.count_conflicts(merged.conflicts);
        if merged.fields == state.fields || !self.fits(&merged.fields) {
            return None;
        }
        self.0.merged.fetch_add(1, Ordering::Relaxed);
        let number = known.version.number.max(state.version.number) + 1;
        Some(Content {
            version: Version::new(number),
            lineage: Lineage::joined(
                (known.version, &known.lineage),
                (state.version, &state.lineage),
            ),
            fields: merged.fields,
            issued: known.issued.max(state.issued_at()),
            expires_at: known.expires_at,
        })
    }

    /// Merges a ticket with a cookie that somebody else has written.
    fn merged(&self, ticket: &Ticket, cookie: &CookieState) -> Result<CookieState, Redeemed> {
        if !cookie.descends_from(ticket.base) {
            return Err(Redeemed::Unknown);
        }
        let merged = merge(&cookie.fields, &ticket.changed, &ticket.state.fields);
        if !self.fits(&merged.fields) {
            return Err(Redeemed::TooLarge);
        }
        self.count_conflicts(merged.conflicts);
        self.0.merged.fetch_add(1, Ordering::Relaxed);
        let state = &ticket.state;
        Ok(CookieState {
            id: state.id,
            version: Version::new(state.version.number.max(cookie.version.number) + 1),
            lineage: Lineage::joined(
                (state.version, &state.lineage),
                (cookie.version, &cookie.lineage),
            ),
            issued: state.issued.max(cookie.issued),
            fields: merged.fields,
            is_foreign: false,
        })
    }

    /// Whether it is for the new id of this ticket that the session of its cookie has ended here, and the browser is
    /// still to get it.
    fn awaits_renewal(&self, ticket: &Ticket) -> bool {
        let (from, id) = (ticket.from, ticket.state.id);
        let key = id.store_key();
        let table = self.0.tables.lock(&key);
        let base = table.get(&key).and_then(|entry| entry.base.as_ref());
        from != id && base.is_some_and(|base| base.id == from)
    }

    fn fits(&self, fields: &BTreeMap<String, Bytes>) -> bool {
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value));
        self.0.bytes_of(fields) <= self.0.config.packed_bytes_max
    }

    fn count_conflicts(&self, conflicts: usize) {
        if conflicts > 0 {
            let count = conflicts as u64;
            self.0.conflicts.fetch_add(count, Ordering::Relaxed);
            tracing::debug!(conflicts, "two have written the same field of a session");
        }
    }

    pub(super) fn add_holder(&self, id: SessionId) {
        self.changed(id, |entry, _| entry.holders += 1);
    }

    pub(super) fn remove_holder(&self, id: SessionId) {
        self.changed(id, |entry, _| {
            entry.holders = entry.holders.saturating_sub(1);
        });
    }

    /// A ticket was given up.
    pub(super) fn lost(&self, key: &Key, redemption: &Arc<Redemption>) {
        let now = self.0.clock.now();
        let mut table = self.0.tables.lock(key);
        let mut entry = table.take(key);
        entry.offers.retain(|it| !Arc::ptr_eq(it, redemption));
        entry.lost = Some(redemption.version);
        table.put(key, entry, &self.0.config, now);
    }

    fn apply(&self, key: &Key, commit: &Commit) -> Committed {
        let now = self.0.clock.now();
        let target = commit.move_to.as_ref().unwrap_or(key);
        let (mut table, mut another) = self.0.tables.lock_both(key, target);
        table.sweep(now);
        let current = table.get(key).and_then(|entry| entry.record(now));
        let is_new = current.is_none();
        let fields = match commit.apply_to(current) {
            Ok(fields) => fields,
            Err(refused) => return refused,
        };
        if !commit.set.is_empty() && !self.fits(&fields) {
            return Committed::TooLarge;
        }
        let mut entry = table.take(key);
        if is_new {
            entry.newest = None;
        }
        let written = self.written(&entry, fields, commit, now);
        match target != key {
            true => {
                let moved = Entry {
                    newest: Some(written),
                    base: entry.base.take(),
                    ..Entry::default()
                };
                entry.release();
                // Those who hold the old one are told by others; whoever may follow does so by itself.
                entry.newest = None;
                table.put(key, entry, &self.0.config, now);
                let table = another.as_mut().unwrap_or(&mut table);
                table.take(target).release();
                table.put(target, moved, &self.0.config, now);
            }
            false => {
                if written.is_ended() {
                    entry.release();
                }
                entry.newest = Some(written);
                table.put(key, entry, &self.0.config, now);
            }
        }
        Committed::Applied
    }

    /// The version that a commit makes. One that only renews the session's life makes none.
    fn written(
        &self,
        entry: &Entry,
        fields: BTreeMap<String, Bytes>,
        commit: &Commit,
        now: SystemTime,
    ) -> Content {
        let known = entry.newest.as_ref();
        let is_same = commit.move_to.is_none() && known.is_some_and(|it| it.fields == fields);
        let (version, lineage) = match known {
            Some(known) if is_same => (known.version, known.lineage.clone()),
            Some(known) => (
                Version::new(known.version.number + 1),
                Lineage::after(known.version, &known.lineage),
            ),
            None => (Version::new(1), Lineage::default()),
        };
        let (issued, expires_at) = match commit.time_to_live {
            Some(life) => (now, now.checked_add(life)),
            None => (
                known.map_or(now, |known| known.issued),
                known.and_then(|known| known.expires_at),
            ),
        };
        Content {
            version,
            lineage,
            fields,
            issued,
            expires_at,
        }
    }
}

impl Store for CookieStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let now = self.0.clock.now();
        let table = self.0.tables.lock(key);
        let record = table.get(key).and_then(|entry| entry.record(now));
        Box::pin(ready(Ok(record)))
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move { Ok(self.apply(key, &commit)) })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let now = self.0.clock.now();
            let mut table = self.0.tables.lock(key);
            let mut entry = table.take(key);
            let lived = entry.live(now).is_some();
            entry.newest = None;
            entry.release();
            table.put(key, entry, &self.0.config, now);
            Ok(lived)
        })
    }

    fn room(&self) -> Option<&dyn Room> {
        Some(&*self.0)
    }
}

impl Inner {
    fn bytes_of<'a>(&self, fields: impl Iterator<Item = (&'a str, &'a Bytes)>) -> usize {
        match self.config.is_shared {
            true => shared_bytes(fields),
            false => packed_bytes(fields, self.config.compress_over),
        }
    }
}

impl Room for Inner {
    fn bytes(&self, fields: &BTreeMap<&str, &Bytes>) -> usize {
        self.bytes_of(fields.iter().map(|(name, value)| (*name, *value)))
    }

    fn bytes_max(&self) -> usize {
        self.config.packed_bytes_max
    }
}

impl fmt::Debug for CookieStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CookieStore")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
