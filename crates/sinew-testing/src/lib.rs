//! Tests for Sinew applications: visit, click, fill and see, without a browser and without a port.
//!
//! For authors of applications. A [`TestApp`] runs the application in memory; a [`Tab`] plays the
//! browser: it asks the router for the page, calls reflexes over the cable as the embedded client
//! does, and carries out the operations that come back, so that assertions are on what a person
//! would see.
//! It deliberately runs no scripts: what an application's own JavaScript does is for a browser to
//! test.
//!
//! ```
//! # use axum::{Router, response::Html, routing::get};
//! # use sinew::prelude::*;
//! # struct Counter;
//! # #[reflex]
//! # impl Counter {
//! #     async fn increment(&self, cx: &mut Reflex) -> Result {
//! #         cx.session().update("count", |count: i64| count + 1).await?;
//! #         Ok(())
//! #     }
//! # }
//! # async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
//! #     let count: i64 = session.get_or_default("count").await?;
//! #     Ok(Html(format!("<head>{client}</head><body><p id=count>{count}</p>\
//! #         <button id=increment data-reflex='click->Counter#increment'>+</button></body>")))
//! # }
//! # fn application() -> Sinew { Sinew::new(Router::new().route("/", get(index))).reflex(Counter) }
//! use sinew_testing::TestApp;
//!
//! # stringify!(
//! #[tokio::test]
//! # );
//! async fn a_click_counts() {
//!     let app = TestApp::new(application());
//!     let mut tab = app.visit("/").await;
//!     tab.click("#increment").await;
//!     tab.assert_text("#count", "1");
//! }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(a_click_counts());
//! ```
//!
//! # When an assertion fails
//!
//! The panic names the line of the test, the part of the page, how the last reflex ended, and the
//! operations since the last action:
//!
//! ```text
//! tests/counter.rs:8:9: "#count" says "1", not "2"
//! the page at http://localhost/ has there:
//!     <p id="count">1</p>
//! the last reflex: Counter#increment: success (page morph)
//! operations since the last action:
//!     1. morph body childrenOnly=true html="<p id=\"count\">1</p>…
//! ```
//!
//! # Time
//!
//! Nothing here sleeps; what is waited for is waited for on tokio's clock.
//! A test with `#[tokio::test(start_paused = true)]` (tokio's feature `test-util`) runs through
//! long jobs at once: [`Tab::until`] and [`Tab::wait`] let the clock jump to whatever comes next.
//!
//! # What it plays, and what not
//!
//! - A reflex is found as the client finds it: at the element or the nearest around it that has
//!   `data-reflex`. [`Tab::fill`] lets `input`, `keyup` and `change` happen, also debounced.
//! - A tab carries out the replies to its own calls and the broadcasts of the streams that its page
//!   shows. Replies to other tabs pass it by, as with the embedded client.
//! - A form that a browser would not submit, since a field breaks `required`, `type=email`,
//!   `pattern` or the like, is not submitted: the test is told which field and which rule.
//! - Back and forward, the focus with its `blur`, and Enter in a field do what they do in a browser.
//! - Channels of the application's own are followed with [`Tab::subscribe`].
//! - What a field holds survives a morph as in the browser: the field with the focus and
//!   `data-reflex-permanent` are left alone.
//! - An operation's `delay` is not waited for. Storage, scrolling, notifications and events are
//!   recorded among the [operations](Tab::operations) and change nothing.
//! - Pages are loaded whole: Turbo's frames and streams are not played.

mod app;
mod cable;
mod call;
mod form;
mod morph;
mod outcome;
mod page;
mod perform;
#[cfg(test)]
mod recordings;
mod tab;
mod upload;
mod validity;

pub use app::{Browser, TestApp};
pub use outcome::Outcome;
pub use perform::Performed;
pub use tab::{Stimulation, Tab, TabSubscription};
pub use upload::Upload;
