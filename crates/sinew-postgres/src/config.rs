//! Names and limits.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Connections to the server, by default: 10. Each carries one statement at a time; whoever
/// finds none free waits for one.
pub const POOL_SIZE: NonZeroUsize = NonZeroUsize::new(10).expect("ten");

/// Connections to the server, at most.
pub const POOL_SIZE_MAX: usize = 1024;

/// How long connecting may take, with TLS and the password, and waiting for a free connection:
/// 2 s by default.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a statement may take: 2 s by default. The server stops it then, and the caller is
/// told that the store is unavailable.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Time between two looks at whether the server answers: 5 s by default.
pub const HEALTH_INTERVAL: Duration = Duration::from_secs(5);

/// The longest of the times that can be set: ten minutes.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// The schema of the tables, by default.
pub const SCHEMA: &str = "public";

/// What the names of the tables begin with, by default.
pub const TABLE_PREFIX: &str = "sinew_";

/// How much the table of the cache may hold, in bytes: 1 GiB by default. What is over that is
/// forgotten by the next sweep, what was written first before the rest.
pub const CACHE_BYTES_MAX: u64 = 1 << 30;

/// Time between two sweeps of a node: a minute, give or take a quarter. The nodes take turns.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Expired records that one statement of a sweep removes at most: 1,000, a few milliseconds.
pub const SWEEP_BATCH_ROWS_MAX: u32 = 1_000;

/// Statements of one sweep at most, for each table: 50. What is left is the next sweep's.
pub const SWEEP_BATCHES_MAX: u32 = 50;

/// The first pause before the server is tried again, in the mean; each next one is twice as
/// long.
pub(crate) const BACKOFF_FIRST: Duration = Duration::from_millis(100);

/// The longest of these pauses.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// What an entry of the cache is taken to need beside its key and its value, in bytes.
pub(crate) const CACHE_ENTRY_OVERHEAD_BYTES: u32 = 128;

/// Rows that one statement of [`delete_matched`](sinew_store::cache::CacheStore::delete_matched)
/// removes at most, so that nobody waits long for one of them.
pub(crate) const DELETE_BATCH_ROWS_MAX: u32 = 1_000;

/// Entries and keys that one statement carries at most; more are sent in several.
pub(crate) const STATEMENT_ENTRIES_MAX: usize = 1_000;

/// Bytes of values that one statement carries, unless a single one is larger: 8 MiB.
pub(crate) const STATEMENT_BYTES_MAX: usize = 8 << 20;

/// The longest life, in milliseconds: about 1,000 years, which the server's clock can still add
/// to the present.
pub(crate) const LIFE_MS_MAX: i64 = 1_000 * 365 * 24 * 60 * 60 * 1_000;

/// A life as the server counts it. One that is not zero is at least a millisecond.
pub(crate) fn life_ms(life: Duration) -> i64 {
    let exact = i64::try_from(life.as_millis()).unwrap_or(LIFE_MS_MAX);
    exact.clamp(1, LIFE_MS_MAX)
}
