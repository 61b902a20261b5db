//! The reflex engine: takes what a StimulusReflex client sends, runs the handler it names, and answers with operations.
//!
//! For the `sinew` facade, and for whoever embeds reflexes without it.
//! It never sees a socket, a cable or a router: calls come in as text, messages leave through [`sinew_streams::Streams`], pages come from a [`PageRenderer`].
//!
//! The smallest reflex, written by hand (`#[reflex]` writes the same):
//!
//! ```
//! use std::sync::Arc;
//! use sinew_reflex::{
//!     Action, Client, Definition, Engine, Handshake, Page, PageRenderer, PageRequest, Reflexes, RenderError, Route,
//! };
//! use sinew_streams::InProcessStreams;
//!
//! struct Counter;
//!
//! impl Reflexes for Counter {
//!     fn definition() -> Definition<Self> {
//!         Definition::new("Counter").action(Action::new("reset", |_counter, cx, _arguments| {
//!             Box::pin(async move {
//!                 cx.morph("#count", "0");
//!                 Ok(())
//!             })
//!         }))
//!     }
//! }
//!
//! struct NoPages;
//!
//! impl PageRenderer for NoPages {
//!     fn route(&self, _: http::Request<()>) -> futures_util::future::BoxFuture<'_, Result<Option<Route>, RenderError>> {
//!         Box::pin(async { Ok(None) })
//!     }
//!     fn render(&self, _: PageRequest) -> futures_util::future::BoxFuture<'_, Result<Page, RenderError>> {
//!         Box::pin(async { Ok(Page { status: 404, ..Page::default() }) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let engine = Engine::builder(Arc::new(InProcessStreams::new()), Arc::new(NoPages))
//!     .reflex(Counter)
//!     .build()
//!     .expect("one reflex, one name");
//! let client = Arc::new(Client::new("StimulusReflex::Channel:visitor".into(), Arc::new(Handshake::default())));
//! engine.receive(&client, r#"{"target":"Counter#reset","version":"3.5.5","id":"1"}"#);
//! engine.idle().await;
//! assert_eq!(engine.statistics().selectors, 1);
//! # }
//! ```
//!
//! In further examples `Server`, which is `tests/it/server.rs` of this crate, is an engine with one visitor on one
//! page: `call` does what a click does, and gives the message that the browser gets.
//!
//! # Limits
//!
//! All of them stand in [`Config`], [`LATER_MESSAGES_MAX`] and [`params`].

mod argument;
mod cable_ready;
mod cache;
mod call;
mod callback;
mod client;
mod config;
mod data;
mod definition;
pub mod element;
mod engine;
mod error;
mod handle;
mod headers;
pub mod html;
mod inflection;
mod joined;
mod log;
mod measure;
mod morph;
mod nearest;
mod outcome;
mod page;
pub mod params;
mod reflex;
mod registry;
mod render;
mod reply;
#[cfg(feature = "axum")]
mod respond;
mod run;
mod session_link;
mod span;
mod statistics;
mod target;
mod version;

pub use argument::Arguments;
pub use cable_ready::{Broadcast, CableReady, LATER_MESSAGES_MAX};
pub use callback::Next;
pub use client::{Client, Handshake};
pub use config::{Config, Environment, VersionCheck};
pub use data::ReflexData;
pub use definition::{
    Action, ActionFn, AroundFn, Callback, CallbackFn, ConditionFn, Definition, Reflexes, RescueFn,
    Skip,
};
pub use element::{Element, ElementError};
pub use engine::{Engine, EngineBuilder, WeakEngine};
pub use error::{BuildError, Error, ErrorKind, Result};
pub use handle::ReflexHandle;
pub use headers::PackedHeaders;
pub use measure::{Durations, ReflexStatistics};
pub use outcome::Outcome;
pub use page::{IsReflex, Page, PageRenderer, PageRequest, RenderError, Route};
pub use params::{Params, ParamsError};
pub use reflex::{Morph, Reflex, session_stream};
pub use render::{Render, maybe};
pub use session_link::{SessionLink, SessionTicket};
pub use statistics::Statistics;

/// What `#[reflex]` and `reflex!` write goes through here; nothing in it is meant for people.
#[doc(hidden)]
pub mod __macro {
    pub use crate::argument::Argument;
    pub use crate::definition::{Action, Callback, Definition, Reflexes, Skip};
    pub use crate::joined::{joined, joined_len, text};
    pub use crate::outcome::Outcome;
}
