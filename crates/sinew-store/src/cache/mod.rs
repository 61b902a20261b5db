//! What is dear to compute, kept for a while: the port to whatever keeps it.
//!
//! For authors of stores: the port is [`CacheStore`], and the module `contract` is the suite
//! that every store runs on itself. Sessions are another port ([`Store`](crate::Store)):
//! what a cache holds may be gone at any moment, and nobody is harmed.
//!
//! ```
//! use sinew_store::Key;
//! use sinew_store::cache::{CacheEntry, CacheStore, MemoryCache};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::StoreError> {
//! let store = MemoryCache::new();
//! let key = Key::new("front page");
//! assert_eq!(store.write(vec![CacheEntry::new(key.clone(), "<h1>Hello</h1>")]).await?, [true]);
//! assert_eq!(store.read(&[key]).await?, [Some("<h1>Hello</h1>".into())]);
//! # Ok(()) }
//! ```

mod config;
#[cfg(feature = "contract")]
pub mod contract;
mod glob;
mod memory;
mod recency;
mod store;

pub use config::{KEY_BYTES_MAX, MEMORY_CACHE_BYTES_MAX, VALUE_BYTES_MAX};
pub use glob::{Glob, GlobPiece};
pub use memory::MemoryCache;
pub use store::{CacheEntry, CacheStore};
