//! How fast a client may send: a token bucket for messages and one for bytes, of eight bytes each.
//!
//! A bucket is kept as the moment at which all that came is paid for, at the rate that is allowed. That moment may be
//! ahead of now by the burst; beyond it, the socket is not read until now has come closer.

use std::time::{Duration, Instant};

use crate::Config;

/// What the buckets of a shard have in common.
pub(super) struct Rates {
    /// Moments are counted from here.
    beginning: Instant,
    /// What a message costs, in nanoseconds.
    message: u64,
    bytes_per_second: u64,
    burst: u64,
}

/// The buckets of one connection, as nanoseconds since the beginning.
#[derive(Clone, Copy, Default)]
pub(super) struct Buckets {
    messages_paid: u64,
    bytes_paid: u64,
}

const SECOND: u64 = 1_000_000_000;

impl Rates {
    pub(super) fn new(beginning: Instant, config: &Config) -> Self {
        Self {
            beginning,
            message: cost(1, config.incoming_messages_per_second.into()),
            bytes_per_second: config.incoming_bytes_per_second,
            burst: nanos(config.incoming_burst),
        }
    }

    fn moment(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.beginning))
    }

    /// A message came.
    pub(super) fn count_message(&self, now: Instant, buckets: &mut Buckets) {
        let now = self.moment(now);
        charge(&mut buckets.messages_paid, now, self.message);
    }

    /// That many bytes came.
    pub(super) fn count_bytes(&self, now: Instant, buckets: &mut Buckets, count: usize) {
        let now = self.moment(now);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let cost = cost(count, self.bytes_per_second);
        charge(&mut buckets.bytes_paid, now, cost);
    }

    /// How long nothing more is to be read, if so.
    pub(super) fn pause(&self, now: Instant, buckets: Buckets) -> Option<Duration> {
        let paid = buckets.messages_paid.max(buckets.bytes_paid);
        let allowed = self.moment(now).saturating_add(self.burst);
        let over = paid.checked_sub(allowed).filter(|over| *over > 0)?;
        Some(Duration::from_nanos(over))
    }
}

/// A rate of zero is none: all is free.
fn cost(count: u64, per_second: u64) -> u64 {
    let cost = count.saturating_mul(SECOND).checked_div(per_second);
    cost.unwrap_or(0)
}

fn charge(paid: &mut u64, now: u64, cost: u64) {
    *paid = (*paid).max(now).saturating_add(cost);
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
