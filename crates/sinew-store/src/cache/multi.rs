//! Many values in one call of the store.

use std::collections::HashSet;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::coding::Form;
use super::fetch::landed_value;
use super::flight::{Lead, Seat};
use super::handle::{Cache, Found};
use super::key::{CacheKey, Name};
use super::options::CacheOptions;
use super::statistics::count;

impl Cache {
    /// As [`read`](Cache::read), of many keys in one call of the store; the values stand as their
    /// keys stood.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// assert_eq!(cache.write_multi([(("a", 1), 10), (("a", 2), 20)], ()).await, 2);
    /// let keys = [("a", 2), ("a", 3), ("a", 1)];
    /// assert_eq!(cache.read_multi::<i32, _>(keys).await, [Some(20), None, Some(10)]);
    /// # }
    /// ```
    pub async fn read_multi<T, K>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Option<T>>
    where
        T: DeserializeOwned,
        K: CacheKey,
    {
        let names: Vec<Name> = keys.into_iter().map(|key| self.name(&key)).collect();
        self.read_names(&names).await
    }

    async fn read_names<T>(&self, names: &[Name]) -> Vec<Option<T>>
    where
        T: DeserializeOwned,
    {
        let payloads = self.payloads(names.iter()).await.into_iter();
        let values = payloads.map(|payload| payload.and_then(|it| self.shared.parse(&it)));
        values.collect()
    }

    /// What the store has of these names and has not expired.
    async fn payloads<'a>(
        &self,
        names: impl Iterator<Item = &'a Name> + Clone,
    ) -> Vec<Option<Bytes>> {
        let keys: Vec<_> = names.clone().map(|name| name.key.clone()).collect();
        let stored = self.shared.observe(self.shared.store.read(&keys).await);
        let stored = stored.unwrap_or_else(|| vec![None; keys.len()]);
        let payload = |(name, stored)| match self.shared.judge(name, Form::Json, stored, None) {
            Found::Fresh(payload) => Some(payload),
            Found::Stale(_) | Found::Missing => None,
        };
        names.zip(stored).map(payload).collect()
    }

    /// As [`write`](Cache::write), of many values in one call of the store; answers how many
    /// of them are there now.
    pub async fn write_multi<K, T>(
        &self,
        values: impl IntoIterator<Item = (K, T)>,
        options: impl Into<CacheOptions>,
    ) -> usize
    where
        K: CacheKey,
        T: Serialize,
    {
        let values = values.into_iter();
        let values = values.map(|(key, value)| (self.name(&key), value));
        let values: Vec<(Name, T)> = values.collect();
        let values = values.iter().map(|(name, value)| (name, value));
        self.write_names(values, &options.into()).await
    }

    async fn write_names<'a, T>(
        &self,
        values: impl Iterator<Item = (&'a Name, &'a T)>,
        options: &CacheOptions,
    ) -> usize
    where
        T: Serialize + 'a,
    {
        let shared = &self.shared;
        let (mut entries, mut refused) = (Vec::new(), Vec::new());
        let mut keys = HashSet::new();
        for (name, value) in values {
            keys.insert(name.key.as_str());
            let payload = shared.write_json(name, value);
            let entry = payload.and_then(|it| shared.seal(name, Form::Json, it, options));
            match entry {
                Some(entry) => entries.push(entry),
                None => refused.push(name.key.clone()),
            }
        }
        if !refused.is_empty() {
            // What is there is older than what was to replace it.
            shared.observe(shared.store.delete(&refused).await);
        }
        let recall = || shared.flights.recall(|key| keys.contains(key));
        recall();
        let written = shared.observe(shared.store.write(entries).await);
        recall();
        shared.count_written(&written.unwrap_or_default())
    }

    /// The values of these keys, as they stand: those that the cache has, and for the others
    /// what `compute` makes of their keys, all at once and in their order. They are kept.
    ///
    /// Each is computed once however many ask for it at the same time in this process, by this or
    /// by [`fetch`](Cache::fetch): who comes first computes it, in one call with everything else
    /// that nobody computes yet, and waits for the others then. `compute` is called again for
    /// what another one has given up, or not computed within
    /// [`CacheConfig::flight_wait_max`](super::CacheConfig::flight_wait_max).
    ///
    /// # Panics
    ///
    /// When `compute` gives more or fewer values than it was asked for.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// cache.write(("squares", 2), &4, ()).await;
    /// let keys = [1, 2, 3].map(|number| ("squares", number));
    /// let squares = cache.fetch_multi(&keys, (), async |missing: Vec<&(&str, i32)>| {
    ///     // Here one query would ask for all of them.
    ///     assert_eq!(missing, [&("squares", 1), &("squares", 3)]);
    ///     missing.into_iter().map(|(_, number)| number * number).collect()
    /// });
    /// assert_eq!(squares.await, [1, 4, 9]);
    /// assert_eq!(cache.read::<i32>(("squares", 3)).await, Some(9));
    /// # }
    /// ```
    pub async fn fetch_multi<'a, T, K, F>(
        &self,
        keys: &'a [K],
        options: impl Into<CacheOptions>,
        mut compute: impl FnMut(Vec<&'a K>) -> F,
    ) -> Vec<T>
    where
        T: Serialize + DeserializeOwned,
        K: CacheKey,
        F: Future<Output = Vec<T>>,
    {
        let options = options.into();
        let names: Vec<Name> = keys.iter().map(|key| self.name(key)).collect();
        let mut values: Vec<Option<T>> = keys.iter().map(|_| None).collect();
        let deadline = Instant::now() + self.shared.config.flight_wait_max;
        while values.iter().any(Option::is_none) {
            let Seats { leads, follows } = self.seats(&names, &mut values, options.force).await;
            if !leads.is_empty() {
                let wanted: Vec<usize> = leads.iter().map(|(at, _)| *at).collect();
                let computed = all(&mut compute, keys, &wanted).await;
                self.land(leads, &names, &computed, &options).await;
                fill(&mut values, wanted, computed);
            }
            let alone = self.follow(follows, &names, &mut values, deadline).await;
            if !alone.is_empty() {
                // Who computes beside others does not know whether its value is still wanted.
                let computed = all(&mut compute, keys, &alone).await;
                fill(&mut values, alone, computed);
            }
        }
        values.into_iter().flatten().collect()
    }

    /// What is there, and for the rest who computes it.
    async fn seats<T>(&self, names: &[Name], values: &mut [Option<T>], force: bool) -> Seats
    where
        T: DeserializeOwned,
    {
        let flights = &self.shared.flights;
        let landed = flights.landed();
        let mut missing = missing(values);
        if force {
            let leads = missing.into_iter().map(|at| (at, flights.lead(&names[at])));
            return Seats {
                leads: leads.collect(),
                follows: Vec::new(),
            };
        }
        let payloads = self.payloads(missing.iter().map(|at| &names[*at])).await;
        for (at, payload) in missing.iter().zip(payloads) {
            values[*at] = payload.and_then(|payload| self.shared.parse(&payload));
        }
        missing.retain(|at| values[*at].is_none());
        let mut seats = Seats::default();
        for at in missing {
            match flights.board(&names[at]) {
                Seat::Lead(lead) => seats.leads.push((at, lead)),
                Seat::Follow(landing) => seats.follows.push((at, landing)),
            }
        }
        // A flight may have landed between the look into the store and the boarding.
        if flights.landed() != landed && !seats.leads.is_empty() {
            let led = seats.leads.iter().map(|(at, _)| &names[*at]);
            let mut payloads = self.payloads(led).await.into_iter();
            seats.leads.retain(|(at, lead)| {
                let payload = payloads.next().flatten();
                values[*at] = payload.as_ref().and_then(|it| self.shared.parse(it));
                let is_there = values[*at].is_some();
                if let Some(payload) = payload.filter(|_| is_there) {
                    lead.land(payload);
                }
                !is_there
            });
        }
        seats
    }

    /// Tells those who wait, and keeps what nobody has made out of date meanwhile.
    async fn land<T: Serialize>(
        &self,
        leads: Vec<(usize, Lead)>,
        names: &[Name],
        computed: &[T],
        options: &CacheOptions,
    ) {
        let shared = &self.shared;
        let (mut entries, mut refused) = (Vec::new(), Vec::new());
        for ((at, lead), value) in leads.iter().zip(computed) {
            let name = &names[*at];
            let Some(payload) = shared.write_json(name, value) else {
                continue;
            };
            lead.land(payload.clone());
            if lead.is_current() {
                match shared.seal(name, Form::Json, payload, options) {
                    Some(entry) => entries.push(entry),
                    // What is there is older than what was to replace it.
                    None => refused.push(name.key.clone()),
                }
            }
        }
        let written: HashSet<_> = entries.iter().map(|entry| entry.key.clone()).collect();
        if !entries.is_empty() {
            let stored = shared.observe(shared.store.write(entries).await);
            shared.count_written(&stored.unwrap_or_default());
        }
        // Recalled while it was written, and nobody knows which was first.
        let recalled = leads.iter().filter(|(_, lead)| !lead.is_current());
        let recalled = recalled.map(|(at, _)| &names[*at].key);
        refused.extend(recalled.filter(|key| written.contains(*key)).cloned());
        if !refused.is_empty() {
            shared.observe(shared.store.delete(&refused).await);
        }
    }

    /// Waits for what others compute, and gives what is to be computed beside them.
    async fn follow<T>(
        &self,
        follows: Vec<(usize, watch::Receiver<Option<Bytes>>)>,
        names: &[Name],
        values: &mut [Option<T>],
        deadline: Instant,
    ) -> Vec<usize>
    where
        T: DeserializeOwned,
    {
        let mut alone = Vec::new();
        for (at, mut landing) in follows {
            match timeout_at(deadline, landed_value(&mut landing)).await {
                Ok(Some(payload)) => {
                    values[at] = self.shared.parse(&payload);
                    match values[at] {
                        Some(_) => count(&self.shared.counters.flights_joined),
                        // Another type under the same key is nobody's but the caller's to compute.
                        None => alone.push(at),
                    }
                }
                // Who computed has given up: one of those who wait is the next.
                Ok(None) => {}
                Err(_) => {
                    let key = names[at].key.as_str();
                    tracing::warn!(
                        key,
                        "a cached value takes long to compute, or waits for itself"
                    );
                    alone.push(at);
                }
            }
        }
        alone
    }
}

/// Who computes what is missing.
#[derive(Default)]
struct Seats {
    /// This one.
    leads: Vec<(usize, Lead)>,
    /// Others, who do so already.
    follows: Vec<(usize, watch::Receiver<Option<Bytes>>)>,
}

/// One value for each of these keys.
async fn all<'a, T, K, F>(
    compute: &mut impl FnMut(Vec<&'a K>) -> F,
    keys: &'a [K],
    wanted: &[usize],
) -> Vec<T>
where
    F: Future<Output = Vec<T>>,
{
    let computed = compute(wanted.iter().map(|at| &keys[*at]).collect()).await;
    assert_eq!(
        computed.len(),
        wanted.len(),
        "one value for each missing key"
    );
    computed
}

fn fill<T>(values: &mut [Option<T>], places: Vec<usize>, computed: Vec<T>) {
    for (at, value) in places.into_iter().zip(computed) {
        values[at] = Some(value);
    }
}

fn missing<T>(values: &[Option<T>]) -> Vec<usize> {
    let places = values.iter().enumerate();
    places
        .filter_map(|(at, value)| value.is_none().then_some(at))
        .collect()
}
