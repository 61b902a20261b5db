//! What a cache has done, and whether its store works.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;

use super::config::OUTAGE_QUIET;
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};

/// What a [`Cache`](super::Cache) has done since it was made, all of its namespaces together.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::cache::{Cache, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache = Cache::new(Arc::new(MemoryCache::new()));
/// for _ in 0..3 {
///     assert_eq!(cache.fetch("answer", (), async || 42).await, 42);
/// }
/// let statistics = cache.statistics();
/// assert_eq!((statistics.hits, statistics.misses, statistics.writes), (2, 1, 1));
/// assert_eq!((statistics.errors, statistics.stale_served, statistics.flights_joined), (0, 0, 0));
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Values that were asked for and found.
    pub hits: u64,
    /// Values that were asked for and not found, were of another version or had
    /// expired, or were not written by a cache like this one.
    pub misses: u64,
    /// Values that were stored.
    pub writes: u64,
    /// Calls of the store that failed, those included that would count what is no number.
    pub errors: u64,
    /// Expired values that were given away while one caller computed a new one.
    pub stale_served: u64,
    /// Values that were not computed because another caller was computing the same.
    pub flights_joined: u64,
    /// Values that were not stored because they are over a limit, or the store has no room for
    /// their like, or they cannot be written as JSON.
    pub values_refused: u64,
    /// Values that were found, and were written by something else or not as what they were
    /// asked for.
    pub values_unreadable: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) stale_served: AtomicU64,
    pub(crate) flights_joined: AtomicU64,
    pub(crate) values_refused: AtomicU64,
    pub(crate) values_unreadable: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn read(&self) -> CacheStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheStatistics {
            hits: read(&self.hits),
            misses: read(&self.misses),
            writes: read(&self.writes),
            errors: read(&self.errors),
            stale_served: read(&self.stale_served),
            flights_joined: read(&self.flights_joined),
            values_refused: read(&self.values_refused),
            values_unreadable: read(&self.values_unreadable),
        }
    }
}

/// Says once that the store fails, and once that it works again.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Zero while it works, so that asking costs one read.
    failures: AtomicU64,
    last_failure: Mutex<Option<SystemTime>>,
}

impl Outage {
    pub(crate) fn failed(&self, error: &StoreError, clock: &dyn Clock) {
        if matches!(
            error.kind(),
            StoreErrorKind::NotANumber | StoreErrorKind::Overflow
        ) {
            tracing::debug!(%error, "a cached counter cannot be counted on");
            return;
        }
        *self.last_failure.lock() = Some(clock.now());
        if self.failures.fetch_add(1, Ordering::Relaxed) == 0 {
            let cause = error.source().map(tracing::field::display);
            tracing::error!(%error, cause, "the cache fails: until it works again values are computed anew");
        }
    }

    pub(crate) fn worked(&self, clock: &dyn Clock) {
        if self.failures.load(Ordering::Relaxed) == 0 {
            return;
        }
        let now = clock.now();
        let mut last_failure = self.last_failure.lock();
        let quiet = last_failure.map(|at| now.duration_since(at).unwrap_or_default());
        if quiet.is_some_and(|quiet| quiet >= OUTAGE_QUIET) {
            *last_failure = None;
            let failures = self.failures.swap(0, Ordering::Relaxed);
            tracing::info!(failures, "the cache works again");
        }
    }
}
