//! What a reflex costs the engine alone: a call's text in, a message out on streams of this process.
//!
//! `cargo run --release -p sinew-reflex --example engine_cost`
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sinew_macros::reflex;
use sinew_reflex::{
    Client, Engine, Handshake, Page, PageRenderer, PageRequest, Reflex, RenderError, Result, Route,
};
use sinew_store::{MemoryStore, SessionId, Sessions};
use sinew_streams::{InProcessStreams, Position, Sink, StreamName, Streams};
use tokio::sync::Notify;

const CALLS: u64 = 100_000;

struct Bench;

#[reflex(crate = sinew_reflex)]
impl Bench {
    async fn nothing(&self, cx: &mut Reflex) {
        cx.morph_nothing();
    }

    async fn selector(&self, cx: &mut Reflex) {
        cx.morph("#row", "<tr id=\"row\"><td>1</td><td>one</td></tr>");
    }

    async fn session(&self, cx: &mut Reflex) -> Result {
        cx.session().set("value", &1).await?;
        cx.morph_nothing();
        Ok(())
    }

    async fn page(&self, _cx: &mut Reflex) {}
}

struct OnePage(bytes::Bytes);

impl PageRenderer for OnePage {
    fn route(
        &self,
        _: http::Request<()>,
    ) -> BoxFuture<'_, std::result::Result<Option<Route>, RenderError>> {
        Box::pin(async { Ok(Some(Route::default())) })
    }

    fn render(&self, _: PageRequest) -> BoxFuture<'_, std::result::Result<Page, RenderError>> {
        let body = self.0.clone();
        Box::pin(async move {
            Ok(Page {
                status: 200,
                location: None,
                body,
            })
        })
    }
}

#[derive(Default)]
struct Counter {
    messages: AtomicU64,
    bytes: AtomicU64,
    heard: Notify,
}

impl Sink for Counter {
    fn deliver(&self, _: &StreamName, _: Position, payload: &bytes::Bytes) {
        self.bytes
            .fetch_add(payload.len() as u64, Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Release);
        self.heard.notify_one();
    }
}

fn call(target: &str) -> String {
    format!(
        r##"{{"attrs":{{"id":"btn","data-reflex":"click->{target}","data-count":"3","data-controller":"stimulus-reflex","data-action":"click->stimulus-reflex#__perform","checked":false,"selected":false,"tag_name":"BUTTON","value":""}},"dataset":{{"dataset":{{"data-reflex":"click->{target}","data-count":"3"}},"datasetAll":{{}}}},"selectors":[],"id":"5eda7058-aeb6-4713-8c6f-ec62c39605e0","resolveLate":false,"suppressLogging":false,"xpathController":"//*[@id='btn']","xpathElement":"//*[@id='btn']","inner_html":"","text_content":"","reflexController":"stimulus-reflex","permanentAttributeName":"data-reflex-permanent","target":"{target}","args":[],"url":"http://app.test/p?x=1","tabId":"e44d0d5a-27b3-481b-a70e-9bdb9f084163","version":"3.5.5","formData":""}}"##
    )
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    // The first number is this thread's time on a processor, in nanoseconds; everything here runs on one thread.
    let nanoseconds = stat
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    Duration::from_nanos(nanoseconds)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let streams = Arc::new(InProcessStreams::new());
    let counter = Arc::new(Counter::default());
    streams.attach(counter.clone()).expect("fresh streams");
    let stream = StreamName::from("StimulusReflex::Channel:bench");
    streams.follow(&stream).await.expect("follows");
    let mut page = String::from("<!DOCTYPE html><html><head><title>t</title></head><body><table>");
    for row in 0..200 {
        page.push_str(&format!(
            "<tr id=\"row-{row}\"><td>{row}</td><td>name {row}</td></tr>"
        ));
    }
    page.push_str("</table></body></html>");
    let engine = Engine::builder(streams, Arc::new(OnePage(page.into())))
        .reflex(Bench)
        .build()
        .expect("one reflex");
    let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    let client = Arc::new(
        Client::new(stream, Arc::new(Handshake::default()))
            .with_session(sessions, SessionId::generate()),
    );
    for (target, calls) in [
        ("Bench#nothing", CALLS),
        ("Bench#selector", CALLS),
        ("Bench#session", CALLS),
        ("Bench#page", CALLS / 20),
    ] {
        let text = call(target);
        // One at a time, as one visitor clicks: each run starts and ends its lane.
        let (start, start_cpu) = (Instant::now(), cpu());
        let bytes = counter.bytes.load(Ordering::Relaxed);
        for _ in 0..calls {
            let before = counter.messages.load(Ordering::Acquire);
            engine.receive(&client, &text);
            while counter.messages.load(Ordering::Acquire) == before {
                counter.heard.notified().await;
            }
        }
        let (wall, busy) = (start.elapsed(), cpu() - start_cpu);
        println!(
            "{target}: {:.0} per second, {:.2} µs cpu each, {} bytes in, {} out",
            calls as f64 / wall.as_secs_f64(),
            busy.as_secs_f64() * 1e6 / calls as f64,
            text.len(),
            (counter.bytes.load(Ordering::Relaxed) - bytes) / calls,
        );
    }
}
