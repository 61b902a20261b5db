//! Messages that others publish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use redis::Msg;
use redis::aio::PubSubSink;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use crate::backoff::Backoff;
use crate::dial::Dial;
use crate::error::RedisError;
use crate::link::Times;
use crate::listening::{Listening, Looking, until};
use crate::settings::RedisSettings;
use crate::target::Target;

/// Messages that wait for whoever reads them. With one more the connection is dropped: the
/// reader is told of an interruption, and messages come again.
pub const MESSAGES_WAITING_MAX: usize = 4096;

/// Wishes to subscribe that wait for the connection. One more waits for its turn.
const WISHES_WAITING_MAX: usize = 1024;

/// Names that are subscribed to in one command.
const NAMES_PER_COMMAND: usize = 512;

/// Something that happened to subscriptions.
///
/// ```
/// use sinew_redis::{PubSubEvent, Redis, RedisSettings, redis};
///
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut server = RedisServer::start();
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let (subscriber, mut messages) = redis.subscriber();
/// subscriber.subscribe("news").await?;
/// redis.query(redis::cmd("PUBLISH").arg("news").arg("hello")).await?;
/// assert_eq!(messages.next().await, Some(PubSubEvent::Connected));
/// assert_eq!(
///     messages.next().await,
///     Some(PubSubEvent::Message { name: "news".to_owned(), payload: "hello".into() }),
/// );
/// # server.kill();
/// // The server goes away.
/// assert_eq!(messages.next().await, Some(PubSubEvent::Interrupted));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PubSubEvent {
    /// Every subscription is in force: what is published from now on arrives. Comes at the
    /// beginning and after each interruption.
    Connected,
    /// The connection was lost. What is published until the next `Connected` does not arrive.
    Interrupted,
    /// Somebody published.
    Message {
        /// Where (Redis calls it a channel).
        name: String,
        /// What.
        payload: Bytes,
    },
}

/// Says what is subscribed to. Clones speak for the same connection, which is closed when the
/// last of them is dropped, or its [`Messages`] are.
///
/// ```
/// # use sinew_redis::{Messages, PubSubEvent, Redis, RedisSettings, Subscriber};
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let (subscriber, mut messages): (Subscriber, Messages) = redis.subscriber();
/// subscriber.subscribe("news").await?;
/// assert_eq!(server.command(&["PUBSUB", "NUMSUB", "news"]), "news\n1");
/// drop(subscriber);
/// assert_eq!(messages.next().await, Some(PubSubEvent::Connected));
/// assert_eq!(messages.next().await, None);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Subscriber {
    wishes: mpsc::Sender<Wish>,
    keeper: Arc<KeeperHandle>,
    patience: Duration,
}

/// What arrives, in order. See [`PubSubEvent`].
///
/// ```
/// # use sinew_redis::{Messages, PubSubEvent, Redis, RedisSettings, Subscriber, redis};
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// # let (subscriber, mut messages): (Subscriber, Messages) = redis.subscriber();
/// subscriber.subscribe("news").await?;
/// redis.query(redis::cmd("PUBLISH").arg("news").arg("hello")).await?;
/// assert_eq!(messages.next().await, Some(PubSubEvent::Connected));
/// let arrived = messages.next().await;
/// assert!(matches!(arrived, Some(PubSubEvent::Message { payload, .. }) if payload == "hello"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Messages {
    events: mpsc::Receiver<PubSubEvent>,
    keeper: Arc<KeeperHandle>,
}

#[derive(Debug)]
struct Wish {
    name: String,
    is_wanted: bool,
    done: oneshot::Sender<Result<(), RedisError>>,
}

impl Subscriber {
    /// Subscribes to a name (Redis calls it a channel). A second time changes nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::RedisErrorKind::Unavailable) if that is not confirmed within the
    /// command timeout. It is subscribed to nevertheless as soon as the server is back, until
    /// it is [unsubscribed](Self::unsubscribe).
    pub async fn subscribe(&self, name: impl Into<String>) -> Result<(), RedisError> {
        self.wish(name.into(), true).await
    }

    /// Ends a subscription. Messages that are on their way may still arrive.
    ///
    /// ```
    /// # use sinew_redis::{Redis, RedisSettings, redis};
    /// # use test_servers::RedisServer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = RedisServer::start();
    /// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
    /// # let (subscriber, messages) = redis.subscriber();
    /// subscriber.subscribe("news").await?;
    /// subscriber.unsubscribe("news").await?;
    /// let receivers = redis.query(redis::cmd("PUBLISH").arg("news").arg("hello")).await?;
    /// assert_eq!(receivers, redis::Value::Int(0));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe); it is not subscribed to again.
    pub async fn unsubscribe(&self, name: impl Into<String>) -> Result<(), RedisError> {
        self.wish(name.into(), false).await
    }

    async fn wish(&self, name: String, is_wanted: bool) -> Result<(), RedisError> {
        self.keeper.start();
        let (done, answer) = oneshot::channel();
        let wish = Wish {
            name,
            is_wanted,
            done,
        };
        let closed = || RedisError::unavailable("the subscriptions have ended");
        let confirmed = async {
            self.wishes.send(wish).await.map_err(|_| closed())?;
            answer.await.map_err(|_| closed())?
        };
        let late = || RedisError::unavailable("no answer in time");
        let confirmed = timeout(self.patience, confirmed).await;
        confirmed.unwrap_or_else(|_| Err(late()))
    }
}

impl Messages {
    /// What arrives next; `None` after the last [`Subscriber`] was dropped, or after the runtime
    /// that kept the connection has ended. Cancel safe.
    pub async fn next(&mut self) -> Option<PubSubEvent> {
        self.keeper.start();
        self.events.recv().await
    }
}

/// Starts the connection when a runtime is there, and ends it.
struct KeeperHandle {
    waiting: Mutex<Option<Keeper>>,
    task: Mutex<Option<AbortHandle>>,
}

impl std::fmt::Debug for KeeperHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeeperHandle")
    }
}

impl KeeperHandle {
    fn start(&self) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if let Some(keeper) = self.waiting.lock().take() {
            let task = runtime.spawn(keeper.run());
            *self.task.lock() = Some(task.abort_handle());
        }
    }
}

impl Drop for KeeperHandle {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().take() {
            task.abort();
        }
    }
}

pub(crate) fn open(
    target: Target,
    dial: &Dial,
    settings: &RedisSettings,
) -> (Subscriber, Messages) {
    let (wishes, wanted) = mpsc::channel(WISHES_WAITING_MAX);
    let (sender, events) = mpsc::channel(MESSAGES_WAITING_MAX);
    let keeper = Arc::new(KeeperHandle {
        waiting: Mutex::new(Some(Keeper {
            target,
            dial: dial.clone(),
            times: Times::of(settings),
            names: BTreeSet::new(),
            wishes: wanted,
            events: sender,
        })),
        task: Mutex::default(),
    });
    keeper.start();
    let subscriber = Subscriber {
        wishes,
        keeper: Arc::clone(&keeper),
        patience: settings.command_timeout,
    };
    (subscriber, Messages { events, keeper })
}

/// Keeps one connection and what is subscribed to on it.
struct Keeper {
    target: Target,
    dial: Dial,
    times: Times,
    names: BTreeSet<String>,
    wishes: mpsc::Receiver<Wish>,
    events: mpsc::Sender<PubSubEvent>,
}

/// Why a connection is not used any more.
enum End {
    /// Another one takes its place.
    Lost(RedisError),
    /// Nobody is left who wants it.
    Unwanted,
}

impl Keeper {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            match timeout(self.dial.timeout, self.connect()).await {
                Ok(Ok(connection)) => {
                    backoff.reset();
                    if self.events.send(PubSubEvent::Connected).await.is_err() {
                        return;
                    }
                    match self.serve(connection).await {
                        End::Unwanted => return,
                        End::Lost(why) => {
                            tracing::warn!(%why, "subscriptions at Redis are interrupted");
                        }
                    }
                    // Waits for room: the reader has to know before anything else comes.
                    if self.events.send(PubSubEvent::Interrupted).await.is_err() {
                        return;
                    }
                }
                Ok(Err(why)) => tracing::debug!(%why, "no connection for subscriptions"),
                Err(_) => tracing::debug!("no connection for subscriptions in time"),
            }
            if !self.wait(backoff.next()).await {
                return;
            }
        }
    }

    async fn connect(&self) -> Result<Listening, RedisError> {
        let mut connection = Listening::open(&self.target, &self.dial).await?;
        let names: Vec<&String> = self.names.iter().collect();
        for names in names.chunks(NAMES_PER_COMMAND) {
            let subscribed = connection.commands.subscribe(names).await;
            subscribed.map_err(|error| RedisError::from_library(&error))?;
        }
        Ok(connection)
    }

    /// Remembers wishes while there is no connection. `false`: nobody is left.
    async fn wait(&mut self, pause: Duration) -> bool {
        let pause = sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return true,
                wish = self.wishes.recv() => {
                    let Some(wish) = wish else {
                        return false;
                    };
                    self.remember(&wish);
                    let away = RedisError::unavailable("not connected");
                    let _ = wish.done.send(Err(away));
                }
            }
        }
    }

    fn remember(&mut self, wish: &Wish) {
        if wish.is_wanted {
            self.names.insert(wish.name.clone());
        } else {
            self.names.remove(&wish.name);
        }
    }

    async fn serve(&mut self, mut connection: Listening) -> End {
        let health = self.times.health;
        let mut looks = interval_at(Instant::now() + health, health);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looking: Option<Looking> = None;
        loop {
            let outcome = tokio::select! {
                message = connection.messages.next() => match message {
                    Some(message) => self.pass_on(&message),
                    None => Err(End::Lost(RedisError::unavailable("the connection was lost"))),
                },
                wish = self.wishes.recv() => match wish {
                    Some(wish) => self.carry_out(&mut connection.commands, wish).await,
                    None => Err(End::Unwanted),
                },
                answer = until(&mut looking) => {
                    looking = None;
                    answer.map_err(End::Lost)
                }
                _ = looks.tick(), if looking.is_none() => {
                    looking = Some(connection.look(&self.target, &self.dial, self.times.command));
                    Ok(())
                }
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    fn pass_on(&self, message: &Msg) -> Result<(), End> {
        let event = PubSubEvent::Message {
            name: message.get_channel_name().to_owned(),
            payload: Bytes::copy_from_slice(message.get_payload_bytes()),
        };
        self.events.try_send(event).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => End::Unwanted,
            mpsc::error::TrySendError::Full(_) => {
                End::Lost(RedisError::unavailable("messages are read too slowly"))
            }
        })
    }

    async fn carry_out(&mut self, sink: &mut PubSubSink, wish: Wish) -> Result<(), End> {
        self.remember(&wish);
        let confirmed = async {
            match wish.is_wanted {
                true => sink.subscribe(&wish.name).await,
                false => sink.unsubscribe(&wish.name).await,
            }
        };
        let late = RedisError::unavailable("the server does not answer");
        let (answer, end) = match timeout(self.times.command, confirmed).await {
            Ok(Ok(())) => (Ok(()), Ok(())),
            Ok(Err(error)) if error.code().is_some() => {
                // The server forbids it: the connection is well, and asking again is useless.
                self.names.remove(&wish.name);
                (Err(RedisError::from_library(&error)), Ok(()))
            }
            Ok(Err(error)) => {
                let error = RedisError::from_library(&error);
                (Err(error.clone()), Err(End::Lost(error)))
            }
            Err(_) => (Err(late.clone()), Err(End::Lost(late))),
        };
        let _ = wish.done.send(answer);
        end
    }
}
