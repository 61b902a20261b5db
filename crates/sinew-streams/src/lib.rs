//! Port: a stream's fan-out, and its in-process version.
//!
//! For the cable, which follows streams on behalf of its subscribers, for the reflex engine, which publishes to them,
//! and for authors of adapters, who run the [`contract`] suite (feature `contract`) on theirs.
//! It does not know connections, subscriptions or what a payload says.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `contract` | no | the suite that every implementation runs on itself |
//! | `outbox` | no | the queue of messages on their way to a server, for adapters that have one |
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use futures_util::FutureExt;
//! use sinew_streams::{InProcessStreams, Position, Sink, StreamName, Streams};
//!
//! struct Count(std::sync::atomic::AtomicUsize);
//! impl Sink for Count {
//!     fn deliver(&self, _: &StreamName, _: Position, _: &Bytes) {
//!         self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
//!     }
//! }
//!
//! let count = Arc::new(Count(0.into()));
//! let streams = InProcessStreams::new();
//! streams.attach(count.clone())?;
//! let news = StreamName::from("news");
//! streams.follow(&news).now_or_never().expect("at once in process")?;
//! streams.publish(&news, Bytes::from("1")).now_or_never().expect("at once in process")?;
//! assert_eq!(count.0.load(std::sync::atomic::Ordering::Relaxed), 1);
//! # Ok::<(), sinew_streams::StreamsError>(())
//! ```

#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod in_process;
mod name;
#[cfg(feature = "outbox")]
pub mod outbox;
mod port;

pub use error::StreamsError;
pub use futures_util::future::BoxFuture;
pub use in_process::InProcessStreams;
pub use name::StreamName;
pub use port::{Missed, Position, Sink, Streams};
