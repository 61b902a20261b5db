//! One computes, the others wait: whatever happens to the one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinew_store::cache::{Cache, CacheOptions, MemoryCache, NullCache, Versioned};
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::{JoinSet, yield_now};

fn cache() -> Cache {
    Cache::new(Arc::new(MemoryCache::new()))
}

/// Until this many have looked and missed. On one thread they wait for somebody else's value by
/// then: between the two there is no point at which a task lets others run.
async fn all_have_looked(cache: &Cache, count: u64) {
    while cache.statistics().misses < count {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_herd_computes_once() {
    // Without a store behind it as well: the value comes from the one who computed it.
    for cache in [cache(), Cache::new(Arc::new(NullCache))] {
        let computed = Arc::new(AtomicUsize::new(0));
        let start = Arc::new(Barrier::new(200));
        let mut herd = JoinSet::new();
        for _ in 0..200 {
            let (cache, computed, start) = (cache.clone(), computed.clone(), start.clone());
            herd.spawn(async move {
                start.wait().await;
                cache
                    .fetch("answer", (), async || {
                        all_have_looked(&cache, 200).await;
                        computed.fetch_add(1, Ordering::Relaxed);
                        String::from("42")
                    })
                    .await
            });
        }
        let values = herd.join_all().await;
        assert!(values.iter().all(|value| value == "42"));
        assert_eq!(computed.load(Ordering::Relaxed), 1);
        assert_eq!(cache.statistics().flights_joined, 199);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_herd_on_many_threads_computes_once() {
    for _ in 0..200 {
        let cache = cache();
        let computed = Arc::new(AtomicUsize::new(0));
        let mut herd = JoinSet::new();
        let start = Arc::new(Barrier::new(8));
        for _ in 0..8 {
            let (cache, computed, start) = (cache.clone(), computed.clone(), start.clone());
            herd.spawn(async move {
                start.wait().await;
                let compute = async || computed.fetch_add(1, Ordering::Relaxed);
                cache.fetch("answer", (), compute).await
            });
        }
        assert!(herd.join_all().await.into_iter().all(|value| value == 0));
        assert_eq!(computed.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn after_a_failure_the_next_one_tries() {
    let cache = cache();
    let tries = Arc::new(AtomicUsize::new(0));
    let mut herd = JoinSet::new();
    for _ in 0..10 {
        let (cache, tries) = (cache.clone(), tries.clone());
        herd.spawn(async move {
            let compute = async || {
                all_have_looked(&cache, 10).await;
                match tries.fetch_add(1, Ordering::Relaxed) {
                    attempt @ 0..3 => Err(attempt),
                    attempt => Ok(attempt),
                }
            };
            cache.try_fetch("answer", (), compute).await
        });
    }
    let outcomes = herd.join_all().await;
    let failed = outcomes.iter().filter(|outcome| outcome.is_err());
    assert_eq!(
        failed.count(),
        3,
        "each failure is told to the one who computed"
    );
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == Ok(3)).count(),
        7
    );
    assert_eq!(tries.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_cancelled_or_panicking_computation_lets_the_next_one_try() {
    for panics in [false, true] {
        let cache = cache();
        let (started, has_started) = oneshot::channel();
        let go_on = Arc::new(Notify::new());
        let first = tokio::spawn({
            let (cache, go_on) = (cache.clone(), go_on.clone());
            async move {
                let compute = async || {
                    started.send(()).expect("waited for");
                    go_on.notified().await;
                    panic!("the first computation fails in the hardest way")
                };
                cache.fetch::<u32, _>("answer", (), compute).await
            }
        });
        has_started.await.unwrap();
        let second = tokio::spawn({
            let cache = cache.clone();
            async move { cache.fetch("answer", (), async || 2).await }
        });
        all_have_looked(&cache, 2).await;
        match panics {
            true => go_on.notify_one(),
            false => first.abort(),
        }
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(first.await.unwrap_err().is_panic(), panics);
        assert_eq!(cache.read::<u32>("answer").await, Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_itself_goes_on_in_the_end() {
    let cache = cache();
    let inner = cache.clone();
    let compute = async || 1 + inner.fetch("answer", (), async || 1).await;
    assert_eq!(cache.fetch("answer", (), compute).await, 2);
    assert_eq!(cache.read::<i32>("answer").await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn two_that_need_each_other_go_on_in_the_end() {
    let cache = cache();
    let both = Barrier::new(2);
    let fetch = async |own: &'static str, other: &'static str| {
        let compute = async || {
            both.wait().await;
            1 + cache.fetch(other, (), async || 10).await
        };
        cache.fetch(own, (), compute).await
    };
    let (a, b) = tokio::join!(fetch("a", "b"), fetch("b", "a"));
    assert!(a > 1 && b > 1, "{a} {b}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_limit_for_one_that_hangs() {
    let cache = cache();
    let hanging = tokio::spawn({
        let cache = cache.clone();
        async move { cache.fetch("answer", (), std::future::pending::<i32>).await }
    });
    all_have_looked(&cache, 1).await;
    let started = tokio::time::Instant::now();
    assert_eq!(cache.fetch("answer", (), async || 7).await, 7);
    assert_eq!(started.elapsed().as_secs(), 10);
    hanging.abort();
}

#[tokio::test]
async fn what_is_deleted_or_written_while_it_is_computed_is_not_kept() {
    let cache = cache();
    let delete = async || {
        assert!(!cache.delete("answer").await);
        1
    };
    assert_eq!(cache.fetch("answer", (), delete).await, 1);
    assert_eq!(cache.read::<i32>("answer").await, None);

    let write = async || {
        assert!(cache.write("answer", &3, ()).await);
        2
    };
    assert_eq!(cache.fetch("answer", (), write).await, 2);
    assert_eq!(cache.read::<i32>("answer").await, Some(3));

    let write = async || {
        assert_eq!(cache.write_multi([("other", 5)], ()).await, 1);
        4
    };
    assert_eq!(cache.fetch("other", (), write).await, 4);
    assert_eq!(cache.read::<i32>("other").await, Some(5));

    for pattern in ["oth*", "x*"] {
        let clear = async || {
            cache.delete_matched(pattern).await;
            6
        };
        let fetched = cache
            .fetch("other", CacheOptions::new().force(), clear)
            .await;
        assert_eq!(fetched, 6);
        let kept = cache.read::<i32>("other").await;
        assert_eq!(kept, (pattern == "x*").then_some(6));
    }
}

#[tokio::test]
async fn who_comes_after_a_deletion_does_not_wait_for_what_was_computed_before() {
    let cache = cache();
    let value = async || {
        cache.delete("answer").await;
        assert_eq!(cache.fetch("answer", (), async || 2).await, 2);
        1
    };
    assert_eq!(cache.fetch("answer", (), value).await, 1);
    assert_eq!(cache.read::<i32>("answer").await, Some(2));
}

#[tokio::test]
async fn another_type_or_version_is_computed_anew() {
    let cache = cache();
    cache.write("answer", "forty-two", ()).await;
    assert_eq!(cache.fetch("answer", (), async || 42).await, 42);
    assert_eq!(cache.fetch("answer", (), async || 43).await, 42);
    assert_eq!(cache.statistics().values_unreadable, 1);

    assert_eq!(
        cache.fetch(Versioned("answer", 1), (), async || 44).await,
        44
    );
    assert_eq!(
        cache.fetch(Versioned("answer", 1), (), async || 45).await,
        44
    );
    assert_eq!(
        cache.fetch(Versioned("answer", 2), (), async || 46).await,
        46
    );
    assert_eq!(cache.fetch("answer", (), async || 47).await, 47);
}

#[tokio::test]
async fn one_waits_for_another_type_and_computes_its_own() {
    let cache = cache();
    let other = cache.clone();
    let (started, has_started) = oneshot::channel();
    let go_on = Arc::new(Notify::new());
    let first = tokio::spawn({
        let go_on = go_on.clone();
        async move {
            let compute = async || {
                started.send(()).expect("waited for");
                go_on.notified().await;
                String::from("text")
            };
            other.fetch("answer", (), compute).await
        }
    });
    has_started.await.unwrap();
    let second = tokio::spawn({
        let cache = cache.clone();
        async move { cache.fetch("answer", (), async || 42).await }
    });
    all_have_looked(&cache, 2).await;
    go_on.notify_one();
    assert_eq!(first.await.unwrap(), "text");
    assert_eq!(second.await.unwrap(), 42);
}

#[tokio::test]
async fn what_cannot_be_written_is_given_and_not_kept() {
    let cache = cache();
    let odd = std::collections::HashMap::from([(vec![1], 1)]);
    let compute = async || odd.clone();
    assert_eq!(
        cache.fetch("odd", Duration::from_secs(60), compute).await,
        odd
    );
    assert!(!cache.write("odd", &odd, ()).await);
    assert!(!cache.exist("odd").await);
    assert_eq!(cache.statistics().values_refused, 2);
}
