//! Streams over publish and subscribe.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use sinew_streams::outbox::Outbox;
use sinew_streams::{BoxFuture, Missed, Position, Sink, StreamName, Streams, StreamsError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::client::Redis;
use crate::error::RedisError;

mod envelope;
mod follows;
mod publisher;
mod statistics;
mod subscriber;

pub use statistics::RedisStreamsStatistics;

use follows::Follows;
use statistics::Counters;

/// What the names of channels and counters begin with unless [`RedisStreams::with_prefix`] says
/// otherwise.
pub const STREAMS_PREFIX: &str = "sinew:";

/// How many callers may wait at once until a stream is followed. One more is refused with
/// [`StreamsError::Unavailable`].
pub const FOLLOWS_WAITING_MAX: usize = 100_000;

/// Bytes of messages that wait to be sent to the server. A message more is refused with
/// [`StreamsError::Unavailable`]: 64 MiB.
pub const OUTBOX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of messages that have come and wait for the sink, while it is under pressure. With more,
/// the subscriber's connection is given up and opened anew, and what was not delivered is lost:
/// 64 MiB.
pub const INBOX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Streams between nodes, over the publish and subscribe of Redis or Valkey.
///
/// Each node has one subscriber connection; a message goes through the server also to followers of
/// the node that publishes it, so that all nodes see one order. `follow` resolves when the server
/// has confirmed the subscription.
///
/// **What it does not promise.** The server keeps no message. While a node's connection is away,
/// what is published is lost to it: it subscribes to everything again by itself when the server is
/// back, and counts what was missed as far as the next message of a stream shows it
/// ([`RedisStreamsStatistics::lost`]). A `publish` fails while the server cannot be reached, and so
/// does a `follow` that has waited five seconds; streams that were followed before are wanted as
/// long as nobody leaves them. In a cluster, messages of a stream whose slot moves to another
/// server at that moment may change places.
///
/// A position is counted by the server, in a key of its own per stream that is gone five minutes
/// after the last message. The next counter begins above the one before, with the time in
/// microseconds. A server without memory for another key still publishes.
///
/// It needs a tokio runtime from the first call on.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use bytes::Bytes;
/// use sinew_redis::{Redis, RedisSettings, RedisStreams};
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
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// let node = || -> Result<RedisStreams, Box<dyn std::error::Error>> {
///     let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
///     Ok(RedisStreams::new(redis))
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
pub struct RedisStreams {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    redis: Redis,
    prefix: String,
    sink: OnceLock<Arc<dyn Sink>>,
    follows: Mutex<Follows>,
    /// Told when there is something to tell the server.
    follows_changed: Notify,
    outbox: Outbox,
    counters: Counters,
}

impl RedisStreams {
    /// Streams of all nodes that use this database of this Redis.
    ///
    /// Channels of a server know no databases. Those of another database than 0 have its number
    /// in their names, so that applications which share a server so do not hear each other.
    pub fn new(redis: Redis) -> RedisStreams {
        let prefix = match redis.settings().database() {
            0 => STREAMS_PREFIX.to_owned(),
            database => format!("{STREAMS_PREFIX}{database}:"),
        };
        RedisStreams::with_prefix(redis, prefix)
    }

    /// The same with another beginning of channels and keys, for applications that share a server.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use sinew_redis::{Redis, RedisSettings, RedisStreams};
    /// use sinew_streams::Streams;
    ///
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let streams = RedisStreams::with_prefix(redis, "shop:");
    /// streams.publish(&"news".into(), Bytes::from("1")).await?;
    /// assert_eq!(server.command(&["KEYS", "*"]), "shop:position:news");
    /// # Ok(()) }
    /// ```
    pub fn with_prefix(redis: Redis, prefix: impl Into<String>) -> RedisStreams {
        RedisStreams {
            shared: Arc::new(Shared {
                redis,
                prefix: prefix.into(),
                sink: OnceLock::new(),
                follows: Mutex::default(),
                follows_changed: Notify::new(),
                outbox: Outbox::new(OUTBOX_BYTES_MAX),
                counters: Counters::default(),
            }),
            tasks: Mutex::default(),
        }
    }

    /// What was counted since it was made.
    pub fn statistics(&self) -> RedisStreamsStatistics {
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

impl Drop for RedisStreams {
    fn drop(&mut self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl Streams for RedisStreams {
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
        self.shared.outbox.push(stream, payload)
    }

    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
        self.start();
        let (waiter, told) = oneshot::channel();
        let mut follows = self.shared.follows.lock();
        if follows.waiting() >= FOLLOWS_WAITING_MAX {
            let refused = RedisError::unavailable("too many wait until a stream is followed");
            return Box::pin(std::future::ready(Err(unavailable(refused))));
        }
        if follows.follow(stream, waiter, Instant::now()) {
            self.shared.follows_changed.notify_one();
        }
        drop(follows);
        Box::pin(async move {
            let gone = || Err(RedisError::unavailable("the streams have ended"));
            let outcome = told.await.unwrap_or_else(|_| gone());
            outcome.map_err(unavailable)
        })
    }

    fn unfollow(&self, stream: &StreamName) {
        self.shared.follows.lock().unfollow(stream);
        self.shared.follows_changed.notify_one();
    }

    fn missed(&self) -> Missed {
        let statistics = self.shared.counters.read();
        let mut missed = Missed::default();
        missed.interruptions = statistics.interruptions;
        missed.messages = statistics.lost;
        missed
    }
}

fn unavailable(error: RedisError) -> StreamsError {
    StreamsError::Unavailable(Box::new(error))
}

impl fmt::Debug for RedisStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStreams")
            .field("redis", &self.shared.redis)
            .field("prefix", &self.shared.prefix)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
