//! The server on its own: connections, their bounds, their end.

mod admitting;
mod departing;
mod http;
mod stopping;
