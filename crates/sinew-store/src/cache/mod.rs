//! What is dear to compute, kept for a while.
//!
//! For applications: [`Cache`], with [`fetch`](Cache::fetch) for values and
//! [`fragment`](Cache::fragment) for pieces of pages. For authors of stores: the port is
//! [`CacheStore`], and the module `contract` is the suite that every store runs on itself.
//! Sessions are another port ([`Store`](crate::Store)): what a cache holds may be gone at any
//! moment, and nobody is harmed.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use sinew_store::cache::{Cache, MemoryCache};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let cache = Cache::new(Arc::new(MemoryCache::new()));
//! let hour = Duration::from_secs(3600);
//! let visits = cache.fetch("visits", hour, async || 42).await;
//! assert_eq!(visits, 42);
//! assert_eq!(cache.read::<i32>("visits").await, Some(42));
//! # }
//! ```
//!
//! Limits and their defaults: [`CacheConfig`], [`KEY_BYTES_MAX`], [`MEMORY_CACHE_BYTES_MAX`],
//! [`FRONT_EXPIRES_IN`].

mod coding;
mod config;
#[cfg(feature = "contract")]
pub mod contract;
mod envelope;
mod fetch;
mod flight;
mod fragment;
mod glob;
mod handle;
mod key;
mod memory;
mod multi;
mod null;
mod options;
mod program;
mod recency;
mod statistics;
mod store;
mod tiered;
mod values;

pub use config::{
    CacheConfig, FRONT_EXPIRES_IN, KEY_BYTES_MAX, MEMORY_CACHE_BYTES_MAX, VALUE_BYTES_MAX,
};
pub use glob::{Glob, GlobPiece};
pub use handle::Cache;
pub use key::{CacheKey, ContentDigest, KeyParts, Versioned};
pub use memory::MemoryCache;
pub use null::NullCache;
pub use options::CacheOptions;
pub use statistics::CacheStatistics;
pub use store::{CacheEntry, CacheStore};
pub use tiered::TieredCache;
