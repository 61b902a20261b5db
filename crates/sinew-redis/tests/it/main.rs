//! Against real servers.

mod one_server;
#[cfg(feature = "rails")]
mod rails_sessions;
