//! Local fan-out: who of this node follows which stream, under which identifier.

mod group;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use sinew_protocol::Identifier;
use sinew_streams::{Position, Sink, StreamName, Streams};

use crate::context::data_frame;
use crate::mailbox::{Mail, Mailbox, Node};
use crate::statistics::up;
use group::Groups;
pub(crate) use group::Seat;

/// How many locks the streams are spread over. Each is a gate; a broadcast takes one.
const GATES: usize = 64;

/// Streams to their followers on this node.
///
/// Lock order: a gate, then a mailbox. A gate is also held while [`Streams::follow`] and `unfollow` are called, so that
/// their order is that of the gate; the port's obligations keep a delivery from holding what those need.
pub(crate) struct Hub {
    node: Arc<Node>,
    hasher: RandomState,
    gates: Box<[Mutex<Gate>]>,
}

type Gate = HashMap<StreamName, Audience, RandomState>;

/// Those who follow one stream.
struct Audience {
    groups: Groups,
    /// Whether the streams port has said that the stream is followed.
    followed: bool,
}

/// Whether a stream someone joined is already followed by the node.
pub(crate) enum Joined {
    Followed(Seat),
    /// The caller waits for [`Streams::follow`] and then tells [`Hub::followed`].
    Following(Seat),
}

impl Hub {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self {
            node,
            hasher: RandomState::default(),
            gates: (0..GATES).map(|_| Mutex::default()).collect(),
        }
    }

    fn gate(&self, stream: &StreamName) -> &Mutex<Gate> {
        let hash = self.hasher.hash_one(stream.as_str());
        &self.gates[(hash >> (u64::BITS - GATES.ilog2())) as usize]
    }

    /// Adds a follower. The first one makes the node follow the stream.
    pub(crate) fn join(
        &self,
        streams: &dyn Streams,
        stream: &StreamName,
        identifier: &Identifier,
        mailbox: &Arc<Mailbox>,
    ) -> Joined {
        let mut gate = self.gate(stream).lock();
        match gate.entry(stream.clone()) {
            Entry::Occupied(mut entry) => {
                let audience = entry.get_mut();
                let seat = audience.groups.join(identifier, mailbox);
                if audience.followed {
                    Joined::Followed(seat)
                } else {
                    Joined::Following(seat)
                }
            }
            Entry::Vacant(entry) => {
                let (groups, seat) = Groups::of_one(identifier, mailbox);
                // In process this is ready at once; the call itself is what fixes the order.
                let mut follow = streams.follow(stream);
                let polled = follow
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
                let followed = matches!(polled, Poll::Ready(Ok(())));
                entry.insert(Audience { groups, followed });
                if followed {
                    Joined::Followed(seat)
                } else {
                    Joined::Following(seat)
                }
            }
        }
    }

    /// A stream that was being followed now is.
    pub(crate) fn followed(&self, stream: &StreamName) {
        if let Some(audience) = self.gate(stream).lock().get_mut(stream) {
            audience.followed = true;
        }
    }

    /// Removes a follower. With the last one the node stops following the stream.
    pub(crate) fn leave(
        &self,
        streams: &dyn Streams,
        stream: &StreamName,
        identifier: &Identifier,
        seat: Seat,
    ) {
        let mut gate = self.gate(stream).lock();
        let Some(audience) = gate.get_mut(stream) else {
            return;
        };
        if audience.groups.leave(identifier, seat) {
            gate.remove(stream);
            streams.unfollow(stream);
            if gate.capacity() > 64 && gate.len() < gate.capacity() / 8 {
                gate.shrink_to_fit();
            }
        }
    }
}

impl Sink for Hub {
    fn deliver(&self, stream: &StreamName, _: Position, payload: &Bytes) {
        up(&self.node.counters.broadcasts);
        let mut deliveries = 0;
        if let Some(audience) = self.gate(stream).lock().get(stream) {
            audience.groups.for_each(|identifier, members| {
                // Once per identifier, whatever the number of members.
                let frame = data_frame(identifier, payload);
                for mailbox in members.iter() {
                    mailbox.push(Mail::Frame(frame.clone()));
                    deliveries += 1;
                }
            });
        }
        self.node
            .counters
            .broadcast_deliveries
            .fetch_add(deliveries, Relaxed);
    }
}
