//! How often somebody has tried.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Attempts are counted for five minutes from the first.
pub(crate) const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Names and addresses remembered; past it the one that began first is forgotten.
const KEYS_MAX: usize = 10_000;

struct Count {
    since: Instant,
    attempts: u32,
}

/// Counts attempts by name and by address, in memory.
#[derive(Clone, Default)]
pub(crate) struct Attempts(Arc<Mutex<HashMap<String, Count>>>);

impl Attempts {
    /// Counts an attempt, and says whether it may be made.
    pub(crate) fn admit(&self, key: String, max: u32) -> bool {
        self.admit_at(Instant::now(), key, max)
    }

    fn admit_at(&self, now: Instant, key: String, max: u32) -> bool {
        let mut counts = self.counts();
        if counts.len() >= KEYS_MAX && !counts.contains_key(&key) {
            counts.retain(|_, count| now - count.since < WINDOW);
            let oldest = counts.iter().min_by_key(|(_, count)| count.since);
            if counts.len() >= KEYS_MAX
                && let Some(oldest) = oldest.map(|(key, _)| key.clone())
            {
                counts.remove(&oldest);
            }
        }
        let fresh = Count {
            since: now,
            attempts: 0,
        };
        let count = counts.entry(key).or_insert(fresh);
        if now - count.since >= WINDOW {
            count.since = now;
            count.attempts = 0;
        }
        count.attempts = count.attempts.saturating_add(1);
        count.attempts <= max
    }

    /// Somebody got it right.
    pub(crate) fn forget(&self, key: &str) {
        self.counts().remove(key);
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let admit = |after| attempts.admit_at(start + after, "ada".into(), 2);
        assert!(admit(Duration::ZERO));
        assert!(admit(Duration::from_secs(1)));
        assert!(!admit(Duration::from_secs(2)));
        assert!(admit(WINDOW));
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for number in 0..KEYS_MAX as u64 + 5 {
            let now = start + Duration::from_micros(number);
            assert!(attempts.admit_at(now, number.to_string(), 1));
        }
        assert_eq!(attempts.counts().len(), KEYS_MAX);
        assert!(!attempts.counts().contains_key("0"));
    }
}
