//! Telling the connections of a shard to leave, evenly over a time, and none while it waits for an answer.

use std::time::{Duration, Instant};

use super::{Key, Shard};

/// How often those that were busy are looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Connections that are to be told, one after another.
pub(super) struct Departure {
    schedule: Schedule,
    keys: Vec<Key>,
    told: usize,
    /// Their time has come, and the application owed them an answer.
    busy: Vec<Key>,
    look_again: Instant,
    /// Nobody has been told: there is something to do at once.
    pub(super) is_new: bool,
}

impl<P> Shard<P> {
    /// From now on connections are told, over so long a time.
    pub(super) fn depart(&mut self, now: Instant, window: Duration) {
        let keys: Vec<Key> = self.links.numbers().map(Key).collect();
        self.departure = Some(Box::new(Departure {
            schedule: Schedule {
                begun: now,
                window,
                count: keys.len(),
            },
            keys,
            told: 0,
            busy: Vec::new(),
            look_again: now,
            is_new: true,
        }));
    }

    /// Those whose time has come, and whom the application owes nothing at this moment: what it has answered is in the
    /// inbox already, and goes first.
    pub(super) fn leaving(&mut self, now: Instant) -> Vec<Key> {
        let Some(mut departure) = self.departure.take() else {
            return Vec::new();
        };
        departure.is_new = false;
        let due = departure.schedule.due(now).max(departure.told);
        let mut asked = departure.keys[departure.told..due].to_vec();
        departure.told = due;
        if departure.look_again <= now {
            asked.append(&mut departure.busy);
            departure.look_again = now + LOOK_AGAIN;
        }
        let (busy, leaving) = asked
            .into_iter()
            .filter(|key| self.links.get(key.0).is_some_and(|it| !it.is_departing))
            .partition(|key| self.is_busy(*key));
        departure.busy.extend::<Vec<Key>>(busy);
        if departure.told < departure.keys.len() || !departure.busy.is_empty() {
            self.departure = Some(departure);
        }
        leaving
    }

    /// When [`take_mail`](Self::take_mail) has something to do though nothing was posted: while connections are told to
    /// leave.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::{Duration, Instant};
    /// use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers, shard::Shard};
    /// # use futures_util::FutureExt as _;
    /// # use sinew_streams::InProcessStreams;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let (mut shard, now) = (Shard::new(&cable, || {}), Instant::now());
    /// for name in ["first", "second"] {
    ///     shard.open(now, cable.incoming(), Arc::new(ConnectRequest::default()), name);
    /// }
    /// assert_eq!(shard.next_departure(), None);
    ///
    /// let drained = cable.drain_over(Duration::from_secs(10));
    /// # let mut drained = Box::pin(drained);
    /// # assert!((&mut drained).now_or_never().is_none());
    /// shard.take_mail(now);
    /// assert_eq!(shard.next_departure(), Some(now), "one at once");
    /// shard.take_mail(now);
    /// assert_eq!(shard.next_departure(), Some(now + Duration::from_secs(5)), "and one later");
    /// # Ok(()) }
    /// ```
    pub fn next_departure(&self) -> Option<Instant> {
        let departure = self.departure.as_ref()?;
        let next = departure.schedule.next(departure.told);
        let again = (!departure.busy.is_empty()).then_some(departure.look_again);
        match (next, again) {
            (Some(next), Some(again)) => Some(next.min(again)),
            (next, again) => next.or(again),
        }
    }

    fn is_busy(&self, key: Key) -> bool {
        let controller = &*self.cable.controller;
        let link = self.links.get(key.0);
        link.is_some_and(|link| link.connection.is_busy(controller))
    }
}

/// So many, evenly over a time; the first at its beginning.
struct Schedule {
    begun: Instant,
    window: Duration,
    count: usize,
}

impl Schedule {
    /// How many should have been told.
    fn due(&self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.begun);
        if elapsed >= self.window {
            return self.count;
        }
        let share = elapsed.as_nanos() * self.count as u128 / self.window.as_nanos();
        self.count.min(share as usize + 1)
    }

    /// When the next is due, after so many.
    fn next(&self, told: usize) -> Option<Instant> {
        if told >= self.count {
            return None;
        }
        // Rounded up, or it would not be due yet when its time has come.
        let share = (self.window.as_nanos() * told as u128).div_ceil(self.count as u128);
        Some(self.begun + Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Waiting for the next, as a driver does, tells everybody, one at a time and within the window.
        #[test]
        fn everybody_has_a_time(count in 0_usize..500, milliseconds in 0_u64..100_000) {
            let begun = Instant::now();
            let window = Duration::from_millis(milliseconds);
            let schedule = Schedule { begun, window, count };
            let mut told = 0;
            while let Some(next) = schedule.next(told) {
                prop_assert!(next >= begun && next <= begun + window);
                let due = schedule.due(next);
                prop_assert!(due > told);
                prop_assert!(window.is_zero() || milliseconds < 1000 || due == told + 1);
                told = due;
            }
            prop_assert_eq!(told, count);
        }
    }
}
