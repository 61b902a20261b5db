//! How long to wait before the next attempt.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// The wait after the first failure: 50 ms.
const FIRST: Duration = Duration::from_millis(50);

/// The longest wait, however long it has been failing: 2 s.
pub(crate) const LONGEST: Duration = Duration::from_secs(2);

/// Waits that double up to [`LONGEST`], each between a half and the whole of it by chance, so
/// that many who lost the same server do not come back at the same moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let whole = doubled.min(LONGEST);
        whole / 2 + (whole / 2).mul_f64(chance())
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A number between 0 and 1. Each new state of the hasher has keys of its own.
pub(crate) fn chance() -> f64 {
    let number = RandomState::new().build_hasher().finish();
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_bounds() {
        let mut backoff = Backoff::default();
        for failure in 0..64_u32 {
            let whole = FIRST.saturating_mul(1 << failure.min(16)).min(LONGEST);
            let wait = backoff.next();
            assert!(wait >= whole / 2 && wait <= whole, "{failure}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }

    #[test]
    fn two_who_wait_do_not_wait_alike() {
        let waits: Vec<_> = (0..8).map(|_| Backoff::default().next()).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
