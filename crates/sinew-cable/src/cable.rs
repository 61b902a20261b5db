use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use sinew_streams::{StreamName, Streams, StreamsError};
use tokio::sync::Notify;

use crate::context::ConnectionId;
use crate::follows::Follows;
use crate::inbox::{Inbox, Parcel, Whose};
use crate::mailbox::Node;
use crate::statistics::{ShardStatistics, Statistics};
use crate::{Broadcaster, Config, ConnectionIdentifiers, Controller};

/// The cable of one node: its connections, its hub, and the application behind them. Cloning is cheap.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::Arc;
/// use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
/// use sinew_streams::InProcessStreams;
///
/// struct NewsChannel;
///
/// impl Channel for NewsChannel {
///     const NAME: &'static str = "NewsChannel";
///
///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
///         cx.stream_from("news");
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = sinew_cable::Config::default();
/// config.subscriptions_max = 10;
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(NewsChannel);
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
///     .config(config)
///     .build()?;
/// assert_eq!(cable.config().subscriptions_max, 10);
///
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe(r#"{"channel":"NewsChannel"}"#);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
///
/// cable.broadcaster().broadcast("news", "hello").await?;
/// assert_eq!(client.receive().await["message"], "hello");
/// assert_eq!(cable.statistics().subscriptions, 1);
/// assert_eq!(cable.statistics().broadcasts, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Cable {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) node: Arc<Node>,
    pub(crate) controller: Arc<dyn Controller>,
    /// Which shards follow what; also the list of shards.
    pub(crate) follows: Arc<Follows>,
    pub(crate) next_id: AtomicU64,
    /// Mixes the places of connections on the ping wheel, so that two nodes do not fall in step.
    pub(crate) seed: u64,
    pub(crate) draining: AtomicBool,
    /// Told when the last connection is gone.
    pub(crate) empty: Notify,
}

/// Puts a [`Cable`] together.
///
/// ```
/// use std::sync::Arc;
/// use sinew_cable::{Application, Cable, Config, ConnectionIdentifiers};
/// use sinew_streams::{InProcessStreams, Streams, StreamsError};
///
/// let application = Arc::new(Application::new(async |_| Ok(ConnectionIdentifiers::new())));
/// let streams: Arc<dyn Streams> = Arc::new(InProcessStreams::new());
/// let builder = Cable::builder(application.clone(), streams.clone());
/// let cable = builder.config(Config::default()).build()?;
/// assert!(Arc::ptr_eq(cable.streams(), &streams));
///
/// // Streams belong to one cable.
/// let second = Cable::builder(application, streams).build();
/// assert!(matches!(second, Err(StreamsError::AlreadyAttached)));
/// # Ok::<(), StreamsError>(())
/// ```
pub struct CableBuilder {
    controller: Arc<dyn Controller>,
    streams: Arc<dyn Streams>,
    config: Config,
}

impl CableBuilder {
    /// Other bounds and intervals than the default ones.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Makes the cable and attaches it to the streams.
    ///
    /// # Errors
    ///
    /// [`StreamsError::AlreadyAttached`] when the streams belong to another cable.
    pub fn build(self) -> Result<Cable, StreamsError> {
        let node = Arc::new(Node {
            config: self.config,
            connections: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            streams: self.streams,
        });
        let follows = Arc::new(Follows::new());
        node.streams.attach(follows.clone())?;
        Ok(Cable {
            inner: Arc::new(Inner {
                node,
                controller: self.controller,
                follows,
                next_id: AtomicU64::new(1),
                seed: std::hash::BuildHasher::hash_one(
                    &foldhash::fast::RandomState::default(),
                    SystemTime::now(),
                ),
                draining: AtomicBool::new(false),
                empty: Notify::new(),
            }),
        })
    }
}

impl Cable {
    /// Begins a cable between an application and streams.
    pub fn builder(controller: Arc<dyn Controller>, streams: Arc<dyn Streams>) -> CableBuilder {
        CableBuilder {
            controller,
            streams,
            config: Config::default(),
        }
    }

    /// Counts a connection that is on its way to a shard: from here on [`drain`](Self::drain) waits for it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let incoming = cable.incoming();
    /// assert_eq!(cable.statistics().connections, 1);
    /// drop(incoming);
    /// assert_eq!(cable.statistics().connections, 0);
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn incoming(&self) -> Incoming {
        self.inner.node.connections.fetch_add(1, Relaxed);
        Incoming(self.inner.clone())
    }

    /// The same cable, without keeping it: for what the cable itself holds, such as its application.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let weak = cable.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(cable);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn downgrade(&self) -> WeakCable {
        WeakCable(Arc::downgrade(&self.inner))
    }

    /// A handle that broadcasts to streams.
    pub fn broadcaster(&self) -> Broadcaster {
        Broadcaster::new(self.inner.node.streams.clone())
    }

    /// The streams behind the cable.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Broadcaster, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// use bytes::Bytes;
    /// use futures_util::FutureExt;
    ///
    /// let published = cable.streams().publish(&"news".into(), Bytes::from("1"));
    /// published.now_or_never().expect("at once in process")?;
    /// assert_eq!(cable.statistics().broadcasts, 0, "nobody of this node follows it");
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn streams(&self) -> &Arc<dyn Streams> {
        &self.inner.node.streams
    }

    /// The bounds in force.
    pub fn config(&self) -> &Config {
        &self.inner.node.config
    }

    /// Ends the connections of one identity on this node: reason `remote`, close 1000.
    ///
    /// Looks at every connection: meant for a logout or a ban, not for a hot path.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// use std::sync::Arc;
    /// use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// use sinew_streams::InProcessStreams;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ann = ConnectionIdentifiers::new().with("user", "ann");
    /// # let everybody = ann.clone();
    /// let application = Application::new(move |_| {
    ///     let identifiers = ann.clone();
    ///     async { Ok(identifiers) }
    /// });
    /// # let ann = everybody;
    /// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// cable.disconnect(&ann, false);
    /// let told = client.receive().await;
    /// assert_eq!(told["type"], "disconnect");
    /// assert_eq!((&told["reason"], &told["reconnect"]), (&"remote".into(), &false.into()));
    /// # Ok(()) }
    /// ```
    pub fn disconnect(&self, identifiers: &ConnectionIdentifiers, reconnect: bool) {
        let identifiers = identifiers.clone();
        self.disconnect_if(move |known| known.same_as(&identifiers), reconnect);
    }

    /// As [`disconnect`](Self::disconnect), of every connection whose identifiers `whose` accepts.
    ///
    /// It also sees what the connect hook left with them. It is called on the threads that drive connections and must not
    /// block.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// use std::sync::Arc;
    /// use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// use sinew_streams::InProcessStreams;
    ///
    /// #[derive(Clone)]
    /// struct TrialUser;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let application =
    ///     Application::new(async |_| Ok(ConnectionIdentifiers::new().with_extension(TrialUser)));
    /// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// cable.disconnect_if(|who| who.extensions().get::<TrialUser>().is_some(), true);
    /// let told = client.receive().await;
    /// assert_eq!((&told["reason"], &told["reconnect"]), (&"remote".into(), &true.into()));
    /// # Ok(()) }
    /// ```
    pub fn disconnect_if(
        &self,
        whose: impl Fn(&ConnectionIdentifiers) -> bool + Send + Sync + 'static,
        reconnect: bool,
    ) {
        let whose: Whose = Arc::new(whose);
        self.inner.follows.for_each_shard(|inbox| {
            inbox.post(Parcel::DisconnectIf(whose.clone(), reconnect), 0);
        });
    }

    /// Tells every connection `server_restart` and closes it with 1001, after what is queued for it. New ones are taken.
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
    ///
    /// cable.restart();
    /// let told = client.receive().await;
    /// assert_eq!((&told["reason"], &told["reconnect"]), (&"server_restart".into(), &true.into()));
    /// assert_eq!(client.closing().expect("told to close").code, 1001);
    /// # Ok(()) }
    /// ```
    pub fn restart(&self) {
        // Each shard hears of it in its own time: whoever was told by one and is back on another is not told again.
        let before = ConnectionId(self.inner.next_id.load(Relaxed));
        self.inner
            .follows
            .for_each_shard(|inbox| inbox.post(Parcel::Restart(before), 0));
    }

    /// As [`restart`](Self::restart), for good: a connection that still comes is told the same and closed. One that waits
    /// for an answer of the application is told when it has it.
    /// Resolves when the last connection is gone.
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
    ///
    /// let leaves = async {
    ///     assert_eq!(client.receive().await["reason"], "server_restart");
    ///     drop(client);
    /// };
    /// tokio::join!(cable.drain(), leaves);
    /// assert_eq!(cable.statistics().connections, 0);
    ///
    /// // Whoever comes now is told at once.
    /// let mut late = Client::open(&cable);
    /// assert_eq!(late.receive().await["reason"], "server_restart");
    /// # Ok(()) }
    /// ```
    pub async fn drain(&self) {
        self.drain_over(Duration::ZERO).await;
    }

    /// As [`drain`](Self::drain), evenly over so long a time, so that not all come back at once.
    ///
    /// Who waits for an answer of the application is told after it, be it later:
    /// [`Controller::is_busy`](crate::Controller::is_busy) says who does. [`restart`](Self::restart) tells all that are
    /// left.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// let leaves = async {
    ///     // The first is told at once.
    ///     assert_eq!(client.receive().await["reason"], "server_restart");
    ///     drop(client);
    /// };
    /// tokio::join!(cable.drain_over(Duration::from_secs(60)), leaves);
    /// # Ok(()) }
    /// ```
    pub async fn drain_over(&self, window: Duration) {
        self.inner.draining.store(true, Relaxed);
        self.inner
            .follows
            .for_each_shard(|inbox| inbox.post(Parcel::Depart(window), 0));
        loop {
            let empty = self.inner.empty.notified();
            if self.inner.node.connections.load(Relaxed) == 0 {
                return;
            }
            empty.await;
        }
    }

    /// Whether it [drains](Self::drain): nobody new stays.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// assert!(!cable.is_draining());
    /// cable.drain().await;
    /// assert!(cable.is_draining());
    /// # Ok(()) }
    /// ```
    pub fn is_draining(&self) -> bool {
        self.inner.draining.load(Relaxed)
    }

    /// What it has done and holds.
    ///
    /// It adds up what each shard counts for itself, and takes no time from them but a moment of their inboxes' locks.
    pub fn statistics(&self) -> Statistics {
        let inner = &self.inner;
        let mut statistics = inner.follows.statistics();
        statistics.handshakes = self.handshakes();
        statistics.connections = self.connections();
        statistics
    }

    /// Connections now, as [`Statistics::connections`]: without looking at the shards, for whoever asks often.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let one = cable.incoming();
    /// assert_eq!((cable.connections(), cable.handshakes()), (1, 1));
    /// # drop(one);
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn connections(&self) -> u64 {
        self.inner.node.connections.load(Relaxed)
    }

    /// Of the [connections](Self::connections), those that the application has not answered yet.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let mut client = Client::open(&cable);
    /// assert_eq!(cable.handshakes(), 1);
    /// assert_eq!(client.receive().await["type"], "welcome");
    /// assert_eq!((cable.connections(), cable.handshakes()), (1, 0));
    /// # Ok(()) }
    /// ```
    pub fn handshakes(&self) -> u64 {
        // First those that were answered: what changes in between makes too many handshakes, never too few.
        let answered = self.inner.node.answered.load(Relaxed);
        self.connections().saturating_sub(answered)
    }

    /// What each shard of the connections holds.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers, ShardStatistics, shard::Shard};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let shard: Shard<std::net::TcpStream> = Shard::new(&cable, || {});
    /// let shards: Vec<ShardStatistics> = cable.shards();
    /// assert_eq!(shards.len(), 1);
    /// assert_eq!((shards[0].connections, shards[0].inbox_bytes), (0, 0));
    /// # drop(shard);
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn shards(&self) -> Vec<ShardStatistics> {
        let mut shards = Vec::new();
        let inboxes = |inbox: &Arc<Inbox>| shards.push(inbox.statistics());
        self.inner.follows.for_each_shard(inboxes);
        shards
    }

    /// Whether somebody of this node follows the stream.
    ///
    /// Whoever makes a message that is dear to make can ask first. In a cluster another node may follow it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// assert!(!cable.is_followed(&"news".into()));
    /// # Ok::<(), sinew_streams::StreamsError>(())
    /// ```
    pub fn is_followed(&self, stream: &StreamName) -> bool {
        self.inner.follows.is_followed(stream)
    }
}

/// A connection, counted: from [`Cable::incoming`] until it is dropped, which its shard does when it is gone.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectionIdentifiers, Incoming};
/// # use sinew_streams::InProcessStreams;
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let connections: Vec<Incoming> = (0..3).map(|_| cable.incoming()).collect();
/// assert_eq!(cable.statistics().connections, 3);
/// # drop(connections);
/// # Ok::<(), sinew_streams::StreamsError>(())
/// ```
#[must_use = "the connection is counted as long as this is kept"]
pub struct Incoming(Arc<Inner>);

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.0.node.connections.fetch_sub(1, Relaxed) == 1 {
            self.0.empty.notify_waiters();
        }
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// A [`Cable`] that ends when nobody else holds it; see [`Cable::downgrade`].
///
/// ```
/// use std::sync::Arc;
/// use sinew_cable::{Application, Cable, ConnectionIdentifiers, WeakCable};
/// use sinew_streams::InProcessStreams;
///
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let weak: WeakCable = cable.downgrade();
/// assert_eq!(weak.upgrade().map(|cable| cable.statistics().connections), Some(0));
/// drop(cable);
/// assert!(weak.upgrade().is_none());
/// # Ok::<(), sinew_streams::StreamsError>(())
/// ```
#[derive(Clone)]
pub struct WeakCable(Weak<Inner>);

impl WeakCable {
    /// The cable, while it is there.
    pub fn upgrade(&self) -> Option<Cable> {
        self.0.upgrade().map(|inner| Cable { inner })
    }
}

impl std::fmt::Debug for WeakCable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WeakCable").finish_non_exhaustive()
    }
}

/// SplitMix64's last step: neighbours come out far apart.
pub(crate) fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
