//! What is counted of a reflex, and its spans.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use sinew_macros::reflex;
use sinew_reflex::{Config, Durations, Reflex, Result};
use tokio::sync::Semaphore;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::server::Server;

/// Waits until the test lets it go on.
#[derive(Clone)]
struct Timed(Arc<Semaphore>);

#[reflex(crate = sinew_reflex)]
impl Timed {
    async fn gate(&self, cx: &mut Reflex) {
        self.0.acquire().await.expect("open").forget();
        cx.morph_nothing();
    }

    async fn slow(&self, cx: &mut Reflex) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        cx.morph("#one", "<p id=\"one\">1</p>");
    }

    async fn fails(&self, _cx: &mut Reflex) -> Result {
        Err("the inside".into())
    }

    async fn never(&self, _cx: &mut Reflex) {}
}

async fn server() -> (Server, Arc<Semaphore>) {
    let open = Arc::new(Semaphore::new(0));
    let timed = Timed(open.clone());
    let server = Server::with_config(Config::default(), |builder| builder.reflex(timed)).await;
    (server, open)
}

#[tokio::test(start_paused = true)]
async fn each_action_has_its_own_histogram() {
    let (mut server, _open) = server().await;
    server.call_with("Timed#slow", json!({})).await;
    server.call_with("timed#slow", json!({})).await;
    server.call_with("Timed#fails", json!({})).await;
    server.call_with("Gone#away", json!({})).await;
    server.engine.idle().await;
    let reflexes = server.engine.reflexes();
    let names: Vec<_> = reflexes.iter().map(|it| (&*it.name, it.errors)).collect();
    assert_eq!(names, [("TimedReflex#fails", 1), ("TimedReflex#slow", 0)]);
    let durations = reflexes[1].durations;
    let place = Durations::BOUNDS.partition_point(|bound| *bound < Duration::from_millis(20));
    assert_eq!((durations.counts[place], durations.count()), (2, 2));
    assert!(durations.sum >= Duration::from_millis(40));
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_are_told_from_those_that_run() {
    let (mut server, open) = server().await;
    for tab in ["one", "one", "one", "other"] {
        server.send("Timed#gate", json!({ "tabId": tab }));
    }
    // The lanes begin on the runtime; this task waits for them.
    while server.engine.statistics().running < 2 {
        tokio::task::yield_now().await;
    }
    let busy = server.engine.statistics();
    assert_eq!((busy.lanes, busy.running, busy.waiting), (2, 2, 2));
    open.add_permits(4);
    server.engine.idle().await;
    let idle = server.engine.statistics();
    assert_eq!((idle.lanes, idle.running, idle.waiting), (0, 0, 0));
    assert_eq!(idle.waits.count(), 4);
}

/// Writes down each span when it closes: its name and fields, below those around it.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "sinew::reflex"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("new");
        let mut fields = Fields(span.name().to_owned());
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("there");
        values.record(span.extensions_mut().get_mut::<Fields>().expect("new"));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("there");
        let around = span.parent().map_or("", |parent| parent.name());
        let line = format!(
            "{around}: {}",
            span.extensions().get::<Fields>().expect("new").0
        );
        self.0.lock().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn spans_say_what_became_of_a_call_and_no_secret() {
    let spans = Spans::default();
    let _default = crate::listening::listen(Registry::default().with(spans.clone()));
    let (mut server, _open) = server().await;
    server
        .call_with(
            "Timed#slow",
            json!({"id": "7", "params": {"password": "secret"}}),
        )
        .await;
    server
        .call_with("Gone#away", json!({"id": "8\n", "args": ["secret"]}))
        .await;
    server.engine.idle().await;
    let key = server.session_id.store_key();
    let digest = key.as_str().rsplit(':').next().expect("a digest")[..8].to_owned();
    let lines = spans.0.lock().clone();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| line.replace(&digest, "SESSION1"))
        .collect();
    assert_eq!(
        shown,
        [
            "reflex: step what=\"the action\"",
            ": reflex session=\"SESSION1\" reflex=TimedReflex#slow id=7 waited_us=0 mode=\"selector\" outcome=\"morph\"",
            ": reflex session=\"SESSION1\" reflex=Gone#away id=8\\n waited_us=0 outcome=\"refused\"",
        ]
    );
}
