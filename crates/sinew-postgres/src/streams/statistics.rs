//! What was counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What [`PostgresStreams`](crate::PostgresStreams) have done and hold.
///
/// ```
/// use sinew_postgres::{Postgres, PostgresSettings, PostgresStreams};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1:1/app")?;
/// let streams = PostgresStreams::new(Postgres::connect_lazily(settings)?);
/// let statistics = streams.statistics();
/// assert_eq!((statistics.streams, statistics.lost), (0, 0));
/// assert!(!statistics.is_connected);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresStreamsStatistics {
    /// Messages that the server took.
    pub published: u64,
    /// Messages that it did not take, or of which that is unknown.
    pub publish_failed: u64,
    /// Messages that were delivered to this node's sink.
    pub received: u64,
    /// Messages that came here although nobody here follows their streams: the server's one
    /// channel carries them all to every node.
    pub passed_over: u64,
    /// Messages that other nodes published while this node's connection was away, as far as the
    /// next message of the same node has shown it. Streams that nobody here follows are counted
    /// as well: what was missed tells nothing of its stream.
    pub lost: u64,
    /// Notifications on our channel that somebody else wrote, or that are not whole, and that were
    /// left.
    pub unreadable: u64,
    /// How often the connection that listens was opened.
    pub connections_opened: u64,
    /// How often it was lost.
    pub interruptions: u64,
    /// Streams whose following was interrupted so, each time.
    pub streams_interrupted: u64,
    /// Streams that are followed or are about to be.
    pub streams: u64,
    /// Callers that wait until a stream is followed.
    pub streams_waiting: u64,
    /// Whether the connection that listens is open.
    pub is_connected: bool,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) published: AtomicU64,
    pub(super) publish_failed: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) passed_over: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) connections_opened: AtomicU64,
    pub(super) interruptions: AtomicU64,
    pub(super) streams_interrupted: AtomicU64,
    pub(super) is_connected: AtomicBool,
}

impl Counters {
    pub(super) fn read(&self) -> PostgresStreamsStatistics {
        PostgresStreamsStatistics {
            published: self.published.load(Relaxed),
            publish_failed: self.publish_failed.load(Relaxed),
            received: self.received.load(Relaxed),
            passed_over: self.passed_over.load(Relaxed),
            lost: self.lost.load(Relaxed),
            unreadable: self.unreadable.load(Relaxed),
            connections_opened: self.connections_opened.load(Relaxed),
            interruptions: self.interruptions.load(Relaxed),
            streams_interrupted: self.streams_interrupted.load(Relaxed),
            is_connected: self.is_connected.load(Relaxed),
            ..PostgresStreamsStatistics::default()
        }
    }
}
