use std::time::Duration;

/// Every bound of the cable in one place, with its unit, its default and what happens beyond it.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
/// # use sinew_streams::InProcessStreams;
/// #
/// # struct NewsChannel;
/// #
/// # impl Channel for NewsChannel {
/// #     const NAME: &'static str = "NewsChannel";
/// #
/// #     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
/// #         cx.stream_from("news");
/// #         Ok(())
/// #     }
/// # }
/// use sinew_cable::Config;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = Config::default();
/// assert_eq!(config.ping_interval, std::time::Duration::from_secs(3));
/// config.subscriptions_max = 1;
///
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(NewsChannel);
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
///     .config(config)
///     .build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe(r#"{"channel":"NewsChannel"}"#);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.subscribe(r#"{"channel":"NewsChannel","page":2}"#);
/// assert_eq!(client.receive().await["type"], "reject_subscription");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Time between two pings of one connection that did not ask for another. Default 3 s: the stock client calls a
    /// connection stale after 6 s. The first comes between a half and one and a half of it after the opening; other
    /// messages never take a ping's place.
    pub ping_interval: Duration,
    /// The shortest interval a client gets that asks for one, with `pi` in the query of the cable's address: whole
    /// seconds, as AnyCable reads it. Default 1 s. A shorter one is lengthened to it.
    ///
    /// Intervals are kept to within a 32nd of the shortest there can be.
    pub ping_interval_min: Duration,
    /// The longest interval a client gets that asks for one. Default 60 s: many proxies close a connection on which
    /// nothing happens for longer. A longer one is shortened to it, and so is `pi=0`, which asks for no pings.
    pub ping_interval_max: Duration,
    /// How long nothing at all may come from a client. Default 2 min; zero: for ever. After a half of it the pings are
    /// accompanied by a ping frame of the WebSocket protocol, which every client answers by itself. When the time is
    /// over, and there was a whole ping interval to answer in, the client is told `no_pong`, may reconnect, and is closed.
    pub pong_timeout: Duration,
    /// How long the application may take to answer a connect. Default 30 s.
    /// Then the client is told `idle_timeout` and closed. Looked at once per ping interval.
    pub connect_timeout: Duration,
    /// Subscriptions of one connection. Default 1000.
    /// One more is answered with `reject_subscription`; the connection lives.
    pub subscriptions_max: usize,
    /// Length of an identifier. Default 8 KiB (8192 bytes).
    /// A subscribe with a longer one is answered with `reject_subscription`; the connection lives.
    pub identifier_bytes_max: usize,
    /// Messages a client may send in a second, lastingly: texts, binaries and pings. Default 1000; zero: as many as it
    /// likes. A client that sends more is not read until it is within its rate: nothing is lost, and what it sends
    /// on waits on its side of the network.
    pub incoming_messages_per_second: u32,
    /// Bytes a client may send in a second, lastingly, frame headers included. Default 4 MiB (4,194,304 bytes); zero: as
    /// many as it likes. As for [`incoming_messages_per_second`](Self::incoming_messages_per_second).
    pub incoming_bytes_per_second: u64,
    /// What a client may send at once: as much as it may otherwise in so long. Default 10 s, which makes 10,000 messages
    /// and 40 MiB.
    pub incoming_burst: Duration,
    /// How long a client may have to be left unread for what was already read from it. Default 30 s. Beyond it, it is
    /// closed with 1008 and is told nothing else: it may reconnect. One read (64 KiB) brings at most 11,000 messages, so
    /// that this is met only where the rates were lowered.
    pub incoming_pause_max: Duration,
    /// Commands of one connection that wait until the application has answered the one before. Default 64.
    /// At the bound the socket is not read until one is done; what one read brought (64 KiB) may exceed it. Nothing is lost.
    pub waiting_commands_max: usize,
    /// Text of the commands that wait, in bytes. Default 1 MiB (1,048,576 bytes).
    /// As [`waiting_commands_max`](Self::waiting_commands_max): at the bound the socket is not read.
    pub waiting_bytes_max: usize,
    /// Bytes of frames queued for one connection that its socket has not taken. Default 1 MiB (1,048,576 bytes).
    /// With so much waiting, one more frame drops the queue: the client is told `too_slow`, may reconnect, and is closed.
    /// A single frame of any size is always taken by a queue below the bound.
    pub outbox_bytes_max: usize,
    /// Frames queued for one connection that its socket has not taken. Default 16,384.
    /// Beyond it as for [`outbox_bytes_max`](Self::outbox_bytes_max).
    pub outbox_messages_max: usize,
    /// Bytes of frames and broadcasts on their way to one shard of the connections, beyond which publishers wait until
    /// the shard has taken them. Default 16 MiB (16,777,216 bytes). Each publisher may exceed it by one message; nothing
    /// is lost.
    pub inbox_bytes_max: usize,
    /// Bytes that a message must have to be compressed for connections that
    /// [negotiated it](crate::ConnectRequest::deflate). Default 1 KiB (1024 bytes). A shorter one is sent plain: it fits
    /// one packet either way.
    pub compression_bytes_min: usize,
    /// How hard a message is compressed, from 1, the fastest, to 9, the smallest. Default 1: the next level takes three
    /// times as long to save another eighth to a fifth.
    pub compression_level: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(3),
            ping_interval_min: Duration::from_secs(1),
            ping_interval_max: Duration::from_secs(60),
            pong_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(30),
            subscriptions_max: 1000,
            identifier_bytes_max: 8 * 1024,
            incoming_messages_per_second: 1000,
            incoming_bytes_per_second: 4 * 1024 * 1024,
            incoming_burst: Duration::from_secs(10),
            incoming_pause_max: Duration::from_secs(30),
            waiting_commands_max: 64,
            waiting_bytes_max: 1024 * 1024,
            outbox_bytes_max: 1024 * 1024,
            outbox_messages_max: 16 * 1024,
            inbox_bytes_max: 16 * 1024 * 1024,
            compression_bytes_min: 1024,
            compression_level: 1,
        }
    }
}
