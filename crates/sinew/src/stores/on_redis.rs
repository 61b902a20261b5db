//! What is kept in Redis, with the feature `redis`.

use std::sync::Arc;

use sinew_store::Store;
use sinew_store::cache::CacheStore;
use sinew_streams::Streams;

use super::{Lookup, Opener, Role};
use crate::error::StartError;

#[cfg(feature = "redis")]
mod compiled {
    use sinew_redis::{Redis, RedisCache, RedisRole, RedisSettings, RedisStore, RedisStreams};

    use super::*;

    impl Role {
        fn of_redis(self) -> RedisRole {
            match self {
                Role::Sessions => RedisRole::Sessions,
                Role::Cache => RedisRole::Cache,
                Role::Cable => RedisRole::Cable,
            }
        }
    }

    /// The variable that says where the Redis of this role is, if one does.
    pub(crate) fn variable(role: Role, lookup: Lookup<'_>) -> Result<Option<String>, StartError> {
        let settings = RedisSettings::from_lookup(role.of_redis(), lookup)?;
        Ok(settings.map(|settings| settings.variable().to_owned()))
    }

    pub(crate) fn sessions(opener: &Opener<'_>) -> Result<Arc<dyn Store>, StartError> {
        let redis = connect(opener, Role::Sessions)?;
        need(opener, "redis (sessions)", &redis);
        Ok(Arc::new(RedisStore::new(redis)))
    }

    /// A cache that is away is a cache that has nothing: visitors are wanted all the same.
    pub(crate) fn cache(opener: &Opener<'_>) -> Result<Arc<dyn CacheStore>, StartError> {
        Ok(Arc::new(RedisCache::new(connect(opener, Role::Cache)?)))
    }

    pub(crate) fn streams(opener: &Opener<'_>) -> Result<Arc<dyn Streams>, StartError> {
        let redis = connect(opener, Role::Cable)?;
        need(opener, "redis (cable)", &redis);
        Ok(Arc::new(RedisStreams::new(redis)))
    }

    fn connect(opener: &Opener<'_>, role: Role) -> Result<Redis, StartError> {
        let role = role.of_redis();
        let settings = RedisSettings::from_lookup(role, opener.lookup)?;
        let settings = settings.ok_or(StartError::StoreWithoutAddress {
            store: "redis",
            variables: format!("{}, SINEW_REDIS_URL or REDIS_URL", role.variable()),
        })?;
        Ok(Redis::connect_lazily(settings)?)
    }

    fn need(opener: &Opener<'_>, name: &str, redis: &Redis) {
        let redis = redis.clone();
        opener
            .health
            .need(name, move || redis.status().is_available());
    }
}

#[cfg(not(feature = "redis"))]
mod compiled {
    use sinew_web::config::{CacheStoreKind, SessionStoreKind, StreamsKind};

    use super::*;

    /// An address is of no use.
    pub(crate) fn variable(_: Role, _: Lookup<'_>) -> Result<Option<String>, StartError> {
        Ok(None)
    }

    pub(crate) fn sessions(opener: &Opener<'_>) -> Result<Arc<dyn Store>, StartError> {
        Err(opener.not_compiled(SessionStoreKind::VARIABLE, "redis"))
    }

    pub(crate) fn cache(opener: &Opener<'_>) -> Result<Arc<dyn CacheStore>, StartError> {
        Err(opener.not_compiled(CacheStoreKind::VARIABLE, "redis"))
    }

    pub(crate) fn streams(opener: &Opener<'_>) -> Result<Arc<dyn Streams>, StartError> {
        Err(opener.not_compiled(StreamsKind::VARIABLE, "redis"))
    }
}

pub(super) use compiled::{cache, sessions, streams, variable};
