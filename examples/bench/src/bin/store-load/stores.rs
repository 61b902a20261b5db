//! The stores under measurement, each on a server or a folder of this run's own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use sinew_embedded::{EmbeddedCache, EmbeddedStore};
use sinew_postgres::{Postgres, PostgresCache, PostgresSettings, PostgresStore};
use sinew_redis::{Redis, RedisCache, RedisSettings, RedisStore};
use sinew_store::cache::{CacheStore, MemoryCache, TieredCache};
use sinew_store::{MemoryStore, Store};
use tempfile::TempDir;
use test_servers::{PostgresServer, RedisServer};

/// How long a value stays in the memory before a store that is elsewhere.
const FRONT_TIME: Duration = Duration::from_secs(5);

pub(crate) struct Stores {
    pub(crate) sessions: Vec<(&'static str, Arc<dyn Store>)>,
    pub(crate) caches: Vec<(&'static str, Arc<dyn CacheStore>)>,
    pub(crate) redis: RedisServer,
    _postgres: PostgresServer,
    _folder: TempDir,
}

impl Stores {
    pub(crate) async fn start() -> Result<Self> {
        // Neither writes to a disk but PostgreSQL, whose commits do; so do those of the embedded store.
        let redis_server = RedisServer::start();
        let postgres_server = PostgresServer::start();
        let folder = tempfile::tempdir()?;
        let redis = Redis::connect_lazily(RedisSettings::from_url(&redis_server.url())?)?;
        let settings = PostgresSettings::from_url(&postgres_server.url())?;
        let postgres = Postgres::connect_lazily(settings)?;
        postgres.migrate().await?;
        Ok(Self {
            sessions: vec![
                ("memory", Arc::new(MemoryStore::new())),
                ("embedded", Arc::new(EmbeddedStore::open(folder.path())?)),
                ("Redis", Arc::new(RedisStore::new(redis.clone()))),
                ("PostgreSQL", Arc::new(PostgresStore::new(postgres.clone()))),
            ],
            caches: vec![
                ("memory", Arc::new(MemoryCache::new())),
                ("embedded", Arc::new(EmbeddedCache::open(folder.path())?)),
                ("Redis", Arc::new(RedisCache::new(redis.clone()))),
                (
                    "memory before Redis",
                    Arc::new(
                        TieredCache::new(Arc::new(RedisCache::new(redis).prefix("tiered:")))
                            .front(MemoryCache::new(), FRONT_TIME),
                    ),
                ),
                ("PostgreSQL", Arc::new(PostgresCache::new(postgres))),
            ],
            redis: redis_server,
            _postgres: postgres_server,
            _folder: folder,
        })
    }
}
