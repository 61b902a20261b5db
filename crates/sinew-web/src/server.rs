//! Accepting connections, answering their requests, and stopping in good order.
//!
//! [`Server`] answers the requests of a router on any number of connections: those of a [listener](Server::accept), and
//! any byte stream that somebody else [accepted](Server::serve_stream).
//! Told to stop, it answers every connection that it took once more: one that was accepted a moment before has its
//! first request answered, one that is being answered is closed after that, and an idle one is closed at once.

mod accept;
mod addresses;
mod admission;
mod config;
mod connection;
mod drain;
mod first_request;
mod listen;
mod pace;
mod statistics;
#[cfg(feature = "tls")]
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::websocket::{CableEndpoint, Door};

pub(crate) use addresses::Place;
pub(crate) use admission::Visit;
pub use admission::{Admission, AdmissionCounts, Arrival, Refused};
pub use config::{ServerConfig, TlsFiles};
pub use drain::{Drain, DrainGuard};
pub use listen::listen;
pub use statistics::ServerStatistics;
#[cfg(feature = "tls")]
pub use tls::Tls;

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
/// assert_eq!(server.admission().statistics().accepted, 1);
/// server.stop();
/// server.stopped().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Server {
    router: Router,
    admission: Admission,
    cable: Option<Arc<CableEntrance>>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    /// Whether it was told to stop. Its receivers are the connections.
    is_stopping: watch::Sender<bool>,
}

/// Where those go who ask for the cable.
struct CableEntrance {
    endpoint: CableEndpoint,
    door: Arc<dyn Door>,
}

impl Server {
    /// A server of this router with the default bounds.
    pub fn new(router: Router) -> Self {
        Self {
            router,
            admission: Admission::new(ServerConfig::default()),
            cable: None,
            #[cfg(feature = "tls")]
            tls: None,
            is_stopping: watch::Sender::new(false),
        }
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn config(self, config: ServerConfig) -> Self {
        self.with_admission(Admission::new(config))
    }

    /// Lets connections in as this says, with its bounds: counted together with what else it lets in.
    ///
    /// ```
    /// use axum::Router;
    /// use sinew_web::{Server, ServerConfig, server::Admission};
    ///
    /// let mut config = ServerConfig::default();
    /// config.handshakes_max = 10;
    /// let server = Server::new(Router::new()).with_admission(Admission::new(config));
    /// assert_eq!(server.admission().config().handshakes_max, 10);
    /// ```
    #[must_use]
    pub fn with_admission(mut self, admission: Admission) -> Self {
        self.admission = admission;
        self
    }

    /// Hands clients of the cable to `endpoint` as soon as their handshake has been read, without a request to the
    /// router: `door` says who they are, and serves all others. Whatever comes through TLS takes the way of the router.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/pages.rs"));
    /// use sinew_web::Server;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    ///
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let endpoint = endpoint()?;
    /// // Its router knows no cable: the door does.
    /// let server = Server::new(axum::Router::new()).cable(endpoint, pages());
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let mut client = tokio::net::TcpStream::connect(listener.local_addr()?).await?;
    /// tokio::spawn(async move { server.accept(&listener, std::future::pending()).await });
    ///
    /// let handshake = "GET /cable HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    ///     sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    /// client.write_all(handshake.as_bytes()).await?;
    /// let mut answer = [0; 149];
    /// client.read_exact(&mut answer).await?;
    /// assert!(answer.ends_with(b"\r\n\r\n\x81\x12{\"type\":\"welcome\"}"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cable(mut self, endpoint: CableEndpoint, door: Arc<dyn Door>) -> Self {
        self.cable = Some(Arc::new(CableEntrance { endpoint, door }));
        self
    }

    /// Speaks TLS on the TCP sockets that it accepts or is [given](Self::serve_tcp). Requests that come so are
    /// [secure](crate::Peer::secure).
    ///
    /// ```
    /// # use axum::Router;
    /// # use sinew_web::Server;
    /// use sinew_web::server::{Tls, TlsFiles};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let made = rcgen::generate_simple_self_signed(["example.com".to_owned()])?;
    /// # let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    /// # std::fs::write(&certificate, made.cert.pem())?;
    /// # std::fs::write(&key, made.signing_key.serialize_pem())?;
    /// // Two paths.
    /// let tls = Tls::from_files(TlsFiles { certificate, key })?;
    /// assert!(Server::new(Router::new()).tls(tls).is_secure());
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Whether it speaks TLS.
    ///
    /// ```
    /// assert!(!sinew_web::Server::new(axum::Router::new()).is_secure());
    /// ```
    pub fn is_secure(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }

    /// Who is let in, and what has been counted.
    pub fn admission(&self) -> &Admission {
        &self.admission
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
            () = self.watch() => {}
        }
    }

    /// Keeps the certificate as its files are.
    async fn watch(&self) {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            tls::watch(self, tls).await;
        }
        std::future::pending().await
    }

    /// Accepts what waits in the listener's queue at this moment, and answers it on tasks of the current runtime: for
    /// the end of a server whose socket nobody else holds, since closing a socket breaks what waits in it.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use sinew_web::Server;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    /// use tokio::net::{TcpListener, TcpStream};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new().route("/", get(async || "Hello")));
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut browser = TcpStream::connect(listener.local_addr()?).await?;
    /// # // The runtime hears of it.
    /// # tokio::task::yield_now().await;
    /// server.accept_waiting(&listener);
    /// drop(listener);
    /// server.stop();
    ///
    /// browser.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// browser.read_to_string(&mut answer).await?;
    /// assert!(answer.ends_with("Hello"));
    /// # Ok(()) }
    /// ```
    pub fn accept_waiting(&self, listener: &TcpListener) {
        accept::accept_waiting(self, listener);
    }

    /// Answers the requests of one TCP socket on a task of the current runtime, with TLS if the server
    /// [speaks it](Self::is_secure). The connection counts from this call on.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use sinew_web::Server;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    /// use tokio::net::{TcpListener, TcpStream};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new().route("/", get(async || "Hello")));
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut browser = TcpStream::connect(listener.local_addr()?).await?;
    /// let (socket, peer) = listener.accept().await?;
    /// server.serve_tcp(socket, peer);
    /// assert_eq!(server.connections(), 1);
    ///
    /// browser.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// browser.read_to_string(&mut answer).await?;
    /// assert!(answer.ends_with("Hello"));
    /// # Ok(()) }
    /// ```
    pub fn serve_tcp(&self, socket: TcpStream, peer: SocketAddr) {
        accept::take(self, socket, peer);
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
        self.serve_arrival(stream, peer, self.admission.arrives(peer.ip()))
    }

    /// As [`serve_stream`](Self::serve_stream), for a connection that was counted when it was accepted. One that is
    /// [refused](Arrival::refused) has its first request answered so.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use sinew_web::{Server, ServerConfig};
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut config = ServerConfig::default();
    /// config.connections_max = Some(1);
    /// let server = Server::new(Router::new().route("/", get(async || "Hello"))).config(config);
    /// let first = server.admission().arrives("192.0.2.7".parse()?);
    ///
    /// let arrival = server.admission().arrives("192.0.2.7".parse()?);
    /// let (socket, mut browser) = tokio::io::duplex(1024);
    /// tokio::spawn(server.serve_arrival(socket, "192.0.2.7:5000".parse()?, arrival));
    /// browser.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// browser.read_to_string(&mut answer).await?;
    /// assert!(answer.starts_with("HTTP/1.1 503 "));
    /// # drop(first);
    /// # Ok(()) }
    /// ```
    pub fn serve_arrival(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        arrival: Arrival,
    ) -> impl Future<Output = ()> + Send + 'static {
        connection::serve(self, stream, peer, false, arrival)
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
