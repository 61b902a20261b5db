//! Reading, writing, deleting and counting, one value at a time.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::coding::Form;
use super::glob::Glob;
use super::handle::{Cache, Found};
use super::key::{CacheKey, Name};
use super::options::CacheOptions;
use super::store::CacheEntry;

impl Cache {
    /// The value of this key, or `None`: it is not there, has expired, is of another version,
    /// cannot be read as `T`, or the store fails.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// assert!(cache.write("name", "Ada", ()).await);
    /// assert_eq!(cache.read::<String>("name").await.as_deref(), Some("Ada"));
    /// assert_eq!(cache.read::<u32>("name").await, None);
    /// # }
    /// ```
    pub async fn read<T: DeserializeOwned>(&self, key: impl CacheKey) -> Option<T> {
        let payload = self.payload(&key, Form::Json).await?;
        self.shared.parse(&payload)
    }

    /// Keeps a value; answers whether it is there now. It is not when it is over a limit of
    /// [`CacheConfig`](super::CacheConfig), when the store has no room for it or fails; unless
    /// the store fails, an older value is gone then, too.
    pub async fn write<T: Serialize + ?Sized>(
        &self,
        key: impl CacheKey,
        value: &T,
        options: impl Into<CacheOptions>,
    ) -> bool {
        let name = self.name(&key);
        let Some(payload) = self.shared.write_json(&name, value) else {
            return false;
        };
        self.put(&name, Form::Json, payload, &options.into()).await
    }

    /// As [`read`](Cache::read), of bytes that were written as they are.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// assert!(cache.write_bytes("key", b"\xff\x00", ()).await);
    /// assert_eq!(cache.read_bytes("key").await, Some(b"\xff\x00"[..].into()));
    /// // They are no JSON and are not taken for it.
    /// assert_eq!(cache.read::<String>("key").await, None);
    /// # }
    /// ```
    pub async fn read_bytes(&self, key: impl CacheKey) -> Option<Bytes> {
        self.payload(&key, Form::Raw).await
    }

    /// As [`write`](Cache::write), of bytes that are kept as they are.
    pub async fn write_bytes(
        &self,
        key: impl CacheKey,
        value: impl AsRef<[u8]>,
        options: impl Into<CacheOptions>,
    ) -> bool {
        let payload = Bytes::copy_from_slice(value.as_ref());
        let name = self.name(&key);
        self.put(&name, Form::Raw, payload, &options.into()).await
    }

    /// Removes a value; answers whether there was one. What is being computed for this key in
    /// this process is not kept.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// cache.write("name", "Ada", ()).await;
    /// assert!(cache.exist("name").await);
    /// assert!(cache.delete("name").await);
    /// assert!(!cache.exist("name").await);
    /// assert!(!cache.delete("name").await);
    /// # }
    /// ```
    pub async fn delete(&self, key: impl CacheKey) -> bool {
        let name = self.name(&key);
        let store = &self.shared.store;
        let recall = || self.shared.flights.recall(|key| key == name.key.as_str());
        recall();
        let keys = std::slice::from_ref(&name.key);
        let deleted = self.shared.observe(store.delete(keys).await);
        // Who read the value before it was removed may have begun in the meantime.
        recall();
        deleted.is_some_and(|deleted| deleted > 0)
    }

    /// Whether [`read`](Cache::read) or [`read_bytes`](Cache::read_bytes) would find a value.
    pub async fn exist(&self, key: impl CacheKey) -> bool {
        let name = self.name(&key);
        let keys = std::slice::from_ref(&name.key);
        let stored = self.shared.observe(self.shared.store.read(keys).await);
        let stored = stored.and_then(|values| values.into_iter().next().flatten());
        stored.is_some_and(|stored| self.shared.is_fresh(&name, stored))
    }

    /// Adds to a counter in one step and answers its new value; `by` may be negative. A counter
    /// that is not there begins at 0 and lives as the options say; one that is there keeps its
    /// life. Versions have no meaning for counters.
    ///
    /// `None` when the store fails, when the value is no counter
    /// ([`write`](Cache::write) makes none), and when the sum would not be an `i64`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let minute = Duration::from_secs(60);
    /// assert_eq!(cache.increment("attempts", 1, minute).await, Some(1));
    /// assert_eq!(cache.increment("attempts", 1, minute).await, Some(2));
    /// assert_eq!(cache.decrement("attempts", 3, minute).await, Some(-1));
    /// assert_eq!(cache.read::<i64>("attempts").await, Some(-1));
    ///
    /// assert!(cache.write_counter("attempts", 10, minute).await);
    /// assert_eq!(cache.increment("attempts", 1, minute).await, Some(11));
    /// # }
    /// ```
    pub async fn increment(
        &self,
        key: impl CacheKey,
        by: i64,
        options: impl Into<CacheOptions>,
    ) -> Option<i64> {
        let name = self.name(&key);
        let life = self.shared.life(&options.into());
        let sum = self.shared.store.increment(&name.key, by, life).await;
        self.shared.observe(sum)
    }

    /// As [`increment`](Cache::increment), the other way.
    pub async fn decrement(
        &self,
        key: impl CacheKey,
        by: i64,
        options: impl Into<CacheOptions>,
    ) -> Option<i64> {
        self.increment(key, by.checked_neg()?, options).await
    }

    /// Sets a counter, with a life of its own; answers whether it is there now.
    pub async fn write_counter(
        &self,
        key: impl CacheKey,
        value: i64,
        options: impl Into<CacheOptions>,
    ) -> bool {
        let name = self.name(&key);
        let mut entry = CacheEntry::new(name.key, value.to_string());
        entry.time_to_live = self.shared.life(&options.into());
        let written = self
            .shared
            .observe(self.shared.store.write(vec![entry]).await);
        self.shared.count_written(&written.unwrap_or_default()) == 1
    }

    /// Removes every value of this namespace, but none of the namespaces within it, whose key
    /// matches the [`Glob`]: `*` is any text, `?` any one character. Answers how many there
    /// were.
    ///
    /// A key of parts is matched as it is written: `posts/*/title`. The store may have to look
    /// at all of its keys; a version or a namespace does the same for nothing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// cache.write(("posts", 1, "title"), "Tea", ()).await;
    /// cache.write(("posts", 2, "title"), "Coffee", ()).await;
    /// cache.write(("posts", 2, "body"), "Beans", ()).await;
    /// assert_eq!(cache.delete_matched("posts/*/title").await, 2);
    /// assert!(cache.exist(("posts", 2, "body")).await);
    /// # }
    /// ```
    pub async fn delete_matched(&self, pattern: &str) -> u64 {
        self.delete_below(&format!("{}/", self.namespace), pattern)
            .await
    }

    /// Removes every value of this namespace and of those within it; answers how many there
    /// were.
    pub async fn clear(&self) -> u64 {
        let own = self
            .delete_below(&format!("{}/", self.namespace), "*")
            .await;
        let nested = self
            .delete_below(&format!("{}:", self.namespace), "*")
            .await;
        own + nested
    }

    async fn delete_below(&self, prefix: &str, pattern: &str) -> u64 {
        let glob = Glob::new(pattern);
        let recall = || {
            self.shared.flights.recall(|key| {
                let rest = key.strip_prefix(prefix);
                rest.is_some_and(|rest| glob.matches(rest))
            });
        };
        recall();
        let deleted = self.shared.store.delete_matched(prefix, pattern).await;
        recall();
        self.shared.observe(deleted).unwrap_or_default()
    }

    async fn payload(&self, key: &impl CacheKey, form: Form) -> Option<Bytes> {
        match self.shared.look(&self.name(key), form, None).await {
            Found::Fresh(payload) => Some(payload),
            Found::Stale(_) | Found::Missing => None,
        }
    }

    async fn put(&self, name: &Name, form: Form, payload: Bytes, options: &CacheOptions) -> bool {
        let recall = || self.shared.flights.recall(|key| key == name.key.as_str());
        recall();
        let written = self.shared.put(name, form, payload, options).await;
        // What began to be computed in the meantime may be made of older things.
        recall();
        written
    }
}
