//! What was stored when it was last seen, so that a commit needs no reading before it.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use super::Seen;

/// Sessions that are kept in mind; those of requests under way are what counts.
const SESSIONS_MAX: usize = 1_024;
/// Bytes of all of them together.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The sessions seen last. That one was forgotten, or has changed since, costs its next commit a round trip.
#[derive(Default)]
pub(super) struct Recent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// By name: what was seen, and when, as a number that counts up.
    seen: HashMap<String, (u64, Seen)>,
    /// Oldest first. Who was seen again, or taken out, stays in here until its turn.
    order: VecDeque<(u64, String)>,
    bytes: usize,
    count: u64,
}

impl Recent {
    pub(super) fn remember(&self, name: &str, seen: Seen) {
        let mut inner = self.0.lock();
        inner.forget(name);
        inner.count += 1;
        inner.bytes += seen.bytes;
        let count = inner.count;
        inner.seen.insert(name.to_owned(), (count, seen));
        inner.order.push_back((count, name.to_owned()));
        while inner.bytes > BYTES_MAX || inner.order.len() > SESSIONS_MAX {
            let Some((count, oldest)) = inner.order.pop_front() else {
                break;
            };
            if inner
                .seen
                .get(&oldest)
                .is_some_and(|(last, _)| *last == count)
            {
                inner.forget(&oldest);
            }
        }
    }

    /// Each is used once: whatever the commit finds is remembered anew.
    pub(super) fn take(&self, name: &str) -> Option<Seen> {
        self.0.lock().forget(name)
    }
}

impl Inner {
    fn forget(&mut self, name: &str) -> Option<Seen> {
        let (_, seen) = self.seen.remove(name)?;
        self.bytes -= seen.bytes;
        Some(seen)
    }
}
