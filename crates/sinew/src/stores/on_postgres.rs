//! What is kept in PostgreSQL, with the feature `postgres`.

use std::sync::Arc;

use sinew_store::Store;
use sinew_store::cache::CacheStore;
use sinew_streams::Streams;

use super::Opener;
use crate::error::StartError;
use crate::services::Service;

#[cfg(feature = "postgres")]
mod compiled {
    use std::cell::{Cell, OnceCell};

    use sinew_postgres::{
        Postgres, PostgresCache, PostgresSettings, PostgresStore, PostgresStreams,
    };

    use super::*;

    /// The connections, which sessions, cache and streams share.
    #[derive(Default)]
    pub(crate) struct Connected {
        postgres: OnceCell<Postgres>,
        has_sessions: Cell<bool>,
        has_cache: Cell<bool>,
    }

    impl Connected {
        fn get(&self, opener: &Opener<'_>) -> Result<Postgres, StartError> {
            if let Some(postgres) = self.postgres.get() {
                return Ok(postgres.clone());
            }
            let settings = PostgresSettings::from_lookup(opener.lookup)?;
            let settings = settings.ok_or(StartError::StoreWithoutAddress {
                store: "postgres",
                variables: "SINEW_DATABASE_URL or DATABASE_URL".to_owned(),
            })?;
            let postgres = Postgres::connect_lazily(settings)?;
            Ok(self.postgres.get_or_init(|| postgres).clone())
        }

        /// The server, if anything is kept on it. A cache that is away is a cache that has
        /// nothing: visitors are wanted all the same.
        pub(crate) fn service(&self) -> Option<Service> {
            let postgres = self.postgres.get()?.clone();
            let role = match (self.has_sessions.get(), self.has_cache.get()) {
                (true, _) => "sessions",
                (false, true) => "cache",
                // The streams speak for themselves.
                (false, false) => return None,
            };
            Some(Service::postgres(role, role == "sessions", postgres))
        }
    }

    pub(crate) fn sessions(opener: &Opener<'_>) -> Result<Arc<dyn Store>, StartError> {
        let postgres = opener.postgres.get(opener)?;
        opener.postgres.has_sessions.set(true);
        Ok(Arc::new(PostgresStore::new(postgres)))
    }

    pub(crate) fn cache(opener: &Opener<'_>) -> Result<Arc<dyn CacheStore>, StartError> {
        let postgres = opener.postgres.get(opener)?;
        opener.postgres.has_cache.set(true);
        Ok(Arc::new(PostgresCache::new(postgres)))
    }

    pub(crate) fn streams(opener: &Opener<'_>) -> Result<Arc<dyn Streams>, StartError> {
        let streams = Arc::new(PostgresStreams::new(opener.postgres.get(opener)?));
        let service = Service::postgres_streams(Arc::clone(&streams));
        opener.services.borrow_mut().push(service);
        Ok(streams)
    }
}

#[cfg(not(feature = "postgres"))]
mod compiled {
    use sinew_web::config::{CacheStoreKind, SessionStoreKind, StreamsKind};

    use super::*;

    /// Nothing.
    #[derive(Default)]
    pub(crate) struct Connected(());

    impl Connected {
        pub(crate) fn service(&self) -> Option<Service> {
            None
        }
    }

    pub(crate) fn sessions(opener: &Opener<'_>) -> Result<Arc<dyn Store>, StartError> {
        Err(opener.not_compiled(SessionStoreKind::VARIABLE, "postgres"))
    }

    pub(crate) fn cache(opener: &Opener<'_>) -> Result<Arc<dyn CacheStore>, StartError> {
        Err(opener.not_compiled(CacheStoreKind::VARIABLE, "postgres"))
    }

    pub(crate) fn streams(opener: &Opener<'_>) -> Result<Arc<dyn Streams>, StartError> {
        Err(opener.not_compiled(StreamsKind::VARIABLE, "postgres"))
    }
}

pub(crate) use compiled::Connected;
pub(super) use compiled::{cache, sessions, streams};
