//! Sessions, cache and streams on a PostgreSQL database, for those who have one and no Redis.
//!
//! For applications with more than one node that want their sessions in the database they run
//! anyway. It knows what a [`Store`](sinew_store::Store), a
//! [`CacheStore`](sinew_store::cache::CacheStore) and [`Streams`](sinew_streams::Streams) owe, and
//! nothing of sessions, cookies or HTTP.
//!
//! Fields of a session are independent: writers of different fields on different nodes lose
//! nothing of each other's. Every load and every commit is one round trip.
//!
//! ```
//! use std::sync::Arc;
//! use sinew_postgres::{Postgres, PostgresCache, PostgresSettings, PostgresStore};
//! use sinew_store::cache::{CacheEntry, CacheStore};
//! use sinew_store::{Key, Sessions};
//!
//! # use test_servers::PostgresServer;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = PostgresServer::start();
//! # let url = server.url();
//! // `url` is that of a database, such as `postgres://user:password@host/database`.
//! let postgres = Postgres::connect_lazily(PostgresSettings::from_url(&url)?)?;
//!
//! let sessions = Sessions::new(Arc::new(PostgresStore::new(postgres.clone())));
//! let session = sessions.create();
//! session.set("name", "Ada").await?;
//! session.commit().await?;
//! assert_eq!(sessions.open(session.id()).get::<String>("name").await?.as_deref(), Some("Ada"));
//!
//! let cache = PostgresCache::new(postgres);
//! let key = Key::new("front page");
//! cache.write(vec![CacheEntry::new(key.clone(), "<h1>Hello</h1>")]).await?;
//! assert_eq!(cache.read(&[key]).await?, [Some("<h1>Hello</h1>".into())]);
//! # Ok(()) }
//! ```
//!
//! PostgreSQL 12 or newer, in a database of the encoding UTF8.
//!
//! Settings: [`PostgresSettings`], [`VARIABLES`]. Limits: [`POOL_SIZE`], [`CONNECT_TIMEOUT`],
//! [`STATEMENT_TIMEOUT`], [`CACHE_BYTES_MAX`], [`SWEEP_INTERVAL`], [`STREAM_MESSAGE_BYTES_MAX`],
//! [`OUTBOX_BYTES_MAX`], [`INBOX_BYTES_MAX`], [`FOLLOWS_WAITING_MAX`].

mod cache;
mod config;
mod connection;
mod error;
mod listener;
mod postgres;
mod schema;
mod settings;
mod status;
mod store;
mod streams;
mod sweep;
mod tls;
mod variables;

pub use cache::PostgresCache;
pub use config::{
    CACHE_BYTES_MAX, CONNECT_TIMEOUT, HEALTH_INTERVAL, POOL_SIZE, POOL_SIZE_MAX, SCHEMA,
    STATEMENT_TIMEOUT, SWEEP_BATCH_ROWS_MAX, SWEEP_BATCHES_MAX, SWEEP_INTERVAL, TABLE_PREFIX,
    TIMEOUT_MAX,
};
pub use error::{PostgresError, PostgresErrorKind, PostgresSettingsError};
pub use postgres::Postgres;
pub use settings::{PostgresSettings, PostgresSslMode};
pub use status::{PostgresStatistics, PostgresStatus};
pub use store::PostgresStore;
pub use streams::{
    FOLLOWS_WAITING_MAX, INBOX_BYTES_MAX, OUTBOX_BYTES_MAX, PostgresStreams,
    PostgresStreamsStatistics, STREAM_MESSAGE_BYTES_MAX,
};
pub use sweep::Swept;
pub use variables::{PostgresVariable, VARIABLES};
