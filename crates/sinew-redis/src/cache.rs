//! A cache.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};
use sinew_store::cache::{CacheEntry, CacheStore, Glob};
use sinew_store::{BoxFuture, Key, StoreError, StoreErrorKind};

use crate::client::Redis;
use crate::error::{RedisError, RedisErrorKind};
use crate::script::Script;
use crate::store::{LIFE_MILLISECONDS_MAX, store_error};

/// What the keys of a cache begin with unless [`RedisCache::prefix`] says otherwise.
pub const CACHE_PREFIX: &str = "sinew:cache:";

/// Keys of one round trip, and bytes of values written by one, at most; one value alone may be
/// larger.
const BATCH_KEYS_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Keys that the server looks at in one step of a search. It answers others between two steps.
const SCANNED_PER_STEP: usize = 1_000;

/// A cache in Redis or Valkey, shared by every node.
///
/// A value is a string under the [prefix](RedisCache::prefix) and its key, and expires there.
/// Several keys are one round trip up to 500 of them; in a cluster, one to each server. What the
/// server has no memory for is not kept and is no error; give it a `maxmemory` and a policy that
/// evicts, such as `allkeys-lru`, when it holds nothing else.
///
/// [`delete_matched`](CacheStore::delete_matched) looks at every key of the server, a thousand at
/// a time.
///
/// ```
/// use sinew_redis::{Redis, RedisCache, RedisSettings};
/// use sinew_store::Key;
/// use sinew_store::cache::{CacheEntry, CacheStore};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let cache = RedisCache::new(redis);
/// cache.write(vec![CacheEntry::new(Key::new("greeting"), "hello")]).await?;
/// assert_eq!(cache.read(&[Key::new("greeting")]).await?, [Some("hello".into())]);
/// assert_eq!(server.command(&["GET", "sinew:cache:greeting"]), "hello");
/// # Ok(()) }
/// ```
pub struct RedisCache {
    redis: Redis,
    prefix: String,
    increment: Script,
}

impl RedisCache {
    /// A cache in this Redis.
    pub fn new(redis: Redis) -> RedisCache {
        RedisCache {
            redis,
            prefix: CACHE_PREFIX.to_owned(),
            increment: Script::new(include_str!("cache/increment.lua")),
        }
    }

    /// The same cache with another beginning of its keys, for applications that share a server.
    ///
    /// ```
    /// use sinew_redis::{Redis, RedisCache, RedisSettings};
    /// use sinew_store::Key;
    /// use sinew_store::cache::CacheStore;
    ///
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let cache = RedisCache::new(redis).prefix("shop:");
    /// cache.increment(&Key::new("visits"), 1, None).await?;
    /// assert_eq!(server.command(&["KEYS", "*"]), "shop:visits");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> RedisCache {
        self.prefix = prefix.into();
        self
    }

    fn name(&self, key: &Key) -> String {
        format!("{}{}", self.prefix, key.as_str())
    }

    async fn read_all(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH_KEYS_MAX) {
            // In a cluster each key may be somewhere else.
            let commands: Vec<Cmd> = match self.redis.is_cluster() {
                true => keys
                    .iter()
                    .map(|key| command("GET", [self.name(key)]))
                    .collect(),
                false => vec![command("MGET", keys.iter().map(|key| self.name(key)))],
            };
            for answer in self.redis.pipeline(&commands).await {
                match answer {
                    Ok(Value::Array(all)) => values.extend(all.into_iter().map(value)),
                    Ok(one) => values.push(value(one)),
                    // As of several keys: what no cache has written is not there.
                    Err(error) if error.code() == Some("WRONGTYPE") => values.push(None),
                    Err(error) => return Err(store_error(error)),
                }
            }
        }
        match values.len() == keys.len() {
            true => Ok(values),
            false => Err(unreadable()),
        }
    }

    async fn write_batch(&self, entries: &[CacheEntry]) -> Result<Vec<bool>, StoreError> {
        let commands: Vec<Cmd> = entries.iter().map(|entry| self.set(entry)).collect();
        let mut written = Vec::with_capacity(entries.len());
        let mut refused = Vec::new();
        for (entry, answer) in entries.iter().zip(self.redis.pipeline(&commands).await) {
            written.push(match answer {
                Ok(Value::Nil) => false,
                Ok(_) => true,
                Err(error) if error.kind() == RedisErrorKind::Full => {
                    if !entry.only_if_absent {
                        refused.push(entry.key.clone());
                    }
                    false
                }
                Err(error) => return Err(store_error(error)),
            });
        }
        // What was there before is not what was written.
        self.delete_all(&refused).await?;
        Ok(written)
    }

    fn set(&self, entry: &CacheEntry) -> Cmd {
        let mut command = command("SET", [self.name(&entry.key)]);
        command.arg(entry.value.as_ref());
        if let Some(life) = entry.time_to_live {
            command.arg("PX").arg(milliseconds(life));
        }
        if entry.only_if_absent {
            command.arg("NX");
        }
        command
    }

    async fn delete_all(&self, keys: &[Key]) -> Result<u64, StoreError> {
        let names: Vec<String> = keys.iter().map(|key| self.name(key)).collect();
        unlink(&self.redis, &names).await.map_err(store_error)
    }

    async fn delete_matched_at(
        &self,
        primary: &Redis,
        prefix: &str,
        glob: &Glob,
    ) -> Result<u64, StoreError> {
        let prefix = format!("{}{prefix}", self.prefix);
        let pattern = format!("{}*", literally(&prefix));
        let mut cursor = b"0".to_vec();
        let mut deleted = 0;
        loop {
            let mut scan = command("SCAN", [&cursor[..]]);
            scan.arg("MATCH").arg(&pattern);
            scan.arg("COUNT").arg(SCANNED_PER_STEP);
            let answer = primary.query(&scan).await.map_err(store_error)?;
            let (next, found) = scanned(answer)?;
            let matched: Vec<String> = found
                .into_iter()
                .filter_map(|name| String::from_utf8(name).ok())
                .filter(|name| {
                    name.strip_prefix(&prefix)
                        .is_some_and(|it| glob.matches(it))
                })
                .collect();
            deleted += unlink(&self.redis, &matched).await.map_err(store_error)?;
            if next == b"0" {
                return Ok(deleted);
            }
            cursor = next;
        }
    }
}

impl CacheStore for RedisCache {
    fn read<'a>(
        &'a self,
        keys: &'a [Key],
    ) -> BoxFuture<'a, Result<Vec<Option<Bytes>>, StoreError>> {
        Box::pin(self.read_all(keys))
    }

    fn write<'a>(
        &'a self,
        entries: Vec<CacheEntry>,
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async move {
            let mut written = Vec::with_capacity(entries.len());
            let mut rest = entries.as_slice();
            while !rest.is_empty() {
                let (batch, others) = rest.split_at(batch_of(rest));
                written.extend(self.write_batch(batch).await?);
                rest = others;
            }
            Ok(written)
        })
    }

    fn delete<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.delete_all(keys))
    }

    fn increment<'a>(
        &'a self,
        key: &'a Key,
        by: i64,
        time_to_live: Option<Duration>,
    ) -> BoxFuture<'a, Result<i64, StoreError>> {
        Box::pin(async move {
            let life = time_to_live.map(milliseconds).unwrap_or_default();
            let arguments = [by.to_string(), life];
            let keys = [self.name(key)];
            let answer = self.redis.script(&self.increment, &keys, &arguments);
            let Value::Array(answer) = answer.await.map_err(store_error)? else {
                return Err(unreadable());
            };
            match answer.as_slice() {
                [Value::Int(1), Value::BulkString(sum)] => number(sum).ok_or_else(unreadable),
                [Value::Int(2)] => Err(StoreErrorKind::NotANumber.into()),
                [Value::Int(3)] => Err(StoreErrorKind::Overflow.into()),
                _ => Err(unreadable()),
            }
        })
    }

    fn delete_matched<'a>(
        &'a self,
        prefix: &'a str,
        pattern: &'a str,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let glob = Glob::new(pattern);
            let mut deleted = 0;
            for primary in self.redis.primaries().await.map_err(store_error)? {
                deleted += self.delete_matched_at(&primary, prefix, &glob).await?;
            }
            Ok(deleted)
        })
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache")
            .field("redis", &self.redis)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn command<A: redis::ToRedisArgs>(name: &str, arguments: impl IntoIterator<Item = A>) -> Cmd {
    let mut command = redis::cmd(name);
    for argument in arguments {
        command.arg(argument);
    }
    command
}

/// Removes keys wherever they are, and answers how many there were.
async fn unlink(redis: &Redis, names: &[String]) -> Result<u64, RedisError> {
    let mut removed = 0;
    for names in names.chunks(BATCH_KEYS_MAX) {
        let commands: Vec<Cmd> = match redis.is_cluster() {
            true => names.iter().map(|name| command("UNLINK", [name])).collect(),
            false => vec![command("UNLINK", names)],
        };
        for answer in redis.pipeline(&commands).await {
            if let Value::Int(count) = answer? {
                removed += u64::try_from(count).unwrap_or_default();
            }
        }
    }
    Ok(removed)
}

/// How many of these entries, at least one, are written in one round trip.
fn batch_of(entries: &[CacheEntry]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&CacheEntry| {
        bytes += entry.key.as_str().len() + entry.value.len();
        bytes <= BATCH_BYTES_MAX
    };
    let count = entries.iter().take(BATCH_KEYS_MAX).take_while(fits).count();
    count.max(1)
}

fn value(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        // Of another type: nothing that a cache has written.
        _ => None,
    }
}

/// A step of a search: where to go on, and the keys found.
fn scanned(answer: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>), StoreError> {
    let Value::Array(answer) = answer else {
        return Err(unreadable());
    };
    let Ok([Value::BulkString(cursor), Value::Array(found)]) = <[Value; 2]>::try_from(answer)
    else {
        return Err(unreadable());
    };
    let names = found.into_iter().filter_map(|name| match name {
        Value::BulkString(name) => Some(name),
        _ => None,
    });
    Ok((cursor, names.collect()))
}

/// A text as a pattern of Redis that matches nothing else.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A time to live as the server reads it: of less than a millisecond, one is left.
fn milliseconds(life: Duration) -> String {
    life.as_millis().clamp(1, LIFE_MILLISECONDS_MAX).to_string()
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn unreadable() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "the answer is not that of a cache")
}
