//! The tables of the cache, and what is done with them in one transaction.
//!
//! A value is stored behind its expiry (eight bytes, milliseconds since 1970, all ones for never)
//! and its number (eight bytes), both little-endian. Numbers are given in the order of writes.

use std::time::Duration;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};
use sinew_store::cache::{CacheEntry, Glob};
use sinew_store::{Key, StoreError, StoreErrorKind};

use crate::codec::Moment;
use crate::config::CACHE_ENTRY_OVERHEAD_BYTES;

/// Every value, by its key.
const VALUES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("values");
/// The keys in the order in which they were written.
const AGES: TableDefinition<'static, u64, &str> = TableDefinition::new("ages");
/// How many bytes are held, under the empty key.
const BYTES: TableDefinition<'static, (), u64> = TableDefinition::new("bytes");

/// Expiry and number.
const HEAD_BYTES: usize = 16;

pub(super) fn make(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(VALUES)?;
    transaction.open_table(AGES)?;
    transaction.open_table(BYTES)?;
    transaction.commit()?;
    Ok(())
}

/// The values that live.
pub(super) fn read(
    database: &Database,
    keys: &[Key],
    now: Moment,
) -> Result<Vec<Option<Bytes>>, redb::Error> {
    let values = database.begin_read()?.open_table(VALUES)?;
    let read = |key: &Key| {
        let stored = values.get(key.as_str())?;
        let stored = stored.as_ref().and_then(|bytes| Stored::of(bytes.value()));
        let stored = stored.filter(|stored| stored.lives(now));
        Ok(stored.map(|stored| Bytes::copy_from_slice(stored.value)))
    };
    keys.iter().map(read).collect()
}

/// A value as it stands in the file.
struct Stored<'a> {
    expires_at: Option<Moment>,
    number: u64,
    value: &'a [u8],
}

impl<'a> Stored<'a> {
    /// `None` for what is too short to be one.
    fn of(bytes: &'a [u8]) -> Option<Stored<'a>> {
        let (expiry, rest) = bytes.split_first_chunk()?;
        let (number, value) = rest.split_first_chunk()?;
        Some(Stored {
            expires_at: Moment::from_bytes(*expiry),
            number: u64::from_le_bytes(*number),
            value,
        })
    }

    fn lives(&self, now: Moment) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// A value that lives, and when it no longer does.
type Living = (Vec<u8>, Option<Moment>);

fn entry_bytes(key: &str, value_bytes: usize) -> u64 {
    (key.len() + value_bytes + CACHE_ENTRY_OVERHEAD_BYTES) as u64
}

/// The tables while they are changed.
pub(super) struct Tables<'t> {
    values: Table<'t, &'static str, &'static [u8]>,
    ages: Table<'t, u64, &'static str>,
    bytes: Table<'t, (), u64>,
    held: u64,
    bytes_max: u64,
    next: u64,
    now: Moment,
}

impl<'t> Tables<'t> {
    pub(super) fn open(
        transaction: &'t WriteTransaction,
        now: Moment,
        bytes_max: u64,
    ) -> Result<Tables<'t>, redb::Error> {
        let ages = transaction.open_table(AGES)?;
        let bytes = transaction.open_table(BYTES)?;
        let next = ages.last()?.map_or(0, |(number, _)| number.value() + 1);
        let held = bytes.get(())?.map_or(0, |held| held.value());
        Ok(Tables {
            values: transaction.open_table(VALUES)?,
            ages,
            bytes,
            held,
            bytes_max,
            next,
            now,
        })
    }

    /// What has to be written at the end.
    pub(super) fn close(mut self) -> Result<(), redb::Error> {
        self.bytes.insert((), self.held)?;
        Ok(())
    }

    pub(super) fn write(&mut self, entry: &CacheEntry) -> Result<bool, redb::Error> {
        let key = entry.key.as_str();
        if entry.only_if_absent && self.find(key)?.is_some() {
            return Ok(false);
        }
        let expires_at = entry.time_to_live.map(|life| self.after(life));
        self.insert(key, &entry.value, expires_at)
    }

    pub(super) fn delete(&mut self, key: &str) -> Result<bool, redb::Error> {
        let lived = self.find(key)?.is_some();
        self.remove(key)?;
        Ok(lived)
    }

    /// The outer error is the database's, the inner one this counter's.
    pub(super) fn increment(
        &mut self,
        key: &str,
        by: i64,
        life: Option<Duration>,
    ) -> Result<Result<i64, StoreError>, redb::Error> {
        let (before, expires_at) = match self.find(key)? {
            Some((value, expires_at)) => match number(&value) {
                Some(number) => (number, expires_at),
                None => return Ok(Err(StoreErrorKind::NotANumber.into())),
            },
            None => (0, life.map(|life| self.after(life))),
        };
        let Some(after) = before.checked_add(by) else {
            return Ok(Err(StoreErrorKind::Overflow.into()));
        };
        self.insert(key, after.to_string().as_bytes(), expires_at)?;
        Ok(Ok(after))
    }

    pub(super) fn delete_matched(
        &mut self,
        prefix: &str,
        pattern: &str,
    ) -> Result<u64, redb::Error> {
        let glob = Glob::new(pattern);
        let mut matched = Vec::new();
        for entry in self.values.range(prefix..)? {
            let (key, _) = entry?;
            let Some(rest) = key.value().strip_prefix(prefix) else {
                break;
            };
            if glob.matches(rest) {
                matched.push(key.value().to_owned());
            }
        }
        let mut lived = 0;
        for key in matched {
            lived += u64::from(self.delete(&key)?);
        }
        Ok(lived)
    }

    fn after(&self, life: Duration) -> Moment {
        self.now.after(life.max(Duration::from_millis(1)))
    }

    fn find(&self, key: &str) -> Result<Option<Living>, redb::Error> {
        let stored = self.values.get(key)?;
        let stored = stored.as_ref().and_then(|bytes| Stored::of(bytes.value()));
        let stored = stored.filter(|stored| stored.lives(self.now));
        Ok(stored.map(|stored| (stored.value.to_vec(), stored.expires_at)))
    }

    fn insert(
        &mut self,
        key: &str,
        value: &[u8],
        expires_at: Option<Moment>,
    ) -> Result<bool, redb::Error> {
        self.remove(key)?;
        let bytes = entry_bytes(key, value.len());
        if bytes > self.bytes_max {
            return Ok(false);
        }
        while self.held + bytes > self.bytes_max {
            self.forget()?;
        }
        let mut stored = Vec::with_capacity(HEAD_BYTES + value.len());
        stored.extend_from_slice(&Moment::to_bytes(expires_at));
        stored.extend_from_slice(&self.next.to_le_bytes());
        stored.extend_from_slice(value);
        self.values.insert(key, stored.as_slice())?;
        self.ages.insert(self.next, key)?;
        self.next += 1;
        self.held += bytes;
        Ok(true)
    }

    /// Removes what was written longest ago.
    fn forget(&mut self) -> Result<(), redb::Error> {
        let oldest = self.ages.first()?;
        let oldest = oldest.map(|(number, key)| (number.value(), key.value().to_owned()));
        match oldest {
            Some((number, key)) => {
                self.remove(&key)?;
                // Gone with its value, unless the file says something else.
                self.ages.remove(number)?;
            }
            // Nothing is there, so nothing is held.
            None => self.held = 0,
        }
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), redb::Error> {
        let Some(removed) = self.values.remove(key)? else {
            return Ok(());
        };
        if let Some(stored) = Stored::of(removed.value()) {
            let bytes = entry_bytes(key, stored.value.len());
            self.held = self.held.saturating_sub(bytes);
            self.ages.remove(stored.number)?;
        }
        Ok(())
    }
}

/// A counter is read in the spelling in which it is written, and in no other.
fn number(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
