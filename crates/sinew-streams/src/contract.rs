//! The suite that every implementation of [`Streams`] runs on itself.
//!
//! Each function takes fresh, empty streams and panics when an obligation is broken.
//! [`run_all`] runs them all, each on streams of its own. They wait for deliveries, never for time to pass; a lost delivery shows as a test that
//! does not end, so run them under the test runner's own time limit.
//!
//! ```
//! use sinew_streams::{InProcessStreams, contract};
//!
//! futures_util::FutureExt::now_or_never(contract::run_all(InProcessStreams::new)).expect("in process nothing waits");
//! ```

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use std::task::{Poll, Waker};

use crate::{Position, Sink, StreamName, Streams, StreamsError};

/// Runs every check, each on fresh streams, which `make` gives.
///
/// # Panics
///
/// When an obligation is broken.
///
/// ```
/// use futures_util::FutureExt;
/// use sinew_streams::{InProcessStreams, contract};
///
/// let kept = contract::run_all(InProcessStreams::new);
/// assert!(kept.now_or_never().is_some(), "in process nothing waits");
/// ```
pub async fn run_all<S: Streams>(make: impl Fn() -> S) {
    followed_stream_is_delivered_unchanged(make()).await;
    messages_of_a_stream_keep_their_order(make()).await;
    positions_grow(make()).await;
    publishing_to_nobody_succeeds(make()).await;
    only_followed_streams_are_delivered(make()).await;
    nothing_is_delivered_after_unfollow(make()).await;
    following_twice_delivers_once(make()).await;
    one_unfollow_ends_it(make()).await;
    a_stream_can_be_followed_again(make()).await;
    second_sink_is_refused(make()).await;
}

/// What a recording sink saw: stream, position, payload.
type Delivery = (String, Position, Bytes);

/// A sink that keeps what it gets and lets a test wait for it.
#[derive(Default)]
struct Recorder {
    state: Mutex<(Vec<Delivery>, Option<Waker>)>,
}

impl Sink for Recorder {
    fn deliver(&self, stream: &StreamName, position: Position, payload: &Bytes) {
        let mut state = self.state.lock();
        state
            .0
            .push((stream.to_string(), position, payload.clone()));
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

impl Recorder {
    fn on(streams: &impl Streams) -> Arc<Self> {
        let recorder = Arc::new(Self::default());
        streams
            .attach(recorder.clone())
            .expect("fresh streams have no sink");
        recorder
    }

    /// Waits until that many deliveries have come, and takes them all.
    async fn wait(&self, count: usize) -> Vec<Delivery> {
        std::future::poll_fn(|context| {
            let mut state = self.state.lock();
            if state.0.len() >= count {
                return Poll::Ready(std::mem::take(&mut state.0));
            }
            state.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Waits for a message that was published last, and takes what came before it: proof that nothing else came.
    async fn until(&self, streams: &impl Streams, last: &StreamName) -> Vec<Delivery> {
        streams.follow(last).await.expect("follows");
        publish(streams, last, "\"last\"").await;
        let mut seen = Vec::new();
        loop {
            seen.extend(self.wait(1).await);
            if seen
                .last()
                .is_some_and(|(_, _, payload)| payload == "\"last\"")
            {
                seen.pop();
                return seen;
            }
        }
    }
}

async fn publish(streams: &impl Streams, stream: &StreamName, payload: &str) -> Position {
    streams
        .publish(stream, Bytes::copy_from_slice(payload.as_bytes()))
        .await
        .expect("publishes")
}

/// A message reaches the sink byte for byte, with its stream and the position that `publish` gave.
pub async fn followed_stream_is_delivered_unchanged(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let news = StreamName::from("news: größe \u{1f600}");
    streams.follow(&news).await.expect("follows");
    let payload = "{\"z\":1,\"a\":9007199254740993,\"text\":\"\u{2028}</script>\"}";
    let position = publish(&streams, &news, payload).await;
    let seen = recorder.wait(1).await;
    assert_eq!(
        seen,
        [(
            news.to_string(),
            position,
            Bytes::from_static(payload.as_bytes())
        )]
    );
}

/// A thousand messages, published one after another, arrive in that order.
pub async fn messages_of_a_stream_keep_their_order(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let news = StreamName::from("news");
    streams.follow(&news).await.expect("follows");
    for number in 0..1000 {
        publish(&streams, &news, &number.to_string()).await;
    }
    let seen = recorder.wait(1000).await;
    assert_eq!(seen.len(), 1000, "each message once");
    for (number, (_, _, payload)) in seen.iter().enumerate() {
        assert_eq!(payload, &number.to_string());
    }
}

/// Positions of one stream grow, also across other streams' messages and while no one follows.
pub async fn positions_grow(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let (news, other) = (StreamName::from("news"), StreamName::from("other"));
    let mut last = publish(&streams, &news, "0").await;
    streams.follow(&news).await.expect("follows");
    for number in 1..20 {
        publish(&streams, &other, "0").await;
        let position = publish(&streams, &news, &number.to_string()).await;
        assert!(position > last, "{position:?} after {last:?}");
        last = position;
    }
    let seen = recorder.wait(19).await;
    assert!(seen.is_sorted_by(|one, next| one.1 < next.1));
}

/// No sink, no follower: `publish` succeeds.
pub async fn publishing_to_nobody_succeeds(streams: impl Streams) {
    publish(&streams, &StreamName::from("empty"), "1").await;
}

/// A stream that is not followed is silent.
pub async fn only_followed_streams_are_delivered(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    streams.follow(&"news".into()).await.expect("follows");
    publish(&streams, &"new".into(), "1").await;
    publish(&streams, &"news:1".into(), "2").await;
    assert_eq!(recorder.until(&streams, &"news".into()).await, []);
}

/// What is published after `unfollow` does not arrive.
pub async fn nothing_is_delivered_after_unfollow(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let news = StreamName::from("news");
    streams.follow(&news).await.expect("follows");
    publish(&streams, &news, "1").await;
    recorder.wait(1).await;
    streams.unfollow(&news);
    publish(&streams, &news, "2").await;
    assert_eq!(recorder.until(&streams, &"other".into()).await, []);
}

/// `follow` is not counted: two of them, and still each message once.
pub async fn following_twice_delivers_once(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let news = StreamName::from("news");
    streams.follow(&news).await.expect("follows");
    streams.follow(&news).await.expect("follows");
    publish(&streams, &news, "1").await;
    assert_eq!(recorder.until(&streams, &"other".into()).await.len(), 1);
}

/// `follow` is not counted: one `unfollow` ends two of them.
pub async fn one_unfollow_ends_it(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let news = StreamName::from("news");
    streams.follow(&news).await.expect("follows");
    streams.follow(&news).await.expect("follows");
    streams.unfollow(&news);
    publish(&streams, &news, "1").await;
    assert_eq!(recorder.until(&streams, &"other".into()).await, []);
}

/// Calls take effect in their order, even when no one waits for a `follow` to resolve.
pub async fn a_stream_can_be_followed_again(streams: impl Streams) {
    let recorder = Recorder::on(&streams);
    let news = StreamName::from("news");
    drop(streams.follow(&news));
    streams.unfollow(&news);
    streams.follow(&news).await.expect("follows");
    publish(&streams, &news, "1").await;
    assert_eq!(recorder.wait(1).await.len(), 1);
}

/// A node has one receiving end.
pub async fn second_sink_is_refused(streams: impl Streams) {
    Recorder::on(&streams);
    let refused = streams.attach(Arc::new(Recorder::default()));
    assert!(matches!(refused, Err(StreamsError::AlreadyAttached)));
}
