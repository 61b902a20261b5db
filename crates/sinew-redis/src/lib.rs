//! Redis as applications deploy it: one server, Sentinel or Cluster, over TCP, TLS or a Unix
//! socket.
//!
//! For applications whose nodes share sessions ([`RedisStore`]), a cache ([`RedisCache`]) and
//! broadcasts ([`RedisStreams`]), and for those that want the same connections.
//! [`RedisSettings`] finds out which Redis is meant, [`Redis`] keeps connections to it that come
//! back by themselves, and [`Redis::status`] says whether it is there.
//!
//! ```
//! use sinew_redis::{Redis, RedisRole, RedisSettings, redis};
//!
//! # use test_servers::RedisServer;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = RedisServer::start();
//! # let variables = |name: &str| (name == "REDIS_URL").then(|| server.url());
//! let settings = RedisSettings::from_lookup(RedisRole::Cache, variables)?.expect("REDIS_URL is set");
//! let redis = Redis::connect_lazily(settings)?;
//! let visits: i64 = redis.query_as(redis::cmd("INCR").arg("visits")).await?;
//! assert_eq!(visits, 1);
//! # Ok(()) }
//! ```
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `rails` | [`RailsSessions`]: sessions shared with a Rails application | no |
//!
//! Limits: [`POOL_SIZE`], [`POOL_SIZE_MAX`], [`CONNECT_TIMEOUT`], [`COMMAND_TIMEOUT`],
//! [`HEALTH_INTERVAL`], [`TIMEOUT_MAX`], [`MESSAGES_WAITING_MAX`], [`FOLLOWS_WAITING_MAX`],
//! [`OUTBOX_BYTES_MAX`], [`INBOX_BYTES_MAX`].

// Settings.
mod settings;
mod url;
mod variables;

// Connections.
mod backoff;
mod client;
mod cluster;
mod dial;
mod error;
mod link;
mod listening;
mod pubsub;
mod script;
mod sentinel;
mod status;
mod target;
mod tls;
mod wire;

// Checks.
mod inspect;

// What they are used for.
mod cache;
#[cfg(feature = "rails")]
mod rails_sessions;
mod store;
mod streams;

pub use cache::{CACHE_PREFIX, RedisCache};
pub use client::Redis;
pub use error::{RedisError, RedisErrorKind, RedisSettingsError};
pub use inspect::{EvictionPolicy, RedisFacts, UnknownPolicy};
pub use pubsub::{MESSAGES_WAITING_MAX, Messages, PubSubEvent, Subscriber};
#[cfg(feature = "rails")]
pub use rails_sessions::{
    RailsBlob, RailsBlobError, RailsIds, RailsSessions, RailsSessionsStatistics,
};
/// The library whose commands and values are spoken in.
pub use redis;
pub use script::Script;
pub use settings::{
    COMMAND_TIMEOUT, CONNECT_TIMEOUT, HEALTH_INTERVAL, POOL_SIZE, POOL_SIZE_MAX, RedisRole,
    RedisSettings, RedisTls, TIMEOUT_MAX,
};
pub use status::{RedisStatistics, RedisStatus};
pub use store::{RedisStore, STORE_PREFIX};
pub use streams::{
    FOLLOWS_WAITING_MAX, INBOX_BYTES_MAX, OUTBOX_BYTES_MAX, RedisStreams, RedisStreamsStatistics,
    STREAMS_PREFIX,
};
pub use variables::{RedisVariable, VARIABLES};
