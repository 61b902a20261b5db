//! When each connection is pinged: no connection has a timer of its own, and pings never come in a burst.

use super::Key;

/// Into how many parts a ping interval is cut. Each tick visits the connections of one slot.
pub(super) const SLOTS: u32 = 128;

#[derive(Default)]
pub(super) struct Wheel {
    tick: u32,
    slots: Vec<Vec<Key>>,
}

/// Where a connection stands in the wheel.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// Before this tick it is passed over: so its first ping is neither too early nor too late.
    first_tick: u32,
    index: u32,
}

impl Place {
    fn slot(self) -> usize {
        (self.first_tick % SLOTS) as usize
    }

    pub(super) fn is_due(self, tick: u32) -> bool {
        // Ticks wrap around after some years.
        tick.wrapping_sub(self.first_tick) < u32::MAX / 2
    }
}

impl Wheel {
    /// Adds a connection. Its first ping comes after a half to one and a half of the interval, as `random` falls.
    pub(super) fn add(&mut self, key: Key, random: u64) -> Place {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS as usize, Vec::new);
        }
        let delay = SLOTS / 2 + (random % u64::from(SLOTS)) as u32;
        let first_tick = self.tick.wrapping_add(delay);
        let slot = &mut self.slots[(first_tick % SLOTS) as usize];
        slot.push(key);
        Place {
            first_tick,
            index: u32::try_from(slot.len() - 1).expect("fewer connections than 2^32"),
        }
    }

    /// Removes it. The key of the connection that stands in its place now, if one was moved there.
    pub(super) fn remove(&mut self, place: Place) -> Option<Key> {
        let slot = &mut self.slots[place.slot()];
        slot.swap_remove(place.index as usize);
        if slot.is_empty() {
            *slot = Vec::new();
        }
        slot.get(place.index as usize).copied()
    }

    /// Goes one tick further: the tick and the connections to visit at it.
    pub(super) fn turn(&mut self) -> (u32, &[Key]) {
        let tick = self.tick;
        self.tick = tick.wrapping_add(1);
        let slot = self.slots.get((tick % SLOTS) as usize);
        (tick, slot.map_or(&[], Vec::as_slice))
    }

    /// A connection was moved to another's place.
    pub(super) fn moved(place: &mut Place, to: Place) {
        place.index = to.index;
    }
}

#[cfg(test)]
mod tests;
