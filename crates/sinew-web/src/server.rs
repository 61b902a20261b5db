//! Accepting connections, answering their requests, and stopping in good order.
//!
//! [`Server`] answers the requests of a router on any number of connections: those of a [listener](Server::accept), and
//! any byte stream that somebody else [accepted](Server::serve_stream).
//! Told to stop, it answers every connection that it took once more: one that was accepted a moment before has its
//! first request answered, one that is being answered is closed after that, and an idle one is closed at once.

mod accept;
mod config;
mod connection;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use config::ServerConfig;

/// Answers the requests of a router. Cloning is cheap; clones are one server.
///
/// Handlers find the other end of the socket as axum's `ConnectInfo<SocketAddr>` and as [`Peer`](crate::Peer).
///
/// ```
/// use axum::{Router, extract::ConnectInfo, routing::get};
/// use sinew_web::{Server, ServerConfig};
/// use std::net::SocketAddr;
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// async fn whereabouts(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
///     peer.to_string()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route("/", get(whereabouts));
/// let server = Server::new(router).config(ServerConfig::default());
/// let (socket, mut browser) = tokio::io::duplex(1024);
/// let served = tokio::spawn(server.serve_stream(socket, "192.0.2.7:5000".parse()?));
/// assert_eq!(server.connections(), 1);
///
/// browser.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n").await?;
/// let mut answer = String::new();
/// browser.read_to_string(&mut answer).await?;
/// assert!(answer.ends_with("192.0.2.7:5000"));
///
/// served.await?;
/// assert_eq!(server.connections(), 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Server {
    router: Router,
    config: Arc<ServerConfig>,
    /// Whether it was told to stop. Its receivers are the connections.
    is_stopping: watch::Sender<bool>,
}

impl Server {
    /// A server of this router with the default bounds.
    pub fn new(router: Router) -> Self {
        Self {
            router,
            config: Arc::default(),
            is_stopping: watch::Sender::new(false),
        }
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// Accepts connections until `until` resolves, and answers them on tasks of the current runtime. What waits in the
    /// listener's queue then stays there, for whoever else holds the socket.
    ///
    /// Errors of a single connection concern nobody else; when the system has no descriptors left, accepting pauses.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use sinew_web::Server;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    /// use tokio::net::{TcpListener, TcpStream};
    /// use tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new().route("/", get(async || "Hello")));
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut browser = TcpStream::connect(listener.local_addr()?).await?;
    /// let (end, ended) = oneshot::channel::<()>();
    /// let accepts = tokio::spawn({
    ///     let server = server.clone();
    ///     async move { server.accept(&listener, async { drop(ended.await) }).await }
    /// });
    ///
    /// browser.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// browser.read_to_string(&mut answer).await?;
    /// assert!(answer.ends_with("Hello"));
    ///
    /// drop(end);
    /// accepts.await?;
    /// # Ok(()) }
    /// ```
    pub async fn accept(&self, listener: &TcpListener, until: impl Future<Output = ()>) {
        tokio::select! {
            () = until => {}
            () = accept::accept(self, listener) => {}
        }
    }

    /// Answers the requests that come on one byte stream until it is closed, upgraded to something else, or the server
    /// was told to stop. The connection counts from this call on, before the future is polled.
    ///
    /// For connections that somebody else accepted. Dropping the future cuts the connection off.
    pub fn serve_stream(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + 'static {
        connection::serve(self, stream, peer)
    }

    /// Tells every connection, and those that still come, to end after the request that is being answered. One that has
    /// not sent any request yet may send its first, for
    /// [`first_request_wait`](ServerConfig::first_request_wait).
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use sinew_web::Server;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new().route("/", get(async || "Hello")));
    /// let (socket, mut browser) = tokio::io::duplex(1024);
    /// tokio::spawn(server.serve_stream(socket, "192.0.2.7:5000".parse()?));
    ///
    /// server.stop();
    /// browser.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// browser.read_to_string(&mut answer).await?;
    /// assert!(answer.contains("connection: close"));
    /// assert!(answer.ends_with("Hello"));
    /// server.stopped().await;
    /// # Ok(()) }
    /// ```
    pub fn stop(&self) {
        self.is_stopping.send_replace(true);
    }

    /// Resolves when no connection is left. Those that were upgraded are no longer the server's.
    pub async fn stopped(&self) {
        self.is_stopping.closed().await;
    }

    /// Connections that it is answering, those that say nothing among them.
    pub fn connections(&self) -> usize {
        self.is_stopping.receiver_count()
    }
}
