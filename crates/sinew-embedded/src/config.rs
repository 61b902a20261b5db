//! Names and limits.

use std::time::Duration;

/// The file's name inside of the data directory.
pub const FILE_NAME: &str = "sinew.redb";

/// How many commits may wait for the writer. Whoever comes when it is full waits for room, so
/// a slow disk slows its writers down and takes no more memory.
pub const QUEUE_REQUESTS_MAX: usize = 4_096;

/// How many commits one `fsync` may stand for. A bound on how long the first of them waits for
/// the others: about 20 ms of work.
pub const BATCH_REQUESTS_MAX: usize = 1_024;

/// How much of the file is kept in memory, in bytes: 64 MiB.
pub const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many expired records one batch removes at most, on top of its own work.
pub(crate) const SWEPT_PER_BATCH_MAX: usize = 32;

/// How long a batch is held open for those who were told of a conflict: they come back at once
/// with a new attempt, and an `fsync` between any two increments of a counter would be slow.
pub(crate) const CONFLICT_PATIENCE: Duration = Duration::from_micros(200);

/// The name of the cache's file inside of the data directory.
pub const CACHE_FILE_NAME: &str = "sinew-cache.redb";

/// How much an [`EmbeddedCache`](crate::EmbeddedCache) holds unless it is told otherwise, in
/// bytes: 256 MiB. One more value pushes out those that were written longest ago.
pub const CACHE_FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How much of the cache's file is kept in memory, in bytes: 32 MiB.
pub(crate) const CACHE_PAGES_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a value of the cache is taken to need in the file beside its key and itself, in bytes:
/// its head, its place in the order of writes, and its share of the pages.
pub(crate) const CACHE_ENTRY_OVERHEAD_BYTES: usize = 96;

/// How many bytes are written to the cache at most before an `fsync`, 16 MiB: until then the
/// pages of what was replaced are not used again.
pub(crate) const CACHE_SYNC_BYTES: u64 = 16 * 1024 * 1024;

/// After how long a write to the cache is followed by an `fsync`.
pub(crate) const CACHE_SYNC_INTERVAL: Duration = Duration::from_secs(5);
