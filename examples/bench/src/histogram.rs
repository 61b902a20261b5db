//! Counts of durations in buckets that are a few percent wide, so that many can be added up.

use serde::{Deserialize, Serialize};

/// Below this, each microsecond has a bucket of its own; above, a power of two has half as many.
const LINEAR: u64 = 64;

/// How often which duration was seen, in microseconds. Good to three percent; the longest is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u64>,
    max_us: u64,
    total: u64,
}

impl Histogram {
    /// One more of this duration.
    pub fn add(&mut self, us: u64) {
        let at = bucket(us);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.max_us = self.max_us.max(us);
        self.total += 1;
    }

    /// All of the other's as well.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, count) in self.counts.iter_mut().zip(&other.counts) {
            *mine += count;
        }
        self.max_us = self.max_us.max(other.max_us);
        self.total += other.total;
    }

    /// Milliseconds within which this share of what was counted lies; not a number when nothing was.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        if self.total == 0 {
            return f64::NAN;
        }
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return middle(bucket).min(self.max_us) as f64 / 1e3;
            }
        }
        self.max_ms()
    }

    /// The longest, in milliseconds; not a number when nothing was counted.
    pub fn max_ms(&self) -> f64 {
        match self.total {
            0 => f64::NAN,
            _ => self.max_us as f64 / 1e3,
        }
    }
}

fn bucket(us: u64) -> usize {
    if us < LINEAR {
        return us as usize;
    }
    let shift = us.ilog2() - 5;
    // Between 32 and 63, behind the buckets of all smaller powers.
    32 * shift as usize + (us >> shift) as usize
}

fn middle(bucket: usize) -> u64 {
    if bucket < LINEAR as usize {
        return bucket as u64;
    }
    let shift = bucket / 32 - 1;
    let low = ((bucket - 32 * shift) as u64) << shift;
    low + (1_u64 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_three_percent_wide_and_they_follow_each_other() {
        let mut before = 0;
        for us in (0..200_000).chain([1 << 20, (1 << 33) + 12_345, u64::MAX >> 1]) {
            let at = bucket(us);
            assert!(at >= before, "{us}");
            before = at;
            assert!(middle(at).abs_diff(us) as f64 <= us as f64 * 0.032, "{us}");
        }
        assert_eq!((bucket(63), bucket(64)), (63, 64));
    }

    #[test]
    fn quantiles_of_parts_put_together_are_those_of_the_whole() {
        let (mut whole, mut low, mut high) = Default::default();
        for us in 1..=1000 {
            Histogram::add(&mut whole, us);
            Histogram::add(if us <= 500 { &mut low } else { &mut high }, us);
        }
        low.merge(&high);
        assert_eq!(low, whole);
        assert!((whole.quantile_ms(0.5) - 0.5).abs() < 0.02);
        assert!((whole.quantile_ms(0.99) - 0.99).abs() < 0.03);
        assert_eq!(whole.max_ms(), 1.0);
        assert!(Histogram::default().quantile_ms(0.5).is_nan());
    }
}
