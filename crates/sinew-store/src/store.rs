//! The port.

use std::pin::Pin;

use crate::error::StoreError;
use crate::record::{Commit, Committed, Key, Record};

/// A boxed future that may move between threads.
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
pub trait Store: Send + Sync + 'static {
    /// The record as it is now, or `None` when there is none or it has expired.
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Changes one record, all or nothing.
    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>>;

    /// Removes a record; the answer is whether there was one.
    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>>;
}
