//! What was written and not committed yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::SessionError;
use crate::record::Commit;

/// Makes a field's next text from its present one; `None` is an absent field.
pub(super) type Derive =
    Arc<dyn Fn(Option<&Bytes>) -> Result<Option<Bytes>, SessionError> + Send + Sync>;

/// The changes of one session by field, the latest standing for all before it.
#[derive(Default)]
pub(super) struct Pending {
    /// Whether all that is stored goes first, and which clearing it was.
    cleared: Option<u64>,
    fields: BTreeMap<String, Change>,
    /// Stamps handed out so far.
    stamps: u64,
}

struct Change {
    /// Tells this change from one that replaced it while it was being committed.
    stamp: u64,
    /// What the field holds once this is committed.
    outcome: Option<Bytes>,
    /// How the outcome came about when it depends on what is stored; empty for a plain write.
    derived: Vec<Derive>,
    /// What the first of `derived` was given.
    seen: Option<Bytes>,
}

/// A derived change that has to be made again from another text.
pub(super) struct Stale {
    pub(super) name: String,
    stamp: u64,
    derived: Vec<Derive>,
}

impl Stale {
    pub(super) fn outcome_from(
        &self,
        stored: Option<&Bytes>,
    ) -> Result<Option<Bytes>, SessionError> {
        let mut outcome = stored.cloned();
        for derive in &self.derived {
            outcome = derive(outcome.as_ref())?;
        }
        Ok(outcome)
    }
}

/// What a commit contained, to be struck from the list once it is stored.
pub(super) struct Planned {
    cleared: Option<u64>,
    fields: Vec<PlannedField>,
}

struct PlannedField {
    name: String,
    stamp: u64,
    derived: usize,
    outcome: Option<Bytes>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.cleared.is_none() && self.fields.is_empty()
    }

    pub(super) fn is_cleared(&self) -> bool {
        self.cleared.is_some()
    }

    /// What the field will hold; `None` when that is for the store to say.
    pub(super) fn get(&self, name: &str) -> Option<Option<&Bytes>> {
        match self.fields.get(name) {
            Some(change) => Some(change.outcome.as_ref()),
            None if self.is_cleared() => Some(None),
            None => None,
        }
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&str, Option<&Bytes>)> {
        self.fields
            .iter()
            .map(|(name, change)| (name.as_str(), change.outcome.as_ref()))
    }

    fn stamp(&mut self) -> u64 {
        self.stamps += 1;
        self.stamps
    }

    pub(super) fn put(&mut self, name: &str, outcome: Option<Bytes>) {
        let change = Change {
            stamp: self.stamp(),
            outcome,
            derived: Vec::new(),
            seen: None,
        };
        self.fields.insert(name.to_owned(), change);
    }

    /// Adds a change that was computed from `before`, the field's present text.
    pub(super) fn derive(
        &mut self,
        name: &str,
        before: Option<Bytes>,
        outcome: Option<Bytes>,
        derive: Derive,
    ) {
        let is_cleared = self.is_cleared();
        match self.fields.get_mut(name) {
            Some(change) if !change.derived.is_empty() => {
                change.outcome = outcome;
                change.derived.push(derive);
            }
            // What it was made from is itself a plain write: so is the outcome.
            Some(_) => self.put(name, outcome),
            None if is_cleared => self.put(name, outcome),
            None => {
                let change = Change {
                    stamp: self.stamp(),
                    outcome,
                    derived: vec![derive],
                    seen: before,
                };
                self.fields.insert(name.to_owned(), change);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.fields.clear();
        self.cleared = Some(self.stamp());
    }

    /// Writes everything into `commit`, and remembers what that was.
    pub(super) fn plan(&self, commit: &mut Commit) -> Planned {
        commit.clear = self.is_cleared();
        let mut fields = Vec::with_capacity(self.fields.len());
        for (name, change) in &self.fields {
            if !change.derived.is_empty() {
                commit.expect.push((name.clone(), change.seen.clone()));
            }
            match &change.outcome {
                Some(value) => commit.set.push((name.clone(), value.clone())),
                None => commit.remove.push(name.clone()),
            }
            fields.push(PlannedField {
                name: name.clone(),
                stamp: change.stamp,
                derived: change.derived.len(),
                outcome: change.outcome.clone(),
            });
        }
        Planned {
            cleared: self.cleared,
            fields,
        }
    }

    /// Strikes what was committed. What was written meanwhile stays.
    pub(super) fn settle(&mut self, planned: &Planned) {
        if self.cleared == planned.cleared {
            self.cleared = None;
        }
        for field in &planned.fields {
            let Some(change) = self.fields.get_mut(&field.name) else {
                continue;
            };
            if change.stamp != field.stamp {
                continue;
            }
            if change.derived.len() > field.derived {
                change.derived.drain(..field.derived);
                change.seen = field.outcome.clone();
            } else {
                self.fields.remove(&field.name);
            }
        }
    }

    /// The changes that were made from a text which the store no longer holds.
    pub(super) fn stale(&self, stored: &BTreeMap<String, Bytes>) -> Vec<Stale> {
        self.fields
            .iter()
            .filter(|(name, change)| {
                !change.derived.is_empty() && change.seen.as_ref() != stored.get(*name)
            })
            .map(|(name, change)| Stale {
                name: name.clone(),
                stamp: change.stamp,
                derived: change.derived.clone(),
            })
            .collect()
    }

    /// Takes a change that was made again; `false` when the field was written meanwhile.
    pub(super) fn refresh(
        &mut self,
        stale: &Stale,
        seen: Option<Bytes>,
        outcome: Option<Bytes>,
    ) -> bool {
        match self.fields.get_mut(&stale.name) {
            Some(change) if change.stamp == stale.stamp => {
                if change.derived.len() != stale.derived.len() {
                    return false;
                }
                change.seen = seen;
                change.outcome = outcome;
                true
            }
            // Replaced by a plain write or cleared: there is nothing left to make again.
            _ => true,
        }
    }
}

impl Planned {
    /// Applies the same changes to what was read before.
    pub(super) fn apply_to(&self, fields: &mut BTreeMap<String, Bytes>) {
        if self.cleared.is_some() {
            fields.clear();
        }
        for field in &self.fields {
            match &field.outcome {
                Some(value) => fields.insert(field.name.clone(), value.clone()),
                None => fields.remove(&field.name),
            };
        }
    }
}
