//! Messages over sockets: broadcasts to many, replies to one, and what browsers send.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;
use serde_json::value::RawValue;
use sinew::cable::InProcessStreams;
use sinew_cable::{
    Answer, Application, Broadcaster, Cable, Config, Confirmation, ConnectRequest,
    ConnectionIdentifiers, DirectChannel, DirectSubscription,
};
use sinew_web::{CableEndpoint, WebSocketConfig};
use tokio::runtime::{Builder, Runtime};

use crate::browsers::{Audience, Browser};
use crate::cpu::{self, BROWSERS};
use crate::{markup, median};

const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_millis(400);
const SUBSCRIBERS: [usize; 4] = [1, 10, 100, 1000];
const SIZES: [usize; 2] = [2000, 20_000];

/// One side of a comparison, in one round.
#[derive(Clone, Copy)]
struct Measured {
    /// Of the server, for one broadcast or one message and its answer.
    cpu_us: f64,
    received: f64,
    sent: f64,
}

/// Follows the stream that the identifier names.
struct News;

impl DirectChannel for News {
    fn name(&self) -> &str {
        "News"
    }

    fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
        let stream = subscription.identifier().as_str().to_owned();
        Confirmation::new().stream_from(stream).into()
    }

    fn perform(&self, _: DirectSubscription<'_>, _: &str) {}
}

/// Answers each message with the next of its own.
struct Replies {
    name: String,
    messages: Vec<Box<RawValue>>,
    next: AtomicUsize,
}

impl Replies {
    fn new(name: String, messages: Vec<Box<RawValue>>) -> Arc<Self> {
        Arc::new(Self {
            name,
            messages,
            next: AtomicUsize::new(0),
        })
    }
}

impl DirectChannel for Replies {
    fn name(&self) -> &str {
        &self.name
    }

    fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
        Confirmation::new().into()
    }

    fn perform(&self, subscription: DirectSubscription<'_>, _: &str) {
        let number = self.next.fetch_add(1, Relaxed);
        subscription.transmit_json(self.messages[number % self.messages.len()].get());
    }
}

struct Server {
    runtime: Runtime,
    endpoint: CableEndpoint,
    broadcaster: Broadcaster,
    listener: TcpListener,
}

impl Server {
    fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let mut application = Application::new(async |_| Ok(ConnectionIdentifiers::new()))
            .direct_channel(Arc::new(News));
        for bytes in SIZES {
            application = application.direct_channel(Replies::new(
                format!("Replies{bytes}"),
                markup::morphs(bytes),
            ));
        }
        let short = RawValue::from_string("1".to_owned()).context("a number")?;
        let application = application.direct_channel(Replies::new("Calls".to_owned(), vec![short]));
        let mut config = Config::default();
        config.ping_interval = Duration::from_secs(3600);
        config.outbox_bytes_max = 1 << 30;
        let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
            .config(config)
            .build()?;
        let mut sockets = WebSocketConfig::default();
        sockets.shard_threads = 1;
        Ok(Self {
            broadcaster: cable.broadcaster(),
            endpoint: CableEndpoint::new(cable).config(sockets),
            runtime,
            listener: TcpListener::bind("127.0.0.1:0")?,
        })
    }

    /// A browser that is subscribed; the handshake is left out on both sides.
    fn browser(&self, deflate: bool, identifier: &str) -> Result<Browser> {
        let near = TcpStream::connect(self.listener.local_addr()?)?;
        near.set_nodelay(true)?;
        let (far, _) = self.listener.accept()?;
        far.set_nodelay(true)?;
        far.set_nonblocking(true)?;
        let request = ConnectRequest {
            deflate,
            ..ConnectRequest::default()
        };
        let _runtime = self.runtime.enter();
        let far = tokio::net::TcpStream::from_std(far)?;
        self.endpoint.serve_tcp(far, bytes::Bytes::new(), request)?;
        let mut browser = Browser::new(near, deflate);
        browser.subscribe(identifier)?;
        Ok(browser)
    }

    fn broadcasts(
        &self,
        stream: &str,
        audience: &Audience,
        messages: &[Box<RawValue>],
    ) -> Result<Measured> {
        let before = cpu::server_us()?;
        let begins = Instant::now();
        let (mut count, mut received) = (0, 0);
        while begins.elapsed() < TIME {
            let message = &messages[count % messages.len()];
            self.runtime
                .block_on(self.broadcaster.broadcast(stream, message))?;
            received += audience.hear()?;
            count += 1;
        }
        let each = |sum: f64| sum / count as f64;
        Ok(Measured {
            cpu_us: each(cpu::server_us()? - before),
            received: each(received as f64),
            sent: 0.0,
        })
    }
}

pub(crate) fn print() -> Result<()> {
    let server = Server::start()?;
    println!(
        "Medians of {ROUNDS} rounds, {} s for each side and round.\n",
        TIME.as_secs_f64()
    );
    println!(
        "| | bytes for each browser, off | on | server CPU µs, off | on | on − off | on ÷ off |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for bytes in SIZES {
        for subscribers in SUBSCRIBERS {
            let name = format!("broadcast of {bytes} B to {subscribers}");
            print_row(
                &name,
                subscribers,
                |_| 1.0,
                &broadcasts(&server, bytes, subscribers)?,
            );
        }
    }
    for bytes in SIZES {
        let channel = format!("Replies{bytes}");
        let rounds = conversations(&server, &channel, "0", bytes)?;
        print_row(&format!("reply of {bytes} B to one"), 1, |_| 1.0, &rounds);
    }
    let rounds = conversations(&server, "Calls", &markup::call(), 1)?;
    let name = format!(
        "call of {} B from one, answered shortly; bytes that it sends",
        markup::call().len()
    );
    print_row(
        &name,
        1,
        |measured| measured.sent / measured.received,
        &rounds,
    );
    Ok(())
}

/// Both sides in turns, in each round.
fn broadcasts(server: &Server, bytes: usize, subscribers: usize) -> Result<Vec<[Measured; 2]>> {
    let messages = markup::morphs(bytes);
    let audience = |deflate: bool| {
        let identifier =
            json!({"channel": "News", "of": bytes, "to": subscribers, "deflate": deflate})
                .to_string();
        let browsers = (0..subscribers).map(|_| server.browser(deflate, &identifier));
        let audience = Audience::start(browsers.collect::<Result<_>>()?, bytes)?;
        // Warm, and everybody is there.
        server.broadcasts(&identifier, &audience, &messages)?;
        Ok::<_, anyhow::Error>((identifier, audience))
    };
    let sides = [audience(false)?, audience(true)?];
    let side =
        |(stream, audience): &(String, Audience)| server.broadcasts(stream, audience, &messages);
    (0..ROUNDS)
        .map(|_| Ok([side(&sides[0])?, side(&sides[1])?]))
        .collect()
}

/// The same with one browser that speaks and is answered.
fn conversations(
    server: &Server,
    channel: &str,
    data: &str,
    answer_bytes: usize,
) -> Result<Vec<[Measured; 2]>> {
    let identifier = json!({"channel": channel}).to_string();
    let command = json!({"command": "message", "identifier": identifier, "data": data}).to_string();
    let mut sides = [
        server.browser(false, &identifier)?,
        server.browser(true, &identifier)?,
    ];
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let mut pair = Vec::new();
        for browser in &mut sides {
            let before = cpu::server_us()?;
            let (answers, sent, received) = thread::scope(|scope| {
                let talk = || browser.converse(&command, answer_bytes, TIME);
                let browser = thread::Builder::new()
                    .name(BROWSERS.to_owned())
                    .spawn_scoped(scope, talk)?;
                browser
                    .join()
                    .map_err(|_| anyhow!("the browser panicked"))?
            })?;
            let each = |sum: f64| sum / answers as f64;
            pair.push(Measured {
                cpu_us: each(cpu::server_us()? - before),
                received: each(received as f64),
                sent: each(sent as f64),
            });
        }
        // The first is to get warm.
        if round > 0 {
            rounds.push([pair[0], pair[1]]);
        }
    }
    Ok(rounds)
}

fn print_row(
    name: &str,
    browsers: usize,
    factor: impl Fn(&Measured) -> f64,
    rounds: &[[Measured; 2]],
) {
    let of = |value: &dyn Fn(&[Measured; 2]) -> f64| median(rounds.iter().map(value).collect());
    let bytes =
        |side: usize| of(&|round| round[side].received * factor(&round[side]) / browsers as f64);
    println!(
        "| {name} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {:.2} |",
        bytes(0),
        bytes(1),
        of(&|round| round[0].cpu_us),
        of(&|round| round[1].cpu_us),
        of(&|round| round[1].cpu_us - round[0].cpu_us),
        of(&|round| round[1].cpu_us / round[0].cpu_us),
    );
}
