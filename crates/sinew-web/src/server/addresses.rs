//! How many connections each address has.

use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;

use foldhash::HashMap;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

/// Parts of the table, so that threads that admit connections seldom meet.
const PARTS: usize = 16;

/// Whoever has an IPv6 network usually has all of its last 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Key {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

/// Counts connections by address. A connection keeps four bytes of it.
#[derive(Default)]
pub(super) struct Addresses {
    hasher: RandomState,
    parts: [Mutex<Part>; PARTS],
}

#[derive(Default)]
struct Part {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_key: HashMap<Key, u32>,
}

struct Slot {
    key: Key,
    count: u32,
}

/// One connection in the table. To be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(NonZeroU32);

impl Addresses {
    /// One more of this address, unless it has so many.
    pub(super) fn take(&self, address: IpAddr, max: usize) -> Option<Place> {
        let key = Key::from(address);
        let number = self.hasher.hash_one(key) as usize % PARTS;
        let mut part = self.parts[number].lock();
        let slot = match part.by_key.get(&key) {
            Some(slot) => *slot,
            None => part.add(key),
        };
        let count = &mut part.slots[slot as usize].count;
        if *count as usize >= max {
            return None;
        }
        *count += 1;
        // A slot for each open socket at most, so that the numbers do not run out.
        NonZeroU32::new(slot * PARTS as u32 + number as u32 + 1).map(Place)
    }

    /// One less.
    pub(super) fn give_back(&self, place: Place) {
        let number = place.0.get() - 1;
        let mut part = self.parts[number as usize % PARTS].lock();
        part.leave(number / PARTS as u32);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let lengths = self.parts.iter().map(|part| part.lock().by_key.len());
        lengths.sum()
    }
}

impl Part {
    fn add(&mut self, key: Key) -> u32 {
        let slot = Slot { key, count: 0 };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        self.by_key.insert(key, number);
        number
    }

    fn leave(&mut self, number: u32) {
        let slot = &mut self.slots[number as usize];
        slot.count -= 1;
        if slot.count == 0 {
            self.by_key.remove(&slot.key);
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_address_for_itself() {
        let addresses = Addresses::default();
        let first = addresses.take(address("192.0.2.7"), 2).expect("one");
        addresses.take(address("::ffff:192.0.2.7"), 2).expect("two");
        assert_eq!(addresses.take(address("192.0.2.7"), 2), None);
        addresses.take(address("192.0.2.8"), 2).expect("another");
        addresses.give_back(first);
        addresses.take(address("192.0.2.7"), 2).expect("again two");
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let addresses = Addresses::default();
        addresses.take(address("2001:db8::1"), 1).expect("one");
        assert_eq!(addresses.take(address("2001:db8::2:2"), 1), None);
        addresses.take(address("2001:db8:0:1::1"), 1).expect("next");
    }

    proptest! {
        /// Against a plain map, with addresses that come and go.
        #[test]
        fn counts_are_right(steps in vec((0_u8..8, any::<bool>()), 0..200)) {
            let addresses = Addresses::default();
            let mut places: [Vec<Place>; 8] = Default::default();
            for (number, comes) in steps {
                let held = &mut places[number as usize];
                if comes {
                    let place = addresses.take(IpAddr::from([10, 0, 0, number]), 3);
                    prop_assert_eq!(place.is_some(), held.len() < 3);
                    held.extend(place);
                } else if let Some(place) = held.pop() {
                    addresses.give_back(place);
                }
            }
            let known = places.iter().filter(|held| !held.is_empty()).count();
            prop_assert_eq!(addresses.len(), known);
        }
    }
}
