//! The store that forgets when the process ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::ready;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::clock::{Clock, SystemClock};
use crate::error::{StoreError, StoreErrorKind};
use crate::record::{Commit, Committed, Key, Record};
use crate::store::{BoxFuture, Store};

/// How many records a [`MemoryStore`] holds unless it is told otherwise: a million. One more is
/// refused with [`StoreErrorKind::Full`].
pub const MEMORY_RECORDS_MAX: usize = 1_000_000;

/// Expired records removed by one commit, at most. Two, so that the dead are removed faster
/// than new ones can be written and no single commit pays for all of them.
const SWEPT_PER_COMMIT_MAX: usize = 2;

/// Records in the memory of this process: for tests, and for development without a disk.
///
/// Nothing survives a restart and nothing is shared with another process. An expired record is
/// missing at once; its memory is given back by later commits, two records each. When
/// [`MEMORY_RECORDS_MAX`] (or the bound given) records are held, creating another is refused
/// with [`StoreErrorKind::Full`]; nothing that lives is ever evicted.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sinew_store::{Commit, Key, ManualClock, MemoryStore, Store, StoreErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
/// let clock = Arc::new(ManualClock::new());
/// let store = MemoryStore::with_clock(clock.clone()).records_max(1);
/// let mut commit = Commit::new();
/// commit.create = true;
/// commit.time_to_live = Some(Duration::from_secs(60));
/// store.commit(&Key::new("first"), commit.clone()).await?;
/// assert_eq!(store.len(), 1);
///
/// let refused = store.commit(&Key::new("second"), commit.clone()).await.unwrap_err();
/// assert_eq!(refused.kind(), StoreErrorKind::Full);
///
/// // A minute later the first is missing, and gives its room back.
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(store.load(&Key::new("first")).await?, None);
/// store.commit(&Key::new("second"), commit).await?;
/// assert_eq!(store.len(), 1);
/// # Ok(()) }
/// ```
pub struct MemoryStore {
    records: Mutex<Records>,
    records_max: usize,
    clock: Box<dyn Clock>,
}

#[derive(Default)]
struct Records {
    by_key: HashMap<Key, Stored, RandomState>,
    by_expiry: BTreeSet<(SystemTime, Key)>,
}

struct Stored {
    fields: BTreeMap<String, Bytes>,
    expires_at: Option<SystemTime>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::with_clock(SystemClock)
    }

    /// An empty store that takes the time from `clock`.
    pub fn with_clock(clock: impl Clock) -> MemoryStore {
        MemoryStore {
            records: Mutex::default(),
            records_max: MEMORY_RECORDS_MAX,
            clock: Box::new(clock),
        }
    }

    /// The same store with another bound on its records.
    pub fn records_max(mut self, records_max: usize) -> MemoryStore {
        self.records_max = records_max;
        self
    }

    /// How many records are held, those included that have expired and were not swept yet.
    pub fn len(&self) -> usize {
        self.records.lock().by_key.len()
    }

    /// Whether nothing is held.
    ///
    /// ```
    /// assert!(sinew_store::MemoryStore::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryStore")
            .field("records", &self.len())
            .field("records_max", &self.records_max)
            .finish_non_exhaustive()
    }
}

impl Records {
    fn get(&self, key: &Key, now: SystemTime) -> Option<Record> {
        let stored = self.by_key.get(key)?;
        let expires_in = match stored.expires_at {
            Some(at) if at <= now => return None,
            Some(at) => Some(at.duration_since(now).unwrap_or(Duration::ZERO)),
            None => None,
        };
        Some(Record::new(stored.fields.clone(), expires_in))
    }

    fn insert(&mut self, key: Key, stored: Stored) {
        if let Some(at) = stored.expires_at {
            self.by_expiry.insert((at, key.clone()));
        }
        self.by_key.insert(key, stored);
    }

    fn remove(&mut self, key: &Key) -> Option<Stored> {
        let (key, stored) = self.by_key.remove_entry(key)?;
        if let Some(at) = stored.expires_at {
            self.by_expiry.remove(&(at, key));
        }
        Some(stored)
    }

    fn sweep(&mut self, now: SystemTime) {
        for _ in 0..SWEPT_PER_COMMIT_MAX {
            match self.by_expiry.first() {
                Some((at, _)) if *at <= now => {
                    if let Some((_, key)) = self.by_expiry.pop_first() {
                        self.by_key.remove(&key);
                    }
                }
                _ => return,
            }
        }
    }
}

impl MemoryStore {
    fn apply(&self, key: &Key, commit: &Commit) -> Result<Committed, StoreError> {
        let now = self.clock.now();
        let mut records = self.records.lock();
        records.sweep(now);
        let current = records.get(key, now);
        let is_new = current.is_none();
        let kept = current.as_ref().and_then(|record| record.expires_in);
        let fields = match commit.apply_to(current) {
            Ok(fields) => fields,
            Err(refused) => return Ok(refused),
        };
        // An expired record that was not swept yet is replaced, which takes no more room.
        if is_new && !records.by_key.contains_key(key) && records.by_key.len() >= self.records_max {
            return Err(StoreErrorKind::Full.into());
        }
        let expires_at = commit.time_to_live.or(kept).map(|life| now + life);
        records.remove(key);
        let target = commit.move_to.as_ref().unwrap_or(key);
        records.remove(target);
        records.insert(target.clone(), Stored { fields, expires_at });
        Ok(Committed::Applied)
    }
}

impl Store for MemoryStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let now = self.clock.now();
        let record = self.records.lock().get(key, now);
        Box::pin(ready(Ok(record)))
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move { self.apply(key, &commit) })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut records = self.records.lock();
            let lived = records.get(key, now).is_some();
            records.remove(key);
            Ok(lived)
        })
    }
}
