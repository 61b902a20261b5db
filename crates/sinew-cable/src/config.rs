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
    /// Time between two pings of one connection. Default 3 s: the stock client calls a connection stale after 6 s.
    /// The first comes between a half and one and a half of it after the opening.
    pub ping_interval: Duration,
    /// How long the application may take to answer a connect. Default 30 s.
    /// Then the client is told `idle_timeout` and closed. Looked at once per ping interval.
    pub connect_timeout: Duration,
    /// Subscriptions of one connection. Default 1000.
    /// One more is answered with `reject_subscription`; the connection lives.
    pub subscriptions_max: usize,
    /// Length of an identifier. Default 8 KiB (8192 bytes).
    /// A subscribe with a longer one is answered with `reject_subscription`; the connection lives.
    pub identifier_bytes_max: usize,
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
            connect_timeout: Duration::from_secs(30),
            subscriptions_max: 1000,
            identifier_bytes_max: 8 * 1024,
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
