//! Where sessions, the cache and broadcasts are kept: as the application says, else as the
//! variables say, else by what is there.

pub(crate) mod on_postgres;
mod on_redis;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sinew_embedded::{EmbeddedCache, EmbeddedStore};
use sinew_store::cache::{Cache, CacheConfig, CacheStore, MemoryCache, NullCache, TieredCache};
use sinew_store::{MemoryStore, Store};
use sinew_streams::{InProcessStreams, Streams};
use sinew_web::config::{CacheStoreKind, SessionStoreKind, StoreVariables, StreamsKind};

use crate::error::StartError;
use crate::services::Service;

/// Reads a variable.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the application has said.
pub(crate) enum Storage {
    /// Nothing: the variables decide.
    Chosen,
    /// Everything in memory.
    Memory,
    /// Sessions with their visitors.
    Cookies,
    Given(Arc<dyn Store>),
}

/// What is kept where, and who has said so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) sessions: Choice<SessionStoreKind>,
    pub(crate) cache: Choice<CacheStoreKind>,
    pub(crate) streams: Choice<StreamsKind>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice<K> {
    /// `None`: the application's own.
    pub(crate) kind: Option<K>,
    pub(crate) because: Because,
}

/// Who has said so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Because {
    Code(&'static str),
    Variable(Cow<'static, str>),
    Default,
}

/// For what a Redis is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Sessions,
    Cache,
    Cable,
}

/// What the application has said of its own, by code.
pub(crate) struct Said<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) has_cache: bool,
    pub(crate) has_streams: bool,
}

impl Plan {
    /// Decides: code before variables, variables that name a store before those that only say where
    /// one is.
    ///
    /// # Errors
    ///
    /// A variable with the address of a Redis that cannot be used, unless it does not matter.
    pub(crate) fn new(
        said: &Said<'_>,
        variables: &StoreVariables,
        lookup: Lookup<'_>,
    ) -> Result<Plan, StartError> {
        let is_in_memory = matches!(said.storage, Storage::Memory);
        let sessions = match said.storage {
            Storage::Given(_) => Choice::own("Sinew::store"),
            Storage::Memory => Choice::in_memory(SessionStoreKind::Memory),
            Storage::Cookies => Choice {
                kind: Some(SessionStoreKind::Cookie),
                because: Because::Code("Sinew::cookie_sessions"),
            },
            Storage::Chosen => Choice::by_variables(
                variables.sessions,
                SessionStoreKind::VARIABLE,
                SessionStoreKind::Redis,
                SessionStoreKind::Embedded,
                || on_redis::variable(Role::Sessions, lookup),
            )?,
        };
        let cache = match (said.has_cache, is_in_memory) {
            (true, _) => Choice::own("Sinew::cache"),
            (_, true) => Choice::in_memory(CacheStoreKind::Memory),
            _ => Choice::by_variables(
                variables.cache,
                CacheStoreKind::VARIABLE,
                CacheStoreKind::Redis,
                CacheStoreKind::Memory,
                || on_redis::variable(Role::Cache, lookup),
            )?,
        };
        let streams = match (said.has_streams, is_in_memory) {
            (true, _) => Choice::own("Sinew::streams"),
            (_, true) => Choice::in_memory(StreamsKind::Memory),
            _ => Choice::by_variables(
                variables.streams,
                StreamsKind::VARIABLE,
                StreamsKind::Redis,
                StreamsKind::Memory,
                || on_redis::variable(Role::Cable, lookup),
            )?
            .beside(&sessions),
        };
        Ok(Plan {
            sessions,
            cache,
            streams,
        })
    }

    /// Whether this role has been given to Redis.
    #[cfg(feature = "redis")]
    pub(crate) fn uses_redis(&self, role: sinew_redis::RedisRole) -> bool {
        use sinew_redis::RedisRole;

        match role {
            RedisRole::Sessions => self.sessions.kind == Some(SessionStoreKind::Redis),
            RedisRole::Cache => self.cache.kind == Some(CacheStoreKind::Redis),
            RedisRole::Cable => self.streams.kind == Some(StreamsKind::Redis),
            _ => false,
        }
    }

    /// The same with nothing outside of the process, to be examined.
    pub(crate) fn without_effects(&self) -> Plan {
        let mut plan = self.clone();
        plan.sessions.kind = plan.sessions.kind.and(Some(SessionStoreKind::Memory));
        plan.cache.kind = plan.cache.kind.and(Some(CacheStoreKind::Memory));
        plan.streams.kind = plan.streams.kind.and(Some(StreamsKind::Memory));
        plan
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sessions,
            cache,
            streams,
        } = self;
        write!(f, "sessions {sessions}, cache {cache}, streams {streams}")
    }
}

impl<K> Choice<K> {
    fn own(method: &'static str) -> Choice<K> {
        Choice {
            kind: None,
            because: Because::Code(method),
        }
    }

    fn in_memory(kind: K) -> Choice<K> {
        Choice {
            kind: Some(kind),
            because: Because::Code("Sinew::in_memory"),
        }
    }

    fn by_variables(
        named: Option<K>,
        variable: &'static str,
        redis: K,
        default: K,
        redis_variable: impl FnOnce() -> Result<Option<String>, StartError>,
    ) -> Result<Choice<K>, StartError> {
        if let Some(kind) = named {
            return Ok(Choice {
                kind: Some(kind),
                because: Because::Variable(variable.into()),
            });
        }
        let (kind, because) = match redis_variable()? {
            Some(found) => (redis, Because::Variable(found.into())),
            None => (default, Because::Default),
        };
        Ok(Choice {
            kind: Some(kind),
            because,
        })
    }
}

impl Choice<StreamsKind> {
    /// Sessions that several nodes share in PostgreSQL end on all of them: unless something else
    /// is said, broadcasts go the same way.
    fn beside(self, sessions: &Choice<SessionStoreKind>) -> Self {
        let is_open = self.because == Because::Default;
        if !is_open || sessions.kind != Some(SessionStoreKind::Postgres) {
            return self;
        }
        Choice {
            kind: Some(StreamsKind::Postgres),
            because: sessions.because.clone(),
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(method) => f.write_str(method),
            Self::Variable(name) => f.write_str(name),
            Self::Default => f.write_str("by default"),
        }
    }
}

macro_rules! display_choice {
    ($($kind:ty),*) => {$(
        impl fmt::Display for Choice<$kind> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let kind = self.kind.map_or("own", <$kind>::as_str);
                write!(f, "{kind} ({})", self.because)
            }
        }
    )*};
}

display_choice!(SessionStoreKind, CacheStoreKind, StreamsKind);

/// Opens what is chosen.
#[cfg_attr(
    not(feature = "redis"),
    allow(dead_code, reason = "only what is on a server is looked for")
)]
pub(crate) struct Opener<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) variables: &'a StoreVariables,
    pub(crate) data_directory: &'a Path,
    pub(crate) lookup: Lookup<'a>,
    /// Servers that are talked to.
    pub(crate) services: RefCell<Vec<Service>>,
    pub(crate) postgres: on_postgres::Connected,
}

impl Opener<'_> {
    /// Says in the log what is kept where.
    pub(crate) fn log(&self) {
        let Plan {
            sessions,
            cache,
            streams,
        } = self.plan;
        tracing::info!(%sessions, %cache, %streams, "stores");
    }

    /// The store of the sessions, unless the application has its own or they are in cookies.
    pub(crate) fn sessions(&self) -> Result<Option<Arc<dyn Store>>, StartError> {
        Ok(Some(match self.plan.sessions.kind {
            // What is in cookies needs more than a store.
            None | Some(SessionStoreKind::Cookie) => return Ok(None),
            Some(SessionStoreKind::Memory) => Arc::new(MemoryStore::new()),
            Some(SessionStoreKind::Embedded) => Arc::new(EmbeddedStore::open(self.data_directory)?),
            Some(SessionStoreKind::Redis) => on_redis::sessions(self)?,
            Some(SessionStoreKind::Postgres) => on_postgres::sessions(self)?,
            Some(kind) => return Err(self.not_compiled(SessionStoreKind::VARIABLE, kind.as_str())),
        }))
    }

    /// The cache, unless the application has its own.
    pub(crate) fn cache(&self) -> Result<Option<Cache>, StartError> {
        let bytes_max = self.variables.cache_bytes_max;
        let mut config = CacheConfig::default();
        let store: Arc<dyn CacheStore> = match self.plan.cache.kind {
            None => return Ok(None),
            Some(CacheStoreKind::Memory) => {
                // Reading is worth more than room.
                config.compress_over_bytes = None;
                Arc::new(memory(bytes_max))
            }
            Some(CacheStoreKind::Embedded) => {
                let cache = EmbeddedCache::open(self.data_directory)?;
                Arc::new(match bytes_max {
                    Some(bytes_max) => cache.bytes_max(bytes_max),
                    None => cache,
                })
            }
            Some(CacheStoreKind::Redis) => self.fronted(on_redis::cache(self)?),
            Some(CacheStoreKind::Postgres) => self.fronted(on_postgres::cache(self)?),
            Some(CacheStoreKind::None) => Arc::new(NullCache),
            Some(kind) => return Err(self.not_compiled(CacheStoreKind::VARIABLE, kind.as_str())),
        };
        Ok(Some(Cache::with_config(store, config)))
    }

    /// With memory in front of it, if that is wanted.
    fn fronted(&self, store: Arc<dyn CacheStore>) -> Arc<dyn CacheStore> {
        match self.variables.cache_front {
            Some(expires_in) if !expires_in.is_zero() => {
                let front = memory(self.variables.cache_bytes_max);
                Arc::new(TieredCache::new(store).front(front, expires_in))
            }
            _ => store,
        }
    }

    /// By what broadcasts spread, unless the application has streams of its own.
    pub(crate) fn streams(&self) -> Result<Option<Arc<dyn Streams>>, StartError> {
        Ok(Some(match self.plan.streams.kind {
            None => return Ok(None),
            Some(StreamsKind::Memory) => Arc::new(InProcessStreams::new()),
            Some(StreamsKind::Redis) => on_redis::streams(self)?,
            Some(StreamsKind::Postgres) => on_postgres::streams(self)?,
            Some(kind) => return Err(self.not_compiled(StreamsKind::VARIABLE, kind.as_str())),
        }))
    }

    fn not_compiled(&self, variable: &'static str, value: &'static str) -> StartError {
        StartError::StoreNotCompiled { variable, value }
    }
}

fn memory(bytes_max: Option<usize>) -> MemoryCache {
    let memory = MemoryCache::new();
    match bytes_max {
        Some(bytes_max) => memory.bytes_max(bytes_max),
        None => memory,
    }
}
