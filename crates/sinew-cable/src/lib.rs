//! The Action Cable server engine: connection state machine, channels, subscriptions, hub.
//!
//! For the edge, which owns sockets and drives a [`Shard`](shard::Shard) of the connections, and for whoever joins applications to it: a
//! [`Controller`], usually an [`Application`] of Rust [`Channel`]s.
//! It does not know HTTP servers, HTML, reflexes, sessions, or how streams travel between nodes.
//!
//! The path of a frame: [`Line::receive_text`](shard::Line::receive_text) → the connection's state machine → [`Controller::handle`] → [`Answer`] →
//! [`Outbox`](shard::Outbox).
//! The path of a broadcast: [`Broadcaster::broadcast`] → [`Streams`](sinew_streams::Streams) → the inbox of each shard that
//! follows the stream → the shard's own hub → outboxes; encoded once per shard and identifier, and shared.
//!
//! ```
//! use std::sync::Arc;
//! use serde_json::value::RawValue;
//! use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
//! use sinew_streams::InProcessStreams;
//!
//! struct EchoChannel;
//!
//! impl Channel for EchoChannel {
//!     const NAME: &'static str = "EchoChannel";
//!
//!     async fn perform(&self, cx: &mut Subscription, action: &str, data: &RawValue) -> Result<(), ChannelError> {
//!         match action {
//!             "say" => cx.transmit(data),
//!             _ => Err(ChannelError::unknown_action(action)),
//!         }
//!     }
//! }
//!
//! let application = Application::new(async |_request| Ok(ConnectionIdentifiers::new())).channel(EchoChannel);
//! let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
//! assert_eq!(cable.statistics().connections, 0);
//! # Ok::<(), sinew_streams::StreamsError>(())
//! ```
//!
//! In the examples of this crate a `client` is the other end of a connection, without a socket between them: it sends
//! commands (`subscribe`, `perform`, `unsubscribe`), and `receive` waits for the next message to it, as JSON.

mod cable;
mod connection;
mod controller;

mod application;
mod context;
mod identifiers;
mod request;

mod broadcaster;
mod follows;
mod inbox;
mod mailbox;
pub mod shard;

mod config;
mod error;
mod statistics;

pub use application::{
    Application, Channel, ConnectHook, DirectChannel, DirectSubscription, Params, Subscription,
};
pub use broadcaster::Broadcaster;
pub use cable::{Cable, CableBuilder, Incoming, WeakCable};
pub use config::Config;
pub use connection::Subscribed;
pub use context::{ConnectionContext, ConnectionId};
pub use controller::{
    Answer, Call, Changes, Confirmation, Controller, Refusal, Replies, Reply, SubscriptionState,
};
pub use error::{BroadcastError, ChannelError};
pub use identifiers::ConnectionIdentifiers;
pub use request::ConnectRequest;
pub use statistics::{PingLag, ShardStatistics, Statistics};
