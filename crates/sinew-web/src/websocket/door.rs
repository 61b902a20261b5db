//! Listening on the shards' own threads: each accepts its share of the connections and keeps those of the cable.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use socket2::SockRef;

use super::AcceptedStream;
use super::thread::ShardThread;
use crate::Effective;
use crate::server::Arrival;

/// What becomes of a connection that a shard accepted by itself; see [`CableEndpoint::listen`](super::CableEndpoint::listen).
///
/// Both methods are called on a shard's thread, within the application's runtime: they must not wait, and what takes
/// longer is for a task that they spawn.
///
/// ```
/// use std::net::SocketAddr;
/// use std::sync::Arc;
///
/// use axum::{Router, routing::get};
/// use http::Request;
/// use hyper::server::conn::http1;
/// use hyper_util::{rt::TokioIo, service::TowerToHyperService};
/// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
/// # use sinew_streams::InProcessStreams;
/// use sinew_web::forwarded::Direct;
/// use sinew_web::server::Arrival;
/// use sinew_web::websocket::{AcceptedStream, Door, Listening};
/// use sinew_web::{CableEndpoint, Effective, TrustedProxies, WebSocketConfig};
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// struct Pages(Router);
///
/// impl Door for Pages {
///     fn admit(&self, request: &mut Request<()>) -> Option<Effective> {
///         let is_cable = request.uri().path() == "/cable";
///         is_cable.then(|| TrustedProxies::none().effective(&Direct::of_request(request)))
///     }
///
///     fn serve(&self, stream: AcceptedStream, _peer: SocketAddr, _: Option<Arrival>) {
///         let pages = TowerToHyperService::new(self.0.clone());
///         tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), pages).with_upgrades());
///     }
/// }
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let mut config = WebSocketConfig::default();
/// config.shard_threads = 2;
/// let endpoint = CableEndpoint::new(cable).config(config);
/// let pages = Router::new().route("/", get(async || "a page"));
/// let listening: Listening = endpoint.listen("127.0.0.1:0".parse()?, Arc::new(Pages(pages)))?;
///
/// let mut browser = tokio::net::TcpStream::connect(listening.local_addr()).await?;
/// browser.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
/// let mut answer = String::new();
/// browser.read_to_string(&mut answer).await?;
/// assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("a page"));
///
/// let mut client = tokio::net::TcpStream::connect(listening.local_addr()).await?;
/// let handshake = "GET /cable HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
///     sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// client.write_all(handshake.as_bytes()).await?;
/// let mut answer = [0; 149];
/// client.read_exact(&mut answer).await?;
/// assert!(answer.ends_with(b"\r\n\r\n\x81\x12{\"type\":\"welcome\"}"));
///
/// # Ok(()) }
/// ```
pub trait Door: Send + Sync + 'static {
    /// Whether the cable takes this request for a WebSocket, and from whom it comes. `None` leaves it, and the answer,
    /// to [`serve`](Self::serve).
    ///
    /// The address of the peer is in the extensions, as axum's `ConnectInfo`.
    fn admit(&self, request: &mut Request<()>) -> Option<Effective>;

    /// Serves a connection that is none of the cable's. `arrival` is how it was counted, when the endpoint has an
    /// [`admission`](super::CableEndpoint::admission): a refused one is to be answered so.
    fn serve(&self, stream: AcceptedStream, peer: SocketAddr, arrival: Option<Arrival>);
}

/// Shards that accept connections. Dropping it stops that, as [`stop`](Self::stop) does.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/pages.rs"));
/// use sinew_web::websocket::Listening;
/// use tokio::net::TcpStream;
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let endpoint = endpoint()?;
/// let listening: Listening = endpoint.listen("127.0.0.1:0".parse()?, pages())?;
/// TcpStream::connect(listening.local_addr()).await?;
///
/// listening.stopped().await;
/// assert!(TcpStream::connect(listening.local_addr()).await.is_err());
/// # Ok(()) }
/// ```
pub struct Listening {
    address: SocketAddr,
    threads: Arc<Vec<ShardThread>>,
}

impl Listening {
    pub(super) fn new(address: SocketAddr, threads: Arc<Vec<ShardThread>>) -> Self {
        Self { address, threads }
    }

    /// Where they listen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts those who wait already, and then no more. Connections that are there stay; whoever connects is refused
    /// by the system.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/pages.rs"));
    /// # use tokio::net::TcpStream;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let endpoint = endpoint()?;
    /// let listening = endpoint.listen("127.0.0.1:0".parse()?, pages())?;
    /// listening.stop();
    /// // The shards hear of it in a moment.
    /// while let Ok(_accepted) = TcpStream::connect(listening.local_addr()).await {}
    /// assert!(TcpStream::connect(listening.local_addr()).await.is_err());
    /// # Ok(()) }
    /// ```
    pub fn stop(&self) {
        for thread in self.threads.iter() {
            thread.stop_listening();
        }
    }

    /// [Stops](Self::stop), and resolves when no shard listens any more.
    pub async fn stopped(&self) {
        self.stop();
        for thread in self.threads.iter() {
            thread.stopped_listening().await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ends a listener also where other descriptor tables have it: closing it in one of them would leave the kernel sending
/// connections to it, and nobody to accept them.
pub(super) fn end(listener: &mio::net::TcpListener) {
    if let Err(error) = SockRef::from(listener).shutdown(std::net::Shutdown::Both) {
        tracing::debug!(%error, "a listener could not be shut down");
    }
}
