//! What is counted, by each shard for itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use sinew_protocol::DisconnectReason;

/// What a cable has done since it was built, and what it holds now.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
/// # use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.perform("a subscription that is not there", "{}");
/// let statistics: sinew_cable::Statistics = cable.statistics();
/// assert_eq!(statistics.connections, 1);
/// assert_eq!((statistics.commands, statistics.commands_failed), (1, 1));
/// drop(client);
/// assert_eq!(cable.statistics().connections, 0);
/// assert_eq!(cable.statistics().connections_opened, 1);
/// assert_eq!(cable.statistics().outgoing_bytes(), 0, "nobody waits for them");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Connections now, those that still wait for the application's welcome included.
    pub connections: u64,
    /// Of these, those that the application has not answered: it has not said who they are.
    pub handshakes: u64,
    /// Subscriptions now.
    pub subscriptions: u64,
    /// Connections that were opened.
    pub connections_opened: u64,
    /// Connections that the application refused or did not answer in time.
    pub connections_refused: u64,
    /// Frames that carried a command.
    pub commands: u64,
    /// Frames that were no command, or a command for a subscription that is not there: ignored.
    pub commands_failed: u64,
    /// Subscriptions that were answered with `reject_subscription`.
    pub subscriptions_rejected: u64,
    /// Of those, the ones beyond the number a connection may have, or with too long an identifier.
    pub subscriptions_over_bounds: u64,
    /// Calls that the application did not answer as it should: an error, a panic, a dropped reply.
    pub calls_failed: u64,
    /// Stream messages that reached this node's hub.
    pub broadcasts: u64,
    /// Frames that broadcasts put into mailboxes.
    pub broadcast_deliveries: u64,
    /// Messages that were compressed, or tried to be: a broadcast counts once in each shard that has a connection for it
    /// that negotiated compression.
    pub compressions: u64,
    /// Connections cut off because their outgoing queue went over its bound.
    pub slow_connections: u64,
    /// Connections ended because nothing came from the client for too long.
    pub silent_connections: u64,
    /// Times a connection was not read for a while because its client sent faster than it may.
    pub incoming_pauses: u64,
    /// Connections closed with 1008 because their client had sent far more than it may.
    pub flooding_connections: u64,
    /// Streams that somebody of this node follows now.
    pub streams: u64,
    /// Bytes of the messages that clients sent, without the heads of their frames.
    pub bytes_received: u64,
    /// Frames that were put into outgoing queues.
    pub messages_queued: u64,
    /// Their bytes.
    pub bytes_queued: u64,
    /// Frames that sockets have taken whole.
    pub messages_sent: u64,
    /// Bytes that sockets have taken.
    pub bytes_sent: u64,
    /// Frames that were in the queue of a connection that was cut off, or whose socket was gone.
    pub messages_dropped: u64,
    /// Their bytes.
    pub bytes_dropped: u64,
    /// The most bytes that waited in the outgoing queue of one connection when one more frame came to it, of one or two
    /// ping intervals up to now.
    pub outgoing_bytes_max: u64,
    /// Bytes of frames and broadcasts on their way to the shards.
    pub inbox_bytes: u64,
    /// How late the ticks were that ping.
    pub ping_lag: PingLag,
    disconnects: [u64; DisconnectReason::ALL.len()],
}

impl Statistics {
    /// Frames that wait in the outgoing queues of all connections.
    ///
    /// ```
    /// let statistics = sinew_cable::Statistics::default();
    /// assert_eq!((statistics.outgoing_messages(), statistics.outgoing_bytes()), (0, 0));
    /// ```
    pub fn outgoing_messages(&self) -> u64 {
        // The parts are read one after another, while shards count on.
        let gone = self.messages_sent + self.messages_dropped;
        self.messages_queued.saturating_sub(gone)
    }

    /// Bytes of the frames that wait in the outgoing queues of all connections.
    pub fn outgoing_bytes(&self) -> u64 {
        let gone = self.bytes_sent + self.bytes_dropped;
        self.bytes_queued.saturating_sub(gone)
    }

    /// Connections that this node has ended for that reason.
    ///
    /// ```
    /// use sinew_protocol::DisconnectReason;
    ///
    /// let statistics = sinew_cable::Statistics::default();
    /// assert_eq!(statistics.disconnects(DisconnectReason::TooSlow), 0);
    /// ```
    pub fn disconnects(&self, reason: DisconnectReason) -> u64 {
        let at = DisconnectReason::ALL.iter().position(|it| *it == reason);
        at.map_or(0, |at| self.disconnects[at])
    }
}

/// How late the ticks of the shards were, of which each pings a part of its connections: a histogram.
///
/// A late tick is a thread or a runtime that was busy with something else.
///
/// ```
/// use sinew_cable::PingLag;
///
/// let lag = PingLag::default();
/// assert_eq!(lag.counts.len(), PingLag::BOUNDS.len() + 1);
/// assert_eq!(lag.sum, std::time::Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PingLag {
    /// Ticks that were at most as late as the bound of the same place, and later than the one before it; in the last
    /// place those that were later than all bounds.
    pub counts: [u64; PingLag::BOUNDS.len() + 1],
    /// The lateness of all ticks together.
    pub sum: Duration,
}

impl PingLag {
    /// The upper bounds of the histogram.
    pub const BOUNDS: [Duration; 11] = {
        const fn ms(milliseconds: u64) -> Duration {
            Duration::from_millis(milliseconds)
        }
        [
            ms(1),
            ms(5),
            ms(10),
            ms(25),
            ms(50),
            ms(100),
            ms(250),
            ms(500),
            ms(1000),
            ms(2500),
            ms(5000),
        ]
    };
}

/// What one shard of the connections holds; see [`Cable::shards`](crate::Cable::shards).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ShardStatistics {
    /// Connections now.
    pub connections: u64,
    /// Bytes of frames and broadcasts that were posted to it and that it has not taken yet.
    pub inbox_bytes: u64,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// The live counters behind [`Statistics`], of one shard.
        ///
        /// Only the shard's own thread writes them, so that counting is no more than an addition; they lie on cache
        /// lines of their own. Whoever reads adds up the shards.
        #[derive(Default)]
        #[repr(align(128))]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
            /// Connections that the shard has now.
            pub(crate) present: AtomicU64,
            pub(crate) outgoing_bytes_max: AtomicU64,
            disconnects: [AtomicU64; DisconnectReason::ALL.len()],
            ping_lag: [AtomicU64; PingLag::BOUNDS.len() + 1],
            ping_lag_nanoseconds: AtomicU64,
        }

        impl Counters {
            fn add_sums(&self, statistics: &mut Statistics) {
                $(statistics.$name = statistics.$name.wrapping_add(self.$name.load(Relaxed));)*
            }
        }
    };
}

// A new one: its name here, and a field of `Statistics` with the same name.
counters!(
    subscriptions,
    connections_opened,
    connections_refused,
    commands,
    commands_failed,
    subscriptions_rejected,
    subscriptions_over_bounds,
    calls_failed,
    broadcast_deliveries,
    compressions,
    slow_connections,
    silent_connections,
    incoming_pauses,
    flooding_connections,
    bytes_received,
    messages_queued,
    bytes_queued,
    messages_sent,
    bytes_sent,
    messages_dropped,
    bytes_dropped,
);

impl Counters {
    /// The connection was told to end.
    pub(crate) fn disconnected(&self, reason: DisconnectReason) {
        let at = DisconnectReason::ALL.iter().position(|it| *it == reason);
        if let Some(at) = at {
            up(&self.disconnects[at]);
        }
    }

    /// A tick was that late.
    pub(crate) fn tick_was_late(&self, lag: Duration) {
        let place = PingLag::BOUNDS.partition_point(|bound| *bound < lag);
        up(&self.ping_lag[place]);
        let nanoseconds = u64::try_from(lag.as_nanos()).unwrap_or(u64::MAX);
        add(&self.ping_lag_nanoseconds, nanoseconds);
    }

    /// Adds what this shard has counted.
    pub(crate) fn add_to(&self, statistics: &mut Statistics) {
        self.add_sums(statistics);
        let longest = self.outgoing_bytes_max.load(Relaxed);
        statistics.outgoing_bytes_max = statistics.outgoing_bytes_max.max(longest);
        for (sum, counter) in statistics.disconnects.iter_mut().zip(&self.disconnects) {
            *sum += counter.load(Relaxed);
        }
        let lag = &mut statistics.ping_lag;
        for (sum, counter) in lag.counts.iter_mut().zip(&self.ping_lag) {
            *sum += counter.load(Relaxed);
        }
        lag.sum += Duration::from_nanos(self.ping_lag_nanoseconds.load(Relaxed));
    }
}

/// More of them, by the thread of the counter's shard: nobody else writes it, so it is no locked addition.
#[inline]
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
}

/// One more, as [`add`].
#[inline]
pub(crate) fn up(counter: &AtomicU64) {
    add(counter, 1);
}

/// One less, of a gauge, as [`add`].
#[inline]
pub(crate) fn down(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed).wrapping_sub(1), Relaxed);
}

/// The largest of something in the last one to two turns of the wheel.
#[derive(Default)]
pub(crate) struct Peak {
    now: u64,
    before: u64,
}

impl Peak {
    #[inline]
    pub(crate) fn see(&mut self, value: usize) {
        self.now = self.now.max(value as u64);
    }

    pub(crate) fn get(&self) -> u64 {
        self.now.max(self.before)
    }

    /// A turn is over: what was before the last one is forgotten.
    pub(crate) fn turn(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }
}

#[cfg(test)]
mod tests;
