//! Many values at once, of which each is computed by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sinew_store::cache::{Cache, CacheConfig, MemoryCache, NullCache};
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::{JoinSet, yield_now};

fn cache() -> Cache {
    Cache::new(Arc::new(MemoryCache::new()))
}

/// Until this many keys have been looked for and missed; see `fetch.rs`.
async fn all_have_looked(cache: &Cache, count: u64) {
    while cache.statistics().misses < count {
        yield_now().await;
    }
}

fn squares(numbers: &[&u64]) -> Vec<u64> {
    numbers.iter().map(|number| **number * **number).collect()
}

#[tokio::test]
async fn a_herd_computes_each_value_once() {
    // Without a store behind it as well: the values come from the one who computed them.
    for cache in [cache(), Cache::new(Arc::new(NullCache))] {
        let computed = Arc::new(AtomicUsize::new(0));
        let mut herd = JoinSet::new();
        for _ in 0..100 {
            let (cache, computed) = (cache.clone(), computed.clone());
            herd.spawn(async move {
                let compute = async |missing: Vec<&u64>| {
                    all_have_looked(&cache, 300).await;
                    computed.fetch_add(missing.len(), Ordering::Relaxed);
                    squares(&missing)
                };
                cache.fetch_multi(&[1, 2, 3], (), compute).await
            });
        }
        let values = herd.join_all().await;
        assert!(values.iter().all(|values| values == &[1, 4, 9]));
        assert_eq!(computed.load(Ordering::Relaxed), 3);
        assert_eq!(cache.statistics().flights_joined, 3 * 99);
    }
}

/// Each waits only when it has computed what others wait for, so that none waits for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_want_some_of_the_same_wait_for_each_other() {
    for _ in 0..200 {
        let cache = cache();
        let computed = Arc::new(Mutex::new(Vec::new()));
        let start = Arc::new(Barrier::new(8));
        let mut herd = JoinSet::new();
        for first in 0..8_u64 {
            let (cache, computed, start) = (cache.clone(), computed.clone(), start.clone());
            herd.spawn(async move {
                // In another order each.
                let keys = [0, 1, 2, 3].map(|step| (first + 3 * step) % 8);
                start.wait().await;
                let compute = async |missing: Vec<&u64>| {
                    computed.lock().extend(missing.iter().map(|key| **key));
                    yield_now().await;
                    squares(&missing)
                };
                let values = cache.fetch_multi(&keys, (), compute).await;
                assert_eq!(values, keys.map(|key| key * key));
            });
        }
        herd.join_all().await;
        let mut computed = std::mem::take(&mut *computed.lock());
        computed.sort_unstable();
        assert_eq!(computed, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

#[tokio::test]
async fn one_value_and_many_are_one_flight_and_a_key_may_stand_twice() {
    let cache = cache();
    let (started, has_started) = oneshot::channel();
    let single = tokio::spawn({
        let cache = cache.clone();
        async move {
            let compute = async || {
                started.send(()).expect("waited for");
                all_have_looked(&cache, 4).await;
                4_u64
            };
            cache.fetch(2_u64, (), compute).await
        }
    });
    has_started.await.expect("it computes");
    let compute = async |missing: Vec<&u64>| {
        assert_eq!(missing, [&3]);
        squares(&missing)
    };
    assert_eq!(cache.fetch_multi(&[2, 3, 3], (), compute).await, [4, 9, 9]);
    assert_eq!(single.await.expect("no panic"), 4);
}

#[tokio::test]
async fn who_waits_for_one_that_gives_up_computes_instead() {
    for panics in [false, true] {
        let cache = cache();
        let (started, has_started) = oneshot::channel();
        let go_on = Arc::new(Notify::new());
        let first = tokio::spawn({
            let (cache, go_on) = (cache.clone(), go_on.clone());
            let started = Mutex::new(Some(started));
            async move {
                let compute = async |_: Vec<&u64>| {
                    let started = started.lock().take().expect("asked once");
                    started.send(()).expect("waited for");
                    go_on.notified().await;
                    panic!("the first computation fails in the hardest way")
                };
                cache.fetch_multi::<u64, _, _>(&[1, 2], (), compute).await
            }
        });
        has_started.await.expect("it computes");
        let second = tokio::spawn({
            let cache = cache.clone();
            async move {
                let asked = Mutex::new(Vec::new());
                let compute = async |missing: Vec<&u64>| {
                    asked.lock().push(missing.len());
                    squares(&missing)
                };
                let values = cache.fetch_multi(&[1, 2, 3], (), compute).await;
                (values, asked.into_inner())
            }
        });
        all_have_looked(&cache, 5).await;
        match panics {
            true => go_on.notify_one(),
            false => first.abort(),
        }
        let (values, asked) = second.await.expect("no panic");
        assert_eq!((values, asked), (vec![1, 4, 9], vec![1, 2]));
        assert_eq!(first.await.expect_err("it failed").is_panic(), panics);
        assert_eq!(cache.read::<u64>(1_u64).await, Some(1));
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_computes_beside_the_other() {
    let mut config = CacheConfig::default();
    config.flight_wait_max = Duration::from_secs(3);
    let cache = Cache::with_config(Arc::new(MemoryCache::new()), config);
    let inner = cache.clone();
    // It waits for itself.
    let compute = async |_: Vec<&u64>| {
        let nested = inner.fetch_multi(&[1, 2], (), async |missing: Vec<&u64>| squares(&missing));
        let nested: Vec<u64> = nested.await;
        vec![nested[0] + 10]
    };
    assert_eq!(cache.fetch_multi(&[1], (), compute).await, [11]);
    assert_eq!(cache.read::<u64>(1_u64).await, Some(11));
    assert_eq!(cache.read::<u64>(2_u64).await, Some(4));
}

#[tokio::test]
async fn what_is_written_or_deleted_meanwhile_is_not_overwritten() {
    let cache = cache();
    let values = cache.fetch_multi(&[1, 2, 3], (), async |missing: Vec<&u64>| {
        cache.write(1_u64, &100, ()).await;
        cache.delete(2_u64).await;
        squares(&missing)
    });
    assert_eq!(values.await, [1, 4, 9]);
    assert_eq!(
        cache.read_multi::<u64, _>([1_u64, 2, 3]).await,
        [Some(100), None, Some(9)]
    );
}
