use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use sinew_protocol::Identifier;
use smallvec::{SmallVec, smallvec};

use crate::mailbox::Mailbox;

/// A follower's place in its group, by which it is found again when it leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seat(u32);

/// Followers of one stream, by identifier: each group gets one encoded frame.
pub(super) enum Groups {
    /// The rule: everyone subscribed with the same identifier.
    One(Identifier, Members),
    // Boxed, since nearly all streams have one group: a map in place would make each of them larger.
    #[allow(clippy::box_collection)]
    Many(Box<HashMap<Identifier, Members, RandomState>>),
}

/// The connections of a group. Seats do not move, so that leaving takes no search.
#[derive(Default)]
pub(super) struct Members {
    /// A stream of one's own is common: one member needs no allocation.
    seats: SmallVec<[Option<Arc<Mailbox>>; 1]>,
    free: Vec<u32>,
}

impl Groups {
    pub(super) fn of_one(identifier: &Identifier, mailbox: &Arc<Mailbox>) -> (Self, Seat) {
        let members = Members {
            seats: smallvec![Some(mailbox.clone())],
            free: Vec::new(),
        };
        (Self::One(identifier.clone(), members), Seat(0))
    }

    pub(super) fn join(&mut self, identifier: &Identifier, mailbox: &Arc<Mailbox>) -> Seat {
        match self {
            Self::One(known, members) if known == identifier => members.join(mailbox),
            Self::One(known, members) => {
                let mut groups = Box::new(HashMap::with_hasher(RandomState::default()));
                groups.insert(known.clone(), std::mem::take(members));
                let seat = groups
                    .entry(identifier.clone())
                    .or_insert_with(Members::default)
                    .join(mailbox);
                *self = Self::Many(groups);
                seat
            }
            Self::Many(groups) => groups.entry(identifier.clone()).or_default().join(mailbox),
        }
    }

    /// Frees a seat. True when no one is left.
    pub(super) fn leave(&mut self, identifier: &Identifier, seat: Seat) -> bool {
        match self {
            Self::One(known, members) => known == identifier && members.leave(seat),
            Self::Many(groups) => {
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

    pub(super) fn for_each(&self, mut visit: impl FnMut(&Identifier, &Members)) {
        match self {
            Self::One(identifier, members) => visit(identifier, members),
            Self::Many(groups) => {
                for (identifier, members) in &**groups {
                    visit(identifier, members);
                }
            }
        }
    }
}

impl Members {
    fn join(&mut self, mailbox: &Arc<Mailbox>) -> Seat {
        if let Some(seat) = self.free.pop() {
            self.seats[seat as usize] = Some(mailbox.clone());
            return Seat(seat);
        }
        let seat = u32::try_from(self.seats.len()).expect("fewer connections than 2^32");
        self.seats.push(Some(mailbox.clone()));
        Seat(seat)
    }

    /// Frees a seat. True when no one is left.
    fn leave(&mut self, Seat(seat): Seat) -> bool {
        if self.seats[seat as usize].take().is_some() {
            self.free.push(seat);
        }
        self.free.len() == self.seats.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.seats.iter().flatten()
    }
}
