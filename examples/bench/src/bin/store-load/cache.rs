//! Values fetched from a cache: there, not there, and not there for many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, ensure};
use sinew_store::cache::{Cache, CacheStore};

use crate::stores::Stores;
use crate::turns::{self, Measured};
use crate::{Scenario, VALUE_BYTES};

/// Keys that are there.
const KEYS: u64 = 1000;
/// How long a value lives.
const LIFE: Duration = Duration::from_secs(600);
/// What a herd's value takes to compute, as a query of a database might.
const COMPUTING: Duration = Duration::from_millis(1);

/// Tells the keys of one measurement from those of all others.
static NAMESPACES: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn measure(
    scenario: Scenario,
    stores: &Stores,
    tasks: usize,
    time: Duration,
) -> Result<Vec<(&'static str, Measured)>> {
    let mut measured = Vec::new();
    for (name, store) in &stores.caches {
        let number = NAMESPACES.fetch_add(1, Relaxed);
        let cache = Cache::new(Arc::<dyn CacheStore>::clone(store)).namespace(&number.to_string());
        let one = match scenario {
            Scenario::Hit => hit(&cache, tasks, time).await?,
            Scenario::Miss => miss(&cache, tasks, time).await?,
            _ => herd(&cache, tasks, time).await?,
        };
        cache.clear().await;
        measured.push((*name, one));
    }
    Ok(measured)
}

fn value() -> String {
    "x".repeat(VALUE_BYTES)
}

async fn hit(cache: &Cache, tasks: usize, time: Duration) -> Result<Measured> {
    for key in 0..KEYS {
        ensure!(
            cache.write(key, &value(), LIFE).await,
            "a value was not kept"
        );
    }
    let computed = Arc::new(AtomicU64::new(0));
    let (fetched, counts) = (cache.clone(), computed.clone());
    let measured = turns::run(tasks, time, move |task, turn| {
        let (cache, computed) = (fetched.clone(), counts.clone());
        async move {
            let key = (task as u64 * 31 + turn) % KEYS;
            let value = cache.fetch(key, LIFE, async || {
                computed.fetch_add(1, Relaxed);
                value()
            });
            ensure!(value.await.len() == VALUE_BYTES, "another value");
            Ok(())
        }
    })
    .await?;
    ensure!(computed.load(Relaxed) == 0, "a value was not there");
    Ok(measured)
}

async fn miss(cache: &Cache, tasks: usize, time: Duration) -> Result<Measured> {
    let cache = cache.clone();
    turns::run(tasks, time, move |task, turn| {
        let cache = cache.clone();
        async move {
            let value = cache.fetch((task as u64, turn), LIFE, async || value());
            ensure!(value.await.len() == VALUE_BYTES, "another value");
            Ok(())
        }
    })
    .await
}

/// Every task asks for the same keys one after the other, so most come for one that is being computed.
async fn herd(cache: &Cache, tasks: usize, time: Duration) -> Result<Measured> {
    let computed = Arc::new(AtomicU64::new(0));
    let last = Arc::new(AtomicU64::new(0));
    let (cache, counts, keys) = (cache.clone(), computed.clone(), last.clone());
    let mut measured = turns::run(tasks, time, move |_, turn| {
        let (cache, computed, last) = (cache.clone(), counts.clone(), keys.clone());
        async move {
            last.fetch_max(turn + 1, Relaxed);
            let value = cache.fetch(turn, LIFE, async || {
                computed.fetch_add(1, Relaxed);
                tokio::time::sleep(COMPUTING).await;
                value()
            });
            ensure!(value.await.len() == VALUE_BYTES, "another value");
            Ok(())
        }
    })
    .await?;
    measured.computed = computed.load(Relaxed) as f64 / last.load(Relaxed) as f64;
    Ok(measured)
}
