//! The steps of a page morph, timed one by one in this process.
//!
//! What a server spends on a page morph beyond them goes to the socket, the dispatch and the runtime.

use std::fs;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use sinew::prelude::*;
use sinew::{
    cable_ready,
    session::{MemoryStore, Sessions},
};
use sinew_reflex::html::page_roots;
use sinew_websocket::SharedFrame;
use tower::ServiceExt as _;

use crate::page;

/// How long each step is repeated in one batch, and how many batches the median is of.
const BATCH_TIME: Duration = Duration::from_millis(60);
const BATCHES: usize = 15;
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Times each step and prints one line of JSON, in microseconds.
pub(crate) async fn print() -> Result {
    let app = page::router();
    let sessions = Sessions::new(std::sync::Arc::new(MemoryStore::new()));
    let document = render(&app, &sessions).await?;
    let roots = page_roots(&document, &["#bench"])?;
    let inside = roots
        .first()
        .ok_or("the page has no root")?
        .html
        .to_string();
    let frame = encode(&inside);

    let handler = {
        let mut batches = Vec::with_capacity(BATCHES);
        for _ in 0..BATCHES {
            let mut clock = Clock::start();
            while clock.goes_on() {
                black_box(render(&app, &sessions).await?);
            }
            batches.push(clock.stop());
        }
        median(batches)
    };
    let cut = time(|| drop(black_box(page_roots(black_box(&document), &["#bench"]))));
    let encode = time(|| drop(black_box(encode(black_box(&inside)))));
    let write = write(&frame)?;

    print_line(&serde_json::json!({
        "document_bytes": document.len(),
        "root_bytes": inside.len(),
        "frame_bytes": frame.len(),
        "handler_us": handler,
        "cut_us": cut,
        "encode_us": encode,
        "write_us": write,
    }));
    Ok(())
}

/// What the renderer does: the router answers a request that never was on a socket.
async fn render(app: &Router, sessions: &Sessions) -> Result<String> {
    let mut request = Request::get("/bench").body(Body::empty())?;
    request.extensions_mut().insert(sessions.create());
    let response = app.clone().oneshot(request).await?;
    let body = to_bytes(response.into_body(), PAGE_BYTES_MAX).await?;
    Ok(String::from_utf8(body.into())?)
}

/// The operation as JSON, and the frame around it.
fn encode(html: &str) -> Vec<u8> {
    let mut operations = cable_ready::Operations::new();
    operations.morph("#bench", html);
    let mut message = String::with_capacity(html.len() + html.len() / 4);
    cable_ready::write_message(
        &mut message,
        &operations,
        cable_ready::Scope::Reflex(Some("e44d0d5a")),
    );
    SharedFrame::text_from_parts(&[
        br#"{"identifier":"{\"channel\":\"StimulusReflex::Channel\"}","message":"#,
        message.as_bytes(),
        b"}",
    ])
    .into_bytes()
    .into()
}

/// Writing a frame to a socket on loopback whose other end reads it, which is not counted.
fn write(frame: &[u8]) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    let mut buffer = vec![0; frame.len()];
    let mut batches = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let (mut spent, mut count) = (Duration::ZERO, 0_u32);
        while spent < BATCH_TIME / 4 {
            let begins = Instant::now();
            near.write_all(frame)?;
            spent += begins.elapsed();
            count += 1;
            far.read_exact(&mut buffer)?;
        }
        batches.push(spent.as_secs_f64() * 1e6 / f64::from(count));
    }
    Ok(median(batches))
}

fn time(mut step: impl FnMut()) -> f64 {
    let batches = (0..BATCHES).map(|_| {
        let mut clock = Clock::start();
        while clock.goes_on() {
            step();
        }
        clock.stop()
    });
    median(batches.collect())
}

fn median(mut batches: Vec<f64>) -> f64 {
    batches.sort_unstable_by(f64::total_cmp);
    batches[batches.len() / 2]
}

/// Counts repetitions, and time on the processor where the kernel tells it: other programs run as well.
struct Clock {
    begins: Instant,
    on_processor: Option<u64>,
    repetitions: u32,
}

impl Clock {
    fn start() -> Self {
        Self {
            begins: Instant::now(),
            on_processor: on_processor(),
            repetitions: 0,
        }
    }

    fn goes_on(&mut self) -> bool {
        let goes_on = self.begins.elapsed() < BATCH_TIME;
        self.repetitions += u32::from(goes_on);
        goes_on
    }

    /// Microseconds for each repetition.
    fn stop(self) -> f64 {
        let nanoseconds = match (self.on_processor, on_processor()) {
            (Some(before), Some(after)) if after > before => (after - before) as f64,
            _ => self.begins.elapsed().as_nanos() as f64,
        };
        nanoseconds / 1e3 / f64::from(self.repetitions)
    }
}

fn on_processor() -> Option<u64> {
    let line = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    line.split_whitespace().next()?.parse().ok()
}

#[allow(clippy::print_stdout, reason = "the numbers are what it is for")]
fn print_line(line: &serde_json::Value) {
    println!("{line}");
}
