//! The same as `cable.rs`, with connections on threads of their own that also accept them.

const WAY: server::Way = server::Way::ListeningThreads;

#[path = "cable/client.rs"]
mod client;
#[path = "cable/server.rs"]
mod server;

#[path = "cable/backpressure.rs"]
mod backpressure;
#[path = "cable/bad_input.rs"]
mod bad_input;
#[path = "cable/compression.rs"]
mod compression;
#[path = "cable/ending.rs"]
mod ending;
#[path = "cable/handshake.rs"]
mod handshake;
#[path = "cable/order.rs"]
mod order;
#[path = "cable/pings.rs"]
mod pings;
#[path = "cable/rates.rs"]
mod rates;
#[path = "cable/streams.rs"]
mod streams;
#[path = "cable/subscriptions.rs"]
mod subscriptions;
