//! A store that fails, and what the cache makes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sinew_store::cache::{Cache, CacheEntry, CacheOptions, CacheStore, MemoryCache};
use sinew_store::{BoxFuture, Key, ManualClock, StoreError, StoreErrorKind};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Fails while it is told to.
#[derive(Default)]
pub(super) struct Unsteady {
    inner: MemoryCache,
    pub(super) fails: AtomicBool,
}

impl Unsteady {
    fn check(&self) -> Result<(), StoreError> {
        match self.fails.load(Ordering::Relaxed) {
            true => Err(StoreError::new(StoreErrorKind::Unavailable, "gone fishing")),
            false => Ok(()),
        }
    }
}

impl CacheStore for Unsteady {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(async {
            self.check()?;
            self.inner.read(keys).await
        })
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async {
            self.check()?;
            self.inner.write(entries).await
        })
    }

    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async {
            self.check()?;
            self.inner.delete(keys).await
        })
    }

    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        Box::pin(async move {
            self.check()?;
            self.inner.increment(key, by, time_to_live).await
        })
    }

    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async {
            self.check()?;
            self.inner.delete_matched(prefix, pattern).await
        })
    }
}

/// Counts the lines of the log.
#[derive(Default)]
struct Lines {
    errors: AtomicUsize,
    infos: AtomicUsize,
}

struct Log(Arc<Lines>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        match *event.metadata().level() {
            Level::ERROR => self.0.errors.fetch_add(1, Ordering::Relaxed),
            Level::INFO => self.0.infos.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_failing_store_is_a_miss_and_two_lines_in_the_log() {
    let lines = Arc::new(Lines::default());
    let _logging = tracing::subscriber::set_default(Log(lines.clone()));
    let clock = Arc::new(ManualClock::new());
    let store = Arc::new(Unsteady::default());
    let cache = Cache::new(store.clone()).clock(clock.clone());
    cache.write("kept", &1, ()).await;

    store.fails.store(true, Ordering::Relaxed);
    for number in 0..10 {
        assert_eq!(cache.fetch("kept", (), async || number).await, number);
    }
    assert_eq!(cache.read::<i32>("kept").await, None);
    assert!(!cache.write("other", &1, ()).await);
    assert!(!cache.exist("kept").await);
    assert!(!cache.delete("kept").await);
    assert_eq!(cache.increment("count", 1, ()).await, None);
    assert_eq!(cache.delete_matched("*").await, 0);
    assert_eq!(
        cache.read_multi::<i32, _>(["a", "kept"]).await,
        [None, None]
    );
    assert_eq!(cache.write_multi([("a", 1)], ()).await, 0);
    let both = cache.fetch_multi(&["a", "kept"], (), async |missing: Vec<_>| {
        vec![7; missing.len()]
    });
    assert_eq!(both.await, [7, 7]);
    let racing = CacheOptions::new().race_condition_time_to_live(Duration::from_secs(1));
    assert_eq!(cache.fetch("kept", racing, async || 9).await, 9);
    assert_eq!(cache.fragment("kept", async || "html").await, "html");
    assert_eq!(lines.errors.load(Ordering::Relaxed), 1);
    assert!(cache.statistics().errors > 20, "{:?}", cache.statistics());

    // It is over when nothing has failed for a while.
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(cache.read::<i32>("kept").await, Some(1));
    assert_eq!(lines.infos.load(Ordering::Relaxed), 0);
    clock.advance(Duration::from_secs(10));
    for _ in 0..3 {
        assert_eq!(cache.read::<i32>("kept").await, Some(1));
    }
    assert_eq!(lines.infos.load(Ordering::Relaxed), 1);
    store.fails.store(true, Ordering::Relaxed);
    cache.read::<i32>("kept").await;
    assert_eq!(lines.errors.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_counter_that_is_none_is_an_error_and_no_outage() {
    let lines = Arc::new(Lines::default());
    let _logging = tracing::subscriber::set_default(Log(lines.clone()));
    let cache = Cache::new(Arc::new(MemoryCache::new()));
    cache.write("text", "text", ()).await;
    assert_eq!(cache.increment("text", 1, ()).await, None);
    cache.write_counter("most", i64::MAX, ()).await;
    assert_eq!(cache.increment("most", 1, ()).await, None);
    assert_eq!(cache.decrement("most", i64::MIN, ()).await, None);
    assert_eq!(cache.read::<i64>("most").await, Some(i64::MAX));
    assert_eq!(cache.statistics().errors, 2);
    assert_eq!(lines.errors.load(Ordering::Relaxed), 0);
}
