//! How long reflexes take, by name, and what waits.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A histogram of durations; a snapshot.
///
/// ```
/// use sinew_reflex::Durations;
///
/// let durations = Durations::default();
/// assert_eq!(durations.counts.len(), Durations::BOUNDS.len() + 1);
/// assert_eq!(durations.count(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durations {
    /// Durations up to the bound of the same place, and over the one before it; in the last place those over all bounds.
    pub counts: [u64; Durations::BOUNDS.len() + 1],
    /// All of them together.
    pub sum: Duration,
}

impl Durations {
    /// The upper bounds of the histogram, from a half millisecond to ten seconds.
    pub const BOUNDS: [Duration; 14] = {
        const fn us(microseconds: u64) -> Duration {
            Duration::from_micros(microseconds)
        }
        [
            us(500),
            us(1_000),
            us(2_500),
            us(5_000),
            us(10_000),
            us(25_000),
            us(50_000),
            us(100_000),
            us(250_000),
            us(500_000),
            us(1_000_000),
            us(2_500_000),
            us(5_000_000),
            us(10_000_000),
        ]
    };

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// What became of one action's calls; see [`Engine::reflexes`](crate::Engine::reflexes).
///
/// ```
/// use sinew_reflex::ReflexStatistics;
///
/// let rarely = |statistics: &ReflexStatistics| statistics.durations.count() < 10;
/// assert!(rarely(&ReflexStatistics::default()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReflexStatistics {
    /// Its class and action, as in the log: `CounterReflex#increment`.
    pub name: String,
    /// How long its runs took, from the first callback until the reply was handed to the streams. The time that a call
    /// waited for its turn is not in it.
    pub durations: Durations,
    /// Runs that ended with an error.
    pub errors: u64,
}

/// A histogram that any thread adds to.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    counts: [AtomicU64; Durations::BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Stopwatch {
    pub(crate) fn add(&self, duration: Duration) {
        let place = Durations::BOUNDS.partition_point(|bound| *bound < duration);
        self.counts[place].fetch_add(1, Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    pub(crate) fn read(&self) -> Durations {
        Durations {
            counts: self.counts.each_ref().map(|count| count.load(Relaxed)),
            sum: Duration::from_nanos(self.nanoseconds.load(Relaxed)),
        }
    }
}

/// What is measured of one action.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) durations: Stopwatch,
    pub(crate) errors: AtomicU64,
}

/// Counts one more of a gauge for as long as it is kept.
pub(crate) struct Present<'a>(&'a AtomicU64);

impl<'a> Present<'a> {
    pub(crate) fn new(gauge: &'a AtomicU64) -> Self {
        gauge.fetch_add(1, Relaxed);
        Self(gauge)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_is_counted_at_the_first_bound_that_holds_it() {
        let stopwatch = Stopwatch::default();
        for microseconds in [0, 500, 501, 10_000_001] {
            stopwatch.add(Duration::from_micros(microseconds));
        }
        let read = stopwatch.read();
        assert_eq!(read.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((read.count(), read.sum.as_micros()), (4, 10_001_002));
    }

    #[test]
    fn gauge_counts_what_is_there() {
        let gauge = AtomicU64::new(0);
        let (one, other) = (Present::new(&gauge), Present::new(&gauge));
        drop(one);
        assert_eq!(gauge.load(Relaxed), 1);
        drop(other);
        assert_eq!(gauge.load(Relaxed), 0);
    }
}
