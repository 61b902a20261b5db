//! A shard's own fan-out: who of it follows which stream, under which identifier. Nobody else touches it: no lock.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use sinew_protocol::Identifier;
use sinew_streams::StreamName;

use super::Key;

/// A follower's place in its group, by which it is found again when it leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seat(u32);

#[derive(Default)]
pub(super) struct Hub {
    streams: HashMap<StreamName, Audience, RandomState>,
}

/// Followers of one stream, by identifier: each group gets one encoded frame.
enum Audience {
    /// A stream of one's own is common.
    One(Identifier, Key),
    /// The rule otherwise: everyone subscribed with the same identifier.
    Group(Box<(Identifier, Members)>),
    // Boxed, since nearly all streams have one group: a map in place would make each of them larger.
    #[allow(clippy::box_collection)]
    Groups(Box<HashMap<Identifier, Members, RandomState>>),
}

/// The connections of a group. Seats do not move, so that leaving takes no search.
#[derive(Default)]
pub(super) struct Members {
    seats: Vec<Option<Key>>,
    free: Vec<u32>,
}

impl Hub {
    /// Adds a follower, and says whether it is the stream's first. The name becomes the one that the others hold.
    pub(super) fn join(
        &mut self,
        stream: &mut StreamName,
        identifier: &Identifier,
        key: Key,
    ) -> (Seat, bool) {
        match self.streams.entry(stream.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Audience::One(identifier.clone(), key));
                (Seat(0), true)
            }
            Entry::Occupied(mut entry) => {
                *stream = entry.key().clone();
                (entry.get_mut().join(identifier, key), false)
            }
        }
    }

    /// Removes a follower, and says whether it was the stream's last.
    pub(super) fn leave(
        &mut self,
        stream: &StreamName,
        identifier: &Identifier,
        seat: Seat,
    ) -> bool {
        let Some(audience) = self.streams.get_mut(stream) else {
            return false;
        };
        if !audience.leave(identifier, seat) {
            return false;
        }
        self.streams.remove(stream);
        if self.streams.capacity() > 64 && self.streams.len() < self.streams.capacity() / 8 {
            self.streams.shrink_to_fit();
        }
        true
    }

    /// Visits the groups of a stream: the identifier, and the seats of who is subscribed with it.
    pub(super) fn for_each(
        &self,
        stream: &StreamName,
        mut visit: impl FnMut(&Identifier, &[Option<Key>]),
    ) {
        match self.streams.get(stream) {
            None => {}
            Some(Audience::One(identifier, key)) => visit(identifier, &[Some(*key)]),
            Some(Audience::Group(group)) => visit(&group.0, &group.1.seats),
            Some(Audience::Groups(groups)) => {
                for (identifier, members) in &**groups {
                    visit(identifier, &members.seats);
                }
            }
        }
    }
}

impl Audience {
    fn join(&mut self, identifier: &Identifier, key: Key) -> Seat {
        match self {
            Self::One(known, first) => {
                let mut members = Members::default();
                members.join(*first);
                let known = known.clone();
                if known == *identifier {
                    let seat = members.join(key);
                    *self = Self::Group(Box::new((known, members)));
                    seat
                } else {
                    self.split(known, members, identifier, key)
                }
            }
            Self::Group(group) if group.0 == *identifier => group.1.join(key),
            Self::Group(group) => {
                let (known, members) = (group.0.clone(), std::mem::take(&mut group.1));
                self.split(known, members, identifier, key)
            }
            Self::Groups(groups) => groups.entry(identifier.clone()).or_default().join(key),
        }
    }

    fn split(
        &mut self,
        known: Identifier,
        members: Members,
        identifier: &Identifier,
        key: Key,
    ) -> Seat {
        let mut groups = Box::new(HashMap::with_hasher(RandomState::default()));
        groups.insert(known, members);
        let seat = groups
            .entry(identifier.clone())
            .or_insert_with(Members::default)
            .join(key);
        *self = Self::Groups(groups);
        seat
    }

    /// Frees a seat. True when no one is left.
    fn leave(&mut self, identifier: &Identifier, seat: Seat) -> bool {
        match self {
            Self::One(known, _) => known == identifier,
            Self::Group(group) => group.0 == *identifier && group.1.leave(seat),
            Self::Groups(groups) => {
                if groups
                    .get_mut(identifier)
                    .is_some_and(|members| members.leave(seat))
                {
                    groups.remove(identifier);
                }
                groups.is_empty()
            }
        }
    }
}

impl Members {
    fn join(&mut self, key: Key) -> Seat {
        if let Some(seat) = self.free.pop() {
            self.seats[seat as usize] = Some(key);
            return Seat(seat);
        }
        let seat = u32::try_from(self.seats.len()).expect("fewer connections than 2^32");
        self.seats.push(Some(key));
        Seat(seat)
    }

    /// Frees a seat. True when no one is left.
    fn leave(&mut self, Seat(seat): Seat) -> bool {
        if self.seats[seat as usize].take().is_some() {
            self.free.push(seat);
        }
        self.free.len() == self.seats.len()
    }
}

#[cfg(test)]
mod tests;
