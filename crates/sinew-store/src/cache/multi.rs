//! Many values in one call of the store.

use std::collections::HashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::coding::Form;
use super::handle::{Cache, Found};
use super::key::{CacheKey, Name};
use super::options::CacheOptions;

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
        let keys: Vec<_> = names.iter().map(|name| name.key.clone()).collect();
        let stored = self.shared.observe(self.shared.store.read(&keys).await);
        let stored = stored.unwrap_or_else(|| vec![None; keys.len()]);
        let value = |(name, stored)| match self.shared.judge(name, Form::Json, stored, None) {
            Found::Fresh(payload) => self.shared.parse(&payload),
            Found::Stale(_) | Found::Missing => None,
        };
        names.iter().zip(stored).map(value).collect()
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
    /// Two that do so at the same time each compute what is missing.
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
        compute: impl FnOnce(Vec<&'a K>) -> F,
    ) -> Vec<T>
    where
        T: Serialize + DeserializeOwned,
        K: CacheKey,
        F: Future<Output = Vec<T>>,
    {
        let options = options.into();
        let names: Vec<Name> = keys.iter().map(|key| self.name(key)).collect();
        let mut values: Vec<Option<T>> = match options.force {
            true => keys.iter().map(|_| None).collect(),
            false => self.read_names(&names).await,
        };
        let is_missing = |(at, value): (usize, &Option<T>)| value.is_none().then_some(at);
        let missing: Vec<usize> = values.iter().enumerate().filter_map(is_missing).collect();
        if !missing.is_empty() {
            let computed = compute(missing.iter().map(|at| &keys[*at]).collect()).await;
            assert_eq!(
                computed.len(),
                missing.len(),
                "one value for each missing key"
            );
            let pairs = missing.iter().map(|at| &names[*at]).zip(&computed);
            self.write_names(pairs, &options).await;
            for (at, value) in missing.into_iter().zip(computed) {
                values[at] = Some(value);
            }
        }
        values.into_iter().flatten().collect()
    }
}
