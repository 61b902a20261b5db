//! The endpoint as a caller sees it: one module a concern.

mod autobahn;
mod endpoint;
mod generated;
mod handshake;
mod random;
mod wire;
