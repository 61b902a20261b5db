//! One run of a reflex: callbacks and action, commit, morph, commit, the session's ticket, reply.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use sinew_cable_ready::Operations;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::argument::Arguments;
use crate::call::Call;
use crate::callback::{Next, Stop};
use crate::client::Client;
use crate::config::{Environment, VersionCheck};
use crate::data::{Field, ReflexData};
use crate::engine::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::log;
use crate::measure::Present;
use crate::morph;
use crate::params::{PARAMS_BYTES_MAX, PARAMS_DEPTH_MAX, Params, ParamsError};
use crate::reflex::{Morph, Reflex};
use crate::registry::Route;
use crate::reply::{self, Reply, Status};
use crate::session_link;
use crate::span;
use crate::statistics::count;
use crate::target::brief;
use crate::version;

/// Runs a call to its end and answers it. Never panics, so that a lane always goes on.
pub(crate) async fn perform(shared: &Arc<Shared>, client: &Arc<Client>, call: Call) {
    let data = Arc::clone(&call.data);
    let _running = Present::new(&shared.counters.running);
    let waited = call.came.elapsed();
    shared.counters.waits.add(waited);
    let span = call.span.clone();
    span::began(&span, waited);
    // Application code is guarded where it runs; what remains is a value of its own that panics when it is dropped.
    if let Err(panic) = AssertUnwindSafe(answer(shared, client, call).instrument(span))
        .catch_unwind()
        .await
    {
        count(&shared.counters.panics);
        let text = format!("the end of the reflex panicked: {}", panic_text(&*panic));
        let message = refuse(shared, client, &data, &Error::of(ErrorKind::Panic, text));
        shared.publish(client.stream(), message.into()).await;
    }
}

async fn answer(shared: &Arc<Shared>, client: &Arc<Client>, call: Call) {
    let Call {
        data, route, span, ..
    } = call;
    let route = match route {
        Ok(route) => admit(shared, client, &data).await.map(|()| route),
        Err(error) => Err(error),
    };
    match route {
        Ok(route) => {
            let began = Instant::now();
            let cx = Reflex::new(
                Arc::clone(shared),
                Arc::clone(client),
                Arc::clone(&data),
                Arc::clone(&route),
                span,
            );
            let message = run(cx).await;
            session_link::hand_over(shared, client, &data).await;
            shared.publish(client.stream(), message.into()).await;
            route.measured.durations.add(began.elapsed());
        }
        Err(error) => {
            span::refused(&span);
            let message = refuse(shared, client, &data, &error);
            shared.publish(client.stream(), message.into()).await;
        }
    }
}

/// Compares versions, and tells the browser when they differ.
async fn admit(shared: &Arc<Shared>, client: &Arc<Client>, data: &ReflexData) -> Result {
    let check = shared.config.version_check;
    if check == VersionCheck::Ignore || version::matches(data, &shared.config.client_version) {
        return Ok(());
    }
    let notice = version::notice(data, &shared.config);
    let version = &shared.config.cable_ready_version;
    let message = reply::message(data, &notice.operations, version);
    shared.publish(client.stream(), message.into()).await;
    if check == VersionCheck::Warn {
        tracing::warn!(target: "sinew::reflex", "{}", notice.text);
        return Ok(());
    }
    Err(Error::of(ErrorKind::Version, notice.text))
}

/// Answers a call that never became a reflex.
fn refuse(shared: &Shared, client: &Client, data: &ReflexData, error: &Error) -> String {
    count(&shared.counters.errors);
    tracing::warn!(
        target: "sinew::reflex",
        session = client.session_label(),
        reflex = %brief(&data.target()),
        error = error.chain(),
        "reflex refused"
    );
    Reply::new(
        data,
        None,
        &Operations::new(),
        &shared.config.cable_ready_version,
    )
    .status(
        Status::Error(&error.for_browser(shared.config.environment)),
        Morph::Page,
    )
}

/// Runs a reflex and writes its reply.
async fn run(mut cx: Reflex) -> String {
    let outcome = match act(&mut cx).await {
        Ok(()) => finish(&mut cx).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(message) => message,
        Err(error) => fail(&mut cx, error).await,
    }
}

/// Callbacks and action, within their time and whatever they do.
async fn act(cx: &mut Reflex) -> Result {
    let data = Arc::clone(cx.shared_data());
    check_params(&data)?;
    let arguments = data.arguments()?;
    let route = Arc::clone(cx.matched());
    route.check_arity(&arguments)?;
    let limit = route
        .time_limit
        .unwrap_or(cx.shared().config.action_time_limit);
    let shared = Arc::clone(cx.shared());
    let next = Next::new(&route.chain, Arguments::new(&arguments));
    guard(&shared, limit, "the action", next.run(cx)).await
}

/// A form that is too long, and parameters that nest too deep, are refused whether or not anybody reads them.
fn check_params(data: &ReflexData) -> Result {
    let long = data
        .raw(Field::FormData)
        .is_some_and(|raw| raw.len() > PARAMS_BYTES_MAX);
    if long && data.form_data().len() > PARAMS_BYTES_MAX {
        return Err(Error::of(
            ErrorKind::Params,
            format!("the form has more than {PARAMS_BYTES_MAX} bytes"),
        ));
    }
    let deep_form = data.raw(Field::FormData).is_some_and(may_be_deep)
        && Params::from_urlencoded(&data.form_data()) == Err(ParamsError::TooDeep);
    let deep_params = data
        .raw(Field::Params)
        .is_some_and(|json| depth_of_json(json) > PARAMS_DEPTH_MAX);
    if deep_form || deep_params {
        return Err(Error::of(
            ErrorKind::Params,
            ParamsError::TooDeep.to_string(),
        ));
    }
    Ok(())
}

/// Whether a form has so many brackets that they might stand in one name. Most have none.
fn may_be_deep(form: &str) -> bool {
    let bytes = form.as_bytes();
    let brackets = memchr::memchr2_iter(b'[', b'%', bytes).filter(|&at| {
        bytes[at] == b'[' || matches!(bytes.get(at + 1..at + 3), Some(b"5B" | b"5b"))
    });
    brackets.count() >= PARAMS_DEPTH_MAX
}

/// How deep arrays and objects nest in a text that is JSON.
fn depth_of_json(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.bytes();
    let mut is_text = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_text = !is_text,
            // What follows is escaped, be it a quote or not.
            b'\\' if is_text => drop(bytes.next()),
            _ if is_text => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What follows a handler that went well, or was stopped by a callback.
async fn finish(cx: &mut Reflex) -> Result<String> {
    commit(cx).await?;
    if let Some(stop) = cx.stopped() {
        return Ok(status(
            cx,
            match stop {
                Stop::Halted => Status::Halted,
                Stop::Forbidden => Status::Forbidden,
            },
        ));
    }
    match cx.morph {
        Morph::Nothing => Ok(status(cx, Status::Nothing)),
        Morph::Selector => morph::selector(cx),
        Morph::Page => {
            let page = morph::page(cx).await;
            // What the page handler wrote is kept even when its page was no use.
            commit(cx).await?;
            morph::page_reply(cx, &page?)
        }
    }
}

/// Writes an event that ends the reflex, and its line in the log.
pub(crate) fn status(cx: &Reflex, status: Status<'_>) -> String {
    let counters = &cx.shared().counters;
    count(match status {
        Status::Nothing => &counters.nothings,
        Status::Halted => &counters.halted,
        Status::Forbidden => &counters.forbidden,
        Status::Error(_) => &counters.errors,
    });
    if let Status::Error(_) = status {
        count(&cx.matched().measured.errors);
    }
    span::ended(cx.span(), cx.morph, status.outcome());
    log::ended(cx, &status);
    cx.reply().status(status, cx.morph)
}

/// Tells the rescues, keeps what was written, answers with the error.
async fn fail(cx: &mut Reflex, error: Error) -> String {
    let shared = Arc::clone(cx.shared());
    log_error(cx, &error);
    let route = Arc::clone(cx.matched());
    for rescuer in &route.rescuers {
        let rescue = rescuer.rescue(cx, &error);
        let rescued = guard(&shared, shared.config.action_time_limit, "a rescue", rescue).await;
        if let Err(error) = rescued.and_then(|()| cx.check()) {
            log_error(cx, &error);
        }
    }
    // A session that could not be saved is not tried again: nothing of it may be half saved.
    if error.kind() != ErrorKind::Session
        && let Err(error) = commit(cx).await
    {
        log_error(cx, &error);
    }
    status(
        cx,
        Status::Error(&error.for_browser(shared.config.environment)),
    )
}

/// Saves the session if anything was written: all of it or nothing.
async fn commit(cx: &Reflex) -> Result {
    let Some(session) = cx.used_session() else {
        return Ok(());
    };
    // One that was only read is committed too: that is what renews its life.
    if session.is_untouched() {
        return Ok(());
    }
    let shared = cx.shared();
    let limit = shared.config.commit_time_limit;
    let saved = guard(shared, limit, "saving the session", async {
        session.commit().await.map(|_| ()).map_err(Error::from)
    });
    let saved = saved.await;
    if saved.is_ok() {
        cx.client().session_saved(session);
    }
    saved.map_err(|error| {
        Error::of(ErrorKind::Session, "the session could not be saved").with_source(error.chain())
    })
}

/// Runs application code: a panic and a time limit become errors.
pub(crate) async fn guard<T>(
    shared: &Shared,
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    // What a panic leaves behind is the reflex itself, of which only the payload, the queue and the session are used again.
    let step = span::step(what);
    match AssertUnwindSafe(tokio::time::timeout(limit, work).instrument(step))
        .catch_unwind()
        .await
    {
        Ok(Ok(result)) => result,
        Ok(Err(_elapsed)) => {
            count(&shared.counters.timeouts);
            Err(Error::of(
                ErrorKind::Timeout,
                format!("{what} took longer than {limit:?}"),
            ))
        }
        Err(panic) => {
            count(&shared.counters.panics);
            Err(Error::of(
                ErrorKind::Panic,
                format!("{what} panicked: {}", panic_text(&*panic)),
            ))
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

fn log_error(cx: &Reflex, error: &Error) {
    let reflex = label(cx.matched());
    let session = cx.client().session_label();
    let error_text = error.chain();
    match error.kind() {
        // What a client got wrong is no fault of the application.
        ErrorKind::Arity | ErrorKind::Argument | ErrorKind::Params | ErrorKind::Url => {
            tracing::warn!(target: "sinew::reflex", session, reflex, error = error_text, "reflex failed");
        }
        _ => {
            tracing::error!(target: "sinew::reflex", session, reflex, error = error_text, "reflex failed");
        }
    }
}

fn label(route: &Route) -> &str {
    &route.label
}

/// Whether a third operation tells the visitor about versions.
pub(crate) fn shows_toast(environment: Environment) -> bool {
    environment == Environment::Development
}
