//! The sessions in parts, so that visitors seldom wait for each other.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

use super::table::Table;
use crate::record::Key;

/// Into how many parts the sessions are split at most.
const PARTS_MAX: usize = 16;

/// Sessions that a part remembers at least: of fewer one more part is no help, and would forget those that happen to
/// come into the same one.
const PART_REMEMBERED_MIN: usize = 1024;

pub(super) struct Tables {
    parts: Box<[Mutex<Table>]>,
    hasher: RandomState,
}

impl Tables {
    pub(super) fn new(remembered_max: usize) -> Tables {
        let count = (remembered_max / PART_REMEMBERED_MIN).clamp(1, PARTS_MAX);
        let part = || Mutex::new(Table::new(remembered_max / count));
        Tables {
            parts: std::iter::repeat_with(part).take(count).collect(),
            hasher: RandomState::default(),
        }
    }

    /// The part in which this session is.
    pub(super) fn lock(&self, key: &Key) -> MutexGuard<'_, Table> {
        self.parts[self.part(key)].lock()
    }

    /// The part of the one, and that of the other unless it is the same.
    pub(super) fn lock_both(
        &self,
        one: &Key,
        other: &Key,
    ) -> (MutexGuard<'_, Table>, Option<MutexGuard<'_, Table>>) {
        let (one, other) = (self.part(one), self.part(other));
        if one == other {
            return (self.parts[one].lock(), None);
        }
        // Always in this order: two that need the same parts do not wait for each other.
        let first = self.parts[one.min(other)].lock();
        let second = self.parts[one.max(other)].lock();
        match one < other {
            true => (first, Some(second)),
            false => (second, Some(first)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().len()).sum()
    }

    fn part(&self, key: &Key) -> usize {
        let hash = self.hasher.hash_one(key.as_str());
        // The map inside of the part looks at the low bits.
        (hash >> 48) as usize % self.parts.len()
    }
}

#[cfg(test)]
mod tests;
