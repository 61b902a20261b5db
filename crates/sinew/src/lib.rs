//! StimulusReflex for Rust: server-driven reactive HTML over WebSockets, for axum.
//!
//! For whoever writes server-rendered HTML with axum and wants it reactive: an attribute in the
//! HTML, a method in Rust, and the page changes. The stock npm clients work against it; published
//! versions of this crate contain them, so that no Node is needed.
//!
//! This crate joins the others and holds no engine of its own: the cable is `sinew-cable`, the
//! reflexes are `sinew-reflex`, the edge is `sinew-web`.
//!
//! ```no_run
//! use axum::{Router, response::Html, routing::get};
//! use sinew::prelude::*;
//!
//! struct Counter;
//!
//! #[reflex]
//! impl Counter {
//!     /// `data-reflex="click->Counter#increment"`
//!     async fn increment(&self, cx: &mut Reflex) -> Result {
//!         cx.session().update("count", |count: i64| count + 1).await?;
//!         Ok(()) // nothing said: the page is rendered again and morphed
//!     }
//! }
//!
//! async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
//!     let count: i64 = session.get_or_default("count").await?;
//!     let reflex = sinew::reflex!("click" => Counter::increment);
//!     Ok(Html(format!(
//!         "<!DOCTYPE html><html><head>{client}</head><body>
//!            <button data-reflex=\"{reflex}\">+</button> <p id=\"count\">{count}</p>
//!          </body></html>"
//!     )))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     let app = Router::new().route("/", get(index));
//!     Sinew::new(app).reflex(Counter).serve().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Where to look
//!
//! | I want … | see |
//! |---|---|
//! | a page, and a reflex that changes it | [`Sinew`], [`ClientTags`], [`macro@prelude::reflex`], [`reflex!`], [`Reflex`] |
//! | forms, and parameters of pages | [`PageParams`], [`Reflex::params`], [`reflex::Extract`] |
//! | to change pages from a handler or a job | [`SinewHandle`], [`StreamFrom`], [`CableCar`] |
//! | to compute something once | [`cache`], [`Reflex::cache`], [`SinewHandle::cache`] |
//! | to know who is there | [`Session`], [`Flash`], [`Sinew::identify`], [`session`] |
//! | channels of my own | [`macro@prelude::channel`], [`Subscription`], [`cable`] |
//! | tests without a browser | the crate `sinew-testing`: `TestApp::new(sinew).visit("/")` |
//! | to see what the server does | [`metrics`], [`operators`] |
//! | to know what is wrong with it, and where it runs | [`doctor`] |
//! | other settings | [`Config`], [`config`] |
//! | to read it from the beginning | the book: `docs/` of the repository |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `rails` | no | `Sinew::rails_cookie_sessions`: sessions in the cookie of a Rails application |
//! | `maud` | no | [`ClientTags`] and [`StreamFrom`] as values in maud templates |
//! | `redis` | no | sessions, the cache and broadcasts in Redis, when a variable says where it is; [checks](doctor) of each; [`Sinew::redis`](https://docs.rs/sinew/latest/sinew/struct.Sinew.html#method.redis) |
//! | `postgres` | no | sessions and the cache in PostgreSQL, when a variable asks for it; the crate `sinew-postgres` as `sinew::postgres` |

mod page_sockets;
pub mod prelude;

mod macros;

mod application;
mod handle;
mod identify;
mod page_params;
mod session_notice;
mod stored_sessions;
mod tags;

mod cable_car;
mod extract;

pub mod client;
pub mod config;
mod content_security_policy;
mod cookie_sessions;
pub mod doctor;
mod error;
pub mod metrics;
pub mod operators;

mod assets;
mod client_version;
mod endpoint;
mod kept;
mod log;
mod node_streams;
mod page_policy;
mod reflex_channel;
mod renderer;
mod serve;
mod services;
mod stores;
mod templates;

pub use application::{App, Sinew};
pub use cable_car::CableCar;
#[doc(inline)]
pub use config::Config;
pub use error::StartError;
pub use handle::{SinewHandle, StreamFrom};
#[doc(hidden)]
pub use macros::__macro;
pub use page_params::PageParams;
pub use tags::{ClientTags, IsReflex};

pub use sinew_cable::Subscription;
pub use sinew_cable_ready as cable_ready;
#[cfg(feature = "postgres")]
pub use sinew_postgres as postgres;
#[cfg(feature = "redis")]
pub use sinew_redis as redis;
pub use sinew_reflex::{Error, Reflex, Result};
pub use sinew_store::{Flash, Session};

pub mod cable {
    //! Who connects, channels, broadcasts, and how they spread.
    //!
    //! What [`Sinew::identify`](crate::Sinew::identify) and [`Sinew::channel`](crate::Sinew::channel) work with.

    pub use crate::identify::Visitor;
    pub use sinew_cable::{
        Answer, Broadcaster, Cable, Channel, ChannelError, Confirmation, ConnectRequest,
        ConnectionIdentifiers, DirectChannel, DirectSubscription, Refusal,
    };
    pub use sinew_streams::{InProcessStreams, StreamName, Streams};
}

pub mod reflex {
    //! The element, parameters, callbacks, rendering and errors of a reflex.

    pub use crate::extract::Extract;
    pub use sinew_reflex::{
        CableReady, ErrorKind, Morph, Next, ReflexHandle, Reflexes, Render, element, maybe, params,
    };
}

pub mod cache {
    //! What is dear to compute, kept for a while: values and pieces of pages.

    pub use sinew_embedded::EmbeddedCache;
    pub use sinew_store::cache::{
        Cache, CacheConfig, CacheEntry, CacheKey, CacheOptions, CacheStatistics, CacheStore,
        ContentDigest, KeyParts, MemoryCache, NullCache, TieredCache, Versioned,
    };
}

pub mod session {
    //! Where sessions are kept, for whoever brings a store of their own.

    pub use sinew_store::{MemoryStore, SessionId, Sessions, Store};
}
