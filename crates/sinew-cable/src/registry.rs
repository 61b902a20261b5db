//! Every connection of this node, in the order in which pings visit them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use parking_lot::Mutex;
use sinew_protocol::ServerMessage;
use sinew_websocket::SharedFrame;

use crate::mailbox::Mailbox;

/// Into how many parts a ping interval is cut. Each tick visits the connections of one slot.
pub(crate) const SLOTS: u64 = 128;

/// The wheel: no connection has a timer of its own, and pings never come in a burst.
pub(crate) struct Registry {
    tick: AtomicU64,
    slots: Box<[Mutex<Slot>]>,
}

#[derive(Default)]
struct Slot {
    places: Vec<Option<Place>>,
    free: Vec<u32>,
}

struct Place {
    mailbox: Arc<Mailbox>,
    /// Before this tick it is passed over: so its first ping is neither too early nor too late.
    first_tick: u64,
}

/// Where a connection stands in the wheel.
#[derive(Clone, Copy)]
pub(crate) struct PlaceKey {
    slot: u32,
    index: u32,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            tick: AtomicU64::new(0),
            slots: (0..SLOTS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Adds a connection. Its first ping comes after a half to one and a half of the interval, as `random` falls.
    pub(crate) fn add(&self, mailbox: Arc<Mailbox>, random: u64) -> PlaceKey {
        let first_tick = self.tick.load(Relaxed) + SLOTS / 2 + random % SLOTS;
        let slot = first_tick % SLOTS;
        let place = Some(Place {
            mailbox,
            first_tick,
        });
        let mut places = self.slots[slot as usize].lock();
        let index = match places.free.pop() {
            Some(index) => {
                places.places[index as usize] = place;
                index
            }
            None => {
                places.places.push(place);
                u32::try_from(places.places.len() - 1).expect("fewer connections than 2^32")
            }
        };
        PlaceKey {
            slot: slot as u32,
            index,
        }
    }

    pub(crate) fn remove(&self, key: PlaceKey) {
        let mut slot = self.slots[key.slot as usize].lock();
        if slot.places[key.index as usize].take().is_some() {
            slot.free.push(key.index);
        }
        if slot.free.len() == slot.places.len() {
            *slot = Slot::default();
        }
    }

    /// Visits the next slot: one shared frame for all of it.
    pub(crate) fn tick(&self, unix_seconds: u64) {
        let tick = self.tick.fetch_add(1, Relaxed);
        let slot = self.slots[(tick % SLOTS) as usize].lock();
        if slot.places.is_empty() {
            return;
        }
        let frame = ping_frame(unix_seconds);
        for place in slot.places.iter().flatten() {
            if place.first_tick <= tick {
                place.mailbox.ping(&frame);
            }
        }
    }

    /// Visits every connection.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Arc<Mailbox>)) {
        for slot in &self.slots {
            for place in slot.lock().places.iter().flatten() {
                visit(&place.mailbox);
            }
        }
    }
}

fn ping_frame(unix_seconds: u64) -> Bytes {
    let mut text = Vec::new();
    ServerMessage::Ping { unix_seconds }.write(&mut text);
    SharedFrame::text(&text).into_bytes()
}

#[cfg(test)]
mod tests;
