//! Sessions and other records, each a hash.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use sinew_store::{BoxFuture, Commit, Committed, Key, Record, Store, StoreError, StoreErrorKind};

use crate::client::Redis;
use crate::error::RedisError;
use crate::script::Script;

/// What the keys of records begin with unless [`RedisStore::prefix`] says otherwise.
pub const STORE_PREFIX: &str = "sinew:";

/// The longest life that is kept, in milliseconds: thirty thousand years. A longer one is cut to it.
pub(crate) const LIFE_MILLISECONDS_MAX: u128 = 1_000_000_000_000_000;

/// How often a move between two servers of a cluster begins again because somebody wrote to the
/// record meanwhile.
const MOVE_ATTEMPTS_MAX: usize = 100;

/// The field that every record has, so that one without fields is one: a hash without any is none.
/// A name that begins with it is stored with one more of it.
const MARK: u8 = 0;

/// Records in Redis or Valkey, shared by every node.
///
/// A record is a hash under the [prefix](RedisStore::prefix) and the key, with the values as they
/// were given, byte for byte, and expires there. `load` and `commit` are one round trip each; a
/// commit is one script, so that nobody sees half of it.
///
/// - **Durability** is what the server is set up for: with `appendfsync everysec`, the second
///   before a crash may be lost; so may be what a replica had not got when it took over.
/// - **Memory.** When the server has reached `maxmemory` and may not evict, a commit that writes is
///   refused with [`StoreErrorKind::Full`] and changes nothing; sessions are still read, renewed
///   and ended. A server that may evict takes sessions away.
/// - **Cluster.** A commit that moves a record, as a renewed session id does, moves it between two
///   servers in three steps. Until the last one the old key holds what it held before; after it the
///   old key is gone. If the process ends in between, the new key is left with a copy until that
///   expires, and nobody was told of it.
/// - **Foreign values.** A key that holds something else than a hash is [`StoreErrorKind::Corrupt`].
///
/// ```
/// use std::sync::Arc;
/// use sinew_redis::{Redis, RedisSettings, RedisStore};
/// use sinew_store::Sessions;
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let sessions = Sessions::new(Arc::new(RedisStore::new(redis)));
/// let session = sessions.create();
/// session.set("name", "Ada").await?;
/// session.commit().await?;
///
/// let key = format!("sinew:{}", session.id().store_key().as_str());
/// assert_eq!(server.command(&["HGET", &key, "name"]), r#""Ada""#);
/// # Ok(()) }
/// ```
pub struct RedisStore {
    redis: Redis,
    prefix: String,
    scripts: Scripts,
}

struct Scripts {
    load: Script,
    commit: Script,
    put: Script,
    take: Script,
}

impl RedisStore {
    /// Records of this Redis.
    pub fn new(redis: Redis) -> RedisStore {
        RedisStore {
            redis,
            prefix: STORE_PREFIX.to_owned(),
            scripts: Scripts {
                load: Script::new(include_str!("store/load.lua")),
                commit: Script::new(include_str!("store/commit.lua")),
                put: Script::new(include_str!("store/put.lua")),
                take: Script::new(include_str!("store/take.lua")),
            },
        }
    }

    /// The same store with another beginning of its keys, for applications that share a server.
    ///
    /// ```
    /// use sinew_redis::{Redis, RedisSettings, RedisStore};
    /// use sinew_store::{Commit, Key, Store};
    ///
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let store = RedisStore::new(redis).prefix("shop:");
    /// let mut commit = Commit::new();
    /// commit.create = true;
    /// store.commit(&Key::new("basket"), commit).await?;
    /// assert_eq!(server.command(&["KEYS", "*"]), "shop:basket");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> RedisStore {
        self.prefix = prefix.into();
        self
    }

    fn name(&self, key: &Key) -> String {
        format!("{}{}", self.prefix, key.as_str())
    }

    async fn run(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Bytes],
    ) -> Result<Value, StoreError> {
        let answer = self.redis.script(script, keys, arguments).await;
        answer.map_err(store_error)
    }

    async fn load_named(&self, name: &str) -> Result<Option<Record>, StoreError> {
        let keys = [name.to_owned()];
        match self.run(&self.scripts.load, &keys, &[]).await? {
            Value::Nil => Ok(None),
            Value::Array(answer) => match <[Value; 2]>::try_from(answer) {
                Ok([life, fields]) => Ok(Some(record(&life, fields)?)),
                Err(_) => Err(unreadable()),
            },
            _ => Err(unreadable()),
        }
    }

    async fn commit_at_once(
        &self,
        keys: &[String],
        commit: &Commit,
    ) -> Result<Committed, StoreError> {
        let answer = self
            .run(&self.scripts.commit, keys, &arguments(commit))
            .await?;
        let Value::Array(answer) = answer else {
            return Err(unreadable());
        };
        let mut answer = answer.into_iter();
        match (answer.next(), answer.next(), answer.next()) {
            (Some(Value::Int(0)), ..) => Ok(Committed::Applied),
            (Some(Value::Int(1)), Some(life), Some(fields)) => {
                Ok(Committed::Conflict(record(&life, fields)?))
            }
            (Some(Value::Int(2)), ..) => Ok(Committed::Missing),
            (Some(Value::Int(3)), ..) => Ok(Committed::TooManyFields),
            (Some(Value::Int(4)), ..) => Ok(Committed::TooLarge),
            _ => Err(unreadable()),
        }
    }

    /// A commit that moves the record to another server: the new key first, which nobody knows
    /// yet, and then the old one away, if it is still what the new one was made from.
    async fn commit_across(
        &self,
        from: &str,
        to: &str,
        commit: &Commit,
    ) -> Result<Committed, StoreError> {
        let mut is_copied = false;
        for _ in 0..MOVE_ATTEMPTS_MAX {
            let before = self.load_named(from).await?;
            let life = before.as_ref().and_then(|record| record.expires_in);
            let life = commit.time_to_live.or(life);
            let fields = match commit.apply_to(before.clone()) {
                Ok(fields) => fields,
                Err(refused) => {
                    if is_copied {
                        self.unlink(to).await?;
                    }
                    return Ok(refused);
                }
            };
            let mut copy = vec![milliseconds(life)];
            copy.extend(flat(&fields));
            self.run(&self.scripts.put, &[to.to_owned()], &copy).await?;
            is_copied = true;

            let mut read = vec![flag(before.is_some())];
            read.extend(before.iter().flat_map(|record| flat(&record.fields)));
            let keys = [from.to_owned()];
            let taken = self.run(&self.scripts.take, &keys, &read).await?;
            if taken == Value::Int(1) {
                return Ok(Committed::Applied);
            }
        }
        self.unlink(to).await?;
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "others wrote to the record each time it was to be moved",
        ))
    }

    async fn unlink(&self, name: &str) -> Result<bool, StoreError> {
        let answer = self.redis.query(redis::cmd("UNLINK").arg(name)).await;
        Ok(answer.map_err(store_error)? == Value::Int(1))
    }
}

impl Store for RedisStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { self.load_named(&self.name(key)).await })
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move {
            let mut keys = vec![self.name(key)];
            keys.extend(commit.move_to.as_ref().map(|to| self.name(to)));
            match keys.as_slice() {
                // Two keys of a cluster seldom live on one server.
                [from, to] if from != to && self.redis.is_cluster() => {
                    self.commit_across(from, to, &commit).await
                }
                [from, ..] if self.redis.is_cluster() => {
                    self.commit_at_once(std::slice::from_ref(from), &commit)
                        .await
                }
                keys => self.commit_at_once(keys, &commit).await,
            }
        })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.unlink(&self.name(key)).await })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("redis", &self.redis)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// A commit as its script reads it.
fn arguments(commit: &Commit) -> Vec<Bytes> {
    let lists = commit.expect.len() * 3 + commit.remove.len() + commit.set.len() * 2;
    let mut arguments = Vec::with_capacity(8 + lists);
    arguments.push(flag(commit.create));
    arguments.push(flag(commit.clear));
    arguments.push(milliseconds(commit.time_to_live));
    arguments.push(limit(commit.fields_max));
    arguments.push(limit(commit.bytes_max));
    arguments.push(number(commit.expect.len()));
    for (name, value) in &commit.expect {
        arguments.push(escaped(name));
        arguments.push(flag(value.is_some()));
        arguments.push(value.clone().unwrap_or_default());
    }
    arguments.push(number(commit.remove.len()));
    arguments.extend(commit.remove.iter().map(|name| escaped(name)));
    arguments.push(number(commit.set.len()));
    for (name, value) in &commit.set {
        arguments.push(escaped(name));
        arguments.push(value.clone());
    }
    arguments
}

fn flat(fields: &BTreeMap<String, Bytes>) -> impl Iterator<Item = Bytes> {
    let pairs = fields.iter();
    pairs.flat_map(|(name, value)| [escaped(name), value.clone()])
}

fn flag(is_so: bool) -> Bytes {
    Bytes::from_static(if is_so { b"1" } else { b"0" })
}

fn number(number: usize) -> Bytes {
    number.to_string().into()
}

fn limit(limit: Option<usize>) -> Bytes {
    limit.map(number).unwrap_or_default()
}

/// A time to live as the scripts read it; of less than a millisecond, nothing is left.
fn milliseconds(life: Option<Duration>) -> Bytes {
    let life = life.map(|life| life.as_millis().min(LIFE_MILLISECONDS_MAX));
    life.map(|life| life.to_string().into()).unwrap_or_default()
}

/// A field's name as it is stored.
fn escaped(name: &str) -> Bytes {
    if name.as_bytes().first() != Some(&MARK) {
        return Bytes::copy_from_slice(name.as_bytes());
    }
    let mut escaped = Vec::with_capacity(name.len() + 1);
    escaped.push(MARK);
    escaped.extend_from_slice(name.as_bytes());
    escaped.into()
}

/// The name of a stored field; `None` for the mark. Of a foreign name that begins with it, the mark
/// is taken away.
fn unescaped(stored: Vec<u8>) -> Result<Option<String>, StoreError> {
    let name = match stored.split_first() {
        Some((&MARK, [])) => return Ok(None),
        Some((&MARK, name)) => name.to_vec(),
        _ => stored,
    };
    let name = String::from_utf8(name);
    name.map(Some)
        .map_err(|error| StoreError::new(StoreErrorKind::Corrupt, error))
}

/// A record from its PTTL and the flat list of its fields.
fn record(life: &Value, fields: Value) -> Result<Record, StoreError> {
    let (Value::Int(life), Value::Array(flat)) = (life, fields) else {
        return Err(unreadable());
    };
    let mut fields = BTreeMap::new();
    let mut flat = flat.into_iter();
    while let Some(name) = flat.next() {
        let (Value::BulkString(name), Some(Value::BulkString(value))) = (name, flat.next()) else {
            return Err(unreadable());
        };
        if let Some(name) = unescaped(name)? {
            fields.insert(name, value.into());
        }
    }
    // Negative for a record that does not expire, and for one that is not there.
    let life = u64::try_from(*life).ok().map(Duration::from_millis);
    Ok(Record::new(fields, life))
}

fn unreadable() -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        "the answer is not that of a record",
    )
}

/// What went wrong, in the words of the port.
pub(crate) fn store_error(error: RedisError) -> StoreError {
    match error.code() {
        Some("WRONGTYPE") => StoreError::new(StoreErrorKind::Corrupt, error),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests;
