//! A whole application over real sockets: pages over HTTP, reflexes and channels over the cable.

mod application;
mod browser;
mod listening;
mod server;

mod client_versions;
mod cookies;
mod settings;
mod templates;
mod visits;

mod base_path;
mod policies;

mod doctor;
mod findings;
mod idle;
mod lanes;
mod nodes;
#[cfg(feature = "postgres")]
mod nodes_postgres;
mod nodes_redis;
mod operators;
mod pages;
mod params;
mod process;
#[cfg(feature = "rails")]
mod rails;
mod renewals;
#[cfg(feature = "redis")]
mod services;
mod sessions;

mod broadcasts;
mod origins;

mod bad_calls;
mod bad_frames;
mod flood;
