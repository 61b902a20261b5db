//! Limits and settings.

use std::time::Duration;

/// How long a key may be, in bytes: 1 KiB. Every store takes keys of this length; nothing
/// above the port asks it to take longer ones.
pub const KEY_BYTES_MAX: usize = 1024;

/// How large a stored value may be unless the application says otherwise, in bytes: 1 MiB.
/// Every store takes values of this size.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// How much a [`MemoryCache`](super::MemoryCache) holds unless it is told otherwise, in bytes:
/// 64 MiB. One more entry pushes out those that were used least recently.
pub const MEMORY_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long the memory in front of another store keeps a value, by default: 5 seconds. For so
/// long another process may be shown what was replaced or deleted here.
pub const FRONT_EXPIRES_IN: Duration = Duration::from_secs(5);

/// What an entry in memory is taken to need beside its key and its value, in bytes: the two
/// index entries, the links and the allocations' own headers.
pub(crate) const ENTRY_OVERHEAD_BYTES: usize = 192;

/// From how many bytes a cache in memory is divided, so that two tasks seldom wait for one
/// lock. A part is four times the largest value by default: a small cache is one part and
/// forgets in exact order.
pub(crate) const SHARD_BYTES_MIN: usize = 4 * VALUE_BYTES_MAX;

/// Into how many parts a cache in memory is divided at most.
pub(crate) const SHARDS_MAX: usize = 16;

/// Expired entries removed by one write in memory, at most. Two, so that the dead are removed
/// faster than new ones can be written and no single write pays for all of them.
pub(crate) const SWEPT_PER_WRITE_MAX: usize = 2;

/// How long a version may be, in bytes, before its digest stands for it.
pub(crate) const VERSION_BYTES_MAX: usize = 64;

/// How much the envelope of a value takes beside it at most, in bytes: flags, expiry, version
/// and length.
pub(crate) const ENVELOPE_BYTES_MAX: usize = 2 + 8 + 1 + VERSION_BYTES_MAX + 4;

/// How long the cache has to work without a failure until an outage is said to be over.
pub(crate) const OUTAGE_QUIET: Duration = Duration::from_secs(10);

/// How a [`Cache`](super::Cache) behaves.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::cache::{Cache, CacheConfig, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut config = CacheConfig::default();
/// config.value_bytes_max = 100;
/// config.compress_over_bytes = None;
/// let cache = Cache::with_config(Arc::new(MemoryCache::new()), config);
///
/// // A value over the limit is not kept; that is no error.
/// assert!(!cache.write("long", &"x".repeat(100), ()).await);
/// assert_eq!(cache.read::<String>("long").await, None);
/// assert_eq!(cache.statistics().values_refused, 1);
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CacheConfig {
    /// What every key begins with, so that several applications, or a cache and sessions, can
    /// share a store; `cache` by default. A `:` or `/` in it is escaped.
    pub namespace: String,
    /// How long values live that are written without saying so; a day by default. `None` lets
    /// them live until the store needs their room.
    pub expires_in: Option<Duration>,
    /// From how many bytes on values are compressed; 1 KiB by default. `None` never does, which
    /// is best for a store in memory: there reading is worth more than room.
    pub compress_over_bytes: Option<usize>,
    /// How many bytes a value may have as it is stored, so after compression;
    /// [`VALUE_BYTES_MAX`] by default. A larger one is not kept, whatever was there before is
    /// removed, and [`values_refused`](super::CacheStatistics::values_refused) grows.
    pub value_bytes_max: usize,
    /// How many bytes a value may have before compression; 4 MiB by default, so that making it
    /// smaller takes some ten milliseconds at most. A larger one is not kept either, nor is
    /// one unpacked that claims to be larger.
    pub serialized_bytes_max: usize,
    /// How long one [`fetch`](super::Cache::fetch) waits for another that computes the same
    /// value, before it computes it as well; 10 s by default. It is there for a computation
    /// that hangs, or that waits for itself.
    pub flight_wait_max: Duration,
}

impl Default for CacheConfig {
    fn default() -> CacheConfig {
        CacheConfig {
            namespace: "cache".to_owned(),
            expires_in: Some(Duration::from_secs(24 * 60 * 60)),
            compress_over_bytes: Some(1024),
            value_bytes_max: VALUE_BYTES_MAX,
            serialized_bytes_max: 4 * 1024 * 1024,
            flight_wait_max: Duration::from_secs(10),
        }
    }
}
