//! Against real servers.

mod one_server;
