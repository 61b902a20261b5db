use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// The live counters behind [`Statistics`].
        #[derive(Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
            /// Connections that were answered, until they are gone.
            pub(crate) answered: AtomicU64,
        }

        impl Counters {
            pub(crate) fn read(&self) -> Statistics {
                // First those that were answered: what changes in between makes too many handshakes, never too few.
                let answered = self.answered.load(Relaxed);
                let mut now = Statistics { handshakes: 0, $($name: self.$name.load(Relaxed),)* };
                now.handshakes = now.connections.saturating_sub(answered);
                now
            }
        }
    };
}

counters!(
    connections,
    subscriptions,
    connections_opened,
    connections_refused,
    commands,
    commands_failed,
    subscriptions_rejected,
    subscriptions_over_bounds,
    calls_failed,
    broadcasts,
    broadcast_deliveries,
    compressions,
    slow_connections,
    silent_connections,
    incoming_pauses,
    flooding_connections
);

/// One more.
pub(crate) fn up(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// One less, of a gauge.
pub(crate) fn down(counter: &AtomicU64) {
    counter.fetch_sub(1, Relaxed);
}
