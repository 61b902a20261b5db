//! A shard driven by hand: no socket, one connection at a time looked at.

use std::io::IoSlice;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use sinew_streams::InProcessStreams;
use sinew_websocket::{Effect, Endpoint, Limits, Role};

use super::*;
use crate::{Application, Config, ConnectionIdentifiers, Refusal};

/// A client's end of a connection: what its socket would bring.
type Decoder = Endpoint;

/// A shard and whoever waits for it.
pub(crate) struct Driver {
    cable: Cable,
    shard: Shard<Decoder>,
    woken: Arc<Mutex<Option<Waker>>>,
}

impl Driver {
    pub(crate) fn new(cable: &Cable) -> Self {
        let woken = Arc::new(Mutex::new(None::<Waker>));
        let wakes = woken.clone();
        let shard = Shard::new(cable, move || {
            if let Some(waker) = wakes.lock().expect("not poisoned").take() {
                waker.wake();
            }
        });
        Self {
            cable: cable.clone(),
            shard,
            woken,
        }
    }

    pub(crate) fn open(&mut self) -> Key {
        self.open_with(ConnectRequest::default())
    }

    pub(crate) fn open_with(&mut self, request: ConnectRequest) -> Key {
        let decoder = Endpoint::new(Role::Client, &Limits::default());
        let decoder = match request.deflate {
            true => decoder.with_deflate(),
            false => decoder,
        };
        let incoming = self.cable.incoming();
        self.shard
            .open(Instant::now(), incoming, Arc::new(request), decoder)
    }

    /// How many ticks make that time.
    fn ticks(&self, time: Duration) -> u32 {
        u32::from(self.shard.wheel.ticks(time))
    }

    /// What is to be written first: its first byte, how long it is, and where it stands.
    pub(crate) fn first_frame(&self, key: Key) -> (u8, usize, *const u8) {
        let link = self.shard.links.get(key.0).expect("there");
        let mut slices = [IoSlice::new(&[]); 1];
        let outbox = link.outbox.as_ref().expect("something to write");
        assert_eq!(outbox.slices(&mut slices), 1);
        (slices[0][0], slices[0].len(), slices[0].as_ptr())
    }

    pub(crate) fn receive(&mut self, key: Key, text: &str) {
        let mut visit = self.shard.visit(key).expect("there");
        visit.line.receive_text(Instant::now(), text);
    }

    /// What was written to the socket; everything is taken.
    pub(crate) fn written(&mut self, key: Key) -> Vec<String> {
        let Some(visit) = self.shard.visit(key) else {
            return Vec::new();
        };
        let (decoder, mut line) = (visit.peer, visit.line);
        let mut texts = Vec::new();
        while let Some(outbox) = line.outbox().filter(|outbox| !outbox.is_empty()) {
            let mut slices = [IoSlice::new(&[]); 4];
            let count = outbox.slices(&mut slices);
            let mut bytes: Vec<u8> = slices[..count]
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect();
            outbox.advance(bytes.len());
            decoder.receive(&mut bytes, |effect| match effect {
                Effect::Text(text) => texts.push(text.to_owned()),
                Effect::Send(_) => texts.push("pong".to_owned()),
                other => panic!("only text is sent, not {other:?}"),
            });
        }
        self.shard.recycle(key);
        texts
    }

    pub(crate) fn take_mail(&mut self) -> bool {
        self.shard.take_mail(Instant::now())
    }

    /// Waits until there is mail, and leaves it there.
    pub(crate) async fn mail(&mut self) {
        std::future::poll_fn(|context| {
            *self.woken.lock().expect("not poisoned") = Some(context.waker().clone());
            while self.shard.next_dirty().is_some() {}
            if self.shard.departing.is_empty() && self.shard.inbox.sleep() {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    pub(crate) fn closing(&mut self, key: Key) -> Option<Closing> {
        self.shard.visit(key)?.line.closing()
    }

    pub(crate) fn remove(&mut self, key: Key) {
        self.shard.remove(key);
        self.take_mail();
    }
}

async fn anyone(_: Arc<ConnectRequest>) -> Result<ConnectionIdentifiers, Refusal> {
    Ok(ConnectionIdentifiers::new().with("user", "ann"))
}

/// Streams named by the identifier's `stream`.
struct News;

impl crate::DirectChannel for News {
    fn name(&self) -> &str {
        "News"
    }

    fn subscribed(&self, subscription: crate::DirectSubscription<'_>) -> crate::Answer {
        let stream = match subscription.identifier().as_str().contains("other") {
            true => "other",
            false => "news",
        };
        crate::Confirmation::new().stream_from(stream).into()
    }

    fn perform(&self, subscription: crate::DirectSubscription<'_>, data: &str) {
        subscription.transmit_json(data);
    }
}

pub(crate) fn cable(config: Config) -> Cable {
    let application = Application::new(anyone).direct_channel(Arc::new(News));
    Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .config(config)
        .build()
        .expect("fresh streams")
}

async fn welcomed(driver: &mut Driver) -> Key {
    welcomed_with(driver, ConnectRequest::default()).await
}

pub(crate) async fn welcomed_with(driver: &mut Driver, request: ConnectRequest) -> Key {
    let key = driver.open_with(request);
    driver.mail().await;
    driver.take_mail();
    assert_eq!(driver.written(key), [r#"{"type":"welcome"}"#]);
    key
}

pub(crate) fn subscribe(driver: &mut Driver, key: Key, identifier: &str) {
    let command = serde_json::json!({"command": "subscribe", "identifier": identifier});
    driver.receive(key, &command.to_string());
    let texts = driver.written(key);
    assert!(
        texts[0].ends_with(r#""type":"confirm_subscription"}"#),
        "{texts:?}"
    );
}

const NEWS: &str = r#"{"channel":"News"}"#;

#[tokio::test]
async fn broadcast_reaches_followers_of_every_shard_encoded_once_in_each() {
    let cable = cable(Config::default());
    let mut shards = [Driver::new(&cable), Driver::new(&cable)];
    let mut keys = Vec::new();
    for shard in &mut shards {
        for _ in 0..2 {
            let key = welcomed(shard).await;
            subscribe(shard, key, NEWS);
            keys.push(key);
        }
    }
    cable
        .broadcaster()
        .broadcast("news", &1)
        .await
        .expect("broadcasts");
    cable
        .broadcaster()
        .broadcast("other", &2)
        .await
        .expect("broadcasts");
    for (shard, keys) in shards.iter_mut().zip(keys.chunks(2)) {
        assert!(shard.take_mail());
        let (first, second) = (shard.first_frame(keys[0]), shard.first_frame(keys[1]));
        assert_eq!(first, second, "the bytes are shared");
        for key in keys {
            assert_eq!(
                shard.written(*key),
                [r#"{"identifier":"{\"channel\":\"News\"}","message":1}"#]
            );
        }
    }
    assert_eq!(cable.statistics().broadcast_deliveries, 4);
}

#[tokio::test]
async fn messages_that_come_together_are_one_errand() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let key = welcomed(&mut driver).await;
    subscribe(&mut driver, key, NEWS);
    while driver.shard.next_dirty().is_some() {}
    for number in 0..5 {
        cable
            .broadcaster()
            .broadcast("news", &number)
            .await
            .expect("broadcasts");
    }
    driver.take_mail();
    assert_eq!(driver.shard.next_dirty(), Some(key));
    assert_eq!(driver.shard.next_dirty(), None);
    assert_eq!(driver.written(key).len(), 5);
}

#[tokio::test]
async fn queue_over_its_bound_is_dropped_and_the_connection_told() {
    let cases: [(usize, usize); 2] = [(100, 1000), (1 << 20, 3)];
    for (bytes, messages) in cases {
        let cable = cable(Config {
            outbox_bytes_max: bytes,
            outbox_messages_max: messages,
            ..Config::default()
        });
        let mut driver = Driver::new(&cable);
        let key = welcomed(&mut driver).await;
        subscribe(&mut driver, key, NEWS);
        for _ in 0..5 {
            let broadcast = cable.broadcaster();
            broadcast
                .broadcast("news", &"x".repeat(40))
                .await
                .expect("broadcasts");
        }
        driver.take_mail();
        assert_eq!(
            driver.written(key),
            [r#"{"type":"disconnect","reason":"too_slow","reconnect":true}"#]
        );
        assert_eq!(driver.closing(key).map(|closing| closing.code), Some(1000));
        assert_eq!(cable.statistics().slow_connections, 1);
    }
}

#[tokio::test]
async fn queues_of_stalled_connections_are_bounded_in_memory() {
    const BYTES_MAX: usize = 10_000;
    let cable = cable(Config {
        outbox_bytes_max: BYTES_MAX,
        ..Config::default()
    });
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for _ in 0..100 {
        let key = welcomed(&mut driver).await;
        subscribe(&mut driver, key, NEWS);
        keys.push(key);
    }
    let (stalled, healthy) = keys.split_at(10);
    let message = "x".repeat(1000);
    for _ in 0..50 {
        let broadcaster = cable.broadcaster();
        broadcaster
            .broadcast("news", &message)
            .await
            .expect("broadcasts");
        driver.take_mail();
        for key in healthy {
            assert_eq!(driver.written(*key).len(), 1, "they get every one");
        }
        for key in stalled {
            let link = driver.shard.links.get(key.0).expect("there");
            let (_, bytes) = link.outbox.as_ref().expect("waits").load();
            assert!(bytes < BYTES_MAX + 1100, "one message over it: {bytes}");
        }
    }
    for key in stalled {
        assert_eq!(
            driver.written(*key),
            [r#"{"type":"disconnect","reason":"too_slow","reconnect":true}"#],
            "the rest was dropped when it was cut off"
        );
    }
    assert_eq!(cable.statistics().slow_connections, 10);
}

#[tokio::test]
async fn queues_are_counted_however_they_end() {
    let cable = cable(Config {
        outbox_messages_max: 3,
        ..Config::default()
    });
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for _ in 0..3 {
        let key = welcomed(&mut driver).await;
        subscribe(&mut driver, key, NEWS);
        keys.push(key);
    }
    assert_eq!(cable.statistics().outgoing_messages(), 0, "all is written");
    let broadcast = async |count| {
        for _ in 0..count {
            cable
                .broadcaster()
                .broadcast("news", "hello")
                .await
                .expect("broadcasts");
        }
    };
    broadcast(2).await;
    assert!(cable.statistics().inbox_bytes > 0);
    driver.take_mail();
    driver.shard.ping(Instant::now(), Duration::ZERO);
    let waiting = cable.statistics();
    assert_eq!((waiting.inbox_bytes, waiting.outgoing_messages()), (0, 6));
    // When the second came, the first waited.
    assert_eq!(waiting.outgoing_bytes(), 6 * waiting.outgoing_bytes_max);
    assert_eq!((waiting.streams, waiting.broadcasts), (1, 2));
    assert_eq!(cable.shards()[0].connections, 3);

    // One writes what it has, one is too slow for more, one is gone.
    driver.written(keys[0]);
    driver.remove(keys[1]);
    broadcast(2).await;
    driver.take_mail();
    driver.written(keys[0]);
    driver.written(keys[2]);
    let over = cable.statistics();
    assert_eq!((over.outgoing_messages(), over.outgoing_bytes()), (0, 0));
    assert_eq!((over.messages_dropped, over.slow_connections), (5, 1));
    assert_eq!(over.disconnects(DisconnectReason::TooSlow), 1);
    assert!(over.bytes_received > 0);
    drop(driver);
    let after = cable.statistics();
    assert_eq!(after.messages_sent, over.messages_sent, "what was counted");
    assert_eq!((after.outgoing_bytes_max, cable.shards()), (0, Vec::new()));
}

#[tokio::test]
async fn mail_for_one_that_left_does_not_reach_the_next_in_its_place() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let key = welcomed(&mut driver).await;
    subscribe(&mut driver, key, NEWS);
    let context = ConnectionContext {
        mailbox: driver
            .shard
            .links
            .get(key.0)
            .expect("there")
            .mailbox
            .clone(),
    };
    let identifier = NEWS.into();
    assert!(context.transmit_json(&identifier, "1"));
    driver.remove(key);
    assert!(!context.transmit_json(&identifier, "2"), "it is gone");
    let next = welcomed(&mut driver).await;
    assert_eq!(next, key, "the place is used again");
    driver.take_mail();
    assert!(driver.written(next).is_empty());
    assert_eq!(cable.statistics().connections, 1);
}

#[tokio::test]
async fn pings_share_one_frame_of_whole_seconds_and_pass_by_whoever_is_not_welcome_yet() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for _ in 0..300 {
        keys.push(welcomed(&mut driver).await);
    }
    let waiting = driver.open();
    let mut pings = 0;
    let unix = Duration::new(1_747_843_200, 999_999_999);
    for _ in 0..driver.ticks(cable.config().ping_interval * 2) {
        driver.shard.ping(Instant::now(), unix);
        for key in &keys {
            for text in driver.written(*key) {
                assert_eq!(text, r#"{"type":"ping","message":1747843200}"#);
                pings += 1;
            }
        }
    }
    assert!((300..=600).contains(&pings), "{pings}");
    assert!(driver.written(waiting).is_empty());
}

#[tokio::test]
async fn each_connection_is_pinged_at_the_interval_it_asked_for() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for (query, seconds, digits) in [
        ("", 3, 10),
        ("pi=1", 1, 10),
        ("pi=10&ptp=ms", 10, 13),
        ("pi=30&ptp=ns", 30, 19),
        ("pi=3600", 60, 10),
    ] {
        let uri = format!("/cable?{query}").parse().expect("a path");
        let key = driver.open_with(ConnectRequest {
            uri,
            ..ConnectRequest::default()
        });
        driver.mail().await;
        driver.take_mail();
        assert_eq!(driver.written(key), [r#"{"type":"welcome"}"#]);
        keys.push((key, driver.ticks(Duration::from_secs(seconds)), digits));
    }
    let mut last = vec![None; keys.len()];
    let unix = Duration::from_secs(1_747_843_200);
    for tick in 0..driver.ticks(Duration::from_secs(60)) * 3 {
        driver.shard.ping(Instant::now(), unix);
        for ((key, period, digits), last) in keys.iter().zip(&mut last) {
            // Other messages do not take a ping's place.
            driver.receive(*key, r#"{"command":"ping"}"#);
            let mut texts = driver.written(*key);
            assert_eq!(texts.pop().as_deref(), Some(r#"{"type":"pong"}"#));
            let Some(text) = texts.pop() else {
                continue;
            };
            let digits_seen = text.bytes().filter(u8::is_ascii_digit).count();
            assert_eq!(digits_seen, *digits, "{text}");
            match last.replace(tick) {
                Some(last) => assert_eq!(tick - last, *period),
                None => assert!((period / 2..period * 3 / 2).contains(&tick), "{tick}"),
            }
        }
    }
    assert!(last.iter().all(Option::is_some));
}

#[tokio::test]
async fn client_that_shows_no_sign_of_life_is_asked_and_then_given_up() {
    let config = Config {
        pong_timeout: Duration::from_secs(12),
        ..Config::default()
    };
    let timeout = config.pong_timeout;
    let cable = cable(config);
    let mut driver = Driver::new(&cable);
    let (alive, dead) = (welcomed(&mut driver).await, welcomed(&mut driver).await);
    let mut asked = [0, 0];
    for _ in 0..driver.ticks(timeout * 2) {
        driver.shard.ping(Instant::now(), Duration::ZERO);
        for text in driver.written(alive) {
            assert_ne!(text, r#"{"type":"disconnect"}"#);
            if text == "pong" {
                asked[0] += 1;
                // The frame in which the client answers; no message is in it.
                let mut visit = driver.shard.visit(alive).expect("there");
                visit.line.read(Instant::now(), 6);
            }
        }
        let texts = driver.written(dead);
        asked[1] += texts.iter().filter(|text| *text == "pong").count();
        if driver.closing(dead).is_some() {
            assert_eq!(
                texts,
                [r#"{"type":"disconnect","reason":"no_pong","reconnect":true}"#]
            );
            driver.remove(dead);
        }
    }
    assert!(driver.closing(alive).is_none());
    assert!(driver.shard.visit(dead).is_none(), "given up");
    // Pings are 3 s apart; those at 6 and 9 s ask.
    assert_eq!(asked[1], 2);
    assert!((3..=4).contains(&asked[0]), "every 6 s: {asked:?}");
    assert_eq!(cable.statistics().silent_connections, 1);
}

#[tokio::test]
async fn nobody_is_given_up_who_is_not_read() {
    let config = Config {
        pong_timeout: Duration::from_secs(6),
        incoming_messages_per_second: 1,
        incoming_burst: Duration::ZERO,
        ..Config::default()
    };
    let cable = cable(config);
    let mut driver = Driver::new(&cable);
    let key = welcomed(&mut driver).await;
    let now = Instant::now();
    let mut visit = driver.shard.visit(key).expect("there");
    for _ in 0..20 {
        visit.line.receive_text(now, r#"{"command":"pong"}"#);
    }
    assert!(visit.line.pause(now).is_some());
    for _ in 0..driver.ticks(Duration::from_secs(60)) {
        driver.shard.ping(now, Duration::ZERO);
        driver.written(key);
    }
    assert!(driver.closing(key).is_none());
}

#[tokio::test]
async fn client_that_sends_too_fast_is_paused_and_one_that_floods_is_closed() {
    let config = Config {
        incoming_messages_per_second: 10,
        incoming_burst: Duration::from_secs(1),
        incoming_pause_max: Duration::from_secs(5),
        ..Config::default()
    };
    let cable = cable(config);
    let mut driver = Driver::new(&cable);
    let key = welcomed(&mut driver).await;
    let now = Instant::now();
    let send = |driver: &mut Driver, now, count| {
        let mut visit = driver.shard.visit(key).expect("there");
        for _ in 0..count {
            visit.line.receive_text(now, r#"{"command":"ping"}"#);
        }
        visit.line.pause(now)
    };
    assert_eq!(send(&mut driver, now, 10), None);
    assert_eq!(send(&mut driver, now, 10), Some(Duration::from_secs(1)));
    assert_eq!(driver.written(key).len(), 20, "nothing is lost");
    assert_eq!(cable.statistics().incoming_pauses, 1);

    let later = now + Duration::from_secs(1);
    assert_eq!(send(&mut driver, later, 0), None);
    assert_eq!(send(&mut driver, later, 61), None, "it has ended");
    let closing = driver.closing(key).expect("closed");
    assert_eq!((closing.code, closing.text), (1008, "Too many messages"));
    send(&mut driver, later, 1000);
    assert_eq!(driver.written(key).len(), 61, "and hears no more");
    let statistics = cable.statistics();
    assert_eq!(statistics.incoming_pauses, 1);
    assert_eq!(statistics.flooding_connections, 1);
}

#[tokio::test]
async fn names_are_kept_once_whatever_the_number_of_their_holders() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for _ in 0..5 {
        let key = welcomed(&mut driver).await;
        subscribe(&mut driver, key, NEWS);
        keys.push(key);
    }
    let held = |driver: &Driver, key: Key| {
        let link = driver.shard.links.get(key.0).expect("there");
        let subscribed = &link.connection.subscriptions()[0];
        let stream = subscribed.streams().next().expect("one");
        (
            subscribed.identifier().as_str().as_ptr(),
            stream.as_str().as_ptr(),
        )
    };
    let first = held(&driver, keys[0]);
    for key in &keys {
        assert_eq!(held(&driver, *key), first);
    }
    driver.shard.hub.for_each(&"news".into(), |identifier, _| {
        assert_eq!(identifier.as_str().as_ptr(), first.0);
    });
    // Also when those that came first are gone.
    driver.remove(keys[0]);
    let next = welcomed(&mut driver).await;
    subscribe(&mut driver, next, NEWS);
    assert_eq!(held(&driver, next), first);
}

#[tokio::test]
async fn connect_that_is_not_answered_in_time_is_given_up() {
    async fn never(_: Arc<ConnectRequest>) -> Result<ConnectionIdentifiers, Refusal> {
        std::future::pending().await
    }
    let cable = Cable::builder(
        Arc::new(Application::new(never)),
        Arc::new(InProcessStreams::new()),
    )
    .build()
    .expect("fresh streams");
    let mut driver = Driver::new(&cable);
    let key = driver.open();
    let later = Instant::now() + cable.config().connect_timeout;
    for _ in 0..driver.ticks(cable.config().ping_interval * 2) {
        driver.shard.ping(later, Duration::ZERO);
    }
    assert_eq!(
        driver.written(key),
        [r#"{"type":"disconnect","reason":"idle_timeout","reconnect":false}"#]
    );
    assert_eq!(cable.statistics().connections_refused, 1);
}

#[tokio::test]
async fn end_of_a_shard_ends_its_connections() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let key = welcomed(&mut driver).await;
    subscribe(&mut driver, key, NEWS);
    drop(driver);
    let statistics = cable.statistics();
    assert_eq!((statistics.connections, statistics.subscriptions), (0, 0));
    cable
        .broadcaster()
        .broadcast("news", &1)
        .await
        .expect("broadcasts");
    assert_eq!(cable.statistics().broadcast_deliveries, 0);
    cable.drain().await;
}

#[test]
fn idle_connection_is_small() {
    let each = size_of::<Option<Link<[u64; 4]>>>();
    assert!(each <= 208, "{each}");
}

#[tokio::test]
async fn connections_that_negotiated_compression_are_counted_until_they_are_gone() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let request = ConnectRequest {
        deflate: true,
        ..ConnectRequest::default()
    };
    let key = welcomed_with(&mut driver, request).await;
    welcomed(&mut driver).await;
    assert_eq!(driver.shard.deflating, 1);
    driver.remove(key);
    assert_eq!(driver.shard.deflating, 0);
}

#[tokio::test]
async fn restart_is_told_to_those_who_were_there_when_it_was_called() {
    let cable = cable(Config::default());
    let (mut one, mut other) = (Driver::new(&cable), Driver::new(&cable));
    let first = one.open();
    one.written(first);
    cable.restart();
    one.take_mail();
    assert!(one.closing(first).is_some());

    // The client is back on another shard, which has not read its order yet.
    let again = other.open();
    other.take_mail();
    assert!(other.closing(again).is_none());
    cable.restart();
    other.take_mail();
    assert!(other.closing(again).is_some());
}
