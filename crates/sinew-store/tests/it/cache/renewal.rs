//! An expired value while one renews it.

use std::sync::Arc;
use std::time::Duration;

use sinew_store::ManualClock;
use sinew_store::cache::{Cache, CacheOptions, MemoryCache};

const MINUTE: Duration = Duration::from_secs(60);

fn racing() -> CacheOptions {
    let options = CacheOptions::new().expires_in(MINUTE);
    options.race_condition_time_to_live(Duration::from_secs(10))
}

/// Two processes with one store, and their clock.
fn two() -> (Cache, Cache, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let store = Arc::new(MemoryCache::with_clock(clock.clone()));
    let [one, other] = [(); 2].map(|()| Cache::new(store.clone()).clock(clock.clone()));
    (one, other, clock)
}

#[tokio::test]
async fn one_of_all_processes_renews_and_the_others_are_served_what_was() {
    let (one, other, clock) = two();
    assert_eq!(one.fetch("answer", racing(), async || 1).await, 1);
    assert_eq!(other.fetch("answer", racing(), async || 0).await, 1);
    clock.advance(MINUTE);
    let renewed = one.fetch("answer", racing(), async || {
        for cache in [&one, &other] {
            assert_eq!(cache.fetch("answer", racing(), async || 0).await, 1);
        }
        // Who does not accept an expired value computes one.
        assert_eq!(other.fetch("answer", MINUTE, async || 5).await, 5);
        2
    });
    assert_eq!(renewed.await, 2);
    assert_eq!(one.statistics().stale_served, 1);
    assert_eq!(other.statistics().stale_served, 1);

    // And again, since nobody has kept the right to.
    clock.advance(MINUTE);
    assert_eq!(other.fetch("answer", racing(), async || 3).await, 3);
}

#[tokio::test]
async fn a_renewal_that_fails_lets_the_next_one_try() {
    let (one, other, clock) = two();
    one.fetch("answer", racing(), async || 1).await;
    clock.advance(MINUTE);
    let failed = one.try_fetch::<i32, _, _>("answer", racing(), async || Err("no"));
    assert_eq!(failed.await, Err("no"));
    assert_eq!(other.fetch("answer", racing(), async || 2).await, 2);
}

#[tokio::test]
async fn a_renewal_that_is_given_up_ends_with_its_time() {
    let (one, other, clock) = two();
    one.fetch("answer", racing(), async || 1).await;
    clock.advance(MINUTE);
    // The process that has the right to renew is gone.
    let gone = one.fetch("answer", racing(), std::future::pending::<i32>);
    assert!(futures_util::FutureExt::now_or_never(gone).is_none());
    assert_eq!(other.fetch("answer", racing(), async || 2).await, 1);
    clock.advance(Duration::from_secs(10));
    assert_eq!(other.fetch("answer", racing(), async || 2).await, 2);
}

#[tokio::test]
async fn an_expired_value_is_missing_to_all_who_do_not_fetch() {
    let (one, _, clock) = two();
    one.write("answer", &1, racing()).await;
    assert!(one.exist("answer").await);
    clock.advance(MINUTE);
    assert_eq!(one.read::<i32>("answer").await, None);
    assert_eq!(one.read_multi::<i32, _>(["answer"]).await, [None]);
    assert!(!one.exist("answer").await);
}
