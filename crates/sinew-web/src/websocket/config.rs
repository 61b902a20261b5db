use std::io;
use std::time::Duration;

/// Bounds of one socket, with unit, default and what happens beyond.
///
/// ```
/// use sinew_web::{CableEndpoint, WebSocketConfig};
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
/// # use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let mut config = WebSocketConfig::default();
/// assert_eq!(config.message_bytes_max, 1024 * 1024);
/// config.message_bytes_max = 100;
///
/// let endpoint = CableEndpoint::new(cable).config(config);
/// let (socket, mut browser) = tokio::io::duplex(1024);
/// endpoint.serve(socket, bytes::Bytes::new(), ConnectRequest::default());
/// # browser.read_exact(&mut [0; 20]).await?;
/// // The header of a masked text frame of 101 bytes is enough.
/// browser.write_all(b"\x81\xe5\x00\x00\x00\x00").await?;
/// let mut close = [0; 4];
/// browser.read_exact(&mut close).await?;
/// assert_eq!(u16::from_be_bytes([close[2], close[3]]), 1009);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebSocketConfig {
    /// Payload of one message from a client, in bytes. Default 1 MiB (1,048,576 bytes).
    /// A longer one is refused at its header, before any of it is kept: close 1009. One that comes compressed is held to
    /// it as it comes, and again while it is inflated.
    pub message_bytes_max: usize,
    /// Whether clients that offer permessage-deflate get it, each message compressed by itself. Default no: a message
    /// that holds a secret and text of somebody else's choice tells of the secret by its length. On, it costs a connection
    /// nothing, and each shard of the connections about 400 KiB once it has compressed and inflated something. Which
    /// messages are compressed, and how hard, is in [`sinew_cable::Config`].
    pub compression: bool,
    /// How long a socket may take nothing of what is to be written. Default 2 s. Then it is dropped: its peer does not
    /// read.
    pub write_timeout: Duration,
    /// How long a peer may take to answer a close, and to take what goes before it. Default 2 s. Then the socket is
    /// dropped.
    pub close_timeout: Duration,
    /// How long bytes sent on a plain TCP socket may stay unacknowledged. Default 30 s; zero: as the system has it, which
    /// may be a quarter of an hour. Then the system drops the connection: its peer is gone without a word. Pings see to
    /// it that something is always sent. On Linux and Android; other systems keep their own.
    pub tcp_user_timeout: Duration,
    /// After how long without anything sent or received on a plain TCP socket the system asks its peer whether it is
    /// there. Default 60 s, then every quarter of it; zero: not at all. For connections that are pinged more seldom. At
    /// least a second.
    pub tcp_keepalive: Duration,
    /// Threads of their own that drive plain TCP connections, each its share of them, on which no application code runs.
    /// Default 0: connections are driven by tasks of the runtime, one for each processor. That costs a message least
    /// while there are few; threads hold more connections in less memory, and keep their pace while the runtime is busy.
    pub shard_threads: usize,
    /// Gives the calling thread a descriptor table of its own, where one table is too small for all sockets. Default
    /// none. It is called once on the thread of every shard that [listens](crate::CableEndpoint::listen), before that
    /// accepts anybody; an error is one of `listen`.
    ///
    /// This is for a binary that knows all code in its process, never for a library: after it, a descriptor that was made
    /// on a shard's thread means nothing, or something else, on others. What is here keeps to that: no socket leaves its
    /// thread, and bytes of requests that the runtime serves go through memory. A [`DirectChannel`](sinew_cable::DirectChannel)
    /// must not open or close files or start threads, and a log must not open files later. Make the runtime before.
    pub own_descriptors: Option<fn() -> io::Result<()>>,
    /// How long a connection that a shard [accepted](crate::CableEndpoint::listen) may take until it says something.
    /// Default 10 s. Then it is closed.
    pub request_timeout: Duration,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            message_bytes_max: 1024 * 1024,
            compression: false,
            write_timeout: Duration::from_secs(2),
            close_timeout: Duration::from_secs(2),
            tcp_user_timeout: Duration::from_secs(30),
            tcp_keepalive: Duration::from_secs(60),
            shard_threads: 0,
            own_descriptors: None,
            request_timeout: Duration::from_secs(10),
        }
    }
}
