//! The endpoint as a caller sees it: one module a concern.

mod autobahn;
mod deflate;
mod deflate_generated;
mod endpoint;
mod generated;
mod handshake;
mod random;
mod second_opinion;
mod wire;
