//! The port.

use std::collections::BTreeMap;
use std::pin::Pin;

use bytes::Bytes;

use crate::error::StoreError;
use crate::record::{Commit, Committed, Key, Record};
use crate::session::SessionId;

/// A boxed future that may move between threads: what the methods of a [`Store`] return.
///
/// ```
/// use sinew_store::{BoxFuture, StoreError};
///
/// fn at_once<'a>(value: bool) -> BoxFuture<'a, Result<bool, StoreError>> {
///     Box::pin(std::future::ready(Ok(value)))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), StoreError> {
/// assert!(at_once(true).await?);
/// # Ok(()) }
/// ```
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A place for [`Record`]s.
///
/// What an implementation owes its callers; the module `contract` checks it:
///
/// - **Atomic.** A commit is seen whole or not at all, by every reader and after a crash.
/// - **Compare-and-set.** Expectations are compared and the change is made in one step;
///   of two commits that expect the same value of one field, one is
///   [`Committed::Conflict`]. A conflict is answered with a record that contains the change
///   that caused it, so that retrying makes progress.
/// - **Fields are independent.** Commits that name different fields never undo each other.
/// - **Read after answer.** Once [`Committed::Applied`] was answered to anybody, every `load`
///   that starts later sees it; a durable store has it on the medium by then.
/// - **Expiry.** A record whose life is over is missing from that moment on, whenever its
///   bytes are swept away.
/// - **Opaque values.** They are returned byte for byte.
/// - **Cancellation.** A future that is dropped before it is done leaves it open whether the
///   change was made; it is never made in part.
///
/// Calls are made from async tasks and must not block them for longer than a page of disk
/// takes to read.
///
/// A store around another one, that counts how often something is written:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use sinew_store::{
///     BoxFuture, Commit, Committed, Key, MemoryStore, Record, Room, Sessions, Store, StoreError,
/// };
///
/// struct Counted<S> {
///     inner: S,
///     commits: AtomicUsize,
/// }
///
/// impl<S: Store> Store for Counted<S> {
///     fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
///         self.inner.load(key)
///     }
///
///     fn commit<'a>(
///         &'a self,
///         key: &'a Key,
///         commit: Commit,
///     ) -> BoxFuture<'a, Result<Committed, StoreError>> {
///         self.commits.fetch_add(1, Ordering::Relaxed);
///         self.inner.commit(key, commit)
///     }
///
///     fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
///         self.inner.delete(key)
///     }
///
///     fn room(&self) -> Option<&dyn Room> {
///         self.inner.room()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let store = Arc::new(Counted { inner: MemoryStore::new(), commits: AtomicUsize::new(0) });
/// let session = Sessions::new(store.clone()).create();
/// session.set("name", "Ada").await?;
/// session.set("language", "en").await?;
/// session.commit().await?;
/// assert_eq!(store.commits.load(Ordering::Relaxed), 1);
///
/// let key = session.id().store_key();
/// assert_eq!(store.load(&key).await?.unwrap().fields["name"], r#""Ada""#);
/// assert!(store.delete(&key).await?);
/// # Ok(()) }
/// ```
pub trait Store: Send + Sync + 'static {
    /// The record as it is now, or `None` when there is none or it has expired.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind`](crate::StoreErrorKind) names them; that a record is not there is none.
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Changes one record, all or nothing. A change that may not be made is no error but an
    /// outcome: [`Committed`] names them.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Full`](crate::StoreErrorKind::Full) when the record would be one too
    /// many; and the store's troubles. Whether the change was made is then open, as after a
    /// cancellation.
    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>>;

    /// Removes a record; the answer is whether there was one that had not expired.
    ///
    /// # Errors
    ///
    /// The store's troubles.
    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// What the record of a session is called here: without this, [`SessionId::store_key`], from which nobody finds
    /// out the id. A store that shares its records with another program may have to know the id itself.
    ///
    /// ```
    /// use sinew_store::{MemoryStore, SessionId, Store};
    ///
    /// let id = SessionId::generate();
    /// assert_eq!(MemoryStore::new().session_key(&id), id.store_key());
    /// ```
    fn session_key(&self, id: &SessionId) -> Key {
        id.store_key()
    }

    /// A limit of the store's own on a whole record, beside those of a [`Commit`]: sessions ask it at each write, so
    /// that what cannot be stored is refused there. `None`, as it is unless a store says otherwise, is without one.
    fn room(&self) -> Option<&dyn Room> {
        None
    }
}

/// How much of a record fits into a store that has a limit of its own: one that packs records, and so can tell only
/// from all of the fields how many bytes they take.
///
/// ```
/// use std::collections::BTreeMap;
/// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
/// use sinew_store::{Room, Store};
///
/// let store = CookieStore::new(CookieStoreConfig::default());
/// let room: &dyn Room = store.room().expect("a cookie is small");
/// let theme = bytes::Bytes::from("\"dark\"");
/// assert!(room.bytes(&BTreeMap::from([("theme", &theme)])) < room.bytes_max());
/// ```
pub trait Room: Send + Sync {
    /// How many bytes these fields take.
    fn bytes(&self, fields: &BTreeMap<&str, &Bytes>) -> usize;

    /// How many bytes there may be; more is [`SessionError::CookieTooLarge`](crate::SessionError::CookieTooLarge).
    fn bytes_max(&self) -> usize;
}
