use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sinew_streams::InProcessStreams;

use super::*;

fn follows() -> Follows {
    Follows::new()
}

fn inbox() -> Arc<Inbox> {
    Arc::new(Inbox::new(100, Box::new(|| {})))
}

/// The streams of the messages that were posted.
fn posted(inbox: &Inbox) -> Vec<String> {
    let mut parcels = Vec::new();
    inbox.take(&mut parcels);
    let streams = parcels.into_iter().map(|parcel| match parcel {
        Parcel::Broadcast(stream, _) => stream.to_string(),
        _ => panic!("only broadcasts are posted here"),
    });
    streams.collect()
}

#[test]
fn message_is_posted_once_to_every_shard_that_follows() {
    let follows = follows();
    let streams = InProcessStreams::new();
    let inboxes = [inbox(), inbox(), inbox()];
    let numbers = inboxes.each_ref().map(|it| follows.add_shard(it.clone()));
    let news = StreamName::from("news");
    for shard in [numbers[0], numbers[2], numbers[2]] {
        follows.join(&streams, &news, shard);
    }
    let deliver = || follows.deliver(&news, Position::from_offset(1), &Bytes::from_static(b"1"));
    deliver();
    assert_eq!(posted(&inboxes[0]), ["news"]);
    assert!(posted(&inboxes[1]).is_empty());
    assert_eq!(posted(&inboxes[2]), ["news"]);

    follows.leave(&streams, &news, numbers[2]);
    follows.remove_shard(numbers[2]);
    deliver();
    assert_eq!(posted(&inboxes[0]), ["news"]);
    assert!(posted(&inboxes[2]).is_empty());
    assert_eq!(follows.add_shard(inbox()), numbers[2], "used again");
    assert_eq!(follows.statistics().broadcasts, 2);
}

#[test]
fn pressure_of_any_shard_is_that_of_the_node() {
    let follows = follows();
    let streams = InProcessStreams::new();
    let inboxes = [inbox(), inbox()];
    let numbers = inboxes.each_ref().map(|it| follows.add_shard(it.clone()));
    let news = StreamName::from("news");
    follows.join(&streams, &news, numbers[1]);
    let payload = Bytes::from(vec![b'1'; 60]);
    follows.deliver(&news, Position::from_offset(1), &payload);
    assert!(follows.pressure().is_none());
    follows.deliver(&news, Position::from_offset(2), &payload);
    let relief = follows.pressure().expect("over its bound");
    posted(&inboxes[1]);
    futures_util::FutureExt::now_or_never(relief).expect("taken");
    assert!(follows.pressure().is_none());
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
    let follows = follows();
    let streams = FarStreams::default();
    let numbers = [inbox(), inbox()].map(|it| follows.add_shard(it));
    let news = StreamName::from("news");
    assert_eq!(follows.join(&streams, &news, numbers[0]), Joined::Following);
    assert_eq!(follows.join(&streams, &news, numbers[1]), Joined::Following);
    follows.followed(&news);
    assert_eq!(follows.join(&streams, &news, numbers[0]), Joined::Followed);
    for shard in numbers {
        assert!(
            streams.followed.lock().contains(&news),
            "while anyone is there"
        );
        follows.leave(&streams, &news, shard);
    }
    assert!(streams.followed.lock().is_empty(), "left with the last one");
    assert!(follows.gate(&news).lock().streams.is_empty());
}

#[test]
fn nobody_waits_for_a_stream_that_all_have_left() {
    let follows = follows();
    let streams = FarStreams::default();
    let shard = follows.add_shard(inbox());
    let news = StreamName::from("news");
    follows.join(&streams, &news, shard);
    assert!(follows.wait(&streams, &news).is_some());
    follows.leave(&streams, &news, shard);
    assert!(follows.wait(&streams, &news).is_none());
    assert!(streams.followed.lock().is_empty());
}
