//! Sessions and flash messages for a visitor, and the port to whatever keeps them.
//!
//! For the engine, the web layer and applications ([`Session`], [`Flash`]), and for authors of
//! stores ([`Store`], the module `contract`). It knows nothing of cookies, sockets, HTML or a database;
//! a cookie's text becomes a [`SessionId`] elsewhere.
//!
//! A session is a record of named fields, each a JSON text. Writes are kept by the [`Session`]
//! until [`Session::commit`], which stores all of them or none, field by field: two writers of
//! different fields lose nothing of each other's, and [`Session::update`] is run again on the
//! newest value when somebody else wrote the same field first.
//!
//! ```
//! use std::sync::Arc;
//! use sinew_store::{MemoryStore, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
//! let sessions = Sessions::new(Arc::new(MemoryStore::new()));
//! let session = sessions.create();
//! session.update("count", |count: i64| count + 1).await?;
//!
//! // A second holder of the same session counts too, and is first to commit.
//! let other = sessions.open(session.id());
//! other.update("count", |count: i64| count + 1).await?;
//! other.commit().await?;
//!
//! session.commit().await?;
//! assert_eq!(session.get_or_default::<i64>("count").await?, 2);
//! # Ok(()) }
//! ```
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `axum` | [`Session`], [`Flash`] and [`cache::Cache`] as arguments of axum handlers | no |
//! | `contract` | the modules `contract` and `cache::contract`: the suites that every store runs on itself | no |
//!
//! Limits and their defaults: [`SessionConfig`], [`MEMORY_RECORDS_MAX`].

pub mod cache;
mod clock;
#[cfg(feature = "contract")]
pub mod contract;
pub mod cookie;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod flash;
mod memory;
mod record;
mod session;
mod store;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{SessionError, StoreError, StoreErrorKind};
#[cfg(feature = "axum")]
pub use extract::SessionLayerMissing;
pub use flash::Flash;
pub use memory::{MEMORY_RECORDS_MAX, MemoryStore};
pub use record::{Commit, Committed, Key, Record};
pub use session::{Renewal, Saved, Session, SessionConfig, SessionId, SessionIdError, Sessions};
pub use store::{BoxFuture, Room, Store};
