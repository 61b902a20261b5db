//! Values bounded by bytes, in the order of their last use.

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use bytes::Bytes;
use foldhash::fast::RandomState;
use slab::Slab;

use super::config::{ENTRY_OVERHEAD_BYTES, SWEPT_PER_WRITE_MAX};
use crate::record::Key;

/// One part of a cache in memory: a table, the order of use as a list linked through the
/// slots, and the expiries in order.
#[derive(Debug)]
pub(crate) struct Shard {
    slots: Slab<Slot>,
    by_key: HashMap<Key, usize, RandomState>,
    by_expiry: BTreeSet<(SystemTime, usize)>,
    newest: Option<usize>,
    oldest: Option<usize>,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Slot {
    key: Key,
    value: Bytes,
    expires_at: Option<SystemTime>,
    newer: Option<usize>,
    older: Option<usize>,
}

impl Slot {
    fn bytes(&self) -> usize {
        entry_bytes(&self.key, &self.value)
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

fn entry_bytes(key: &Key, value: &Bytes) -> usize {
    key.as_str().len() + value.len() + ENTRY_OVERHEAD_BYTES
}

impl Shard {
    pub(crate) fn new(bytes_max: usize) -> Shard {
        Shard {
            slots: Slab::new(),
            by_key: HashMap::default(),
            by_expiry: BTreeSet::new(),
            newest: None,
            oldest: None,
            bytes: 0,
            bytes_max,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value and its expiry; it is then the one used last.
    pub(crate) fn get(
        &mut self,
        key: &Key,
        now: SystemTime,
    ) -> Option<(Bytes, Option<SystemTime>)> {
        let index = *self.by_key.get(key)?;
        if self.slots[index].is_over(now) {
            self.take(index);
            return None;
        }
        if self.newest != Some(index) {
            self.unlink(index);
            self.link(index);
        }
        let slot = &self.slots[index];
        Some((slot.value.clone(), slot.expires_at))
    }

    /// Whether there was room for it.
    pub(crate) fn insert(
        &mut self,
        key: Key,
        value: Bytes,
        expires_at: Option<SystemTime>,
        now: SystemTime,
    ) -> bool {
        if let Some(index) = self.by_key.get(&key) {
            self.take(*index);
        }
        let bytes = entry_bytes(&key, &value);
        if bytes > self.bytes_max {
            return false;
        }
        while self.bytes + bytes > self.bytes_max {
            self.forget(now);
        }
        let index = self.slots.insert(Slot {
            key: key.clone(),
            // A slice of a large buffer would keep all of it.
            value: Bytes::copy_from_slice(&value),
            expires_at,
            newer: None,
            older: None,
        });
        self.by_key.insert(key, index);
        if let Some(at) = expires_at {
            self.by_expiry.insert((at, index));
        }
        self.bytes += bytes;
        self.link(index);
        true
    }

    /// Whether there was one that had not expired.
    pub(crate) fn remove(&mut self, key: &Key, now: SystemTime) -> bool {
        let index = self.by_key.get(key).copied();
        index.is_some_and(|index| !self.take(index).is_over(now))
    }

    /// How many of those removed had not expired.
    pub(crate) fn remove_where(&mut self, now: SystemTime, wanted: impl Fn(&Key) -> bool) -> u64 {
        let found = self.slots.iter().filter(|(_, slot)| wanted(&slot.key));
        let indices: Vec<usize> = found.map(|(index, _)| index).collect();
        let lived = indices
            .into_iter()
            .filter(|index| !self.take(*index).is_over(now));
        lived.count() as u64
    }

    pub(crate) fn sweep(&mut self, now: SystemTime) {
        for _ in 0..SWEPT_PER_WRITE_MAX {
            if !self.take_expired(now) {
                return;
            }
        }
    }

    fn forget(&mut self, now: SystemTime) {
        if self.take_expired(now) {
            return;
        }
        let oldest = self
            .oldest
            .expect("bytes are held by slots, and one is the oldest");
        self.take(oldest);
    }

    fn take_expired(&mut self, now: SystemTime) -> bool {
        match self.by_expiry.first() {
            Some((at, index)) if *at <= now => {
                self.take(*index);
                true
            }
            _ => false,
        }
    }

    fn take(&mut self, index: usize) -> Slot {
        self.unlink(index);
        let slot = self.slots.remove(index);
        self.by_key.remove(&slot.key);
        if let Some(at) = slot.expires_at {
            self.by_expiry.remove(&(at, index));
        }
        self.bytes -= slot.bytes();
        slot
    }

    fn link(&mut self, index: usize) {
        let before = self.newest.replace(index);
        match before {
            Some(before) => self.slots[before].newer = Some(index),
            None => self.oldest = Some(index),
        }
        let slot = &mut self.slots[index];
        (slot.newer, slot.older) = (None, before);
    }

    fn unlink(&mut self, index: usize) {
        let (newer, older) = (self.slots[index].newer, self.slots[index].older);
        match newer {
            Some(newer) => self.slots[newer].older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => self.slots[older].newer = newer,
            None => self.oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests;
