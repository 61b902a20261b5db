//! One shard's inbox: the only way in from other threads.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sinew_streams::StreamName;
use tokio::sync::Notify;

use crate::ConnectionIdentifiers;
use crate::context::ConnectionId;
use crate::mailbox::Mail;
use crate::shard::Key;
use crate::statistics::{Counters, ShardStatistics};

/// Whose connections are meant.
pub(crate) type Whose = Arc<dyn Fn(&ConnectionIdentifiers) -> bool + Send + Sync>;

/// Something for a shard.
pub(crate) enum Parcel {
    /// For one connection; the id tells it from an earlier one in the same place.
    Mail {
        key: Key,
        id: ConnectionId,
        mail: Mail,
    },
    /// A message of a stream that some of the shard's connections follow.
    Broadcast(StreamName, Bytes),
    /// End the connections of some identity.
    DisconnectIf(Whose, bool),
    /// Tell every connection that was opened before this one `server_restart`.
    Restart(ConnectionId),
    /// The same, evenly over a time, and none that waits for an answer.
    Depart(Duration),
}

/// Parcels of one shard, in the order in which they were posted.
///
/// The shard is woken only while it sleeps: while it works, posting costs a lock and no system call.
pub(crate) struct Inbox {
    /// What the shard counts, here since it is what others know of a shard.
    pub(crate) counters: Counters,
    state: Mutex<State>,
    bytes_max: usize,
    wake: Box<dyn Fn() + Send + Sync>,
    /// Told when a full inbox has been emptied.
    room: Notify,
}

#[derive(Default)]
struct State {
    parcels: Vec<Parcel>,
    /// Of the frames and payloads among them.
    bytes: usize,
    asleep: bool,
    /// The shard has ended: nobody will take anything.
    closed: bool,
}

impl Inbox {
    pub(crate) fn new(bytes_max: usize, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            counters: Counters::default(),
            state: Mutex::default(),
            bytes_max,
            wake,
            room: Notify::new(),
        }
    }

    /// Adds a parcel.
    pub(crate) fn post(&self, parcel: Parcel, bytes: usize) {
        self.post_if(parcel, bytes, || true);
    }

    /// Adds a parcel if the condition holds within the lock. False when it was not added.
    pub(crate) fn post_if(
        &self,
        parcel: Parcel,
        bytes: usize,
        condition: impl FnOnce() -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        if state.closed || !condition() {
            return false;
        }
        state.parcels.push(parcel);
        state.bytes += bytes;
        let wakes = std::mem::take(&mut state.asleep);
        drop(state);
        if wakes {
            (self.wake)();
        }
        true
    }

    /// Does something while nobody posts or takes.
    pub(crate) fn locked(&self, action: impl FnOnce()) {
        let _state = self.state.lock();
        action();
    }

    /// Exchanges what is there for an empty list.
    pub(crate) fn take(&self, parcels: &mut Vec<Parcel>) {
        debug_assert!(parcels.is_empty(), "what was taken before is done");
        let mut state = self.state.lock();
        std::mem::swap(&mut state.parcels, parcels);
        let was_full = std::mem::take(&mut state.bytes) >= self.bytes_max;
        drop(state);
        if was_full {
            self.room.notify_waiters();
        }
    }

    /// The shard has nothing to do: from now on it is woken. False when there is something.
    pub(crate) fn sleep(&self) -> bool {
        let mut state = self.state.lock();
        state.asleep = state.parcels.is_empty();
        state.asleep
    }

    /// The shard is awake by other means.
    pub(crate) fn awake(&self) {
        self.state.lock().asleep = false;
    }

    /// What the shard holds and what waits for it.
    pub(crate) fn statistics(&self) -> ShardStatistics {
        ShardStatistics {
            connections: self.counters.present.load(Relaxed),
            inbox_bytes: self.state.lock().bytes as u64,
        }
    }

    /// When it is full: what to wait for before posting more.
    pub(crate) fn pressure(self: &Arc<Self>) -> Option<BoxFuture<'static, ()>> {
        if self.state.lock().bytes < self.bytes_max {
            return None;
        }
        let inbox = self.clone();
        Some(Box::pin(async move {
            loop {
                let room = inbox.room.notified();
                tokio::pin!(room);
                // Registered before the look, so that an emptying in between is not missed.
                room.as_mut().enable();
                if inbox.state.lock().bytes < inbox.bytes_max {
                    return;
                }
                room.await;
            }
        }))
    }

    /// The shard has ended.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.bytes = 0;
        let parcels = std::mem::take(&mut state.parcels);
        drop(state);
        self.room.notify_waiters();
        drop(parcels);
    }
}

#[cfg(test)]
mod tests;
