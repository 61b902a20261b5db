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
        let decoder = Endpoint::new(Role::Client, &Limits::default());
        let incoming = self.cable.incoming();
        self.shard
            .open(Instant::now(), incoming, Arc::default(), decoder)
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

fn cable(config: Config) -> Cable {
    let application = Application::new(anyone).direct_channel(Arc::new(News));
    Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .config(config)
        .build()
        .expect("fresh streams")
}

async fn welcomed(driver: &mut Driver) -> Key {
    let key = driver.open();
    driver.mail().await;
    driver.take_mail();
    assert_eq!(driver.written(key), [r#"{"type":"welcome"}"#]);
    key
}

fn subscribe(driver: &mut Driver, key: Key, identifier: &str) {
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
        let first = shard.shard.links.get(keys[0].0).expect("there");
        let second = shard.shard.links.get(keys[1].0).expect("there");
        let address = |link: &Link<_>| {
            let mut slices = [IoSlice::new(&[]); 1];
            link.outbox.as_ref().expect("has it").slices(&mut slices);
            slices[0].as_ptr()
        };
        assert_eq!(address(first), address(second), "the bytes are shared");
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
    driver.shard.ping(Instant::now(), 0);
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
    for _ in 0..wheel::SLOTS * 2 {
        driver.shard.ping(Instant::now(), 1_747_843_200);
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
    for _ in 0..wheel::SLOTS * 2 {
        driver.shard.ping(later, 1_747_843_200);
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
