//! The server on its own: connections, their bounds, their end.

mod admitting;
mod departing;
#[cfg(feature = "tls")]
mod encrypted;
mod first_request;
mod http;
mod shards;
mod stopping;
