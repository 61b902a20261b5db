//! Counters of an engine.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::measure::{Durations, Stopwatch};

/// What an engine has done since it was built; a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Calls that arrived, refused and malformed ones included.
    pub calls: u64,
    /// Calls that were no JSON object; they cannot be answered.
    pub malformed: u64,
    /// Reflexes answered with page morphs.
    pub pages: u64,
    /// Reflexes answered with selector morphs.
    pub selectors: u64,
    /// Reflexes answered with nothing.
    pub nothings: u64,
    /// Reflexes halted by a `before` callback.
    pub halted: u64,
    /// Reflexes forbidden by a `before` callback or by the page.
    pub forbidden: u64,
    /// Reflexes that ended with an error, panics and time limits included.
    pub errors: u64,
    /// Panics in application code.
    pub panics: u64,
    /// Time limits that ran out.
    pub timeouts: u64,
    /// Calls refused because too many were waiting.
    pub overloads: u64,
    /// Replies that could not be published, or refusals dropped over their bound.
    pub unanswered: u64,
    /// Tickets that took what a reflex had written to the visitor's browser, where the session lives in its cookie.
    pub tickets: u64,
    /// Replies that left although their ticket was not redeemed within [`Config::ticket_time_limit`](crate::Config::ticket_time_limit).
    pub tickets_pending: u64,
    /// Tabs with a call under way: a lane each.
    pub lanes: u64,
    /// Calls that run now.
    pub running: u64,
    /// Calls that wait for their turn in a lane.
    pub waiting: u64,
    /// How long calls waited for their turn.
    pub waits: Durations,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
            pub(crate) waits: Stopwatch,
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Statistics {
                Statistics {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                    waits: self.waits.read(),
                }
            }
        }
    };
}

// A new one: its name here, and a field of `Statistics` with the same name.
counters!(
    calls,
    malformed,
    pages,
    selectors,
    nothings,
    halted,
    forbidden,
    errors,
    panics,
    timeouts,
    overloads,
    unanswered,
    tickets,
    tickets_pending,
    lanes,
    running,
    waiting,
);

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
