//! A whole application over real sockets: pages over HTTP, reflexes and channels over the cable.

mod application;
mod browser;
mod listening;
mod server;

mod client_versions;
mod settings;
mod templates;
mod visits;

mod base_path;
mod policies;

mod idle;
mod lanes;
mod nodes;
mod operators;
mod pages;
mod params;
mod process;
#[cfg(feature = "rails")]
mod rails;
mod sanity;
mod sessions;

mod broadcasts;
mod origins;

mod bad_calls;
mod bad_frames;
mod flood;
