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
