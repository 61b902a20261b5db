//! Against real servers.

mod one_server;

mod connected;

mod cache;
mod store;
mod streams;
