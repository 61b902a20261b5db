//! The port.

use std::time::Duration;

use bytes::Bytes;

use crate::error::StoreError;
use crate::record::Key;
use crate::store::BoxFuture;

/// One value to be written.
///
/// ```
/// use std::time::Duration;
/// use sinew_store::Key;
/// use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
/// let store = MemoryCache::new();
/// let mut entry = CacheEntry::new(Key::new("lock"), "first");
/// entry.time_to_live = Some(Duration::from_secs(60));
/// entry.only_if_absent = true;
/// assert_eq!(store.write(vec![entry.clone(), entry]).await?, [true, false]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    /// Under which name; at most [`KEY_BYTES_MAX`](super::KEY_BYTES_MAX) bytes.
    pub key: Key,
    /// The bytes, which the store neither parses nor changes.
    pub value: Bytes,
    /// The value lives this long from now on; `None` lives until the store needs its room.
    /// Less than a millisecond counts as one.
    pub time_to_live: Option<Duration>,
    /// Whether a value that is already there, and has not expired, stays.
    pub only_if_absent: bool,
}

impl CacheEntry {
    /// A value that replaces what is there and does not expire.
    pub fn new(key: Key, value: impl Into<Bytes>) -> CacheEntry {
        CacheEntry {
            key,
            value: value.into(),
            time_to_live: None,
            only_if_absent: false,
        }
    }
}

/// A place for values that may be lost.
///
/// What an implementation owes its callers; the module `contract` checks it:
///
/// - **Whole values.** A value is read as it was written by one writer, byte for byte, or not
///   at all. Several entries of one call need not become visible together.
/// - **Read after answer.** Once a write, an increment or a deletion was answered, every call
///   of the same process that starts later sees it (a store with replicas or tiers says how
///   long another process may wait).
/// - **Expiry.** A value whose life is over is missing from that moment on, whenever its bytes
///   are swept away.
/// - **Forgetting.** A store has a bound on its size and forgets as it must. It is never an
///   error that there is no room: what cannot be kept is answered with `false`.
/// - **Counters** are the decimal text of an `i64`, so that [`read`](CacheStore::read) shows
///   them and [`write`](CacheStore::write) sets them.
/// - **Cancellation.** A future that is dropped before it is done leaves it open which of its
///   changes were made.
///
/// Keys have one to [`KEY_BYTES_MAX`](super::KEY_BYTES_MAX) bytes and may hold any character
/// but U+0000. Empty lists of keys or entries are answered with nothing. Calls are made from
/// async tasks and must not block them for longer than a page of disk takes to read.
///
/// A store around another one, that counts what is asked of it:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::time::Duration;
/// use bytes::Bytes;
/// use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache};
/// use sinew_store::{BoxFuture, Key, StoreError};
///
/// struct Counted<S> {
///     inner: S,
///     reads: AtomicUsize,
/// }
///
/// impl<S: CacheStore> CacheStore for Counted<S> {
///     fn read<'a>(
///         &'a self,
///         keys: &'a [Key],
///     ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
///         self.reads.fetch_add(keys.len(), Ordering::Relaxed);
///         self.inner.read(keys)
///     }
///
///     fn write<'a>(
///         &'a self,
///         entries: Vec<CacheEntry>,
///     ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
///         self.inner.write(entries)
///     }
///
///     fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
///         self.inner.delete(keys)
///     }
///
///     fn increment<'a>(
///         &'a self,
///         key: &'a Key,
///         by: i64,
///         time_to_live: Option<Duration>,
///     ) -> BoxFuture<'a, Result<i64, StoreError>> {
///         self.inner.increment(key, by, time_to_live)
///     }
///
///     fn delete_matched<'a>(
///         &'a self,
///         prefix: &'a str,
///         pattern: &'a str,
///     ) -> BoxFuture<'a, Result<u64, StoreError>> {
///         self.inner.delete_matched(prefix, pattern)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), StoreError> {
/// let store = Counted { inner: MemoryCache::new(), reads: AtomicUsize::new(0) };
/// let visits = Key::new("visits");
/// assert_eq!(store.increment(&visits, 2, None).await?, 2);
/// assert_eq!(store.increment(&visits, -1, None).await?, 1);
/// assert_eq!(store.read(&[visits, Key::new("other")]).await?, [Some("1".into()), None]);
/// assert_eq!(store.reads.load(Ordering::Relaxed), 2);
/// assert_eq!(store.delete_matched("vis", "*").await?, 1);
/// assert_eq!(store.delete(&[Key::new("visits")]).await?, 0);
/// # Ok(()) }
/// ```
pub trait CacheStore: Send + Sync + 'static {
    /// The values of these keys, in their order; `None` for one that is not there or has
    /// expired. A key may be asked for twice.
    ///
    /// # Errors
    ///
    /// The store's troubles: [`StoreErrorKind`](crate::StoreErrorKind) names them.
    fn read<'a>(&'a self, keys: &'a [Key])
    -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>>;

    /// Writes these entries as if one after the other; answers for each, in their order,
    /// whether it was written. `false` when [`only_if_absent`](CacheEntry::only_if_absent)
    /// met a value, or when the store has no room for such a value; in the second case
    /// nothing is left under the key.
    ///
    /// # Errors
    ///
    /// The store's troubles. Which of the entries were written is then open.
    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>>;

    /// Removes the values of these keys; answers how many there were that had not expired.
    ///
    /// # Errors
    ///
    /// The store's troubles.
    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Adds `by`, which may be negative, to a counter in one step, and answers its new value.
    /// One that is not there counts as 0 and is created with this time to live; one that is
    /// there keeps its own.
    ///
    /// # Errors
    ///
    /// [`NotANumber`](crate::StoreErrorKind::NotANumber) when the value is not the decimal
    /// text of an `i64`, [`Overflow`](crate::StoreErrorKind::Overflow) when the sum is none;
    /// the value then stays as it was. And the store's troubles.
    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>>;

    /// Removes every value whose key is `prefix`, taken literally, followed by a text that
    /// matches the [`Glob`](super::Glob) `pattern` as a whole; answers how many there were.
    /// What is written meanwhile may be removed or stay.
    ///
    /// It may have to look at every key of the store; it does so without keeping other calls
    /// from being answered.
    ///
    /// # Errors
    ///
    /// The store's troubles.
    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;
}
