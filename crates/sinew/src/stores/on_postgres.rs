//! What is kept in PostgreSQL, with the feature `postgres`.

use std::sync::Arc;

use sinew_store::Store;
use sinew_store::cache::CacheStore;
use sinew_web::config::{CacheStoreKind, SessionStoreKind};

use super::Opener;
use crate::error::StartError;

pub(super) fn sessions(opener: &Opener<'_>) -> Result<Arc<dyn Store>, StartError> {
    Err(opener.not_compiled(SessionStoreKind::VARIABLE, "postgres"))
}

pub(super) fn cache(opener: &Opener<'_>) -> Result<Arc<dyn CacheStore>, StartError> {
    Err(opener.not_compiled(CacheStoreKind::VARIABLE, "postgres"))
}
