//! From the cache, or computed, once however many ask.

use std::convert::Infallible;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::coding::{Coding, Json, Raw};
use super::flight::{Lead, Seat};
use super::handle::{Cache, Found, Shared};
use super::key::{CacheKey, Name};
use super::options::CacheOptions;
use super::statistics::count;
use super::store::CacheEntry;

impl Cache {
    /// The value of this key: from the cache, or computed and kept.
    ///
    /// However many ask for it at the same time in this process, it is computed once, and the
    /// others wait for that; should it panic or be cancelled, one of them computes it instead.
    /// After [`CacheConfig::flight_wait_max`](super::CacheConfig::flight_wait_max) they no
    /// longer wait, and compute it themselves. Several processes each compute it once; see
    /// [`CacheOptions::race_condition_time_to_live`] for one of all.
    ///
    /// It always gives a value: when the store fails, what was computed. While a value is
    /// computed, a [`write`](Cache::write) or [`delete`](Cache::delete) of its key in this
    /// process makes sure that the older one is not kept.
    ///
    /// Dropping the future is safe at any time. It needs a tokio runtime with a timer.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let computed = Arc::new(AtomicU32::new(0));
    /// let herd = (0..200).map(|_| {
    ///     let (cache, computed) = (cache.clone(), computed.clone());
    ///     tokio::spawn(async move {
    ///         let hour = Duration::from_secs(3600);
    ///         cache.fetch("answer", hour, async || {
    ///             tokio::task::yield_now().await;
    ///             computed.fetch_add(1, Ordering::Relaxed);
    ///             42
    ///         }).await
    ///     })
    /// });
    /// for visitor in herd.collect::<Vec<_>>() {
    ///     assert_eq!(visitor.await.unwrap(), 42);
    /// }
    /// assert_eq!(computed.load(Ordering::Relaxed), 1);
    /// # }
    /// ```
    pub async fn fetch<T, F>(
        &self,
        key: impl CacheKey,
        options: impl Into<CacheOptions>,
        compute: impl FnOnce() -> F,
    ) -> T
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = T>,
    {
        let compute = || infallible(compute());
        let name = self.name(&key);
        let fetched = fetch::<Json<T>, Infallible, _>(&self.shared, name, options.into(), compute);
        fetched.await.unwrap_or_else(|never| match never {})
    }

    /// As [`fetch`](Cache::fetch), with a computation that can fail. Its error is given to the
    /// one who computed; of those who wait the next one tries.
    ///
    /// # Errors
    ///
    /// The computation's own; the cache has none.
    ///
    /// ```
    /// use std::num::ParseIntError;
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let number = async |text: &'static str| -> Result<u8, ParseIntError> {
    ///     cache.try_fetch("number", (), async || text.parse()).await
    /// };
    /// assert!(number("many").await.is_err());
    /// assert_eq!(number("7").await, Ok(7));
    /// assert_eq!(number("not asked any more").await, Ok(7));
    /// # }
    /// ```
    pub async fn try_fetch<T, E, F>(
        &self,
        key: impl CacheKey,
        options: impl Into<CacheOptions>,
        compute: impl FnOnce() -> F,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        let name = self.name(&key);
        fetch::<Json<T>, E, _>(&self.shared, name, options.into(), compute).await
    }

    /// As [`fetch`](Cache::fetch), of bytes that are kept as they are.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use bytes::Bytes;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let picture = cache.fetch_bytes("picture", (), async || Bytes::from_static(b"\x89PNG"));
    /// assert_eq!(picture.await, &b"\x89PNG"[..]);
    /// # }
    /// ```
    pub async fn fetch_bytes<F>(
        &self,
        key: impl CacheKey,
        options: impl Into<CacheOptions>,
        compute: impl FnOnce() -> F,
    ) -> Bytes
    where
        F: Future<Output = Bytes>,
    {
        let compute = || infallible(compute());
        let name = self.name(&key);
        let fetched = fetch::<Raw, Infallible, _>(&self.shared, name, options.into(), compute);
        fetched.await.unwrap_or_else(|never| match never {})
    }
}

pub(crate) async fn infallible<T>(compute: impl Future<Output = T>) -> Result<T, Infallible> {
    Ok(compute.await)
}

/// What came of asking without computing.
enum Asked<V> {
    Value(V),
    /// Compute it, and tell those who wait if there are any.
    Compute(Option<Lead>, Renewal),
}

/// Whether this one renews a value that has expired, for all processes.
enum Renewal {
    No,
    Locked,
}

pub(crate) async fn fetch<C: Coding, E, F>(
    shared: &Shared,
    name: Name,
    options: CacheOptions,
    compute: impl FnOnce() -> F,
) -> Result<C::Value, E>
where
    F: Future<Output = Result<C::Value, E>>,
{
    let (lead, renewal) = match ask::<C>(shared, &name, &options).await {
        Asked::Value(value) => return Ok(value),
        Asked::Compute(lead, renewal) => (lead, renewal),
    };
    let computed = compute().await;
    if let Ok(value) = &computed
        && let Some(payload) = shared.encode::<C>(&name, value)
    {
        if let Some(lead) = &lead {
            lead.land(payload.clone());
        }
        // Who computes beside others does not know whether its value is still wanted.
        if let Some(lead) = lead.as_ref().filter(|lead| lead.is_current()) {
            shared.put(&name, C::FORM, payload, &options).await;
            if !lead.is_current() {
                // Recalled while it was written, and nobody knows which was first.
                let keys = std::slice::from_ref(&name.key);
                shared.observe(shared.store.delete(keys).await);
            }
        }
    }
    if matches!(renewal, Renewal::Locked) {
        shared.observe(shared.store.delete(&[name.lock()]).await);
    }
    computed
}

async fn ask<C: Coding>(shared: &Shared, name: &Name, options: &CacheOptions) -> Asked<C::Value> {
    if options.force {
        return Asked::Compute(Some(shared.flights.lead(name)), Renewal::No);
    }
    let race = options.race_condition_time_to_live;
    let landed = shared.flights.landed();
    match shared.look(name, C::FORM, race).await {
        Found::Fresh(payload) => match shared.decode::<C>(&payload) {
            Some(value) => Asked::Value(value),
            None => wait::<C>(shared, name, landed).await,
        },
        Found::Stale(payload) => match shared.decode::<C>(&payload) {
            Some(value) => renew::<C>(shared, name, options, value).await,
            None => wait::<C>(shared, name, landed).await,
        },
        Found::Missing => wait::<C>(shared, name, landed).await,
    }
}

/// The expired value while another one computes, here or elsewhere.
async fn renew<C: Coding>(
    shared: &Shared,
    name: &Name,
    options: &CacheOptions,
    stale: C::Value,
) -> Asked<C::Value> {
    let Seat::Lead(lead) = shared.flights.board(name) else {
        count(&shared.counters.stale_served);
        return Asked::Value(stale);
    };
    let mut lock = CacheEntry::new(name.lock(), "1");
    lock.time_to_live = options.race_condition_time_to_live;
    lock.only_if_absent = true;
    let locked = shared.observe(shared.store.write(vec![lock]).await);
    if locked.is_some_and(|locked| locked == [false]) {
        count(&shared.counters.stale_served);
        return Asked::Value(stale);
    }
    Asked::Compute(Some(lead), Renewal::Locked)
}

/// Waits for whoever computes, or is the one.
async fn wait<C: Coding>(shared: &Shared, name: &Name, landed: u64) -> Asked<C::Value> {
    let deadline = Instant::now() + shared.config.flight_wait_max;
    loop {
        let mut landing = match shared.flights.board(name) {
            Seat::Lead(lead) => return lead_off::<C>(shared, name, lead, landed).await,
            Seat::Follow(landing) => landing,
        };
        match timeout_at(deadline, landed_value(&mut landing)).await {
            Ok(Some(payload)) => {
                // Another type under the same key is nobody's but the caller's to compute.
                return match shared.decode::<C>(&payload) {
                    Some(value) => {
                        count(&shared.counters.flights_joined);
                        Asked::Value(value)
                    }
                    None => Asked::Compute(None, Renewal::No),
                };
            }
            Ok(None) => {}
            Err(_) => {
                let key = name.key.as_str();
                tracing::warn!(
                    key,
                    "a cached value takes long to compute, or waits for itself"
                );
                return Asked::Compute(None, Renewal::No);
            }
        }
    }
}

/// A flight may have landed between the look into the store and the boarding: then there is
/// a value by now.
async fn lead_off<C: Coding>(
    shared: &Shared,
    name: &Name,
    lead: Lead,
    landed: u64,
) -> Asked<C::Value> {
    if shared.flights.landed() != landed
        && let Found::Fresh(payload) = shared.look(name, C::FORM, None).await
        && let Some(value) = shared.decode::<C>(&payload)
    {
        lead.land(payload);
        return Asked::Value(value);
    }
    Asked::Compute(Some(lead), Renewal::No)
}

/// `None` when the one who computed gave up.
pub(super) async fn landed_value(landing: &mut watch::Receiver<Option<Bytes>>) -> Option<Bytes> {
    let landed = landing.wait_for(Option::is_some).await.ok()?;
    landed.clone()
}
