//! Sessions shared with a Rails application: one value of Redis each.

mod blob;
mod recent;
mod seen;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use redis::Value;
use sinew_store::{
    BoxFuture, Commit, Committed, Key, Record, SessionId, Store, StoreError, StoreErrorKind,
};
use sinew_verifier::rails::{RailsSessionError, SESSION_BYTES_MAX};
use tokio::sync::Mutex;

use self::blob::Blob;
pub use self::blob::{RailsBlob, RailsBlobError};
use self::recent::Recent;
pub use self::seen::RailsIds;
use self::seen::{ENDED, Found, Place, Seen, key_by_id, state};
use crate::client::Redis;
use crate::error::RedisError;
use crate::script::Script;

/// How often one commit begins again because another process wrote to the session meanwhile. After that it is
/// [`StoreErrorKind::Unavailable`]; each time somebody else's commit was made.
const ATTEMPTS_MAX: usize = 200;
/// Locks at which the commits of this process wait for each other, so that they do not conflict at the server.
const TURNS: usize = 64;
/// The longest life that is kept, in milliseconds: thirty thousand years. A longer one is cut to it.
const LIFE_MILLISECONDS_MAX: u128 = 1_000_000_000_000_000;

/// What was met so far. All numbers count up.
///
/// ```
/// use sinew_redis::{RailsSessions, RailsSessionsStatistics, Redis, RedisSettings};
/// use sinew_store::{Key, Store, StoreErrorKind};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let store = RailsSessions::new(redis, "app:");
/// server.command(&["SET", "app:x", "[]"]);
/// let error = store.load(&Key::new("x")).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Corrupt);
///
/// let statistics: RailsSessionsStatistics = store.statistics();
/// assert_eq!((statistics.refused_marshal, statistics.refused_other), (0, 1));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RailsSessionsStatistics {
    /// Sessions that were not read since they are written with Marshal.
    pub refused_marshal: u64,
    /// Sessions that were not read since they are written with MessagePack.
    pub refused_message_pack: u64,
    /// Values that were not read for another reason.
    pub refused_other: u64,
    /// Times that a commit began again since the session was not what it was when this process saw it last.
    pub conflicts: u64,
}

#[derive(Default)]
struct Counters {
    refused_marshal: AtomicU64,
    refused_message_pack: AtomicU64,
    refused_other: AtomicU64,
    conflicts: AtomicU64,
}

/// The sessions of a Rails application, as `redis-session-store` and the Redis cache store keep them in JSON.
///
/// A session is one JSON object; its top-level keys are the fields, and those that nobody changes stay byte for byte
/// what they were. A commit replaces the whole value, if it is still the one that it was made from: compared by its
/// SHA-1 and written by one script, which does not read the JSON. When somebody else was first, whoever it was, the
/// commit is made again from what is there now, field by field, as with every store.
///
/// What Rails does is not field by field: it reads the whole session when a request begins and writes the whole of it
/// at the end. What Sinew wrote meanwhile is lost then, if that request wrote as well.
///
/// - **Only JSON.** A session of Marshal or MessagePack is [`StoreErrorKind::Corrupt`] with a [`RailsBlobError`] as
///   its source, is counted, and stays as it is. So is a value that is no session. Writing a field that is not JSON
///   is [`StoreErrorKind::Rejected`], and a session over 1 MiB is [`Committed::TooLarge`].
/// - **Expiry** is Redis'. A commit that names a time to live begins it anew, another one leaves it as it is.
/// - **Ends.** That a session has ended is kept under a name of its own, `sinew-ended:` and the session's: Rails does
///   not see it, and finds no session.
/// - **Round trips.** A commit is one when the session is as it was when this process saw it last, and two when not.
/// - **Memory.** A server that is full refuses what would be written with [`StoreErrorKind::Full`]; sessions are
///   still read, renewed and ended.
/// - **Cluster** is not for it, as it is not for the Rails stores: an id is renewed from one key to another.
///
/// ```
/// use std::sync::Arc;
/// use sinew_redis::{RailsBlob, RailsIds, RailsSessions, Redis, RedisSettings};
/// use sinew_store::{SessionId, Sessions};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// // What Rails keeps for a visitor whose cookie has this id.
/// let id: SessionId = "00112233445566778899aabbccddeeff".parse()?;
/// let name = "app:2::5947d7c33d783f94b3b4c1a96ebc8991ed28f1b069b71e03376cba8caa98a720";
/// server.command(&["SET", name, r#"{"user_id":42,"total":1.10}"#, "EX", "3600"]);
///
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// // As is without them: ids are private, and the JSON stands alone.
/// let store = RailsSessions::new(redis, "app:").ids(RailsIds::Private).form(RailsBlob::Json);
/// assert_eq!(store.statistics().conflicts, 0);
/// let session = Sessions::new(Arc::new(store)).open(id);
/// assert_eq!(session.get("user_id").await?, Some(42));
/// session.set("theme", "dark").await?;
/// session.commit().await?;
///
/// let stored = server.command(&["GET", name]);
/// assert_eq!(stored, r#"{"user_id":42,"total":1.10,"theme":"dark"}"#);
/// # Ok(()) }
/// ```
pub struct RailsSessions {
    redis: Redis,
    prefix: String,
    ids: RailsIds,
    form: RailsBlob,
    scripts: Scripts,
    turns: Vec<Mutex<()>>,
    hasher: RandomState,
    recent: Recent,
    counters: Counters,
}

struct Scripts {
    load: Script,
    commit: Script,
    delete: Script,
}

impl RailsSessions {
    /// The sessions of this Redis whose names begin with `prefix`: the `key_prefix` of `redis-session-store`, or of a
    /// cache store its namespace and `:_session_id:` (`_session_id:` without a namespace).
    pub fn new(redis: Redis, prefix: impl Into<String>) -> Self {
        Self {
            redis,
            prefix: prefix.into(),
            ids: RailsIds::default(),
            form: RailsBlob::default(),
            scripts: Scripts {
                load: Script::new(concat!(
                    include_str!("rails_sessions/look.lua"),
                    include_str!("rails_sessions/load.lua")
                )),
                commit: Script::new(concat!(
                    include_str!("rails_sessions/look.lua"),
                    include_str!("rails_sessions/commit.lua")
                )),
                delete: Script::new(concat!(
                    include_str!("rails_sessions/look.lua"),
                    include_str!("rails_sessions/delete.lua")
                )),
            },
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
            recent: Recent::default(),
            counters: Counters::default(),
        }
    }

    /// Under which ids; without this, [`RailsIds::Private`].
    #[must_use]
    pub fn ids(mut self, ids: RailsIds) -> Self {
        self.ids = ids;
        self
    }

    /// What stands around the JSON of a session that Sinew begins; without this, [`RailsBlob::Json`]. One that is
    /// there is read in either form, and keeps its own.
    #[must_use]
    pub fn form(mut self, form: RailsBlob) -> Self {
        self.form = form;
        self
    }

    /// What was met so far.
    pub fn statistics(&self) -> RailsSessionsStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RailsSessionsStatistics {
            refused_marshal: read(&self.counters.refused_marshal),
            refused_message_pack: read(&self.counters.refused_message_pack),
            refused_other: read(&self.counters.refused_other),
            conflicts: read(&self.counters.conflicts),
        }
    }

    fn place(&self, key: &Key) -> Place {
        Place::of(key, &self.prefix, self.ids)
    }

    async fn run(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Value, StoreError> {
        let answer = self.redis.script(script, keys, arguments).await;
        answer.map_err(|error| self.store_error(error))
    }

    /// What is stored now.
    async fn look(&self, place: &Place) -> Result<Seen, StoreError> {
        let most = SESSION_BYTES_MAX.to_string();
        let arguments = [most.as_bytes()];
        let looked = self
            .run(&self.scripts.load, &place.keys(), &arguments)
            .await?;
        self.read(looked)
    }

    /// What a script says is stored.
    fn read(&self, answer: Value) -> Result<Seen, StoreError> {
        let Value::Array(answer) = answer else {
            return Err(unreadable());
        };
        let Ok(
            [
                Value::BulkString(kind),
                Value::BulkString(text),
                Value::Int(life),
            ],
        ) = <[Value; 3]>::try_from(answer)
        else {
            return Err(unreadable());
        };
        let (kind, found) = match kind.as_slice() {
            b"n" => return Ok(Seen::nothing()),
            b"m" => ('m', Found::Ended),
            b"b" => ('b', Found::Blob(self.decode(&text)?)),
            b"o" => ('o', Found::Blob(self.decode(&text)?)),
            b"l" => {
                let bytes = SESSION_BYTES_MAX + 1;
                return Err(self.refused(RailsSessionError::TooLong { bytes }.into()));
            }
            _ => return Err(unreadable()),
        };
        Ok(Seen {
            state: state(kind, &text),
            found,
            // Without an end it is negative.
            life: u64::try_from(life).ok().map(Duration::from_millis),
            bytes: text.len(),
        })
    }

    fn decode(&self, text: &[u8]) -> Result<Blob, StoreError> {
        Blob::decode(text).map_err(|error| self.refused(error))
    }

    fn refused(&self, error: RailsBlobError) -> StoreError {
        let counters = &self.counters;
        let counter = match error {
            RailsBlobError::Session(RailsSessionError::Marshal) => &counters.refused_marshal,
            RailsBlobError::Session(RailsSessionError::MessagePack) => {
                &counters.refused_message_pack
            }
            _ => &counters.refused_other,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        StoreError::new(StoreErrorKind::Corrupt, error)
    }

    fn store_error(&self, error: RedisError) -> StoreError {
        if error.code() == Some("WRONGTYPE") {
            self.counters.refused_other.fetch_add(1, Ordering::Relaxed);
            return StoreError::new(StoreErrorKind::Corrupt, error);
        }
        error.into()
    }

    async fn commit_in_turn(
        &self,
        place: &Place,
        commit: &Commit,
    ) -> Result<Committed, StoreError> {
        let target = commit.move_to.as_ref().map(|key| self.place(key));
        let target = target.as_ref().unwrap_or(place);
        // What was seen a while ago is good for writing, which compares, but is no reason to refuse.
        let (mut seen, mut is_fresh) = match self.recent.take(&place.blob) {
            Some(seen) => (seen, false),
            // Who creates mostly finds nothing.
            None if commit.create => (Seen::nothing(), false),
            None => (self.look(place).await?, true),
        };
        for _ in 0..ATTEMPTS_MAX {
            let fields = match commit.apply_to(seen.record()) {
                Ok(fields) => fields,
                Err(refused) if is_fresh => return Ok(refused),
                Err(_) => {
                    (seen, is_fresh) = (self.look(place).await?, true);
                    continue;
                }
            };
            let Some(next) = self.next(&seen, &fields, commit.time_to_live)? else {
                return Ok(Committed::TooLarge);
            };
            let Some(present) = self.write(place, target, &seen, &next, commit).await? else {
                self.recent.remember(&target.blob, next.seen);
                return Ok(Committed::Applied);
            };
            self.counters.conflicts.fetch_add(1, Ordering::Relaxed);
            (seen, is_fresh) = (present, true);
        }
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "other processes wrote the session between all attempts",
        ))
    }

    /// What is to be stored, so that a session has these fields; `None` when that is too long to be read again.
    fn next(
        &self,
        seen: &Seen,
        fields: &Fields,
        renewed: Option<Duration>,
    ) -> Result<Option<Next>, StoreError> {
        let life = renewed.or(seen.life);
        if fields.len() == 1 && fields.contains_key(ENDED) {
            return Ok(Some(Next::ended(life)));
        }
        let blob = match &seen.found {
            Found::Blob(blob) => blob.with_fields(fields),
            Found::Nothing | Found::Ended => Blob::new(self.form).with_fields(fields),
        };
        let blob = blob.map_err(|error| StoreError::new(StoreErrorKind::Rejected, error))?;
        let text = blob.encode(renewed, SystemTime::now());
        if text.len() > SESSION_BYTES_MAX {
            return Ok(None);
        }
        let seen = Seen {
            state: state('b', &text),
            found: Found::Blob(blob),
            life,
            bytes: text.len(),
        };
        Ok(Some(Next { text, seen }))
    }

    /// Writes, if what is stored is still what was seen. Otherwise the answer is what is stored.
    async fn write(
        &self,
        place: &Place,
        target: &Place,
        seen: &Seen,
        next: &Next,
        commit: &Commit,
    ) -> Result<Option<Seen>, StoreError> {
        let [blob, mark, older] = place.keys();
        let keys = [blob, mark, older, &target.blob, &target.mark];
        let is_same = next.seen.state == seen.state && place == target;
        let kind = match next.seen.found {
            Found::Ended | Found::Nothing => "m",
            // A server that is full still renews a life.
            Found::Blob(_) if is_same && commit.time_to_live.is_some() => "t",
            Found::Blob(_) => "b",
        };
        let life = commit.time_to_live.map_or_else(
            || "keep".to_owned(),
            |life| life.as_millis().clamp(1, LIFE_MILLISECONDS_MAX).to_string(),
        );
        let most = SESSION_BYTES_MAX.to_string();
        let arguments = [
            most.as_bytes(),
            seen.state.as_bytes(),
            kind.as_bytes(),
            &next.text,
            life.as_bytes(),
        ];
        match self.run(&self.scripts.commit, &keys, &arguments).await? {
            Value::Nil => Ok(None),
            answer => self.read(answer).map(Some),
        }
    }
}

type Fields = std::collections::BTreeMap<String, bytes::Bytes>;

/// What a commit is about to store.
struct Next {
    text: Vec<u8>,
    seen: Seen,
}

impl Next {
    fn ended(life: Option<Duration>) -> Self {
        let text = b"true".to_vec();
        let seen = Seen {
            state: state('m', &text),
            found: Found::Ended,
            life,
            bytes: text.len(),
        };
        Self { text, seen }
    }
}

fn unreadable() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "a script answered something else")
}

impl Store for RailsSessions {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let place = self.place(key);
            let seen = self.look(&place).await?;
            let record = seen.record();
            self.recent.remember(&place.blob, seen);
            Ok(record)
        })
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move {
            let place = self.place(key);
            let turn = self.hasher.hash_one(&place.blob) % TURNS as u64;
            let _turn = self.turns[turn as usize].lock().await;
            self.commit_in_turn(&place, &commit).await
        })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let place = self.place(key);
            let most = SESSION_BYTES_MAX.to_string();
            let arguments = [most.as_bytes()];
            let deleted = self
                .run(&self.scripts.delete, &place.keys(), &arguments)
                .await?;
            self.recent.take(&place.blob);
            Ok(deleted == Value::Int(1))
        })
    }

    fn session_key(&self, id: &SessionId) -> Key {
        match self.ids {
            RailsIds::Private => id.store_key(),
            RailsIds::PrivateOrPublic | RailsIds::Public => key_by_id(id),
        }
    }
}

impl fmt::Debug for RailsSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RailsSessions")
            .field("prefix", &self.prefix)
            .field("ids", &self.ids)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
