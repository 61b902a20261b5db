//! What was counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What [`RedisStreams`](crate::RedisStreams) have done and hold.
///
/// ```
/// use sinew_redis::{Redis, RedisSettings, RedisStreams};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let redis = Redis::connect_lazily(RedisSettings::from_url("redis://127.0.0.1:1")?)?;
/// let statistics = RedisStreams::new(redis).statistics();
/// assert_eq!((statistics.streams, statistics.lost), (0, 0));
/// assert!(!statistics.is_connected);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStreamsStatistics {
    /// Messages that the server took.
    pub published: u64,
    /// Messages that it did not take, or of which that is unknown.
    pub publish_failed: u64,
    /// Messages that were delivered to this node's sink.
    pub received: u64,
    /// Messages that were published while this node's connection was away, as far as the next
    /// message of their stream has shown it.
    pub lost: u64,
    /// Messages on our channels that somebody else wrote, and that were left.
    pub unreadable: u64,
    /// How often the subscriber's connection was lost.
    pub interruptions: u64,
    /// Subscriptions that were interrupted so, each time.
    pub streams_interrupted: u64,
    /// Streams that are followed or are about to be.
    pub streams: u64,
    /// Callers that wait until a stream is followed.
    pub streams_waiting: u64,
    /// Whether the subscriber's connection is open.
    pub is_connected: bool,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) published: AtomicU64,
    pub(super) publish_failed: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) interruptions: AtomicU64,
    pub(super) streams_interrupted: AtomicU64,
    pub(super) is_connected: AtomicBool,
}

impl Counters {
    pub(super) fn read(&self) -> RedisStreamsStatistics {
        RedisStreamsStatistics {
            published: self.published.load(Relaxed),
            publish_failed: self.publish_failed.load(Relaxed),
            received: self.received.load(Relaxed),
            lost: self.lost.load(Relaxed),
            unreadable: self.unreadable.load(Relaxed),
            interruptions: self.interruptions.load(Relaxed),
            streams_interrupted: self.streams_interrupted.load(Relaxed),
            is_connected: self.is_connected.load(Relaxed),
            ..RedisStreamsStatistics::default()
        }
    }
}
