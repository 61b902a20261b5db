//! Records in one local file that survives a restart, a kill and a power cut (redb).
//!
//! For applications on one machine that want sessions without a server for them: the default
//! of the facade. It knows what a [`Store`](sinew_store::Store) owes, and nothing of sessions,
//! cookies or HTTP. One process has the file at a time.
//!
//! Every commit is on the medium before it is answered. All who wait at the same time share
//! one `fsync`, so the rate of commits grows with the number of writers.
//!
//! ```
//! use std::sync::Arc;
//! use sinew_embedded::EmbeddedStore;
//! use sinew_store::Sessions;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let directory = temporary.path();
//! let sessions = Sessions::new(Arc::new(EmbeddedStore::open(directory)?));
//! let session = sessions.create();
//! session.set("name", "Ada").await?;
//! session.commit().await?;
//! let id = session.id();
//! drop((session, sessions));
//!
//! let sessions = Sessions::new(Arc::new(EmbeddedStore::open(directory)?));
//! assert_eq!(sessions.open(id).get::<String>("name").await?.as_deref(), Some("Ada"));
//! # Ok(()) }
//! ```
//!
//! [`EmbeddedCache`] keeps what may be lost in a file of its own, and waits for no disk.
//!
//! Limits: [`QUEUE_REQUESTS_MAX`], [`BATCH_REQUESTS_MAX`], [`CACHE_BYTES_MAX`],
//! [`CACHE_FILE_BYTES_MAX`].

mod cache;
mod codec;
mod config;
mod database;
mod error;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use cache::EmbeddedCache;
pub use config::{
    BATCH_REQUESTS_MAX, CACHE_BYTES_MAX, CACHE_FILE_BYTES_MAX, CACHE_FILE_NAME, FILE_NAME,
    QUEUE_REQUESTS_MAX,
};
pub use error::EmbeddedError;
pub use store::EmbeddedStore;
