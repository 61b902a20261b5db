//! A page for whoever operates the program: what it does now, drawn from the [`metrics`](crate::metrics).
//!
//! In development it is at `/_sinew` by itself. Elsewhere it is nowhere until the application gives
//! it a place, and that place is the application's to guard:
//!
//! ```
//! use axum::{
//!     Router, extract::Request, http::StatusCode, middleware::{self, Next},
//!     response::{IntoResponse, Response}, routing::get,
//! };
//! use sinew::{operators, prelude::*};
//! # use sinew::config::Environment;
//! # use tower::ServiceExt as _;
//!
//! /// Whoever is no operator does not hear that there is such a page.
//! async fn operators_only(session: Session, request: Request, next: Next) -> Response {
//!     match session.get::<bool>("is_operator").await {
//!         Ok(Some(true)) => next.run(request).await,
//!         _ => StatusCode::NOT_FOUND.into_response(),
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
//! # let mut config = sinew::Config::default();
//! # config.edge.environment = Environment::Production;
//! let guarded = Router::new()
//!     .route("/_sinew", get(operators::page))
//!     .layer(middleware::from_fn(operators_only));
//! let app = Sinew::new(guarded).in_memory();
//! # let app = app.config(config).build()?;
//! # let request = Request::get("/_sinew").body(axum::body::Body::empty())?;
//! # assert_eq!(app.router().clone().oneshot(request).await?.status(), 404);
//! # Ok(()) }
//! ```
//!
//! It is looked at over the cable: while somebody has it open, and for five minutes after, the
//! counters are read every two seconds, and what has changed is broadcast to that page. Otherwise
//! it costs nothing. It shows the process that served it, and nothing that belongs to a visitor:
//! numbers, and the names of reflexes.

mod chart;
mod format;
mod history;
mod html;
mod list;

use std::time::Duration;

use axum::response::{Html, IntoResponse, Response};
use http::header;
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::handle::SinewHandle;
use crate::tags::ClientTags;
use history::History;

/// Where the page is in development.
pub(crate) const PATH: &str = "/_sinew";

/// Between two readings of the counters.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(2);

/// For so long they are still read when nobody looks any more, so that a page that is loaded again
/// shows what was before.
const UNWATCHED_MAX: Duration = Duration::from_secs(5 * 60);

/// What the page shows, and whether somebody reads the counters.
#[derive(Default)]
pub(crate) struct Operators(Mutex<State>);

#[derive(Default)]
struct State {
    history: History,
    is_reading: bool,
}

/// The page, as a handler: `.route("/_sinew", get(sinew::operators::page))`. See the
/// [module](self) for who may see it.
///
/// ```
/// use axum::{Router, routing::get};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let router = Router::new().route("/admin/operators", get(sinew::operators::page));
/// let mut tab = TestApp::new(Sinew::new(router)).visit("/admin/operators").await;
/// tab.assert_contains("h1", "Operators");
/// // It follows what is broadcast while it is open.
/// tab.until("#connections-now", "1").await;
/// # }
/// ```
pub async fn page(client: ClientTags, sinew: SinewHandle) -> Response {
    watch(&sinew);
    let stream = sinew.stream_from(&[&stream_name(&sinew)]);
    let body = html::page(&client, &stream.to_string(), &shown(&sinew));
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (headers, Html(body)).into_response()
}

/// The stream that the pages of this process follow. Other processes have another.
fn stream_name(sinew: &SinewHandle) -> String {
    format!("sinew:operators:{}", sinew.node())
}

/// The part of the page that changes.
fn shown(sinew: &SinewHandle) -> String {
    let state = sinew.operators().0.lock();
    html::content(&state.history, &sinew.snapshot())
}

/// Sees to it that the counters are read.
fn watch(sinew: &SinewHandle) {
    let mut state = sinew.operators().0.lock();
    if std::mem::replace(&mut state.is_reading, true) {
        return;
    }
    drop(state);
    tokio::spawn(read_on(sinew.clone()));
}

/// Reads them until nobody has looked for a while.
async fn read_on(sinew: SinewHandle) {
    let stream = stream_name(&sinew);
    let mut ticks = interval(SAMPLE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut watched = Instant::now();
    loop {
        let now = ticks.tick().await;
        // Not held through the wait, since the application ends without waiting for this task.
        let Some(cable) = sinew.live_cable() else {
            return;
        };
        let snapshot = sinew.snapshot();
        sinew.operators().0.lock().history.add(now, snapshot);
        if cable.is_followed(&stream.as_str().into()) {
            watched = now;
            let content = shown(&sinew);
            let sent = sinew
                .cable_ready()
                .send(stream.as_str(), |it| it.morph("#operators", content));
            if let Err(error) = sent.await {
                tracing::debug!(%error, "the operators' page could not be refreshed");
            }
        } else if now.duration_since(watched) >= UNWATCHED_MAX {
            // Within one lock, so that a page that comes now finds either this task or none.
            let mut state = sinew.operators().0.lock();
            *state = State::default();
            return;
        }
    }
}

#[cfg(test)]
mod tests;
