//! What others have for a connection: frames to write, answers, orders. Bounded, and empty while idle.

use std::sync::{Arc, OnceLock};
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;
use smallvec::SmallVec;

use sinew_protocol::DisconnectReason;

use crate::connection::Ticket;
use crate::context::ConnectionId;
use crate::controller::Answer;
use crate::statistics::{Counters, up};
use crate::{Config, ConnectionIdentifiers};

/// What a node's connections share.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) counters: Counters,
}

/// One piece of mail.
pub(crate) enum Mail {
    /// A complete WebSocket frame.
    Frame(Bytes),
    /// The application's answer to a call.
    Answer(Ticket, Answer),
    /// A stream that had to be followed elsewhere now is, or cannot be.
    Followed(Ticket, bool),
    /// End the connection.
    Disconnect(DisconnectReason, bool),
    /// Time has passed; only sent while the connection waits for its welcome.
    Tick,
}

/// The most common number of pieces waiting is none, then one: kept without an allocation.
pub(crate) type Mails = SmallVec<[Mail; 1]>;

/// One connection's mailbox.
///
/// Any thread pushes; the connection's driver alone takes.
/// The driver leaves its waker when it goes to sleep and is woken once: while it works, pushing costs a lock and no wake.
pub(crate) struct Mailbox {
    pub(crate) id: ConnectionId,
    /// Set when the application has welcomed the connection.
    pub(crate) identifiers: OnceLock<ConnectionIdentifiers>,
    pub(crate) node: Arc<Node>,
    state: Mutex<State>,
}

struct State {
    mails: Mails,
    /// Of the frames among them.
    frame_bytes: usize,
    waker: Option<Waker>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No welcome yet.
    Connecting,
    Open,
    /// Frames are no longer taken: the connection was told to end.
    Ending,
    /// Nothing is taken: the driver is gone.
    Gone,
}

impl Mailbox {
    pub(crate) fn new(id: ConnectionId, node: Arc<Node>) -> Self {
        Self {
            id,
            identifiers: OnceLock::new(),
            node,
            state: Mutex::new(State {
                mails: Mails::new(),
                frame_bytes: 0,
                waker: None,
                phase: Phase::Connecting,
            }),
        }
    }

    /// Adds mail and wakes the driver. False when the connection no longer takes it.
    pub(crate) fn push(&self, mail: Mail) -> bool {
        let mut state = self.state.lock();
        if state.phase == Phase::Gone {
            return false;
        }
        let waker = match mail {
            Mail::Frame(frame) => {
                if state.phase == Phase::Ending {
                    return false;
                }
                let config = &self.node.config;
                if state.frame_bytes >= config.outbox_bytes_max
                    || state.mails.len() >= config.outbox_messages_max
                {
                    self.cut_off(&mut state)
                } else {
                    state.add_frame(frame)
                }
            }
            Mail::Disconnect(..) => {
                if state.phase == Phase::Ending {
                    return false;
                }
                state.phase = Phase::Ending;
                state.add(mail)
            }
            mail => state.add(mail),
        };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The outgoing queue is over its bound: the frames are dropped and the connection ends.
    fn cut_off(&self, state: &mut State) -> Option<Waker> {
        up(&self.node.counters.slow_connections);
        tracing::debug!(
            connection = self.id.get(),
            bytes = state.frame_bytes,
            "outgoing queue over its bound, connection cut off"
        );
        state.mails.retain(|mail| !matches!(mail, Mail::Frame(_)));
        state.mails.shrink_to_fit();
        state.frame_bytes = 0;
        state.phase = Phase::Ending;
        let reason = DisconnectReason::TooSlow;
        state.add(Mail::Disconnect(reason, reason.reconnect()))
    }

    /// A ping for an open connection, a tick for one that waits for its welcome, nothing for one that ends.
    pub(crate) fn ping(&self, frame: &Bytes) {
        let phase = self.state.lock().phase;
        match phase {
            Phase::Open => {
                self.push(Mail::Frame(frame.clone()));
            }
            Phase::Connecting => {
                self.push(Mail::Tick);
            }
            Phase::Ending | Phase::Gone => {}
        }
    }

    /// The welcome was sent: pings may come.
    pub(crate) fn open(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Connecting {
            state.phase = Phase::Open;
        }
    }

    /// The connection ends by itself: frames are no longer taken, and those waiting are dropped.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        if state.phase != Phase::Gone {
            state.phase = Phase::Ending;
            state.mails.retain(|mail| !matches!(mail, Mail::Frame(_)));
            state.frame_bytes = 0;
        }
    }

    /// The driver is gone. Gives what was waiting, so that answers are not lost.
    pub(crate) fn gone(&self) -> Mails {
        let mut state = self.state.lock();
        state.phase = Phase::Gone;
        state.waker = None;
        state.frame_bytes = 0;
        std::mem::take(&mut state.mails)
    }

    /// Takes all mail, or as much from the front as holds about that many bytes of frames.
    pub(crate) fn take(&self, bytes_max: usize) -> Mails {
        let mut state = self.state.lock();
        if state.frame_bytes <= bytes_max {
            state.frame_bytes = 0;
            return std::mem::take(&mut state.mails);
        }
        let mut bytes = 0;
        let mut count = 0;
        for mail in &state.mails {
            if bytes >= bytes_max {
                break;
            }
            if let Mail::Frame(frame) = mail {
                bytes += frame.len();
            }
            count += 1;
        }
        state.frame_bytes -= bytes;
        state.mails.drain(..count).collect()
    }

    /// Leaves the waker, unless there is mail: then false, and the driver goes on.
    pub(crate) fn park(&self, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        if !state.mails.is_empty() {
            return false;
        }
        match &mut state.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        true
    }
}

impl State {
    fn add_frame(&mut self, frame: Bytes) -> Option<Waker> {
        self.frame_bytes += frame.len();
        self.add(Mail::Frame(frame))
    }

    /// Adds, and gives the waker of a driver that sleeps.
    fn add(&mut self, mail: Mail) -> Option<Waker> {
        self.mails.push(mail);
        self.waker.take()
    }
}

#[cfg(test)]
mod tests;
