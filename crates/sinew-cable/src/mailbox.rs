//! One connection's address: where others leave frames to write, answers, orders.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use sinew_protocol::DisconnectReason;
use sinew_streams::Streams;
use sinew_websocket::SharedFrame;

use crate::connection::Ticket;
use crate::context::ConnectionId;
use crate::controller::Answer;
use crate::inbox::{Inbox, Parcel};
use crate::shard::Key;
use crate::statistics::Counters;
use crate::{Config, ConnectionIdentifiers};

/// What a node's connections share.
pub(crate) struct Node {
    pub(crate) config: Config,
    /// How many there are, those on their way to a shard included.
    pub(crate) connections: AtomicU64,
    /// Of these, those that the application has answered.
    pub(crate) answered: AtomicU64,
    pub(crate) streams: Arc<dyn Streams>,
}

/// One piece of mail.
pub(crate) enum Mail {
    /// A complete WebSocket frame, plain.
    Frame(SharedFrame),
    /// The application's answer to a call.
    Answer(Ticket, Answer),
    /// A stream that had to be followed elsewhere now is, or cannot be.
    Followed(Ticket, bool),
    /// End the connection.
    Disconnect(DisconnectReason, bool),
}

/// One connection's mailbox.
///
/// Any thread pushes; what is pushed goes through the inbox of the connection's shard, in order.
/// It holds nothing itself, and does not keep the connection alive.
pub(crate) struct Mailbox {
    pub(crate) id: ConnectionId,
    pub(crate) key: Key,
    /// Set when the application has welcomed the connection.
    pub(crate) identifiers: OnceLock<ConnectionIdentifiers>,
    pub(crate) node: Arc<Node>,
    inbox: Arc<Inbox>,
    /// Bytes of frames that were pushed and that the shard has not taken yet.
    under_way: AtomicUsize,
    phase: AtomicU8,
}

/// Frames are taken.
const OPEN: u8 = 0;
/// Frames are no longer taken: the connection was told to end.
const ENDING: u8 = 1;
/// Nothing is taken: the connection is gone.
const GONE: u8 = 2;

impl Mailbox {
    pub(crate) fn new(id: ConnectionId, key: Key, node: Arc<Node>, inbox: Arc<Inbox>) -> Self {
        Self {
            id,
            key,
            identifiers: OnceLock::new(),
            node,
            inbox,
            under_way: AtomicUsize::new(0),
            phase: AtomicU8::new(OPEN),
        }
    }

    /// What its shard counts; for the shard's thread alone.
    pub(crate) fn counters(&self) -> &Counters {
        &self.inbox.counters
    }

    /// Adds mail. False when the connection no longer takes it.
    pub(crate) fn push(&self, mail: Mail) -> bool {
        let bytes = match &mail {
            Mail::Frame(frame) => {
                if self.phase.load(Relaxed) != OPEN {
                    return false;
                }
                // A sender that runs ahead of the shard is held to the bound of the outgoing queue as well.
                let bytes = frame.as_bytes().len();
                let before = self.under_way.fetch_add(bytes, Relaxed);
                if before >= self.node.config.outbox_bytes_max {
                    self.under_way.fetch_sub(bytes, Relaxed);
                    return self.cut_off();
                }
                bytes
            }
            Mail::Disconnect(..) => {
                let begins = self.begin_ending();
                if !begins {
                    return false;
                }
                0
            }
            _ => 0,
        };
        self.post(mail, bytes)
    }

    fn cut_off(&self) -> bool {
        let reason = DisconnectReason::TooSlow;
        self.begin_ending() && self.post(Mail::Disconnect(reason, reason.reconnect()), 0)
    }

    fn post(&self, mail: Mail, bytes: usize) -> bool {
        let parcel = Parcel::Mail {
            key: self.key,
            id: self.id,
            mail,
        };
        // Looked at within the inbox's lock: what is posted before the end is seen by the shard, what comes after is refused.
        self.inbox
            .post_if(parcel, bytes, || self.phase.load(Relaxed) != GONE)
    }

    /// The shard has taken a frame from its inbox.
    pub(crate) fn taken(&self, bytes: usize) {
        self.under_way.fetch_sub(bytes, Relaxed);
    }

    /// The connection ends: frames are no longer taken. False when it did before.
    pub(crate) fn begin_ending(&self) -> bool {
        self.phase
            .compare_exchange(OPEN, ENDING, Relaxed, Relaxed)
            .is_ok()
    }

    /// The connection is gone: nothing more is taken.
    pub(crate) fn gone(&self) {
        self.inbox.locked(|| self.phase.store(GONE, Relaxed));
    }
}

#[cfg(test)]
mod tests;
