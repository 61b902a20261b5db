//! The store as its callers see it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use sinew_store::{
    BoxFuture, Clock, Commit, Committed, Key, Record, Store, StoreError, StoreErrorKind,
    SystemClock,
};
use tokio::sync::{mpsc, oneshot};

use crate::config::QUEUE_REQUESTS_MAX;
use crate::database::{File, open_in};
use crate::error::EmbeddedError;
use crate::writer::{Request, write};

/// Records in one local file, `sinew.redb` in the data directory.
///
/// - **Durable.** A commit is answered when it and everything before it is on the medium
///   (`fsync`): a kill or a power cut after the answer loses nothing. After either, opening
///   checks and repairs the file.
/// - **Grouped.** One thread, `sinew-embedded-writer`, takes all commits that wait and stores
///   them together. Conflicts are answered at once.
/// - **Reads** go to the file directly, most of them to its pages in memory, and wait for
///   nobody.
/// - **Alone.** One process at a time; a second one is told so when it opens.
/// - **Failing disk.** The commits of that moment fail with
///   [`StoreErrorKind::Unavailable`]; the file is opened again for the next.
///
/// Dropping it stores what was accepted and waits for that; [`close`](EmbeddedStore::close)
/// does it without blocking. It has to be used within a tokio runtime only as far as its
/// callers' futures need one; it spawns no task.
///
/// ```
/// use sinew_embedded::{EmbeddedStore, FILE_NAME};
/// use sinew_store::{Commit, Committed, Key, Store, StoreErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let directory = temporary.path();
/// let store = EmbeddedStore::open(directory)?;
/// assert!(directory.join(FILE_NAME).is_file());
///
/// let key = Key::new("greeting");
/// let mut commit = Commit::new();
/// commit.create = true;
/// commit.set.push(("text".into(), r#""hello""#.into()));
/// assert_eq!(store.commit(&key, commit.clone()).await?, Committed::Applied);
///
/// // On the way down: what was accepted is stored, nothing more is taken.
/// store.close().await;
/// let refused = store.commit(&key, commit).await.unwrap_err();
/// assert_eq!(refused.kind(), StoreErrorKind::Closed);
/// assert!(store.load(&key).await?.is_some());
/// # Ok(()) }
/// ```
pub struct EmbeddedStore {
    file: Arc<File>,
    /// `None` once closed.
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    writer: Option<JoinHandle<()>>,
}

impl EmbeddedStore {
    /// Opens the store in this directory; makes the directory and the file when they are
    /// missing, for this user alone.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError`], each with a sentence that says what to do.
    ///
    /// # Panics
    ///
    /// When the system cannot start one more thread.
    pub fn open(directory: impl AsRef<Path>) -> Result<EmbeddedStore, EmbeddedError> {
        EmbeddedStore::open_with_clock(directory, SystemClock)
    }

    /// As [`open`](EmbeddedStore::open), with the time from `clock`: for tests of expiry.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_embedded::EmbeddedStore;
    /// use sinew_store::{Commit, Key, ManualClock, Store};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// let clock = Arc::new(ManualClock::new());
    /// let store = EmbeddedStore::open_with_clock(directory.path(), clock.clone())?;
    /// let mut commit = Commit::new();
    /// commit.create = true;
    /// commit.time_to_live = Some(Duration::from_secs(60));
    /// store.commit(&Key::new("short"), commit).await?;
    ///
    /// assert!(store.load(&Key::new("short")).await?.is_some());
    /// clock.advance(Duration::from_secs(60));
    /// assert!(store.load(&Key::new("short")).await?.is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](EmbeddedStore::open).
    ///
    /// # Panics
    ///
    /// As [`open`](EmbeddedStore::open).
    pub fn open_with_clock(
        directory: impl AsRef<Path>,
        clock: impl Clock,
    ) -> Result<EmbeddedStore, EmbeddedError> {
        let directory = directory.as_ref().to_owned();
        let open = Box::new(move || open_in(&directory));
        Ok(EmbeddedStore::start(File::open(open, Box::new(clock))?))
    }

    pub(crate) fn start(file: File) -> EmbeddedStore {
        let file = Arc::new(file);
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let written = Arc::clone(&file);
        let writer = std::thread::Builder::new()
            .name("sinew-embedded-writer".to_owned())
            .spawn(move || write(&written, requests))
            .expect("the system can start one more thread");
        EmbeddedStore {
            file,
            queue: Mutex::new(Some(queue)),
            writer: Some(writer),
        }
    }

    /// Stores what was accepted so far and refuses everything that comes later with
    /// [`StoreErrorKind::Closed`]. Reading goes on. The file is released when the store is
    /// dropped.
    pub async fn close(&self) {
        let Some(queue) = self.queue.lock().take() else {
            return;
        };
        let (answer, stored) = oneshot::channel();
        if queue.send(Request::Stop { answer }).await.is_ok() {
            // An error says that the writer is gone, and then nothing is left to store.
            let _ = stored.await;
        }
    }

    async fn ask<R>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<R, StoreError>>) -> Request,
    ) -> Result<R, StoreError> {
        let queue = self.queue.lock().clone();
        let queue = queue.ok_or(StoreErrorKind::Closed)?;
        let (answer, answered) = oneshot::channel();
        let sent = queue.send(request(answer)).await;
        sent.map_err(|_| StoreErrorKind::Closed)?;
        drop(queue);
        answered
            .await
            .unwrap_or_else(|_| Err(StoreErrorKind::Closed.into()))
    }
}

impl Store for EmbeddedStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { self.file.load(key.as_str()) })
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(self.ask(|answer| Request::Commit {
            key: key.clone(),
            commit,
            answer,
        }))
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.ask(|answer| Request::Delete {
            key: key.clone(),
            answer,
        }))
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        *self.queue.get_mut() = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the embedded store has panicked");
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmbeddedStore")
            .field("is_closed", &self.queue.lock().is_none())
            .finish_non_exhaustive()
    }
}
