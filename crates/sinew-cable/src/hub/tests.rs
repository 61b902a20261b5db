use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use futures_util::future::BoxFuture;
use sinew_streams::{InProcessStreams, StreamsError};

use super::*;
use crate::Config;
use crate::context::ConnectionId;
use crate::statistics::Counters;

fn node() -> Arc<Node> {
    Arc::new(Node {
        config: Config::default(),
        counters: Counters::default(),
    })
}

fn mailbox(node: &Arc<Node>, id: u64) -> Arc<Mailbox> {
    let mailbox = Arc::new(Mailbox::new(ConnectionId(id), node.clone()));
    mailbox.open();
    mailbox
}

/// The frames waiting in a mailbox.
fn frames(mailbox: &Mailbox) -> Vec<Bytes> {
    mailbox
        .take(usize::MAX)
        .into_iter()
        .filter_map(|mail| match mail {
            Mail::Frame(frame) => Some(frame),
            _ => None,
        })
        .collect()
}

fn seat(joined: &Joined) -> Seat {
    match joined {
        Joined::Followed(seat) | Joined::Following(seat) => *seat,
    }
}

#[test]
fn frame_is_encoded_once_per_identifier_and_shared() {
    let node = node();
    let hub = Hub::new(node.clone());
    let streams = InProcessStreams::new();
    let news = StreamName::from("news");
    let mailboxes: Vec<_> = (0..4).map(|id| mailbox(&node, id)).collect();
    for (at, identifier) in [(0, "a"), (1, "a"), (2, "b"), (3, "a")] {
        hub.join(&streams, &news, &identifier.into(), &mailboxes[at]);
    }
    hub.deliver(&news, Position::from_offset(1), &Bytes::from_static(b"1"));
    let got: Vec<_> = mailboxes.iter().map(|mailbox| frames(mailbox)).collect();
    let addresses: BTreeSet<_> = got.iter().flatten().map(|frame| frame.as_ptr()).collect();
    assert_eq!(addresses.len(), 2, "two identifiers, two encodings");
    assert_eq!(got[0][0].as_ptr(), got[3][0].as_ptr());
    assert_eq!(&got[2][0][2..], br#"{"identifier":"b","message":1}"#);
    assert_eq!(node.counters.read().broadcast_deliveries, 4);
}

/// Against a plain list: the same joins and leaves, and always the same audience.
#[test]
fn audience_is_that_of_a_naive_model() {
    let node = node();
    let hub = Hub::new(node.clone());
    let streams = InProcessStreams::new();
    let news = StreamName::from("news");
    let mailboxes: Vec<_> = (0..12).map(|id| mailbox(&node, id)).collect();
    let mut model: Vec<(usize, Identifier, Seat)> = Vec::new();
    let mut random = 1_u64;
    for step in 0..2000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let number = (random >> 33) as usize;
        if number.is_multiple_of(2) || model.is_empty() {
            let who = number / 2 % mailboxes.len();
            let identifier = Identifier::from(["a", "b", "c"][number / 64 % 3]);
            let joined = hub.join(&streams, &news, &identifier, &mailboxes[who]);
            model.push((who, identifier, seat(&joined)));
        } else {
            let (_, identifier, seat) = model.swap_remove(number / 2 % model.len());
            hub.leave(&streams, &news, &identifier, seat);
        }
        if step % 10 == 0 {
            hub.deliver(&news, Position::from_offset(1), &Bytes::from_static(b"1"));
            for (who, mailbox) in mailboxes.iter().enumerate() {
                let expected = model.iter().filter(|(member, ..)| *member == who).count();
                assert_eq!(frames(mailbox).len(), expected, "step {step}");
            }
        }
    }
    for (_, identifier, seat) in model {
        hub.leave(&streams, &news, &identifier, seat);
    }
    assert!(
        hub.gate(&news).lock().is_empty(),
        "nothing is kept of a stream no one follows"
    );
}

/// Streams of other nodes: following takes time.
#[derive(Default)]
struct FarStreams {
    followed: Mutex<BTreeSet<StreamName>>,
    ready: AtomicBool,
}

impl Streams for FarStreams {
    fn attach(&self, _: Arc<dyn Sink>) -> Result<(), StreamsError> {
        Ok(())
    }

    fn publish(&self, _: &StreamName, _: Bytes) -> BoxFuture<'_, Result<Position, StreamsError>> {
        Box::pin(std::future::ready(Ok(Position::from_offset(1))))
    }

    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
        self.followed.lock().insert(stream.clone());
        Box::pin(std::future::poll_fn(|_| {
            if self.ready.load(Relaxed) {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        }))
    }

    fn unfollow(&self, stream: &StreamName) {
        self.followed.lock().remove(stream);
    }
}

#[test]
fn everyone_waits_until_a_stream_of_other_nodes_is_followed() {
    let node = node();
    let hub = Hub::new(node.clone());
    let streams = FarStreams::default();
    let news = StreamName::from("news");
    let (one, two) = (mailbox(&node, 1), mailbox(&node, 2));
    let identifier = Identifier::from("a");
    let first = hub.join(&streams, &news, &identifier, &one);
    let second = hub.join(&streams, &news, &identifier, &two);
    assert!(matches!(first, Joined::Following(_)));
    assert!(matches!(second, Joined::Following(_)));
    hub.followed(&news);
    let third = hub.join(&streams, &news, &identifier, &one);
    assert!(matches!(third, Joined::Followed(_)));
    for joined in [first, second, third] {
        assert!(
            streams.followed.lock().contains(&news),
            "while anyone is there"
        );
        hub.leave(&streams, &news, &identifier, seat(&joined));
    }
    assert!(streams.followed.lock().is_empty(), "left with the last one");
}
