//! The one thread that changes the cache: takes what waits, changes it together, answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redb::{Database, Durability};
use sinew_store::cache::CacheEntry;
use sinew_store::{Key, StoreError};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

use super::table::Tables;
use crate::config::{BATCH_REQUESTS_MAX, CACHE_SYNC_BYTES, CACHE_SYNC_INTERVAL};
use crate::database::File;
use crate::error::store_error;

type Answer<R> = oneshot::Sender<Result<R, StoreError>>;

pub(super) enum Request {
    Write {
        entries: Vec<CacheEntry>,
        answer: Answer<Vec<bool>>,
    },
    Delete {
        keys: Vec<Key>,
        answer: Answer<u64>,
    },
    Increment {
        key: Key,
        by: i64,
        time_to_live: Option<Duration>,
        answer: Answer<i64>,
    },
    DeleteMatched {
        prefix: String,
        pattern: String,
        answer: Answer<u64>,
    },
}

impl Request {
    fn bytes(&self) -> u64 {
        let bytes = |entry: &CacheEntry| entry.value.len() as u64;
        match self {
            Request::Write { entries, .. } => entries.iter().map(bytes).sum(),
            _ => 0,
        }
    }

    /// Makes the change; the answer is for when the transaction is done.
    fn run(self, tables: &mut Tables<'_>) -> Result<Done, redb::Error> {
        Ok(match self {
            Request::Write { entries, answer } => {
                let written = entries.iter().map(|entry| tables.write(entry));
                let written = written.collect::<Result<_, _>>()?;
                Done::new(answer, Ok(written))
            }
            Request::Delete { keys, answer } => {
                let mut deleted = 0;
                for key in keys {
                    deleted += u64::from(tables.delete(key.as_str())?);
                }
                Done::new(answer, Ok(deleted))
            }
            Request::Increment {
                key,
                by,
                time_to_live,
                answer,
            } => Done::new(answer, tables.increment(key.as_str(), by, time_to_live)?),
            Request::DeleteMatched {
                prefix,
                pattern,
                answer,
            } => Done::new(answer, Ok(tables.delete_matched(&prefix, &pattern)?)),
        })
    }
}

/// A change that is made, and the answer to whoever asked for it.
struct Done(Box<dyn FnOnce(Option<StoreError>) + Send>);

impl Done {
    fn new<R: Send + 'static>(answer: Answer<R>, result: Result<R, StoreError>) -> Done {
        Done(Box::new(move |failure| {
            // An answer that nobody waits for any more is dropped: its request was cancelled.
            let _ = answer.send(failure.map_or(result, Err));
        }))
    }
}

/// Serves requests until nobody can send any more.
pub(super) fn write(file: &File, bytes_max: &AtomicU64, mut requests: Receiver<Request>) {
    let mut unsynced = Unsynced::default();
    let mut batch = Vec::new();
    while requests.blocking_recv_many(&mut batch, BATCH_REQUESTS_MAX) > 0 {
        let bytes: u64 = batch.iter().map(Request::bytes).sum();
        let mut done = Vec::with_capacity(batch.len());
        let bytes_max = bytes_max.load(Ordering::Relaxed);
        let result = file.with(|database| {
            let requests = batch.drain(..);
            change(database, file, bytes_max, requests, &mut done)
        });
        // Those that the failure kept from being tried are told by their answer being dropped.
        batch.clear();
        for Done(answer) in done {
            answer(result.as_ref().err().map(|error| store_error(error)));
        }
        unsynced.add(bytes);
        if unsynced.is_due() {
            unsynced.sync(file);
        }
    }
    unsynced.sync(file);
}

fn change(
    database: &Database,
    file: &File,
    bytes_max: u64,
    requests: impl Iterator<Item = Request>,
    done: &mut Vec<Done>,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // Nobody waits for the disk; what is seen is what is in memory.
    transaction.set_durability(Durability::None)?;
    {
        let mut tables = Tables::open(&transaction, file.now(), bytes_max)?;
        for request in requests {
            done.push(request.run(&mut tables)?);
        }
        tables.close()?;
    }
    transaction.commit()?;
    Ok(())
}

/// What the medium does not have yet.
#[derive(Default)]
struct Unsynced {
    bytes: u64,
    since: Option<Instant>,
}

impl Unsynced {
    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_due(&self) -> bool {
        let is_old = |since: Instant| since.elapsed() >= CACHE_SYNC_INTERVAL;
        self.bytes >= CACHE_SYNC_BYTES || self.since.is_some_and(is_old)
    }

    /// Stores everything so far, which also lets the file's pages be used again.
    fn sync(&mut self, file: &File) {
        if self.since.take().is_none() {
            return;
        }
        self.bytes = 0;
        let synced = file.with(|database| Ok(database.begin_write()?.commit()?));
        if let Err(error) = synced {
            tracing::warn!(%error, "the cache cannot be stored; it is kept in memory");
        }
    }
}
