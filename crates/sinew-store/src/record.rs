//! What a store holds, and how it is changed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// The name of a record in a store. Cheap to clone.
///
/// Keys are made by Sinew (a prefix and a digest, or an application's own cache key), never
/// taken from a visitor as they came.
///
/// ```
/// use sinew_store::Key;
///
/// let key = Key::new("cache:front page");
/// assert_eq!(key.as_str(), "cache:front page");
/// assert_eq!(key, Key::new(String::from("cache:front page")));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// A key of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Key {
        Key(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A record as it was at one moment: named fields, each a JSON text.
///
/// ```
/// use std::time::Duration;
/// use sinew_store::Record;
///
/// let fields = [("name".to_owned(), r#""Ada""#.into())].into();
/// let record = Record::new(fields, Some(Duration::from_secs(60)));
/// assert_eq!(record.fields["name"], r#""Ada""#);
/// assert_eq!(record.bytes(), "name".len() + r#""Ada""#.len());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The fields by name. A value is the JSON text as it was written, byte for byte; a store
    /// never parses or rewrites it.
    pub fields: BTreeMap<String, Bytes>,
    /// What was left of the record's life when it was read; `None` for one that never expires.
    pub expires_in: Option<Duration>,
}

impl Record {
    /// A record of these fields.
    pub fn new(fields: BTreeMap<String, Bytes>, expires_in: Option<Duration>) -> Record {
        Record { fields, expires_in }
    }

    /// Bytes of all names and values together: what [`Commit::bytes_max`] is compared with.
    ///
    /// ```
    /// use sinew_store::Record;
    ///
    /// let fields = [("count".to_owned(), "41".into())].into();
    /// assert_eq!(Record::new(fields, None).bytes(), 7);
    /// ```
    pub fn bytes(&self) -> usize {
        bytes_of(&self.fields)
    }
}

pub(crate) fn bytes_of(fields: &BTreeMap<String, Bytes>) -> usize {
    fields
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}

/// One change of one record: all of it happens, or none.
///
/// In this order: is the record there ([`create`](Commit::create)), do the expectations hold,
/// then clear, remove, set, do the limits hold, then the time to live, then the move.
///
/// ```
/// use sinew_store::{Commit, Committed, Key, MemoryStore, Store};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
/// let store = MemoryStore::new();
/// let key = Key::new("greeting");
///
/// let mut first = Commit::new();
/// first.create = true;
/// first.set.push(("text".into(), r#""hello""#.into()));
/// assert_eq!(store.commit(&key, first).await?, Committed::Applied);
///
/// // Somebody who believes that the field is absent is told what it holds.
/// let mut second = Commit::new();
/// second.expect.push(("text".into(), None));
/// second.remove.push("text".into());
/// let Committed::Conflict(current) = store.commit(&key, second).await? else { panic!() };
/// assert_eq!(current.fields["text"], r#""hello""#);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// What must be so: the field has exactly this text, or (`None`) is absent. A record that
    /// is about to be created has no fields.
    pub expect: Vec<(String, Option<Bytes>)>,
    /// Whether every field is dropped first.
    pub clear: bool,
    /// Fields to drop. One that is not there is no error.
    pub remove: Vec<String>,
    /// Fields to write. No name stands in here twice, nor in `remove` as well.
    pub set: Vec<(String, Bytes)>,
    /// The record lives this long from now on. `None` leaves its expiry as it is; a record
    /// created with `None` never expires.
    pub time_to_live: Option<Duration>,
    /// Whether a missing record is created; otherwise the outcome is [`Committed::Missing`].
    pub create: bool,
    /// The record is afterwards found under this key and no longer under its old one. What
    /// was stored there before is gone.
    pub move_to: Option<Key>,
    /// The most fields that the record may have afterwards; `None` is without a limit.
    pub fields_max: Option<usize>,
    /// The most bytes that names and values may have together afterwards; `None` is without
    /// a limit.
    pub bytes_max: Option<usize>,
}

impl Commit {
    /// A change that changes nothing.
    pub fn new() -> Commit {
        Commit::default()
    }

    /// Applies this change to the fields of a record: the part that every store has in common.
    ///
    /// `current` is `None` when the record is missing or expired. The answer is the fields as
    /// they shall be; expiry and move are the caller's.
    ///
    /// # Errors
    ///
    /// The outcome to answer with instead, when the change may not be made: every
    /// [`Committed`] but [`Applied`](Committed::Applied).
    ///
    /// ```
    /// use sinew_store::{Commit, Committed, Record};
    ///
    /// let mut commit = Commit::new();
    /// commit.set.push(("a".into(), "1".into()));
    /// assert_eq!(commit.apply_to(None).unwrap_err(), Committed::Missing);
    ///
    /// let fields = commit.apply_to(Some(Record::default())).unwrap();
    /// assert_eq!(fields["a"], "1");
    /// ```
    #[allow(
        clippy::result_large_err,
        reason = "the refusal carries the record that the caller needs next"
    )]
    pub fn apply_to(&self, current: Option<Record>) -> Result<BTreeMap<String, Bytes>, Committed> {
        let current = match current {
            Some(record) => record,
            None if self.create => Record::default(),
            None => return Err(Committed::Missing),
        };
        let holds = self
            .expect
            .iter()
            .all(|(name, value)| current.fields.get(name) == value.as_ref());
        if !holds {
            return Err(Committed::Conflict(current));
        }
        let mut fields = current.fields;
        if self.clear {
            fields.clear();
        }
        for name in &self.remove {
            fields.remove(name);
        }
        for (name, value) in &self.set {
            match fields.get_mut(name) {
                Some(place) => *place = value.clone(),
                None => {
                    fields.insert(name.clone(), value.clone());
                }
            }
        }
        // A change that writes nothing is let through, so that a limit lowered by the operator
        // does not forbid shrinking a record, nor renewing its life.
        if !self.set.is_empty() {
            if self.fields_max.is_some_and(|max| fields.len() > max) {
                return Err(Committed::TooManyFields);
            }
            if self.bytes_max.is_some_and(|max| bytes_of(&fields) > max) {
                return Err(Committed::TooLarge);
            }
        }
        Ok(fields)
    }
}

/// What became of a [`Commit`].
///
/// ```
/// use sinew_store::{Commit, Committed, Key, MemoryStore, Store};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
/// let store = MemoryStore::new();
/// let key = Key::new("greeting");
/// let mut commit = Commit::new();
/// commit.set.push(("text".into(), r#""hello""#.into()));
/// assert_eq!(store.commit(&key, commit.clone()).await?, Committed::Missing);
///
/// commit.create = true;
/// commit.bytes_max = Some(10);
/// assert_eq!(store.commit(&key, commit.clone()).await?, Committed::TooLarge);
/// commit.bytes_max = Some(11);
/// assert_eq!(store.commit(&key, commit).await?, Committed::Applied);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Committed {
    /// All of it is stored, as durably as the store promises.
    Applied,
    /// An expectation did not hold and nothing was changed. The record as it is comes along,
    /// so that the next attempt needs no reading.
    Conflict(Record),
    /// There is no such record, and it was not to be created.
    Missing,
    /// Nothing was changed: the record would have more fields than [`Commit::fields_max`].
    TooManyFields,
    /// Nothing was changed: the record would be larger than [`Commit::bytes_max`].
    TooLarge,
}
