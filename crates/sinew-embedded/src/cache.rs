//! The cache as its callers see it.

mod table;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use sinew_store::cache::{CacheEntry, CacheStore};
use sinew_store::{BoxFuture, Clock, Key, StoreError, StoreErrorKind, SystemClock};
use tokio::sync::{mpsc, oneshot};

use crate::config::{
    CACHE_FILE_BYTES_MAX, CACHE_FILE_NAME, CACHE_PAGES_BYTES_MAX, QUEUE_REQUESTS_MAX,
};
use crate::database::{File, open_file};
use crate::error::{EmbeddedError, store_error};
use writer::{Request, write};

/// A cache in one local file, `sinew-cache.redb` in the data directory, beside that of the
/// sessions: sessions never wait for it, and it can be deleted while nobody uses it.
///
/// - **Bounded.** It holds [`CACHE_FILE_BYTES_MAX`] (or the bound given); when one more does
///   not fit, what was written longest ago makes room, whether it has expired or not. The file
///   is somewhat larger, and does not shrink.
/// - **Forgetful.** Values survive a restart, but nothing waits for the disk: a kill or a power
///   cut loses what was written in the last seconds, or since the last write before a pause.
///   A file that is damaged is begun anew.
/// - **Grouped.** One thread, `sinew-embedded-cache`, makes all changes that wait together.
///   Reads go to the file directly, most of them to its pages in memory.
/// - **Alone.** One process at a time; a second one is told so when it opens.
///
/// Dropping it stores what was accepted and waits for that.
///
/// ```
/// use sinew_embedded::EmbeddedCache;
/// use sinew_store::Key;
/// use sinew_store::cache::{CacheEntry, CacheStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let directory = temporary.path();
/// let key = [Key::new("menu")];
/// let cache = EmbeddedCache::open(directory)?.bytes_max(1024 * 1024);
/// cache.write(vec![CacheEntry::new(key[0].clone(), "tea")]).await?;
/// drop(cache);
///
/// let cache = EmbeddedCache::open(directory)?;
/// assert_eq!(cache.read(&key).await?, [Some("tea".into())]);
/// # Ok(()) }
/// ```
pub struct EmbeddedCache {
    file: Arc<File>,
    bytes_max: Arc<AtomicU64>,
    /// `None` while it is dropped.
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    writer: Option<JoinHandle<()>>,
}

impl EmbeddedCache {
    /// Opens the cache in this directory; makes the directory and the file when they are
    /// missing, for this user alone.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError`], each with a sentence that says what to do.
    ///
    /// # Panics
    ///
    /// When the system cannot start one more thread.
    pub fn open(directory: impl AsRef<Path>) -> Result<EmbeddedCache, EmbeddedError> {
        EmbeddedCache::open_with_clock(directory, SystemClock)
    }

    /// As [`open`](EmbeddedCache::open), with the time from `clock`: for tests of expiry.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_embedded::EmbeddedCache;
    /// use sinew_store::cache::CacheStore;
    /// use sinew_store::{Key, ManualClock};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// let clock = Arc::new(ManualClock::new());
    /// let cache = EmbeddedCache::open_with_clock(directory.path(), clock.clone())?;
    /// let (key, minute) = (Key::new("visits"), Duration::from_secs(60));
    /// assert_eq!(cache.increment(&key, 1, Some(minute)).await?, 1);
    /// assert_eq!(cache.increment(&key, 1, Some(minute)).await?, 2);
    /// clock.advance(minute);
    /// assert_eq!(cache.increment(&key, 1, Some(minute)).await?, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](EmbeddedCache::open).
    ///
    /// # Panics
    ///
    /// As [`open`](EmbeddedCache::open).
    pub fn open_with_clock(
        directory: impl AsRef<Path>,
        clock: impl Clock,
    ) -> Result<EmbeddedCache, EmbeddedError> {
        let directory = directory.as_ref().to_owned();
        let open = Box::new(move || open_or_begin(&directory));
        let file = Arc::new(File::open(open, Box::new(clock))?);
        let bytes_max = Arc::new(AtomicU64::new(CACHE_FILE_BYTES_MAX));
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let (written, bound) = (Arc::clone(&file), Arc::clone(&bytes_max));
        let writer = std::thread::Builder::new()
            .name("sinew-embedded-cache".to_owned())
            .spawn(move || write(&written, &bound, requests))
            .expect("the system can start one more thread");
        Ok(EmbeddedCache {
            file,
            bytes_max,
            queue: Mutex::new(Some(queue)),
            writer: Some(writer),
        })
    }

    /// The same cache with another bound on the bytes that it holds. What is over it goes with
    /// the next write.
    pub fn bytes_max(self, bytes_max: usize) -> EmbeddedCache {
        self.bytes_max.store(bytes_max as u64, Ordering::Relaxed);
        self
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
        // It is not answered when the file has failed before its turn came.
        answered.await.map_err(|_| StoreErrorKind::Unavailable)?
    }
}

/// A cache that is damaged is worth nothing.
fn open_or_begin(directory: &Path) -> Result<redb::Database, EmbeddedError> {
    let open = || {
        open_file(
            directory,
            CACHE_FILE_NAME,
            CACHE_PAGES_BYTES_MAX,
            table::make,
        )
    };
    match open() {
        Err(EmbeddedError::Corrupt { file, source }) => {
            tracing::warn!(file = %file.display(), cause = %source, "the cache is damaged and is begun anew");
            if let Err(error) = std::fs::remove_file(&file) {
                tracing::error!(%error, "the damaged cache cannot be removed");
                return Err(EmbeddedError::Corrupt { file, source });
            }
            open()
        }
        opened => opened,
    }
}

impl Drop for EmbeddedCache {
    fn drop(&mut self) {
        // Without a sender the writer ends when it has done what waits.
        self.queue.lock().take();
        if let Some(writer) = self.writer.take() {
            // A writer that has panicked has nothing left to store.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for EmbeddedCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmbeddedCache")
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

impl CacheStore for EmbeddedCache {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(async move {
            let now = self.file.now();
            let values = self.file.with(|database| table::read(database, keys, now));
            values.map_err(|error| store_error(&error))
        })
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(self.ask(|answer| Request::Write { entries, answer }))
    }

    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        let keys = keys.to_vec();
        Box::pin(self.ask(|answer| Request::Delete { keys, answer }))
    }

    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        let key = key.clone();
        Box::pin(self.ask(move |answer| Request::Increment {
            key,
            by,
            time_to_live,
            answer,
        }))
    }

    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let (prefix, pattern) = (prefix.to_owned(), pattern.to_owned());
        Box::pin(self.ask(|answer| Request::DeleteMatched {
            prefix,
            pattern,
            answer,
        }))
    }
}
