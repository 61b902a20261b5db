//! Which streams this node follows. The server is told of none of them: it sends everything, as
//! long as somebody listens.

use std::collections::HashMap;
use std::time::Duration;

use sinew_streams::StreamName;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::PostgresError;

/// Tells whoever waits until a stream is followed.
pub(super) type Waiter = oneshot::Sender<Result<(), PostgresError>>;

/// The streams of one node.
#[derive(Default)]
pub(super) struct Follows {
    streams: HashMap<StreamName, Follow>,
    is_listening: bool,
    waiting: usize,
}

#[derive(Default)]
struct Follow {
    /// Whether somebody was told that it is followed, and nobody has ended it since.
    promised: bool,
    waiters: Vec<Waiter>,
    /// Since when somebody waits.
    since: Option<Instant>,
}

impl Follows {
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Wants a stream: at once while somebody listens, else as soon as somebody does.
    pub(super) fn follow(&mut self, stream: &StreamName, waiter: Waiter, now: Instant) {
        let follow = self.streams.entry(stream.clone()).or_default();
        if self.is_listening {
            follow.promised = true;
            // Nobody may be waiting any more, which is no error.
            let _ = waiter.send(Ok(()));
            return;
        }
        follow.waiters.push(waiter);
        follow.since.get_or_insert(now);
        self.waiting += 1;
    }

    /// Does not want a stream any more. Whoever waits for it is told that it is not followed.
    pub(super) fn unfollow(&mut self, stream: &StreamName) {
        if let Some(mut follow) = self.streams.remove(stream) {
            self.waiting -= follow.waiters.len();
            follow.refuse("the stream was left");
        }
        // The room of a crowd that has left.
        if self.streams.capacity() > 64 && self.streams.len() < self.streams.capacity() / 8 {
            self.streams.shrink_to_fit();
        }
    }

    /// From now on everything arrives.
    pub(super) fn listening(&mut self) {
        self.is_listening = true;
        if self.waiting == 0 {
            return;
        }
        self.waiting = 0;
        for follow in self.streams.values_mut() {
            follow.since = None;
            for waiter in follow.waiters.drain(..) {
                follow.promised = true;
                let _ = waiter.send(Ok(()));
            }
        }
    }

    /// Nothing arrives any more. Answers how many streams had been promised.
    pub(super) fn interrupted(&mut self) -> u64 {
        self.is_listening = false;
        let promised = self.streams.values().filter(|follow| follow.promised);
        promised.count() as u64
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
            follow.refuse("nobody could listen in time");
            follow.promised
        });
    }

    /// The stream of this name, if it is wanted.
    pub(super) fn stream(&self, name: &str) -> Option<StreamName> {
        let (stream, _) = self.streams.get_key_value(name)?;
        Some(stream.clone())
    }
}

impl Follow {
    fn refuse(&mut self, reason: &'static str) {
        self.since = None;
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(Err(PostgresError::unavailable(reason)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = oneshot::Receiver<Result<(), PostgresError>>;

    fn follow(follows: &mut Follows, stream: &str) -> Told {
        let (waiter, told) = oneshot::channel();
        follows.follow(&stream.into(), waiter, Instant::now());
        told
    }

    /// What was heard: nothing yet, that it is followed, or that it is not.
    fn heard(told: &mut Told) -> Option<bool> {
        told.try_recv().ok().map(|outcome| outcome.is_ok())
    }

    #[test]
    fn followed_as_soon_as_somebody_listens() {
        let mut follows = Follows::default();
        let (mut one, mut two) = (follow(&mut follows, "news"), follow(&mut follows, "news"));
        assert_eq!((heard(&mut one), heard(&mut two)), (None, None));
        assert_eq!((follows.len(), follows.waiting()), (1, 2));
        follows.listening();
        assert_eq!((heard(&mut one), heard(&mut two)), (Some(true), Some(true)));
        assert_eq!(heard(&mut follow(&mut follows, "more")), Some(true));
        assert_eq!((follows.waiting(), follows.interrupted()), (0, 2));
        assert_eq!(heard(&mut follow(&mut follows, "late")), None);
    }

    #[test]
    fn a_stream_that_was_left_is_not_there() {
        let mut follows = Follows::default();
        let mut told = follow(&mut follows, "news");
        assert!(follows.stream("news").is_some());
        follows.unfollow(&"news".into());
        assert_eq!(heard(&mut told), Some(false));
        assert!(follows.stream("news").is_none());
        assert_eq!(follows.waiting(), 0);
    }

    #[test]
    fn who_waits_too_long_is_told_and_what_was_promised_stays() {
        let mut follows = Follows::default();
        follows.listening();
        let _promised = follow(&mut follows, "old");
        follows.interrupted();
        let (mut old, mut new) = (follow(&mut follows, "old"), follow(&mut follows, "new"));
        let patience = Duration::from_secs(5);
        follows.give_up(Instant::now(), patience);
        assert_eq!((heard(&mut old), heard(&mut new)), (None, None));
        follows.give_up(Instant::now() + patience, patience);
        let both = (heard(&mut old), heard(&mut new));
        assert_eq!(both, (Some(false), Some(false)));
        assert_eq!((follows.len(), follows.waiting()), (1, 0));
        assert!(follows.stream("old").is_some());
    }
}
