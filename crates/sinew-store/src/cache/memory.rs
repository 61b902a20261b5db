//! The cache in the memory of this process.

use std::fmt;
use std::hash::BuildHasher;
use std::time::Duration;

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::config::{MEMORY_CACHE_BYTES_MAX, SHARD_BYTES_MIN, SHARDS_MAX};
use super::glob::Glob;
use super::recency::Shard;
use super::store::{CacheEntry, CacheStore};
use crate::clock::{Clock, SystemClock};
use crate::error::{StoreError, StoreErrorKind};
use crate::record::Key;
use crate::store::BoxFuture;

/// Values in the memory of this process.
///
/// Nothing survives a restart and nothing is shared with another process. It holds at most
/// [`MEMORY_CACHE_BYTES_MAX`] (or the bound given), counting keys, values and what the entries
/// themselves need; when one more does not fit, expired values go first and then those that
/// were read or written least recently. A value that is larger than a whole part is not kept:
/// [`write`](CacheStore::write) answers `false`.
///
/// A cache of 8 MiB and more is divided into parts (up to 16, none below 4 MiB) with a lock and
/// an order of their own, so "least recently" is then meant among the entries of one part.
///
/// ```
/// use sinew_store::Key;
/// use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
/// let store = MemoryCache::new().bytes_max(1_000);
/// assert!(store.is_empty());
/// let [old, used, new] = ["old", "used", "new"].map(Key::new);
/// let value = |key: &Key| CacheEntry::new(key.clone(), vec![0; 200]);
/// store.write(vec![value(&old), value(&used)]).await?;
/// store.read(&[used.clone()]).await?;
///
/// // Room for the third is made by forgetting what was not used for longest.
/// store.write(vec![value(&new)]).await?;
/// let found = store.read(&[old, used, new]).await?;
/// assert!(found[0].is_none() && found[1].is_some() && found[2].is_some());
/// assert!(store.bytes() <= 1_000);
/// # Ok(()) }
/// ```
pub struct MemoryCache {
    shards: Box<[Mutex<Shard>]>,
    bytes_max: usize,
    hasher: RandomState,
    clock: Box<dyn Clock>,
}

impl MemoryCache {
    /// An empty cache.
    pub fn new() -> MemoryCache {
        MemoryCache::with_clock(SystemClock)
    }

    /// An empty cache that takes the time from `clock`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache};
    /// use sinew_store::{Key, ManualClock};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
    /// let clock = Arc::new(ManualClock::new());
    /// let store = MemoryCache::with_clock(clock.clone());
    /// let mut entry = CacheEntry::new(Key::new("short"), "value");
    /// entry.time_to_live = Some(Duration::from_secs(60));
    /// store.write(vec![entry]).await?;
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(store.read(&[Key::new("short")]).await?, [None]);
    /// # Ok(()) }
    /// ```
    pub fn with_clock(clock: impl Clock) -> MemoryCache {
        MemoryCache {
            shards: shards(MEMORY_CACHE_BYTES_MAX),
            bytes_max: MEMORY_CACHE_BYTES_MAX,
            hasher: RandomState::default(),
            clock: Box::new(clock),
        }
    }

    /// An empty cache with another bound on its bytes.
    pub fn bytes_max(mut self, bytes_max: usize) -> MemoryCache {
        self.shards = shards(bytes_max);
        self.bytes_max = bytes_max;
        self
    }

    /// How many values are held, those included that have expired and were not swept yet.
    ///
    /// ```
    /// use sinew_store::Key;
    /// use sinew_store::cache::{CacheStore, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
    /// let store = MemoryCache::new();
    /// assert!(store.is_empty());
    /// store.increment(&Key::new("visits"), 1, None).await?;
    /// assert_eq!(store.len(), 1);
    /// assert!(store.bytes() > "visits".len() + "1".len());
    /// # Ok(()) }
    /// ```
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are held: what the bound is compared with.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().bytes()).sum()
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        let hash = self.hasher.hash_one(key.as_str());
        // The table inside of the part looks at the low bits.
        &self.shards[(hash >> 48) as usize % self.shards.len()]
    }

    pub(crate) fn write_one(&self, entry: CacheEntry) -> bool {
        let now = self.clock.now();
        let mut shard = self.shard(&entry.key).lock();
        shard.sweep(now);
        if entry.only_if_absent && shard.get(&entry.key, now).is_some() {
            return false;
        }
        let expires_at = expiry(now, entry.time_to_live);
        shard.insert(entry.key, entry.value, expires_at, now)
    }

    pub(crate) fn read_all(&self, keys: &[Key]) -> Vec<Option<Bytes>> {
        let now = self.clock.now();
        let value = |key| {
            let found = self.shard(key).lock().get(key, now);
            found.map(|(value, _)| value)
        };
        keys.iter().map(value).collect()
    }

    pub(crate) fn delete_one(&self, key: &Key) -> bool {
        let now = self.clock.now();
        self.shard(key).lock().remove(key, now)
    }

    pub(crate) fn delete_matching(&self, prefix: &str, pattern: &str) -> u64 {
        let glob = Glob::new(pattern);
        let matches = |key: &Key| {
            let rest = key.as_str().strip_prefix(prefix);
            rest.is_some_and(|rest| glob.matches(rest))
        };
        let now = self.clock.now();
        let shards = self.shards.iter();
        shards
            .map(|shard| shard.lock().remove_where(now, matches))
            .sum()
    }

    fn increment_one(
        &self,
        key: &Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> Result<i64, StoreError> {
        let now = self.clock.now();
        let mut shard = self.shard(key).lock();
        shard.sweep(now);
        let (before, expires_at) = match shard.get(key, now) {
            Some((value, expires_at)) => (number(&value)?, expires_at),
            None => (0, expiry(now, time_to_live)),
        };
        let after = before.checked_add(by).ok_or(StoreErrorKind::Overflow)?;
        shard.insert(key.clone(), after.to_string().into(), expires_at, now);
        Ok(after)
    }
}

fn shards(bytes_max: usize) -> Box<[Mutex<Shard>]> {
    let count = (bytes_max / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX);
    let shard = || Mutex::new(Shard::new(bytes_max / count));
    std::iter::repeat_with(shard).take(count).collect()
}

fn expiry(now: std::time::SystemTime, life: Option<Duration>) -> Option<std::time::SystemTime> {
    // A life beyond the end of time is one without an end.
    now.checked_add(life?.max(Duration::from_millis(1)))
}

/// A counter is read in the spelling in which it is written, and in no other.
fn number(value: &[u8]) -> Result<i64, StoreErrorKind> {
    let text = std::str::from_utf8(value).map_err(|_| StoreErrorKind::NotANumber)?;
    let number: i64 = text.parse().map_err(|_| StoreErrorKind::NotANumber)?;
    match number.to_string() == text {
        true => Ok(number),
        false => Err(StoreErrorKind::NotANumber),
    }
}

impl Default for MemoryCache {
    fn default() -> MemoryCache {
        MemoryCache::new()
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryCache")
            .field("values", &self.len())
            .field("bytes", &self.bytes())
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

impl CacheStore for MemoryCache {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.read_all(keys))))
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async move {
            let written = entries.into_iter().map(|entry| self.write_one(entry));
            Ok(written.collect())
        })
    }

    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(keys.iter().filter(|key| self.delete_one(key)).count() as u64) })
    }

    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        Box::pin(async move { self.increment_one(key, by, time_to_live) })
    }

    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.delete_matching(prefix, pattern)) })
    }
}
