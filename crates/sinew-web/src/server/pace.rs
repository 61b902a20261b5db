//! So many a second, evenly.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How much may come at once after a quiet time.
const BURST: Duration = Duration::from_millis(20);

/// A rate that several threads keep together, in one number: when the next one would be due if all had come evenly.
pub(super) struct Pace {
    begun: Instant,
    /// Nanoseconds between two; 0 is no bound.
    interval: u64,
    /// In nanoseconds since it was made.
    next: AtomicU64,
}

impl Pace {
    pub(super) fn new(now: Instant, per_second: u32) -> Self {
        Self {
            begun: now,
            interval: 1_000_000_000_u64
                .checked_div(per_second.into())
                .unwrap_or(0),
            next: AtomicU64::new(0),
        }
    }

    /// Takes one, or says how long to wait.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        if self.interval == 0 {
            return Ok(());
        }
        let now = nanoseconds(now.saturating_duration_since(self.begun));
        let burst = nanoseconds(BURST);
        let taken = self.next.fetch_update(Relaxed, Relaxed, |next| {
            (next <= now + burst).then(|| next.max(now) + self.interval)
        });
        taken
            .map(drop)
            .map_err(|next| Duration::from_nanos(next - now - burst))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bound() {
        let now = Instant::now();
        let pace = Pace::new(now, 0);
        assert!((0..1000).all(|_| pace.take(now).is_ok()));
    }

    #[test]
    fn a_burst_and_then_evenly() {
        let begun = Instant::now();
        let pace = Pace::new(begun, 100);
        let mut now = begun;
        let at_once = (0..).take_while(|_| pace.take(now).is_ok()).count();
        assert_eq!(at_once, 3, "20 ms of them, and the first");
        for _ in 0..50 {
            let wait = pace.take(now).expect_err("not yet");
            assert_eq!(wait, Duration::from_millis(10));
            now += wait;
            assert_eq!(pace.take(now), Ok(()));
        }
    }

    #[test]
    fn a_quiet_time_is_not_saved_up() {
        let begun = Instant::now();
        let pace = Pace::new(begun, 1000);
        let now = begun + Duration::from_secs(3600);
        let at_once = (0..).take_while(|_| pace.take(now).is_ok()).count();
        assert_eq!(at_once, 21);
    }
}
