//! When each connection is pinged, each at an interval of its own: none has a timer, and pings never come in a burst.
//!
//! A ring of slots that is visited one slot a tick. A connection stands in the slot at which it is due next, and is put
//! as many slots further as its interval has ticks. All places are taken by chance when a connection comes, so that those of one
//! interval are spread over it, however many came at once.

use std::time::Duration;

use super::Key;
use crate::Config;

/// A shortest interval has so many ticks: by the half of one an interval is rounded, and over so many pings are spread.
const TICKS_OF_SHORTEST: u32 = 16;
/// More slots would only cost memory: an empty one takes 24 bytes.
const SLOTS_MAX: u32 = 8192;
/// A driver that is woken more often would do little else.
const TICK_MIN: Duration = Duration::from_millis(1);

pub(super) struct Wheel {
    tick: Duration,
    /// The most ticks from one visit to the next.
    longest: u16,
    /// Where the next turn is.
    next: u16,
    /// Made with the first connection.
    slots: Vec<Vec<Key>>,
    count: u16,
}

/// Where a connection stands in the wheel.
#[derive(Clone, Copy)]
pub(super) struct Place {
    slot: u16,
    /// The ticks from one visit to the next.
    period: u16,
    index: u32,
}

impl Place {
    /// The ticks from one visit to the next.
    pub(super) fn period(self) -> u16 {
        self.period
    }
}

impl Wheel {
    pub(super) fn new(config: &Config) -> Self {
        let shortest = config.ping_interval.min(config.ping_interval_min);
        let longest = config.ping_interval.max(config.ping_interval_max);
        // A first visit comes after one and a half of the interval at the latest.
        let tick = (shortest / TICKS_OF_SHORTEST)
            .max(longest / (SLOTS_MAX / 2))
            .max(TICK_MIN);
        let longest = ticks(longest, tick).clamp(1, (SLOTS_MAX / 2) as u16);
        Self {
            tick,
            longest,
            next: 0,
            slots: Vec::new(),
            count: longest + longest / 2 + 2,
        }
    }

    /// The time from one turn to the next.
    pub(super) fn tick(&self) -> Duration {
        self.tick
    }

    /// An interval in ticks: at least one, at most the longest there can be.
    pub(super) fn ticks(&self, interval: Duration) -> u16 {
        ticks(interval, self.tick).clamp(1, self.longest)
    }

    /// Adds a connection that is to be visited every `period` [ticks](Self::ticks). The first visit comes after a half to one and a half
    /// of that, as `random` falls.
    pub(super) fn add(&mut self, key: Key, period: u16, random: u64) -> Place {
        if self.slots.is_empty() {
            self.slots.resize_with(self.count.into(), Vec::new);
        }
        let delay = period / 2 + (random % u64::from(period)) as u16;
        let slot = self.after(self.next, delay);
        let mut place = Place {
            slot,
            period,
            index: 0,
        };
        self.put(key, &mut place);
        place
    }

    fn after(&self, slot: u16, ticks: u16) -> u16 {
        ((u32::from(slot) + u32::from(ticks)) % u32::from(self.count)) as u16
    }

    fn put(&mut self, key: Key, place: &mut Place) {
        let slot = &mut self.slots[usize::from(place.slot)];
        place.index = u32::try_from(slot.len()).expect("fewer connections than 2^32");
        slot.push(key);
    }

    /// Removes it. The key of the connection that stands in its place now, if one was moved there.
    pub(super) fn remove(&mut self, place: Place) -> Option<Key> {
        let slot = &mut self.slots[usize::from(place.slot)];
        slot.swap_remove(place.index as usize);
        if slot.is_empty() {
            *slot = Vec::new();
        }
        slot.get(place.index as usize).copied()
    }

    /// Goes one tick further: the connections that are due. Each is to be put [further](Self::further) before any is removed.
    pub(super) fn turn(&mut self) -> Vec<Key> {
        let slot = usize::from(self.next);
        self.next = self.after(self.next, 1);
        self.slots
            .get_mut(slot)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// A connection that was due is due again after its period.
    pub(super) fn further(&mut self, key: Key, place: &mut Place) {
        place.slot = self.after(place.slot, place.period);
        self.put(key, place);
    }

    /// A connection was moved to another's place.
    pub(super) fn moved(place: &mut Place, to: Place) {
        place.index = to.index;
    }
}

/// Rounded to the nearest.
fn ticks(interval: Duration, tick: Duration) -> u16 {
    let tick = tick.as_nanos();
    let ticks = (interval.as_nanos() + tick / 2) / tick;
    u16::try_from(ticks).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
