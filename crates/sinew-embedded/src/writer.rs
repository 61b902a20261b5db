//! The one thread that writes: takes what waits, stores it together, answers.

use std::time::Instant;

use redb::{Database, ReadableTable, Table};
use sinew_store::{Commit, Committed, Key, StoreError, StoreErrorKind};
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::oneshot;

use crate::codec::{self, Moment};
use crate::config::{BATCH_REQUESTS_MAX, CONFLICT_PATIENCE, SWEPT_PER_BATCH_MAX};
use crate::database::{EXPIRIES, File, RECORDS};
use crate::error::store_error;

pub(crate) enum Request {
    Commit {
        key: Key,
        commit: Commit,
        answer: oneshot::Sender<Result<Committed, StoreError>>,
    },
    Delete {
        key: Key,
        answer: oneshot::Sender<Result<bool, StoreError>>,
    },
    /// Everything before it is stored when it is answered; nothing after it is.
    Stop { answer: oneshot::Sender<()> },
}

/// Somebody whose change is made and not durable yet.
enum Waiting {
    Commit(oneshot::Sender<Result<Committed, StoreError>>),
    Delete(oneshot::Sender<Result<bool, StoreError>>),
}

// An answer that nobody waits for any more is dropped: its request was cancelled.
impl Waiting {
    fn stored(self) {
        match self {
            Waiting::Commit(answer) => drop(answer.send(Ok(Committed::Applied))),
            Waiting::Delete(answer) => drop(answer.send(Ok(true))),
        }
    }

    fn failed(self, error: StoreError) {
        match self {
            Waiting::Commit(answer) => drop(answer.send(Err(error))),
            Waiting::Delete(answer) => drop(answer.send(Err(error))),
        }
    }
}

/// Serves requests until it is told to stop or nobody can send any more.
pub(crate) fn write(file: &File, mut requests: Receiver<Request>) {
    let mut stop = None;
    while stop.is_none() {
        let Some(first) = requests.blocking_recv() else {
            return;
        };
        let mut batch = Batch {
            first: Some(first),
            requests: &mut requests,
            taken: 0,
            conflicts_answered: false,
            waiting: Vec::new(),
            stop: None,
        };
        let done = file.with(|database| batch.run(database, file));
        // Whoever asked first and found the file closed is still in the batch.
        if let (Err(error), Some(first)) = (&done, batch.first.take()) {
            match first {
                Request::Commit { answer, .. } => drop(answer.send(Err(store_error(error)))),
                Request::Delete { answer, .. } => drop(answer.send(Err(store_error(error)))),
                Request::Stop { answer } => batch.stop = Some(answer),
            }
        }
        for waiting in batch.waiting {
            match &done {
                Ok(()) => waiting.stored(),
                Err(error) => waiting.failed(store_error(error)),
            }
        }
        stop = batch.stop;
    }
    requests.close();
    if let Some(answer) = stop {
        let _ = answer.send(());
    }
}

/// The requests that share one transaction and one `fsync`.
struct Batch<'a> {
    first: Option<Request>,
    requests: &'a mut Receiver<Request>,
    taken: usize,
    /// Whether somebody was told of a conflict since the last request came.
    conflicts_answered: bool,
    waiting: Vec<Waiting>,
    stop: Option<oneshot::Sender<()>>,
}

impl Batch<'_> {
    fn run(&mut self, database: &Database, file: &File) -> Result<(), redb::Error> {
        // redb's default: durable when `commit` returns, in one `fsync`, found intact by
        // checksums after a crash.
        let transaction = database.begin_write()?;
        {
            let mut tables = Tables {
                records: transaction.open_table(RECORDS)?,
                expiries: transaction.open_table(EXPIRIES)?,
                now: file.now(),
            };
            while let Some(request) = self.next() {
                match request {
                    Request::Commit {
                        key,
                        commit,
                        answer,
                    } => self.commit(&mut tables, &key, &commit, answer)?,
                    Request::Delete { key, answer } => self.delete(&mut tables, &key, answer)?,
                    Request::Stop { answer } => self.stop = Some(answer),
                }
            }
            if !self.waiting.is_empty() {
                tables.sweep()?;
            }
        }
        if self.waiting.is_empty() {
            transaction.abort()?;
        } else {
            transaction.commit()?;
        }
        Ok(())
    }

    /// The next request of this batch; `None` when it should be stored.
    fn next(&mut self) -> Option<Request> {
        if self.stop.is_some() || self.taken >= BATCH_REQUESTS_MAX {
            return None;
        }
        let request = self.first.take().or_else(|| self.receive())?;
        self.taken += 1;
        self.conflicts_answered = false;
        Some(request)
    }

    fn receive(&mut self) -> Option<Request> {
        let mut patience_ends: Option<Instant> = None;
        loop {
            match self.requests.try_recv() {
                Ok(request) => return Some(request),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if !self.conflicts_answered => return None,
                Err(TryRecvError::Empty) => {}
            }
            let now = Instant::now();
            if now >= *patience_ends.get_or_insert(now + CONFLICT_PATIENCE) {
                return None;
            }
            std::thread::yield_now();
        }
    }

    fn commit(
        &mut self,
        tables: &mut Tables<'_>,
        key: &Key,
        commit: &Commit,
        answer: oneshot::Sender<Result<Committed, StoreError>>,
    ) -> Result<(), redb::Error> {
        match tables.commit(key.as_str(), commit) {
            Ok(Ok(Committed::Applied)) => self.waiting.push(Waiting::Commit(answer)),
            // Nothing to be stored, so nothing to wait for. The record that comes along may
            // hold what this batch has not stored yet; should it fail, the expectations of
            // whoever builds on that will not hold either.
            Ok(refused) => {
                self.conflicts_answered = matches!(refused, Ok(Committed::Conflict(_)));
                drop(answer.send(refused));
            }
            Err(error) => {
                drop(answer.send(Err(store_error(&error))));
                return Err(error);
            }
        }
        Ok(())
    }

    fn delete(
        &mut self,
        tables: &mut Tables<'_>,
        key: &Key,
        answer: oneshot::Sender<Result<bool, StoreError>>,
    ) -> Result<(), redb::Error> {
        match tables.delete(key.as_str()) {
            Ok(Found::Alive) => self.waiting.push(Waiting::Delete(answer)),
            Ok(Found::Nothing) => drop(answer.send(Ok(false))),
            Err(error) => {
                drop(answer.send(Err(store_error(&error))));
                return Err(error);
            }
        }
        Ok(())
    }
}

enum Found {
    Alive,
    Nothing,
}

struct Tables<'t> {
    records: Table<'t, &'static str, &'static [u8]>,
    expiries: Table<'t, (u64, &'static str), ()>,
    now: Moment,
}

impl Tables<'_> {
    /// Makes the change. The outer error is the database's, and the end of the batch; the
    /// inner one is this record's own.
    fn commit(
        &mut self,
        key: &str,
        commit: &Commit,
    ) -> Result<Result<Committed, StoreError>, redb::Error> {
        let found = {
            let bytes = self.records.get(key)?;
            let read = |bytes: &[u8]| Ok((codec::decode(bytes, self.now)?, codec::expiry(bytes)?));
            bytes.map(|bytes| read(bytes.value())).transpose()
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let error: codec::CodecError = error;
                return Ok(Err(StoreError::new(StoreErrorKind::Corrupt, error)));
            }
        };
        let (current, stored_expiry) = found.unwrap_or_default();
        let kept = stored_expiry.filter(|_| current.is_some());
        let fields = match commit.apply_to(current) {
            Ok(fields) => fields,
            Err(refused) => return Ok(Ok(refused)),
        };
        let expires_at = match commit.time_to_live {
            Some(life) => Some(self.now.after(life)),
            None => kept,
        };
        let bytes = codec::encode(&fields, expires_at);
        let mut filed = stored_expiry;
        let mut target = key;
        if let Some(to) = &commit.move_to
            && to.as_str() != key
        {
            self.remove(key)?;
            target = to.as_str();
            filed = self.expiry(target)?;
        }
        self.records.insert(target, bytes.as_slice())?;
        let (old, new) = (
            filed.map(Moment::hour_after),
            expires_at.map(Moment::hour_after),
        );
        if old != new {
            if let Some(hour) = old {
                self.expiries.remove((hour, target))?;
            }
            if let Some(hour) = new {
                self.expiries.insert((hour, target), ())?;
            }
        }
        Ok(Ok(Committed::Applied))
    }

    fn delete(&mut self, key: &str) -> Result<Found, redb::Error> {
        let lives = match self.records.get(key)? {
            // What cannot be read can be deleted.
            Some(bytes) => {
                codec::expiry(bytes.value()).is_ok_and(|at| at.is_none_or(|at| at > self.now))
            }
            None => return Ok(Found::Nothing),
        };
        if !lives {
            return Ok(Found::Nothing);
        }
        self.remove(key)?;
        Ok(Found::Alive)
    }

    fn expiry(&self, key: &str) -> Result<Option<Moment>, redb::Error> {
        let bytes = self.records.get(key)?;
        Ok(bytes.and_then(|bytes| codec::expiry(bytes.value()).ok().flatten()))
    }

    fn remove(&mut self, key: &str) -> Result<(), redb::Error> {
        if let Some(expiry) = self.expiry(key)? {
            self.expiries.remove((expiry.hour_after(), key))?;
        }
        self.records.remove(key)?;
        Ok(())
    }

    /// Removes some of what has expired, an hour's worth of records at the earliest when the
    /// hour is over.
    fn sweep(&mut self) -> Result<(), redb::Error> {
        for _ in 0..SWEPT_PER_BATCH_MAX {
            let Some(first) = self.expiries.first()? else {
                return Ok(());
            };
            let (hour, key) = first.0.value();
            if !self.now.has_reached(hour) {
                return Ok(());
            }
            let key = key.to_owned();
            drop(first);
            self.expiries.remove((hour, key.as_str()))?;
            self.records.remove(key.as_str())?;
        }
        Ok(())
    }
}
