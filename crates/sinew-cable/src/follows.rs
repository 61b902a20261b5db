//! Which shards of this node follow which stream.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use foldhash::fast::RandomState;
use futures_util::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use sinew_streams::{Position, Sink, StreamName, Streams, StreamsError};
use smallvec::SmallVec;

use crate::inbox::{Inbox, Parcel};
use crate::statistics::Statistics;

/// How many locks the streams are spread over. Each is a gate; a broadcast takes one, on the publisher's thread.
const GATES: usize = 64;

/// A shard's place among those of its node.
pub(crate) type ShardNumber = u16;

/// Streams to the shards of this node that have followers of them.
///
/// Lock order: a gate, then an inbox. A gate is also held while [`Streams::follow`] and `unfollow` are called, so that
/// their order is that of the gate; the port's obligations keep a delivery from holding what those need.
pub(crate) struct Follows {
    hasher: RandomState,
    gates: Box<[Mutex<Gate>]>,
    shards: RwLock<Vec<Option<Arc<Inbox>>>>,
    /// What shards have counted that are no more. Locked within `shards`.
    former: Mutex<Statistics>,
}

#[derive(Default)]
struct Gate {
    streams: HashMap<StreamName, Followers, RandomState>,
    /// Messages that came through here, counted within the lock that each takes anyway.
    broadcasts: u64,
}

struct Followers {
    shards: SmallVec<[ShardNumber; 4]>,
    /// Whether the streams port has said that the stream is followed.
    followed: bool,
}

/// Whether a stream that a shard joined is already followed by the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    Followed,
    /// The caller waits for [`Streams::follow`] and then tells [`Follows::followed`].
    Following,
}

impl Follows {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            gates: (0..GATES).map(|_| Mutex::default()).collect(),
            shards: RwLock::default(),
            former: Mutex::default(),
        }
    }

    /// Takes in a shard. Its number is used again when it has left.
    pub(crate) fn add_shard(&self, inbox: Arc<Inbox>) -> ShardNumber {
        let mut shards = self.shards.write();
        let at = match shards.iter().position(Option::is_none) {
            Some(at) => {
                shards[at] = Some(inbox);
                at
            }
            None => {
                shards.push(Some(inbox));
                shards.len() - 1
            }
        };
        ShardNumber::try_from(at).expect("fewer shards than 65,536")
    }

    /// Forgets a shard, which must have left all streams.
    pub(crate) fn remove_shard(&self, number: ShardNumber) {
        let mut shards = self.shards.write();
        if let Some(inbox) = shards[usize::from(number)].take() {
            inbox.counters.outgoing_bytes_max.store(0, Relaxed);
            inbox.counters.add_to(&mut self.former.lock());
        }
    }

    /// What all shards have counted, and what is counted here.
    pub(crate) fn statistics(&self) -> Statistics {
        let shards = self.shards.read();
        let mut statistics = *self.former.lock();
        for inbox in shards.iter().flatten() {
            inbox.counters.add_to(&mut statistics);
            statistics.inbox_bytes += inbox.statistics().inbox_bytes;
        }
        drop(shards);
        for gate in &self.gates {
            let gate = gate.lock();
            statistics.streams += gate.streams.len() as u64;
            statistics.broadcasts += gate.broadcasts;
        }
        statistics
    }

    pub(crate) fn is_followed(&self, stream: &StreamName) -> bool {
        self.gate(stream).lock().streams.contains_key(stream)
    }

    pub(crate) fn for_each_shard(&self, mut visit: impl FnMut(&Arc<Inbox>)) {
        self.shards.read().iter().flatten().for_each(&mut visit);
    }

    fn gate(&self, stream: &StreamName) -> &Mutex<Gate> {
        let hash = self.hasher.hash_one(stream.as_str());
        &self.gates[(hash >> (u64::BITS - GATES.ilog2())) as usize]
    }

    /// A shard follows the stream, maybe again. The first one makes the node follow it.
    pub(crate) fn join(
        &self,
        streams: &dyn Streams,
        stream: &StreamName,
        shard: ShardNumber,
    ) -> Joined {
        let mut gate = self.gate(stream).lock();
        let followed = match gate.streams.entry(stream.clone()) {
            Entry::Occupied(mut entry) => {
                let followers = entry.get_mut();
                if !followers.shards.contains(&shard) {
                    followers.shards.push(shard);
                }
                followers.followed
            }
            Entry::Vacant(entry) => {
                // In process this is ready at once; the call itself is what fixes the order.
                let mut follow = streams.follow(stream);
                let polled = follow
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
                let followed = matches!(polled, Poll::Ready(Ok(())));
                entry.insert(Followers {
                    shards: SmallVec::from_slice(&[shard]),
                    followed,
                });
                followed
            }
        };
        if followed {
            Joined::Followed
        } else {
            Joined::Following
        }
    }

    /// Asks the streams port again for a stream that was being followed, for whoever waits until it is.
    /// `None` when the last shard has left it meanwhile: asking then would follow it for nobody.
    pub(crate) fn wait<'a>(
        &self,
        streams: &'a dyn Streams,
        stream: &StreamName,
    ) -> Option<BoxFuture<'a, Result<(), StreamsError>>> {
        let gate = self.gate(stream).lock();
        let is_joined = gate.streams.contains_key(stream);
        is_joined.then(|| streams.follow(stream))
    }

    /// A stream that was being followed now is.
    pub(crate) fn followed(&self, stream: &StreamName) {
        if let Some(followers) = self.gate(stream).lock().streams.get_mut(stream) {
            followers.followed = true;
        }
    }

    /// A shard follows it no more. With the last one the node does not either.
    pub(crate) fn leave(&self, streams: &dyn Streams, stream: &StreamName, shard: ShardNumber) {
        let gate = &mut self.gate(stream).lock().streams;
        let Some(followers) = gate.get_mut(stream) else {
            return;
        };
        followers.shards.retain(|known| *known != shard);
        if followers.shards.is_empty() {
            gate.remove(stream);
            streams.unfollow(stream);
            if gate.capacity() > 64 && gate.len() < gate.capacity() / 8 {
                gate.shrink_to_fit();
            }
        }
    }
}

impl Sink for Follows {
    fn deliver(&self, stream: &StreamName, _: Position, payload: &Bytes) {
        let mut gate = self.gate(stream).lock();
        gate.broadcasts += 1;
        let Some(followers) = gate.streams.get(stream) else {
            return;
        };
        // Posted within the gate: a shard that has just joined or left sees it on the right side.
        let shards = self.shards.read();
        for shard in &followers.shards {
            if let Some(inbox) = &shards[usize::from(*shard)] {
                let parcel = Parcel::Broadcast(stream.clone(), payload.clone());
                inbox.post(parcel, payload.len());
            }
        }
    }

    fn pressure(&self) -> Option<BoxFuture<'static, ()>> {
        let shards = self.shards.read();
        let mut waits = shards.iter().flatten().filter_map(Inbox::pressure);
        let first = waits.next()?;
        let others: Vec<_> = waits.collect();
        Some(Box::pin(async move {
            first.await;
            for wait in others {
                wait.await;
            }
        }))
    }
}

#[cfg(test)]
mod tests;
