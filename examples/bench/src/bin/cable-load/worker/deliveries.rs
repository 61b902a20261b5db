//! Which broadcasts have come to everybody.

use std::collections::{HashMap, VecDeque};

/// Broadcasts under way to this worker's clients.
#[derive(Default)]
pub(super) struct Deliveries {
    /// Clients that listen, by room.
    expected: HashMap<u32, u32>,
    /// The number of the first one that is kept.
    first: u32,
    under_way: VecDeque<Delivery>,
    complete: VecDeque<(u32, u64)>,
}

#[derive(Clone, Copy, Default)]
struct Delivery {
    count: u32,
    last_at_us: u64,
}

/// A number further ahead than this is none of ours.
const UNDER_WAY_MAX: u32 = 1 << 20;

impl Deliveries {
    /// Forgets all, and counts broadcasts from this number.
    pub(super) fn begin(&mut self, first: u32) {
        *self = Self {
            first,
            ..Self::default()
        };
    }

    /// One more client listens in this room.
    pub(super) fn expect(&mut self, room: u32) {
        *self.expected.entry(room).or_default() += 1;
    }

    /// A broadcast came to a client of this room. Whether it was counted: it may be of a time before.
    pub(super) fn add(&mut self, number: u32, room: u32, now_us: u64) -> bool {
        let Some(at) = number
            .checked_sub(self.first)
            .filter(|at| *at < UNDER_WAY_MAX)
        else {
            return false;
        };
        let at = at as usize;
        if at >= self.under_way.len() {
            self.under_way.resize(at + 1, Delivery::default());
        }
        let delivery = &mut self.under_way[at];
        delivery.count += 1;
        delivery.last_at_us = delivery.last_at_us.max(now_us);
        if Some(&delivery.count) == self.expected.get(&room) {
            self.complete.push_back((number, delivery.last_at_us));
        }
        true
    }

    /// The next broadcast that all who listen have, and when the last of them had it.
    pub(super) fn complete(&mut self) -> Option<(u32, u64)> {
        self.complete.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broadcast_is_complete_when_the_whole_room_has_it() {
        let mut deliveries = Deliveries::default();
        deliveries.begin(5);
        deliveries.expect(0);
        deliveries.expect(0);
        deliveries.expect(1);
        assert!(!deliveries.add(4, 0, 90), "of a round before");
        assert!(deliveries.add(5, 0, 102));
        assert_eq!(deliveries.complete(), None);
        assert!(deliveries.add(6, 1, 103));
        assert!(deliveries.add(5, 0, 101));
        assert_eq!(deliveries.complete(), Some((6, 103)));
        assert_eq!(deliveries.complete(), Some((5, 102)));
        assert_eq!(deliveries.complete(), None);
    }
}
