//! The spans of a reflex, for whoever follows one from its frame to its reply.
//!
//! `reflex`, at the level `debug` with the target `sinew::reflex`, lasts from the beginning of a call's turn until its
//! reply is handed to the streams; it lies in the span of the frame that brought the call. In it a `step` for each thing
//! that is waited for: the action, the page handler, saving the session. Unless a subscriber wants them nothing is made.

use std::sync::Arc;
use std::time::Duration;

use tracing::field::{Empty, display};
use tracing::{Span, debug_span};

use crate::client::Client;
use crate::data::ReflexData;
use crate::reflex::Morph;
use crate::registry::Route;
use crate::target::brief;

/// The span of a call that came. Nothing in it is a secret: of the session it has what the log has.
pub(crate) fn of_call(client: &Client, data: &ReflexData, route: Option<&Arc<Route>>) -> Span {
    let span = debug_span!(
        target: "sinew::reflex",
        "reflex",
        reflex = Empty,
        id = Empty,
        session = client.session_label(),
        waited_us = Empty,
        mode = Empty,
        outcome = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    match route {
        Some(route) => span.record("reflex", display(&route.label)),
        None => span.record("reflex", display(brief(&data.target()))),
    };
    if let Some(id) = data.id() {
        span.record("id", display(brief(&id)));
    }
    span
}

/// The call's turn has come.
pub(crate) fn began(span: &Span, waited: Duration) {
    if !span.is_disabled() {
        let microseconds = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        span.record("waited_us", microseconds);
    }
}

/// The reply is written: `page`, `selector` or `nothing`, and how it ended.
pub(crate) fn ended(span: &Span, mode: Morph, outcome: &'static str) {
    if !span.is_disabled() {
        let mode = match mode {
            Morph::Page => "page",
            Morph::Selector => "selector",
            Morph::Nothing => "nothing",
        };
        span.record("mode", mode).record("outcome", outcome);
    }
}

/// The call never became a reflex.
pub(crate) fn refused(span: &Span) {
    span.record("outcome", "refused");
}

/// Something that the reflex waits for.
pub(crate) fn step(what: &str) -> Span {
    debug_span!(target: "sinew::reflex", "step", what)
}
