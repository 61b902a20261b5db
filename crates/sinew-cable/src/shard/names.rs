//! Identifiers that connections have in common, each kept once.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use sinew_protocol::Identifier;

/// Below so many, nothing is cleared away.
const SWEEP_MIN: usize = 256;

/// The identifiers that connections of a shard subscribe with: most pages have the same.
///
/// Those that nobody holds any more are cleared away when there are twice as many as at the last clearing: they never
/// outnumber those in use by more than [`SWEEP_MIN`].
#[derive(Default)]
pub(super) struct Names {
    known: HashSet<Identifier, RandomState>,
    sweep_at: usize,
}

impl Names {
    /// The identifier with this text: the one that others hold, if there is one.
    pub(super) fn identifier(&mut self, text: &str) -> Identifier {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        if self.known.len() >= self.sweep_at.max(SWEEP_MIN) {
            self.known.retain(Identifier::is_shared);
            self.sweep_at = self.known.len() * 2;
            self.known.shrink_to(self.sweep_at);
        }
        let identifier = Identifier::from(text);
        self.known.insert(identifier.clone());
        identifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_all_who_hold_it() {
        let mut names = Names::default();
        let one = names.identifier("news");
        let two = names.identifier("news");
        assert_eq!(one.as_str().as_ptr(), two.as_str().as_ptr());
        assert_ne!(names.identifier("other"), one);
    }

    #[test]
    fn those_nobody_holds_are_cleared_away() {
        let mut names = Names::default();
        let held: Vec<_> = (0..1000)
            .map(|number| names.identifier(&format!("held {number}")))
            .collect();
        for number in 0..100_000 {
            names.identifier(&format!("passing {number}"));
            assert!(names.known.len() <= 2 * held.len() + SWEEP_MIN);
        }
        assert!(held.iter().all(|name| names.known.contains(name)));
        drop(held);
        for number in 0..10_000 {
            names.identifier(&format!("late {number}"));
        }
        assert!(names.known.len() <= SWEEP_MIN);
    }
}
