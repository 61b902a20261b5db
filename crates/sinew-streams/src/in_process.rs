use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use foldhash::fast::RandomState;
use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;

use crate::{Position, Sink, StreamName, Streams, StreamsError};

/// How many locks the streams are spread over, so that publishers of different streams seldom meet.
const LANES: usize = 64;

/// Streams of one process: the default when there is one node, and the double in tests.
///
/// `publish` has delivered when it returns: no task, no queue.
/// Its futures are ready at once, except that `publish` waits while the sink is under [pressure](Sink::pressure).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use bytes::Bytes;
/// use sinew_streams::{InProcessStreams, Position, Sink, StreamName, Streams, StreamsError};
///
/// struct Count(AtomicUsize);
/// impl Sink for Count {
///     fn deliver(&self, _: &StreamName, _: Position, _: &Bytes) {
///         self.0.fetch_add(1, Relaxed);
///     }
/// }
///
/// let count = Arc::new(Count(0.into()));
/// let streams = InProcessStreams::new();
/// streams.attach(count.clone())?;
/// assert!(matches!(streams.attach(count.clone()), Err(StreamsError::AlreadyAttached)));
///
/// // The call itself does it; its future only tells.
/// let news = StreamName::from("news");
/// drop(streams.follow(&news));
/// drop(streams.publish(&news, Bytes::from("1")));
/// assert_eq!(count.0.load(Relaxed), 1);
/// streams.unfollow(&news);
/// drop(streams.publish(&news, Bytes::from("2")));
/// assert_eq!(count.0.load(Relaxed), 1);
/// # Ok::<(), StreamsError>(())
/// ```
pub struct InProcessStreams {
    sink: OnceLock<Arc<dyn Sink>>,
    hasher: RandomState,
    lanes: [Lane; LANES],
}

/// A share of the streams.
#[derive(Default)]
struct Lane {
    /// The last offset given. Held while delivering, which is what keeps the order.
    /// One count for all streams of the lane: it grows for each of them, and costs no memory per stream.
    offset: Mutex<u64>,
    /// Not held while delivering, so that the sink's own locks may be held by one who follows.
    followed: Mutex<HashSet<StreamName, RandomState>>,
}

impl InProcessStreams {
    /// Streams that no one follows yet.
    pub fn new() -> Self {
        Self {
            sink: OnceLock::new(),
            hasher: RandomState::default(),
            lanes: std::array::from_fn(|_| Lane::default()),
        }
    }

    fn lane(&self, stream: &StreamName) -> &Lane {
        let hash = self.hasher.hash_one(stream.as_str());
        // The top bits: the set inside the lane takes its own from the bottom.
        &self.lanes[(hash >> (u64::BITS - LANES.ilog2())) as usize]
    }
}

impl Default for InProcessStreams {
    fn default() -> Self {
        Self::new()
    }
}

impl Streams for InProcessStreams {
    fn attach(&self, sink: Arc<dyn Sink>) -> Result<(), StreamsError> {
        self.sink
            .set(sink)
            .map_err(|_| StreamsError::AlreadyAttached)
    }

    fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<Position, StreamsError>> {
        let lane = self.lane(stream);
        let mut offset = lane.offset.lock();
        *offset += 1;
        let position = Position::from_offset(*offset);
        let followed = lane.followed.lock().contains(stream);
        let Some(sink) = self.sink.get().filter(|_| followed) else {
            return Box::pin(ready(Ok(position)));
        };
        sink.deliver(stream, position, &payload);
        drop(offset);
        match sink.pressure() {
            None => Box::pin(ready(Ok(position))),
            Some(relief) => Box::pin(async move {
                relief.await;
                Ok(position)
            }),
        }
    }

    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
        self.lane(stream).followed.lock().insert(stream.clone());
        Box::pin(ready(Ok(())))
    }

    fn unfollow(&self, stream: &StreamName) {
        let mut followed = self.lane(stream).followed.lock();
        followed.remove(stream);
        // Give the memory back after a crowd has left.
        if followed.capacity() > 64 && followed.len() < followed.capacity() / 8 {
            followed.shrink_to_fit();
        }
    }
}
