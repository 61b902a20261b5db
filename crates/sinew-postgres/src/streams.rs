//! Streams over LISTEN and NOTIFY.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use sinew_streams::outbox::Outbox;
use sinew_streams::{BoxFuture, Missed, Position, Sink, StreamName, Streams, StreamsError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::PostgresError;
use crate::postgres::Postgres;

mod envelope;
mod follows;
mod publisher;
mod statistics;
mod subscriber;

pub use envelope::STREAM_MESSAGE_BYTES_MAX;
pub use statistics::PostgresStreamsStatistics;

use follows::Follows;
use statistics::Counters;

/// How many callers may wait at once until a stream is followed. One more is refused with
/// [`StreamsError::Unavailable`].
pub const FOLLOWS_WAITING_MAX: usize = 100_000;

/// Bytes of messages that wait to be sent to the server. A message more is refused with
/// [`StreamsError::Unavailable`]: 64 MiB.
pub const OUTBOX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of messages that have come and wait for the sink, while it is under pressure. With more,
/// the connection that listens is given up and opened anew, and what was not delivered is lost:
/// 64 MiB.
pub const INBOX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Streams between nodes, over the LISTEN and NOTIFY of PostgreSQL.
///
/// Each node has one connection that listens, beside those of the [`Postgres`]; a message goes
/// through the server also to followers of the node that publishes it, so that all nodes see one
/// order, that of the server's commits. `follow` resolves as soon as the node listens.
///
/// **What it costs.** All streams share one channel of the database, so every node receives every
/// message, and passes over what nobody there follows
/// ([`PostgresStreamsStatistics::passed_over`]). The server lets one transaction with
/// notifications commit at a time, over all of its databases. Redis carries more.
///
/// **What it does not promise.** The server keeps no message. While a node's connection is away,
/// what is published is lost to it: it listens again by itself when the server is back, and counts
/// what was missed as far as the next message of the same node shows it
/// ([`PostgresStreamsStatistics::lost`]). A `publish` fails while the server cannot be reached, and
/// so does a `follow` that has waited five seconds; streams that were followed before are wanted as
/// long as nobody leaves them.
///
/// **Large messages.** A notification of PostgreSQL holds less than 8000 bytes. A larger message
/// is cut into several of one transaction, and put together again; it may have
/// [`STREAM_MESSAGE_BYTES_MAX`] bytes.
///
/// A position is the number of its transaction times 512, and its place therein. After a crash of
/// the server, or when a standby takes over, the next ones may begin a little before the last.
///
/// A pooler must not share the connection that listens, as PgBouncer does with
/// `pool_mode = transaction`: that is noticed, and the streams are not connected then.
/// [`PostgresSettings::listen_at`](crate::PostgresSettings::listen_at) gives it an address of its
/// own.
///
/// It needs a tokio runtime from the first call on.
///
/// ```
/// use std::sync::Arc;
/// use bytes::Bytes;
/// use sinew_postgres::{Postgres, PostgresSettings, PostgresStreams};
/// use sinew_streams::{Position, Sink, StreamName, Streams};
/// use tokio::sync::mpsc;
///
/// struct Log(mpsc::UnboundedSender<String>);
///
/// impl Sink for Log {
///     fn deliver(&self, stream: &StreamName, _: Position, payload: &Bytes) {
///         let _ = self.0.send(format!("{stream}: {}", String::from_utf8_lossy(payload)));
///     }
/// }
///
/// # use test_servers::PostgresServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = PostgresServer::start();
/// # let url = server.url();
/// let node = || -> Result<PostgresStreams, Box<dyn std::error::Error>> {
///     let postgres = Postgres::connect_lazily(PostgresSettings::from_url(&url)?)?;
///     Ok(PostgresStreams::new(postgres))
/// };
/// let (one, two) = (node()?, node()?);
/// let (log, mut heard) = mpsc::unbounded_channel();
/// two.attach(Arc::new(Log(log)))?;
/// two.follow(&"news".into()).await?;
///
/// one.publish(&"news".into(), Bytes::from("1")).await?;
/// assert_eq!(heard.recv().await.as_deref(), Some("news: 1"));
/// assert_eq!((one.statistics().published, two.statistics().received), (1, 1));
/// # Ok(()) }
/// ```
pub struct PostgresStreams {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    postgres: Postgres,
    channel: String,
    /// The advisory lock of whoever publishes, as SQL.
    lock: String,
    /// Random: it tells this node's messages from those of others.
    node: u64,
    sink: OnceLock<Arc<dyn Sink>>,
    follows: Mutex<Follows>,
    outbox: Outbox,
    counters: Counters,
}

impl PostgresStreams {
    /// Streams of all nodes that use this database of this PostgreSQL with the same schema and
    /// prefix ([`PostgresSettings::tables`](crate::PostgresSettings::tables)).
    pub fn new(postgres: Postgres) -> Self {
        let schema = postgres.schema();
        Self {
            shared: Arc::new(Shared {
                channel: schema.streams_channel(),
                lock: schema.streams_lock(),
                // Without randomness the clock tells nodes apart, well enough to count gaps.
                node: getrandom::u64().unwrap_or_else(|_| clock()),
                postgres,
                sink: OnceLock::new(),
                follows: Mutex::default(),
                outbox: Outbox::new(OUTBOX_BYTES_MAX),
                counters: Counters::default(),
            }),
            tasks: Mutex::default(),
        }
    }

    /// The connections by which messages are sent.
    ///
    /// ```
    /// use sinew_postgres::{Postgres, PostgresSettings, PostgresStreams};
    ///
    /// let settings = PostgresSettings::from_url("postgres://ada@127.0.0.1/app")?;
    /// let streams = PostgresStreams::new(Postgres::connect_lazily(settings)?);
    /// assert_eq!(streams.postgres().settings().database(), "app");
    /// # Ok::<(), sinew_postgres::PostgresSettingsError>(())
    /// ```
    pub fn postgres(&self) -> &Postgres {
        &self.shared.postgres
    }

    /// What was counted since it was made.
    pub fn statistics(&self) -> PostgresStreamsStatistics {
        let follows = self.shared.follows.lock();
        let mut statistics = self.shared.counters.read();
        statistics.streams = follows.len() as u64;
        statistics.streams_waiting = follows.waiting() as u64;
        statistics
    }

    /// Starts what works in the background, unless it runs already.
    fn start(&self) {
        let mut tasks = self.tasks.lock();
        if tasks.iter().any(|task| !task.is_finished()) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        *tasks = vec![
            runtime.spawn(publisher::run(Arc::clone(&self.shared))),
            runtime.spawn(subscriber::run(Arc::clone(&self.shared))),
        ];
    }
}

impl Drop for PostgresStreams {
    fn drop(&mut self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl Streams for PostgresStreams {
    fn attach(&self, sink: Arc<dyn Sink>) -> Result<(), StreamsError> {
        self.start();
        let sinks = &self.shared.sink;
        sinks.set(sink).map_err(|_| StreamsError::AlreadyAttached)
    }

    fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<Position, StreamsError>> {
        self.start();
        let bytes = stream.as_str().len() + payload.len();
        if bytes > STREAM_MESSAGE_BYTES_MAX {
            let bytes_max = STREAM_MESSAGE_BYTES_MAX;
            let refused = StreamsError::TooLarge { bytes, bytes_max };
            return Box::pin(std::future::ready(Err(refused)));
        }
        self.shared.outbox.push(stream, payload)
    }

    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
        self.start();
        let (waiter, told) = oneshot::channel();
        let mut follows = self.shared.follows.lock();
        if follows.waiting() >= FOLLOWS_WAITING_MAX {
            let refused = PostgresError::unavailable("too many wait until a stream is followed");
            return Box::pin(std::future::ready(Err(unavailable(refused))));
        }
        follows.follow(stream, waiter, Instant::now());
        drop(follows);
        Box::pin(async move {
            let gone = || Err(PostgresError::unavailable("the streams have ended"));
            let outcome = told.await.unwrap_or_else(|_| gone());
            outcome.map_err(unavailable)
        })
    }

    fn unfollow(&self, stream: &StreamName) {
        self.shared.follows.lock().unfollow(stream);
    }

    fn missed(&self) -> Missed {
        let statistics = self.shared.counters.read();
        let mut missed = Missed::default();
        missed.interruptions = statistics.interruptions;
        missed.messages = statistics.lost;
        missed
    }
}

fn unavailable(error: PostgresError) -> StreamsError {
    StreamsError::Unavailable(Box::new(error))
}

fn clock() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

impl fmt::Debug for PostgresStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStreams")
            .field("postgres", &self.shared.postgres)
            .field("channel", &self.shared.channel)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
