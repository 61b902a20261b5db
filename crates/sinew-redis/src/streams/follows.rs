//! Which streams this node wants to follow, and what the server has been told of it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use sinew_streams::StreamName;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::RedisError;

/// Streams that one command subscribes to or leaves, at most.
pub(super) const STREAMS_PER_COMMAND_MAX: usize = 1_000;

/// Tells whoever waits until a stream is followed.
pub(super) type Waiter = oneshot::Sender<Result<(), RedisError>>;

/// The streams of one node. Commands are not queued: what counts is what is wanted in the end, so
/// that a stream that comes and goes while the server is away costs nothing.
#[derive(Default)]
pub(super) struct Follows {
    streams: HashMap<StreamName, Follow>,
    /// Streams of which the server may have to be told.
    changed: VecDeque<StreamName>,
    waiting: usize,
}

#[derive(Default)]
struct Follow {
    wanted: bool,
    /// Whether somebody was told that it is followed, and nobody has ended it since.
    promised: bool,
    /// What the server was told on this connection.
    told: bool,
    /// Whether it confirmed that.
    confirmed: bool,
    /// Whether it stands in `changed`.
    changed: bool,
    waiters: Vec<Waiter>,
    /// Since when somebody waits.
    since: Option<Instant>,
    /// The position of the last message.
    last: Option<u64>,
}

/// What the server has to be told next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) subscribe: Vec<StreamName>,
    pub(super) unsubscribe: Vec<StreamName>,
}

impl Follows {
    /// Streams that are wanted.
    pub(super) fn len(&self) -> usize {
        self.streams.values().filter(|follow| follow.wanted).count()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Wants a stream. `false`: it is followed already, and the waiter has been told.
    pub(super) fn follow(&mut self, stream: &StreamName, waiter: Waiter, now: Instant) -> bool {
        let follow = self.streams.entry(stream.clone()).or_default();
        follow.wanted = true;
        if follow.confirmed && follow.told {
            follow.promised = true;
            // Nobody may be listening any more, which is no error.
            let _ = waiter.send(Ok(()));
            return false;
        }
        follow.waiters.push(waiter);
        follow.since.get_or_insert(now);
        self.waiting += 1;
        if !follow.changed {
            follow.changed = true;
            self.changed.push_back(stream.clone());
        }
        true
    }

    /// Does not want a stream any more. Whoever waits for it is told that it is not followed.
    pub(super) fn unfollow(&mut self, stream: &StreamName) {
        let Some(follow) = self.streams.get_mut(stream) else {
            return;
        };
        follow.wanted = false;
        follow.promised = false;
        follow.last = None;
        self.waiting -= follow.waiters.len();
        follow.refuse("the stream was left");
        if follow.changed {
            return;
        }
        if follow.told {
            follow.changed = true;
            self.changed.push_back(stream.clone());
        } else {
            self.streams.remove(stream);
        }
    }

    /// What is to be told next, as if it had been; `None` when everything has been told.
    pub(super) fn take(&mut self) -> Option<Change> {
        let mut change = Change::default();
        let is_full = |change: &Change| {
            change.subscribe.len() >= STREAMS_PER_COMMAND_MAX
                || change.unsubscribe.len() >= STREAMS_PER_COMMAND_MAX
        };
        while !is_full(&change) {
            let Some(stream) = self.changed.pop_front() else {
                break;
            };
            let Some(follow) = self.streams.get_mut(&stream) else {
                continue;
            };
            follow.changed = false;
            match (follow.wanted, follow.told) {
                (true, false) => {
                    follow.told = true;
                    follow.confirmed = false;
                    change.subscribe.push(stream);
                }
                (false, true) => {
                    self.streams.remove(&stream);
                    change.unsubscribe.push(stream);
                }
                (false, false) => {
                    self.streams.remove(&stream);
                }
                (true, true) => {}
            }
        }
        if self.changed.is_empty() && self.changed.capacity() > 2 * STREAMS_PER_COMMAND_MAX {
            self.changed = VecDeque::new();
        }
        (change != Change::default()).then_some(change)
    }

    /// The server has confirmed a subscription.
    pub(super) fn confirm(&mut self, stream: &StreamName) {
        let Some(follow) = self.streams.get_mut(stream).filter(|follow| follow.told) else {
            return;
        };
        follow.confirmed = true;
        if !follow.wanted {
            return;
        }
        follow.promised = true;
        follow.since = None;
        self.waiting -= follow.waiters.len();
        for waiter in follow.waiters.drain(..) {
            let _ = waiter.send(Ok(()));
        }
    }

    /// The server does not allow a subscription: whoever waits for it is told why.
    pub(super) fn deny(&mut self, stream: &StreamName, error: &RedisError) {
        if let Some(mut follow) = self.streams.remove(stream) {
            self.waiting -= follow.waiters.len();
            for waiter in follow.waiters.drain(..) {
                let _ = waiter.send(Err(error.clone()));
            }
        }
    }

    /// The connection is lost and with it all that the server knew. Answers how many subscriptions
    /// it had confirmed.
    pub(super) fn forget_connection(&mut self) -> u64 {
        let mut interrupted = 0;
        self.changed.clear();
        self.streams.retain(|stream, follow| {
            interrupted += u64::from(follow.confirmed);
            (follow.told, follow.confirmed, follow.changed) = (false, false, follow.wanted);
            if follow.wanted {
                self.changed.push_back(stream.clone());
            }
            follow.wanted
        });
        interrupted
    }

    /// Tells those who have waited for so long that it will not be. What somebody was promised
    /// earlier stays wanted.
    pub(super) fn give_up(&mut self, now: Instant, patience: Duration) {
        if self.waiting == 0 {
            return;
        }
        let waiting = &mut self.waiting;
        self.streams.retain(|_, follow| {
            let is_over = follow.since.is_some_and(|since| since + patience <= now);
            if !is_over {
                return true;
            }
            *waiting -= follow.waiters.len();
            follow.refuse("no subscription in time");
            follow.wanted = follow.promised;
            // What the server knows of must be taken back.
            follow.wanted || follow.told
        });
        let Self {
            streams, changed, ..
        } = self;
        changed.retain(|stream| streams.contains_key(stream));
        for (stream, follow) in streams {
            if !follow.wanted && follow.told && !follow.changed {
                follow.changed = true;
                changed.push_back(stream.clone());
            }
        }
    }

    /// A message has come on the channel of this name. Answers the stream, if it is wanted, and
    /// how many messages before it have not come.
    pub(super) fn receive(
        &mut self,
        name: &str,
        position: u64,
        begins: bool,
    ) -> Option<(StreamName, u64)> {
        let (stream, _) = self.streams.get_key_value(name)?;
        let stream = stream.clone();
        let follow = self.streams.get_mut(name).filter(|follow| follow.wanted)?;
        let last = follow.last.replace(position).filter(|_| !begins);
        let lost = last.map_or(0, |last| position.saturating_sub(last.saturating_add(1)));
        Some((stream, lost))
    }
}

impl Follow {
    fn refuse(&mut self, reason: &'static str) {
        self.since = None;
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(Err(RedisError::unavailable(reason)));
        }
    }
}

#[cfg(test)]
mod tests;
