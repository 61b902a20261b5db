//! Memory in front of a store that is shared.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::config::FRONT_EXPIRES_IN;
use super::memory::MemoryCache;
use super::store::{CacheEntry, CacheStore};
use crate::error::StoreError;
use crate::record::Key;
use crate::store::BoxFuture;

/// How many numbers stand for the changes of all keys. More cost memory, fewer let a change of
/// one key keep another out of the memory for the moment.
const STRIPES: usize = 256;

/// The memory of this process in front of a store that is shared with others.
///
/// A value that was read is found in memory for [`FRONT_EXPIRES_IN`] (or the time given), and for
/// no longer: that is how long this process may still be shown what another one has replaced,
/// deleted or counted. What this process changes it sees at once. Changes go to the store
/// behind; while that fails they fail, and what is in memory is read until its time is over.
///
/// A value whose life ends in the store behind may likewise be read for that time longer.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache, TieredCache};
/// use sinew_store::{Key, ManualClock};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
/// let clock = Arc::new(ManualClock::new());
/// // In an application it is Redis or PostgreSQL.
/// let shared = Arc::new(MemoryCache::new());
/// let [here, there] = [(); 2].map(|()| {
///     let front = MemoryCache::with_clock(clock.clone());
///     TieredCache::new(shared.clone()).front(front, Duration::from_secs(2))
/// });
/// let key = [Key::new("menu")];
/// here.write(vec![CacheEntry::new(key[0].clone(), "tea")]).await?;
/// assert_eq!(there.read(&key).await?, [Some("tea".into())]);
///
/// // Seen at once here, and two seconds later there.
/// here.delete(&key).await?;
/// assert_eq!(here.read(&key).await?, [None]);
/// assert_eq!(there.read(&key).await?, [Some("tea".into())]);
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(there.read(&key).await?, [None]);
/// # Ok(()) }
/// ```
pub struct TieredCache {
    front: MemoryCache,
    front_expires_in: Duration,
    back: Arc<dyn CacheStore>,
    changes: Changes,
}

/// How often a key was changed by this process, of many keys together.
struct Changes {
    stripes: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

impl TieredCache {
    /// Memory with its usual bound in front of this store.
    pub fn new(back: Arc<dyn CacheStore>) -> TieredCache {
        TieredCache {
            front: MemoryCache::new(),
            front_expires_in: FRONT_EXPIRES_IN,
            back,
            changes: Changes {
                stripes: std::iter::repeat_with(Mutex::default)
                    .take(STRIPES)
                    .collect(),
                hasher: RandomState::default(),
            },
        }
    }

    /// The same with this memory, which keeps what it was given for so long.
    pub fn front(mut self, front: MemoryCache, expires_in: Duration) -> TieredCache {
        self.front = front;
        self.front_expires_in = expires_in;
        self
    }

    /// Forgets a key in memory, and does it again when the change of the store is done or was
    /// given up: whoever reads meanwhile may have found either.
    fn change<'a>(&'a self, keys: impl Iterator<Item = &'a Key>) -> Changed<'a> {
        let changed = Changed {
            tiers: self,
            keys: keys.collect(),
        };
        changed.forget();
        changed
    }

    /// Keeps in memory what was read, unless it was changed in the meantime.
    fn keep(&self, key: &Key, value: &Bytes, seen: u64) {
        let changes = self.changes.stripe(key).lock();
        if *changes == seen {
            let mut entry = CacheEntry::new(key.clone(), value.clone());
            entry.time_to_live = Some(self.front_expires_in);
            self.front.write_one(entry);
        }
    }

    async fn read_back(
        &self,
        keys: &[Key],
        values: &mut [Option<Bytes>],
    ) -> Result<(), StoreError> {
        let missing = |at: &usize| values[*at].is_none();
        let missing: Vec<usize> = (0..keys.len()).filter(missing).collect();
        let asked: Vec<Key> = missing.iter().map(|at| keys[*at].clone()).collect();
        let seen: Vec<u64> = asked.iter().map(|key| self.changes.of(key)).collect();
        let found = self.back.read(&asked).await?;
        for (index, value) in found.into_iter().enumerate() {
            if let Some(value) = &value {
                self.keep(&asked[index], value, seen[index]);
            }
            values[missing[index]] = value;
        }
        Ok(())
    }
}

impl Changes {
    fn stripe(&self, key: &Key) -> &Mutex<u64> {
        let hash = self.hasher.hash_one(key.as_str());
        &self.stripes[hash as usize % STRIPES]
    }

    fn of(&self, key: &Key) -> u64 {
        *self.stripe(key).lock()
    }
}

struct Changed<'a> {
    tiers: &'a TieredCache,
    keys: Vec<&'a Key>,
}

impl Changed<'_> {
    fn forget(&self) {
        for key in &self.keys {
            *self.tiers.changes.stripe(key).lock() += 1;
            self.tiers.front.delete_one(key);
        }
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

/// As [`Changed`], of keys that are not known.
struct ChangedMatching<'a> {
    tiers: &'a TieredCache,
    prefix: &'a str,
    pattern: &'a str,
}

impl ChangedMatching<'_> {
    fn forget(&self) {
        for stripe in &self.tiers.changes.stripes {
            *stripe.lock() += 1;
        }
        self.tiers.front.delete_matching(self.prefix, self.pattern);
    }
}

impl Drop for ChangedMatching<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl fmt::Debug for TieredCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TieredCache")
            .field("front", &self.front)
            .field("front_expires_in", &self.front_expires_in)
            .finish_non_exhaustive()
    }
}

impl CacheStore for TieredCache {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(async move {
            let mut values = self.front.read_all(keys);
            if values.iter().any(Option::is_none) {
                self.read_back(keys, &mut values).await?;
            }
            Ok(values)
        })
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async move {
            let keys: Vec<Key> = entries.iter().map(|entry| entry.key.clone()).collect();
            let changed = self.change(keys.iter());
            let written = self.back.write(entries).await;
            drop(changed);
            written
        })
    }

    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let changed = self.change(keys.iter());
            let deleted = self.back.delete(keys).await;
            drop(changed);
            deleted
        })
    }

    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        Box::pin(async move {
            let changed = self.change(std::iter::once(key));
            let sum = self.back.increment(key, by, time_to_live).await;
            drop(changed);
            sum
        })
    }

    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let changed = ChangedMatching {
                tiers: self,
                prefix,
                pattern,
            };
            changed.forget();
            let deleted = self.back.delete_matched(prefix, pattern).await;
            drop(changed);
            deleted
        })
    }
}
