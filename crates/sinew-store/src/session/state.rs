//! What a session knows at one moment, and what follows from it. No waiting, no store.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::ENDED;
use super::Sessions;
use super::config::SessionConfig;
use super::id::SessionId;
use super::pending::Pending;
use super::renewal::Renewal;
use crate::error::SessionError;
use crate::record::{Key, Record};
use crate::store::Store;

pub(super) struct State {
    pub(super) id: SessionId,
    pub(super) key: Key,
    pub(super) origin: Origin,
    pub(super) life: Life,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) pending: Pending,
    pub(super) renewal: Option<SessionId>,
    pub(super) renewing: Renewal,
    pub(super) ensure: bool,
    /// Counts every change of this struct that a reader could notice.
    pub(super) changes: u64,
}

/// Where the id came from, and so what happens when its record is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Created,
    Trusted,
    Claimed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Alive,
    /// To be destroyed by the next commit.
    Condemned,
    Ended,
}

#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) fields: BTreeMap<String, Bytes>,
    pub(super) is_stored: bool,
    pub(super) expires_in: Option<Duration>,
}

impl State {
    /// Takes over what this store has, or has not, under this id.
    pub(super) fn adopt(&mut self, record: Option<Record>, store: &dyn Store) {
        let ended = record
            .as_ref()
            .is_some_and(|record| record.fields.contains_key(ENDED));
        match record {
            Some(record) if !ended => {
                self.snapshot = Some(Snapshot {
                    fields: record.fields,
                    is_stored: true,
                    expires_in: record.expires_in,
                });
                return;
            }
            _ => {}
        }
        // Whoever has read this session and then finds it ended must hear of it; an id that
        // was presented and never read is simply not known.
        let was_read = self.snapshot.as_ref().is_some_and(|it| it.is_stored);
        self.snapshot = Some(Snapshot::default());
        if self.origin == Origin::Claimed && !(ended && was_read) {
            self.id = SessionId::generate();
            self.key = store.session_key(&self.id);
            self.origin = Origin::Created;
        } else if ended {
            self.life = Life::Ended;
        }
    }

    pub(super) fn check_alive(&self) -> Result<(), SessionError> {
        match self.life {
            Life::Alive => Ok(()),
            Life::Condemned | Life::Ended => Err(SessionError::Ended),
        }
    }

    pub(super) fn is_dirty(&self) -> bool {
        match self.life {
            Life::Alive | Life::Ended => {
                let is_stored = self.snapshot.as_ref().is_some_and(|it| it.is_stored);
                !self.pending.is_empty() || self.renewal.is_some() || (self.ensure && !is_stored)
            }
            Life::Condemned => match &self.snapshot {
                Some(snapshot) => snapshot.is_stored || self.origin == Origin::Trusted,
                None => true,
            },
        }
    }

    /// Whether all there is to do is to see that the record exists, and whether it does is not known.
    pub(super) fn is_only_ensured(&self) -> bool {
        self.life == Life::Alive
            && self.ensure
            && self.pending.is_empty()
            && self.renewal.is_none()
            && self.snapshot.is_none()
    }

    /// Whether more than a tenth of the session's life has passed.
    pub(super) fn is_due(&self, config: &SessionConfig) -> bool {
        let left = self.snapshot.as_ref().and_then(|it| it.expires_in);
        left.is_some_and(|left| left < config.expire_after - config.expire_after / 10)
    }

    /// A field as the next commit would leave it; `None` when it has to be loaded.
    pub(super) fn get(&self, name: &str) -> Option<Option<Bytes>> {
        if self.life != Life::Alive {
            return Some(None);
        }
        match self.pending.get(name) {
            Some(outcome) => Some(outcome.cloned()),
            None => self
                .snapshot
                .as_ref()
                .map(|snapshot| snapshot.fields.get(name).cloned()),
        }
    }

    /// All fields as the next commit would leave them, as far as they are known here.
    pub(super) fn effective(&self) -> BTreeMap<&str, &Bytes> {
        let mut fields = BTreeMap::new();
        if self.life != Life::Alive {
            return fields;
        }
        if let Some(snapshot) = &self.snapshot
            && !self.pending.is_cleared()
        {
            fields.extend(snapshot.fields.iter().map(|(name, it)| (name.as_str(), it)));
        }
        for (name, outcome) in self.pending.outcomes() {
            match outcome {
                Some(value) => fields.insert(name, value),
                None => fields.remove(name),
            };
        }
        fields
    }

    /// Whether the session stays within its limits with this write, as far as is known here.
    pub(super) fn check_room<'a>(
        &'a self,
        sessions: &Sessions,
        name: &'a str,
        outcome: Option<&'a Bytes>,
    ) -> Result<(), SessionError> {
        let Some(value) = outcome else {
            return Ok(());
        };
        let config = sessions.config();
        let mut fields = self.effective();
        fields.insert(name, value);
        let bytes: usize = fields.iter().map(|(name, it)| name.len() + it.len()).sum();
        if fields.len() > config.fields_max {
            return Err(SessionError::TooManyFields {
                fields_max: config.fields_max,
            });
        }
        if bytes > config.session_bytes_max {
            return Err(SessionError::SessionTooLarge {
                bytes_max: config.session_bytes_max,
            });
        }
        if let Some(room) = sessions.store().room()
            && room.bytes(&fields) > room.bytes_max()
        {
            let bytes_max = room.bytes_max();
            return Err(SessionError::CookieTooLarge { bytes_max });
        }
        Ok(())
    }
}
