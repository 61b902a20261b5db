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
    use crate::services::Service;

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
        Ok(Arc::new(RedisStore::new(connect(opener, Role::Sessions)?)))
    }

    pub(crate) fn cache(opener: &Opener<'_>) -> Result<Arc<dyn CacheStore>, StartError> {
        Ok(Arc::new(RedisCache::new(connect(opener, Role::Cache)?)))
    }

    pub(crate) fn streams(opener: &Opener<'_>) -> Result<Arc<dyn Streams>, StartError> {
        Ok(Arc::new(RedisStreams::new(connect(opener, Role::Cable)?)))
    }

    fn connect(opener: &Opener<'_>, role: Role) -> Result<Redis, StartError> {
        let role = role.of_redis();
        let settings = RedisSettings::from_lookup(role, opener.lookup)?;
        let settings = settings.ok_or(StartError::StoreWithoutAddress {
            store: "redis",
            variables: format!("{}, SINEW_REDIS_URL or REDIS_URL", role.variable()),
        })?;
        let redis = Redis::connect_lazily(settings)?;
        let service = Service::redis(role, redis.clone());
        opener.services.borrow_mut().push(service);
        Ok(redis)
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
