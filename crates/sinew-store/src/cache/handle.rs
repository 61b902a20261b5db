//! The cache as its callers hold it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::coding::{Coding, Form};
use super::config::CacheConfig;
use super::envelope::{Envelope, is_counter};
use super::flight::Flights;
use super::key::{CacheKey, Name, nested};
use super::options::{CacheOptions, Life};
use super::statistics::{CacheStatistics, Counters, Outage, count};
use super::store::{CacheEntry, CacheStore};
use crate::clock::{Clock, SystemClock};
use crate::error::StoreError;

/// What is dear to compute, kept for a while. Cheap to clone.
///
/// [`fetch`](Cache::fetch) is most of it: the value from the cache, or computed, once however
/// many ask. A cache that fails is one that has nothing: what is asked for is computed, the
/// failure is counted ([`CacheStatistics::errors`]), and the log says once that it began and once
/// that it ended.
///
/// Values are kept as JSON; [`fetch_bytes`](Cache::fetch_bytes) and its like keep bytes as
/// they are.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sinew_store::cache::{Cache, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache = Cache::new(Arc::new(MemoryCache::new()));
/// let minute = Duration::from_secs(60);
/// let sum = cache.fetch(("sums", 2, 3), minute, async || 2 + 3).await;
/// assert_eq!(sum, 5);
/// // The second time it is not computed.
/// let sum = cache.fetch(("sums", 2, 3), minute, async || 0).await;
/// assert_eq!(sum, 5);
/// # }
/// ```
///
/// Without computing:
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sinew_store::ManualClock;
/// use sinew_store::cache::{Cache, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let clock = Arc::new(ManualClock::new());
/// let cache = Cache::new(Arc::new(MemoryCache::with_clock(clock.clone()))).clock(clock.clone());
/// let minute = Duration::from_secs(60);
/// assert!(cache.write("name", "Ada", minute).await);
/// assert!(cache.write_bytes("picture", b"\x89PNG", minute).await);
/// assert!(cache.write_counter("visits", 7, minute).await);
/// assert_eq!(cache.write_multi([("one", 1), ("two", 2)], minute).await, 2);
///
/// assert!(cache.exist("name").await);
/// assert_eq!(cache.decrement("visits", 1, minute).await, Some(6));
/// clock.advance(minute);
/// assert!(!cache.exist("name").await);
///
/// cache.write("name", "Ada", ()).await;
/// assert_eq!(cache.clear().await, 1);
/// assert_eq!(cache.read::<String>("name").await, None);
/// assert_eq!(cache.statistics().misses, 1);
/// # }
/// ```
#[derive(Clone)]
pub struct Cache {
    pub(crate) shared: Arc<Shared>,
    pub(crate) namespace: Arc<str>,
    /// What fragments are made of, when it was said.
    pub(crate) template: Option<Arc<str>>,
}

/// What all namespaces have in common.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn CacheStore>,
    pub(crate) config: CacheConfig,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) counters: Counters,
    pub(crate) outage: Outage,
}

/// What was found in the store, as it is stored.
pub(crate) enum Found {
    Fresh(Bytes),
    /// It has expired, and may still be given away by who accepts that.
    Stale(Bytes),
    Missing,
}

impl Cache {
    /// A cache on this store, with the defaults of [`CacheConfig`].
    pub fn new(store: Arc<dyn CacheStore>) -> Cache {
        Cache::with_config(store, CacheConfig::default())
    }

    /// A cache on this store.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, CacheConfig, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let store = Arc::new(MemoryCache::new());
    /// let mut config = CacheConfig::default();
    /// config.namespace = "shop".to_owned();
    /// let shop = Cache::with_config(store.clone(), config);
    /// shop.write("menu", "tea", ()).await;
    /// assert!(!Cache::new(store).exist("menu").await, "another namespace of the same store");
    /// # }
    /// ```
    pub fn with_config(store: Arc<dyn CacheStore>, config: CacheConfig) -> Cache {
        let namespace = nested("", &config.namespace).into();
        Cache {
            namespace,
            template: None,
            shared: Arc::new(Shared {
                store,
                config,
                clock: Box::new(SystemClock),
                flights: Arc::default(),
                counters: Counters::default(),
                outage: Outage::default(),
            }),
        }
    }

    /// A new cache on the same store that takes the time from `clock`, for tests of expiry:
    /// see [`CacheOptions`].
    pub fn clock(self, clock: impl Clock) -> Cache {
        let (store, config) = (Arc::clone(&self.shared.store), self.shared.config.clone());
        let mut cache = Cache::with_config(store, config);
        if let Some(shared) = Arc::get_mut(&mut cache.shared) {
            shared.clock = Box::new(clock);
        }
        cache
    }

    /// The same cache with keys of their own: none of them is a key of this one, or of a
    /// namespace of another name. Another name for a new version of the program leaves behind
    /// what the older one has kept.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let second = cache.namespace("v2");
    /// cache.write("menu", "tea", ()).await;
    /// second.write("menu", "coffee", ()).await;
    /// assert_eq!(cache.read::<String>("menu").await.as_deref(), Some("tea"));
    /// assert_eq!(second.clear().await, 1);
    /// assert!(cache.exist("menu").await);
    /// # }
    /// ```
    pub fn namespace(&self, name: &str) -> Cache {
        let namespace = nested(&self.namespace, name).into();
        Cache {
            namespace,
            ..self.clone()
        }
    }

    /// What it has done so far, all namespaces together.
    pub fn statistics(&self) -> CacheStatistics {
        self.shared.counters.read()
    }

    pub(crate) fn name(&self, key: &(impl CacheKey + ?Sized)) -> Name {
        Name::new(&self.namespace, key)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cache")
            .field("namespace", &self.namespace)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// What the store answered, or `None` when it failed, which is counted and said.
    pub(crate) fn observe<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.outage.worked(&*self.clock);
                Some(answer)
            }
            Err(error) => {
                count(&self.counters.errors);
                self.outage.failed(&error, &*self.clock);
                None
            }
        }
    }

    /// Looks for a value, and counts what was found.
    pub(crate) async fn look(&self, name: &Name, form: Form, race: Option<Duration>) -> Found {
        let keys = std::slice::from_ref(&name.key);
        let stored = self.observe(self.store.read(keys).await);
        let stored = stored.and_then(|values| values.into_iter().next().flatten());
        self.judge(name, form, stored, race)
    }

    /// What a stored value is worth to who asks for this name.
    pub(crate) fn judge(
        &self,
        name: &Name,
        form: Form,
        stored: Option<Bytes>,
        race: Option<Duration>,
    ) -> Found {
        let found = match stored {
            None => Found::Missing,
            Some(stored) => self.open(name, form, stored, race),
        };
        match found {
            Found::Fresh(_) => count(&self.counters.hits),
            _ => count(&self.counters.misses),
        }
        found
    }

    fn open(&self, name: &Name, form: Form, stored: Bytes, race: Option<Duration>) -> Found {
        if form == Form::Json && name.version.is_none() && is_counter(&stored) {
            return Found::Fresh(stored);
        }
        let bytes_max = self.config.serialized_bytes_max;
        let envelope = match Envelope::decode(stored, bytes_max) {
            Ok(envelope) if envelope.form == form => envelope,
            _ => {
                count(&self.counters.values_unreadable);
                return Found::Missing;
            }
        };
        if envelope.version != name.version {
            return Found::Missing;
        }
        let Some(expires_at) = envelope.expires_at_ms else {
            return Found::Fresh(envelope.payload);
        };
        let (now, race) = (unix_ms(self.now()), race.map_or(0, duration_ms));
        match () {
            () if now < expires_at => Found::Fresh(envelope.payload),
            () if now < expires_at.saturating_add(race) => Found::Stale(envelope.payload),
            () => Found::Missing,
        }
    }

    pub(crate) fn life(&self, options: &CacheOptions) -> Option<Duration> {
        match options.life {
            Life::Configured => self.config.expires_in,
            Life::For(life) => Some(life),
            Life::Forever => None,
        }
    }

    /// The entry to write, or `None` for a value over the limits, which is counted.
    pub(crate) fn seal(
        &self,
        name: &Name,
        form: Form,
        payload: Bytes,
        options: &CacheOptions,
    ) -> Option<CacheEntry> {
        let life = self.life(options);
        let race = options.race_condition_time_to_live;
        let stale_after = life.filter(|_| race.is_some());
        let envelope = Envelope {
            form,
            expires_at_ms: stale_after
                .map(|life| unix_ms(self.now()).saturating_add(duration_ms(life))),
            version: name.version.clone(),
            payload,
        };
        if envelope.payload.len() > self.config.serialized_bytes_max {
            count(&self.counters.values_refused);
            return None;
        }
        let value = envelope.encode(self.config.compress_over_bytes);
        if value.len() > self.config.value_bytes_max {
            count(&self.counters.values_refused);
            return None;
        }
        let mut entry = CacheEntry::new(name.key.clone(), value);
        entry.time_to_live = life.map(|life| life.saturating_add(race.unwrap_or_default()));
        Some(entry)
    }

    /// Writes a value; answers whether it is there now.
    pub(crate) async fn put(
        &self,
        name: &Name,
        form: Form,
        payload: Bytes,
        options: &CacheOptions,
    ) -> bool {
        let Some(entry) = self.seal(name, form, payload, options) else {
            // What is there is older than what was to replace it.
            let keys = std::slice::from_ref(&name.key);
            self.observe(self.store.delete(keys).await);
            return false;
        };
        let written = self.observe(self.store.write(vec![entry]).await);
        self.count_written(&written.unwrap_or_default()) == 1
    }

    /// How many of these answers say that the value was written. They are counted.
    pub(crate) fn count_written(&self, written: &[bool]) -> usize {
        let mut stored = 0;
        for is_written in written {
            match is_written {
                true => {
                    stored += 1;
                    count(&self.counters.writes);
                }
                false => count(&self.counters.values_refused),
            }
        }
        stored
    }

    /// The value, or `None` for a payload of another type, which is counted.
    pub(crate) fn decode<C: Coding>(&self, payload: &Bytes) -> Option<C::Value> {
        self.readable(C::decode(payload))
    }

    /// As `decode`, of JSON.
    pub(crate) fn parse<T: DeserializeOwned>(&self, payload: &Bytes) -> Option<T> {
        self.readable(serde_json::from_slice(payload).ok())
    }

    fn readable<T>(&self, value: Option<T>) -> Option<T> {
        if value.is_none() {
            count(&self.counters.values_unreadable);
        }
        value
    }

    /// The payload, or `None` for a value that cannot be written, which is counted.
    pub(crate) fn encode<C: Coding>(&self, name: &Name, value: &C::Value) -> Option<Bytes> {
        self.writable(name, C::encode(value))
    }

    /// As `encode`, as JSON.
    pub(crate) fn write_json<T: Serialize + ?Sized>(
        &self,
        name: &Name,
        value: &T,
    ) -> Option<Bytes> {
        self.writable(name, serde_json::to_vec(value).map(Bytes::from))
    }

    fn writable(&self, name: &Name, payload: Result<Bytes, serde_json::Error>) -> Option<Bytes> {
        payload
            .inspect_err(|error| {
                count(&self.counters.values_refused);
                tracing::warn!(key = name.key.as_str(), %error, "a value cannot be cached");
            })
            .ok()
    }

    /// Whether somebody who asks for this name would be given this, in one form or the other.
    pub(crate) fn is_fresh(&self, name: &Name, stored: Bytes) -> bool {
        if name.version.is_none() && is_counter(&stored) {
            return true;
        }
        let envelope = Envelope::decode(stored, self.config.serialized_bytes_max);
        envelope.is_ok_and(|envelope| {
            envelope.version == name.version
                && envelope
                    .expires_at_ms
                    .is_none_or(|at| unix_ms(self.now()) < at)
        })
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    duration_ms(
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn duration_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
