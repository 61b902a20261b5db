//! The sessions that this process knows at the moment.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::fast::RandomState;

use super::config::CookieStoreConfig;
use super::offer::Redemption;
use super::state::{CookieState, Fields};
use super::version::{Lineage, Version};
use crate::record::{Key, Record};
use crate::session::{ENDED, SessionId};

/// How many of the sessions whose time is over are forgotten at once: whoever comes pays for few.
const FORGOTTEN_AT_ONCE_MAX: usize = 4;

/// How long one is remembered that never expires: a century.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The sessions of one part, of which there are several: see [`Tables`](super::tables::Tables).
pub(super) struct Table {
    entries: HashMap<Key, Entry, RandomState>,
    /// How many that nobody holds there may be.
    remembered_max: usize,
    /// Those that nobody holds, by the time at which they are forgotten.
    idle: BTreeSet<(SystemTime, Key)>,
}

/// What is known of one session.
#[derive(Default)]
pub(super) struct Entry {
    /// Its newest version; nothing when there is none any more, and somebody still holds it.
    pub(super) newest: Option<Content>,
    /// The newest version that the browser is known to hold.
    pub(super) base: Option<Base>,
    pub(super) holders: usize,
    /// Tickets that are on their way.
    pub(super) offers: Vec<Arc<Redemption>>,
    /// The version whose ticket was not redeemed in time.
    pub(super) lost: Option<Version>,
    pub(super) idle_until: Option<SystemTime>,
}

/// One version, as it is kept here.
pub(super) struct Content {
    pub(super) version: Version,
    pub(super) lineage: Lineage,
    pub(super) fields: Fields,
    pub(super) issued: SystemTime,
    pub(super) expires_at: Option<SystemTime>,
}

/// What the browser holds.
pub(super) struct Base {
    pub(super) id: SessionId,
    pub(super) version: Version,
    pub(super) lineage: Lineage,
    pub(super) fields: Fields,
}

impl Base {
    fn descends_from(&self, version: Version) -> bool {
        self.version == version || self.lineage.contains(version)
    }
}

impl Content {
    pub(super) fn of(state: &CookieState, expire_after: Duration) -> Content {
        Content {
            version: state.version,
            lineage: state.lineage.clone(),
            fields: state.fields.clone(),
            issued: state.issued_at(),
            expires_at: state.issued_at().checked_add(expire_after),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.fields.contains_key(ENDED)
    }

    pub(super) fn descends_from(&self, version: Version) -> bool {
        self.version == version || self.lineage.contains(version)
    }
}

impl Entry {
    /// The version there is at this time.
    pub(super) fn live(&self, now: SystemTime) -> Option<&Content> {
        let newest = self.newest.as_ref();
        newest.filter(|content| content.expires_at.is_none_or(|at| at > now))
    }

    pub(super) fn record(&self, now: SystemTime) -> Option<Record> {
        let content = self.live(now)?;
        let left = content.expires_at.map(|at| at.duration_since(now));
        let left = left.map(Result::unwrap_or_default);
        Some(Record::new(content.fields.clone(), left))
    }

    /// Its newest version as a cookie holds it; nothing for a session that has ended.
    pub(super) fn state(&self, id: SessionId, now: SystemTime) -> Option<CookieState> {
        let content = self.live(now).filter(|content| !content.is_ended())?;
        let issued = content.issued.duration_since(SystemTime::UNIX_EPOCH);
        Some(CookieState {
            id,
            version: content.version,
            lineage: content.lineage.clone(),
            issued: issued.unwrap_or_default().as_secs(),
            fields: content.fields.clone(),
            is_foreign: false,
        })
    }

    /// Takes down what the browser holds now, and tells those who wait for it.
    pub(super) fn set_base(&mut self, state: &CookieState) {
        self.base = Some(Base {
            id: state.id,
            version: state.version,
            lineage: state.lineage.clone(),
            fields: state.fields.clone(),
        });
        if let Some(base) = &self.base {
            self.offers.retain(|offer| {
                let is_done = base.descends_from(offer.version);
                if is_done {
                    offer.complete();
                }
                !is_done
            });
        }
    }

    /// Whether the browser does not hold the newest version, and can be brought to.
    pub(super) fn is_pending(&self) -> bool {
        match (&self.newest, &self.base) {
            (Some(newest), Some(base)) => !newest.is_ended() && newest.version != base.version,
            _ => false,
        }
    }

    /// Nobody needs to wait any more.
    pub(super) fn release(&mut self) {
        for offer in self.offers.drain(..) {
            offer.complete();
        }
    }
}

impl Table {
    pub(super) fn new(remembered_max: usize) -> Table {
        Table {
            entries: HashMap::default(),
            remembered_max,
            idle: BTreeSet::new(),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes an entry out, to put it [back](Self::put) changed; a new one when there is none.
    pub(super) fn take(&mut self, key: &Key) -> Entry {
        let Some(mut entry) = self.entries.remove(key) else {
            return Entry::default();
        };
        if let Some(until) = entry.idle_until.take() {
            self.idle.remove(&(until, key.clone()));
        }
        entry
    }

    pub(super) fn put(
        &mut self,
        key: &Key,
        mut entry: Entry,
        config: &CookieStoreConfig,
        now: SystemTime,
    ) {
        if entry.holders == 0 {
            let Some(newest) = &entry.newest else {
                entry.release();
                return;
            };
            let keep = match () {
                () if newest.is_ended() => Duration::MAX,
                () if entry.is_pending() => config.pending_for,
                () => config.remembered_for,
            };
            let until = [now.checked_add(keep), newest.expires_at];
            let until = until.into_iter().flatten().min();
            let until = until.unwrap_or_else(|| now + FOREVER);
            entry.idle_until = Some(until);
            self.idle.insert((until, key.clone()));
        }
        self.entries.insert(key.clone(), entry);
        while self.idle.len() > self.remembered_max {
            // Never the one that somebody is about to ask for.
            let first = self.idle.iter().find(|(_, other)| other != key).cloned();
            let Some(first) = first else { return };
            self.idle.remove(&first);
            self.forget(&first.1);
        }
    }

    /// Forgets some of those whose time is over.
    pub(super) fn sweep(&mut self, now: SystemTime) {
        for _ in 0..FORGOTTEN_AT_ONCE_MAX {
            match self.idle.first() {
                Some((until, _)) if *until <= now => self.forget_first(),
                _ => return,
            }
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.idle.pop_first() {
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(mut entry) = self.entries.remove(key) {
            entry.release();
        }
    }
}
