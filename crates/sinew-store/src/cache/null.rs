//! The cache that keeps nothing.

use std::time::Duration;

use bytes::Bytes;

use super::store::{CacheEntry, CacheStore};
use crate::error::StoreError;
use crate::record::Key;
use crate::store::BoxFuture;

/// A store that keeps nothing: everything is computed whenever it is asked for, but by one
/// of those who ask at the same time. For tests, and for finding out what a cache hides.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::cache::{Cache, NullCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache = Cache::new(Arc::new(NullCache));
/// assert_eq!(cache.fetch("answer", (), async || 41).await, 41);
/// assert_eq!(cache.fetch("answer", (), async || 42).await, 42);
/// assert_eq!(cache.increment("visits", 1, ()).await, Some(1));
/// assert_eq!(cache.increment("visits", 1, ()).await, Some(1));
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NullCache;

impl CacheStore for NullCache {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(async { Ok(vec![None; keys.len()]) })
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async move { Ok(vec![false; entries.len()]) })
    }

    fn delete<'a>(&'a self, _: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }

    fn increment<'a>(
        &'a self,
        _: &'a Key,
        by: i64,
        _: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        Box::pin(async move { Ok(by) })
    }

    fn delete_matched<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}
