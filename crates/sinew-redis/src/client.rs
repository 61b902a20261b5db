//! The handle that everything else holds.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Value};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::dial::{Dial, Endpoint};
use crate::error::{RedisError, RedisErrorKind, RedisSettingsError};
use crate::link::Link;
use crate::pubsub::{self, Messages, Subscriber};
use crate::script::Script;
use crate::sentinel::Sentinels;
use crate::settings::{RedisSettings, RedisTls};
use crate::status::{Board, RedisStatistics, RedisStatus};
use crate::target::Target;
use crate::url::Topology;

/// A Redis: one server, whoever sentinels call the primary, or a cluster. Clones share the
/// connections.
///
/// Connections are opened in the background and opened again whenever they are lost, at
/// intervals that grow to two seconds, for ever. Every command is answered within
/// [`RedisSettings::command_timeout`]: while Redis is known to be away it fails at once; while
/// nobody knows yet it waits. A command whose answer is missing is not sent a second time:
/// [`RedisError::was_sent`] says so, and the caller decides.
///
/// ```
/// use sinew_redis::{Redis, RedisSettings, redis};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// redis.query(redis::cmd("SET").arg("name").arg("Ada")).await?;
/// let name: String = redis.query_as(redis::cmd("GET").arg("name")).await?;
/// assert_eq!(name, "Ada");
///
/// assert!(redis.watch().borrow().is_available());
/// assert_eq!(redis.statistics().commands_failed, 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    settings: RedisSettings,
    dial: Dial,
    board: Arc<Board>,
    backend: Backend,
}

enum Backend {
    Server { link: Arc<Link>, target: Target },
    Cluster(Arc<Cluster>),
}

impl Redis {
    /// Begins to connect, if it is called within a runtime of tokio; else with the first
    /// command. Says nothing of whether Redis is there: [`status`](Self::status) does.
    ///
    /// Warns in the log if certificates are not verified.
    ///
    /// # Errors
    ///
    /// [`RedisSettingsError::CaFile`], [`RedisSettingsError::NoSystemRoots`].
    pub fn connect_lazily(settings: RedisSettings) -> Result<Self, RedisSettingsError> {
        if settings.is_tls() && settings.tls == RedisTls::Unverified {
            tracing::warn!(
                redis = %settings,
                variable = settings.variable(),
                "the certificate of Redis is not verified (SINEW_REDIS_TLS=unverified): whoever \
                 can put themselves in between reads and changes everything",
            );
        }
        let dial = Dial::new(&settings)?;
        Ok(Self::open(settings, dial))
    }

    fn open(settings: RedisSettings, dial: Dial) -> Self {
        let name = match settings.role() {
            Some(role) => format!("{role}, {settings}"),
            None => settings.to_string(),
        };
        let board = Arc::new(Board::new(name));
        let fixed = |endpoint| Target::Fixed(endpoint);
        let target = match settings.url.topology.clone() {
            Topology::Server(address) => fixed(Endpoint::Tcp(address)),
            Topology::Socket(path) => fixed(Endpoint::Unix(path)),
            Topology::Sentinel {
                sentinels, service, ..
            } => Target::Sentinels(Sentinels::new(sentinels, service)),
            Topology::Cluster(seeds) => {
                let cluster = Cluster::new(seeds, &dial, &settings, &board);
                let backend = Backend::Cluster(cluster);
                return Self::of(settings, dial, board, backend);
            }
        };
        let link = Arc::new(Link::new(target.clone(), &dial, &settings, &board));
        Self::of(settings, dial, board, Backend::Server { link, target })
    }

    fn of(settings: RedisSettings, dial: Dial, board: Arc<Board>, backend: Backend) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                dial,
                board,
                backend,
            }),
        }
    }

    /// The same Redis over connections of its own, each command of which may take
    /// `command_timeout`: for commands that wait within the server (`XREAD BLOCK`), which keep
    /// everything waiting that is sent after them on the same connection. `command_timeout` has
    /// to be longer than they wait.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use std::time::Duration;
    /// use sinew_redis::{Redis, RedisSettings, redis};
    ///
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let patient = redis.separate(NonZeroUsize::MIN, Duration::from_secs(30));
    /// let waiting = tokio::spawn(async move {
    ///     patient.query(redis::cmd("BLPOP").arg("queue").arg(20)).await
    /// });
    /// redis.query(redis::cmd("RPUSH").arg("queue").arg("job")).await?;
    /// assert!(waiting.await?.is_ok());
    /// # Ok(()) }
    /// ```
    pub fn separate(&self, pool_size: NonZeroUsize, command_timeout: Duration) -> Self {
        let mut settings = self.inner.settings.clone();
        settings.pool_size = pool_size;
        settings.command_timeout = command_timeout;
        Self::open(settings, self.inner.dial.clone())
    }

    /// What it was made from.
    ///
    /// ```
    /// # use sinew_redis::{Redis, RedisSettings};
    /// let redis = Redis::connect_lazily(RedisSettings::from_url("redis://:secret@db/1")?)?;
    /// assert_eq!(redis.settings().to_string(), "redis://db:6379/1");
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    pub fn settings(&self) -> &RedisSettings {
        &self.inner.settings
    }

    /// The server's answer to a command. Of a cluster, whoever has the command's first key
    /// answers; a command with keys of several slots is [`Rejected`](RedisErrorKind::Rejected).
    ///
    /// # Errors
    ///
    /// Any [`RedisErrorKind`], within the command timeout.
    pub async fn query(&self, command: &Cmd) -> Result<Value, RedisError> {
        let deadline = self.deadline();
        let answer = match &self.inner.backend {
            Backend::Server { link, .. } => link.send(command, deadline).await,
            Backend::Cluster(cluster) => cluster.send(command, deadline).await,
        };
        self.count(&answer);
        answer
    }

    /// As [`query`](Self::query), the answer being turned into a `T`.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query), and [`Rejected`](RedisErrorKind::Rejected) if the answer is no `T`.
    pub async fn query_as<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let value = self.query(command).await?;
        redis::from_redis_value(value)
            .map_err(|_| RedisError::rejected("the answer is of another type than was asked for"))
    }

    /// The answers to several commands, in their order, in one round trip; of a cluster, in one
    /// to each node at a time. Each succeeds or fails by itself: it is no transaction. What has
    /// to happen together is a [`script`](Self::script).
    ///
    /// ```
    /// # use sinew_redis::{Redis, RedisSettings, redis};
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let mut set = redis::cmd("SET");
    /// set.arg("name").arg("Ada");
    /// let mut push = redis::cmd("LPUSH");
    /// push.arg("name").arg("1");
    /// let answers = redis.pipeline(&[set, push]).await;
    /// assert!(answers[0].is_ok());
    /// assert_eq!(answers[1].as_ref().unwrap_err().code(), Some("WRONGTYPE"));
    /// # Ok(()) }
    /// ```
    pub async fn pipeline(&self, commands: &[Cmd]) -> Vec<Result<Value, RedisError>> {
        let deadline = self.deadline();
        let commands: Vec<_> = commands.iter().collect();
        let answers = match &self.inner.backend {
            Backend::Server { link, .. } => link.send_all(&commands, deadline).await,
            Backend::Cluster(cluster) => cluster.send_all(&commands, deadline).await,
        };
        for answer in &answers {
            self.count(answer);
        }
        answers
    }

    /// What a script answers: one round trip, or two when the server does not know the script
    /// yet or any more. Of a cluster, whoever has the first key runs it; all keys have to be of
    /// one slot.
    ///
    /// ```
    /// use sinew_redis::{Script, redis};
    ///
    /// # use sinew_redis::{Redis, RedisSettings};
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let swap = Script::new("return redis.call('SET', KEYS[1], ARGV[1], 'GET')");
    /// assert_eq!(redis.script(&swap, &["name"], &["Ada"]).await?, redis::Value::Nil);
    /// let before = redis.script(&swap, &["name"], &["Grace"]).await?;
    /// assert_eq!(before, redis::Value::BulkString(b"Ada".to_vec()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query). A script that runs into an error half-way leaves what it has
    /// written; a script of Redis 7 that begins with `#!lua` is refused before it writes when
    /// the server is full.
    pub async fn script<K: AsRef<[u8]>, A: AsRef<[u8]>>(
        &self,
        script: &Script,
        keys: &[K],
        arguments: &[A],
    ) -> Result<Value, RedisError> {
        let answer = self.query(&script.command(false, keys, arguments)).await;
        match answer {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.query(&script.command(true, keys, arguments)).await
            }
            answer => answer,
        }
    }

    /// A connection of its own for subscriptions, which comes back by itself and subscribes
    /// again; what was published meanwhile is lost, and the [`Messages`] say so.
    ///
    /// ```
    /// # use sinew_redis::{PubSubEvent, Redis, RedisSettings};
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let (subscriber, mut messages) = redis.subscriber();
    /// subscriber.subscribe("news").await?;
    /// assert_eq!(messages.next().await, Some(PubSubEvent::Connected));
    /// # Ok(()) }
    /// ```
    pub fn subscriber(&self) -> (Subscriber, Messages) {
        pubsub::open(self.target(), &self.inner.dial, &self.inner.settings)
    }

    /// Each server that has keys of its own: this one, or each primary of the cluster. For
    /// commands that look at one server's keys, such as `SCAN`.
    ///
    /// ```
    /// # use sinew_redis::{Redis, RedisSettings, redis};
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// let mut keys: u64 = 0;
    /// for primary in redis.primaries().await? {
    ///     keys += primary.query_as::<u64>(&redis::cmd("DBSIZE")).await?;
    /// }
    /// assert_eq!(keys, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// No node of the cluster answers.
    pub async fn primaries(&self) -> Result<Vec<Redis>, RedisError> {
        let cluster = match &self.inner.backend {
            Backend::Server { .. } => return Ok(vec![self.clone()]),
            Backend::Cluster(cluster) => cluster,
        };
        let links = cluster.primaries(self.deadline()).await?;
        let one = |link: Arc<Link>| {
            let backend = Backend::Server {
                link,
                target: Target::AnyNode(Arc::clone(cluster)),
            };
            let (settings, dial) = (self.inner.settings.clone(), self.inner.dial.clone());
            Self::of(settings, dial, Arc::clone(&self.inner.board), backend)
        };
        Ok(links.into_iter().map(one).collect())
    }

    /// How connections are opened.
    pub(crate) fn dial(&self) -> &Dial {
        &self.inner.dial
    }

    /// Where connections go that may go to any server.
    pub(crate) fn target(&self) -> Target {
        match &self.inner.backend {
            Backend::Server { target, .. } => target.clone(),
            Backend::Cluster(cluster) => Target::AnyNode(Arc::clone(cluster)),
        }
    }

    /// Whether keys live on several servers.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.inner.backend, Backend::Cluster(_))
    }

    /// Whether it can be used, now.
    ///
    /// ```
    /// # use sinew_redis::{Redis, RedisSettings, RedisStatus};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Nobody listens on port 1.
    /// let redis = Redis::connect_lazily(RedisSettings::from_url("redis://127.0.0.1:1")?)?;
    /// assert_eq!(redis.status(), RedisStatus::Connecting);
    /// redis.watch().wait_for(|status| *status != RedisStatus::Connecting).await?;
    /// assert_eq!(redis.status(), RedisStatus::Away);
    /// assert_eq!(redis.statistics().outages, 1);
    /// # Ok(()) }
    /// ```
    pub fn status(&self) -> RedisStatus {
        self.inner.board.status()
    }

    /// Whether it can be used, and each change of that.
    pub fn watch(&self) -> watch::Receiver<RedisStatus> {
        self.inner.board.watch()
    }

    /// What happened to its connections since the start.
    pub fn statistics(&self) -> RedisStatistics {
        self.inner.board.statistics()
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.inner.settings.command_timeout
    }

    fn count(&self, answer: &Result<Value, RedisError>) {
        let is_failed = |error: &RedisError| {
            matches!(
                error.kind(),
                RedisErrorKind::Unavailable | RedisErrorKind::Full
            )
        };
        if answer.as_ref().is_err_and(is_failed) {
            let failed = &self.inner.board.commands_failed;
            failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("settings", &self.inner.settings)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
