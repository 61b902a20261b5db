//! The cable's WebSocket endpoint: from an HTTP request to a driven connection.
//!
//! [`CableEndpoint::upgrade`] answers 101 and takes the socket back from hyper. It then belongs to one of the
//! shards: a task of the runtime drives its share of the connections, or, for plain TCP sockets where
//! [`WebSocketConfig::shard_threads`] says so, a thread with one epoll. Either holds no read and no write buffer while
//! nothing happens to a connection, and writes all that is waiting for it at once.

mod accepted;
mod config;
mod door;
mod gate;
mod handshake;
mod head;
mod sockets;
mod task;
mod tcp;
mod thread;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use http::Request;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use sinew_cable::{Cable, ConnectRequest};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, RuntimeFlavor};

pub use accepted::AcceptedStream;
pub use config::WebSocketConfig;
pub use door::{Door, Listening};

use crate::Effective;
use crate::server::{self, Admission, ServerConfig, Visit};
use gate::Gate;
pub(crate) use gate::{Look, Visitor};
use handshake::Handshake;
use sockets::Arrival;
use task::ShardTask;
use thread::{Entrance, Prepared, ShardThread};

/// Where clients of the cable come in. Cloning is cheap.
///
/// The origin is not checked here: do that before.
///
/// ```
/// use axum::{Router, body::Body, extract::Request, routing::any};
/// use sinew_web::{CableEndpoint, Effective, WebSocketConfig};
/// use tower::ServiceExt as _;
/// # use std::sync::Arc;
/// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
/// # use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
/// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// let endpoint = CableEndpoint::new(cable).config(WebSocketConfig::default());
/// let cable = endpoint.clone();
/// let app: Router = Router::new().route(
///     "/cable",
///     any(async move |effective: Effective, request: Request| cable.upgrade(request, &effective)),
/// );
///
/// let request = Request::get("/cable")
///     .header("connection", "Upgrade")
///     .header("upgrade", "websocket")
///     .header("sec-websocket-version", "13")
///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("sec-websocket-protocol", "actioncable-v1-json")
///     .body(Body::empty())?;
/// let response = app.clone().oneshot(request).await?;
/// assert_eq!(response.status(), 101);
/// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// assert_eq!(response.headers()["sec-websocket-protocol"], "actioncable-v1-json");
///
/// let ordinary = app.oneshot(Request::get("/cable").body(Body::empty())?).await?;
/// assert_eq!(ordinary.status(), 404);
/// assert_eq!(endpoint.cable().statistics().connections, 0, "there was no socket to take over");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CableEndpoint {
    cable: Cable,
    config: Arc<WebSocketConfig>,
    shards: Arc<Shards>,
    admission: Option<Admission>,
}

/// Where the connections of an endpoint live; started with the first of them.
#[derive(Default)]
struct Shards {
    threads: OnceLock<Arc<Vec<ShardThread>>>,
    tasks: OnceLock<Vec<ShardTask>>,
    next: AtomicUsize,
}

impl Shards {
    fn next<'a, T>(&self, among: &'a [T]) -> Option<&'a T> {
        let number = self.next.fetch_add(1, Relaxed);
        among.get(number.checked_rem(among.len())?)
    }
}

impl CableEndpoint {
    /// An endpoint of this cable with the default bounds.
    pub fn new(cable: Cable) -> Self {
        Self {
            cable,
            config: Arc::default(),
            shards: Arc::default(),
            admission: None,
        }
    }

    /// Lets in whom this lets in; everybody without it.
    ///
    /// Who has too many connections is answered 429, what is too much for the server 503.
    ///
    /// ```
    /// use sinew_web::server::Admission;
    /// use sinew_web::{CableEndpoint, Effective, ServerConfig};
    /// # use std::sync::Arc;
    /// # use axum::body::Body;
    /// # use http::Request;
    /// # use sinew_cable::{Application, Cable, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let admission = Admission::new(ServerConfig::default()).cable(cable.clone());
    /// let endpoint = CableEndpoint::new(cable.clone()).admission(admission);
    /// cable.drain().await;
    ///
    /// let request = Request::get("/cable")
    ///     .header("connection", "Upgrade")
    ///     .header("upgrade", "websocket")
    ///     .header("sec-websocket-version", "13")
    ///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .body(Body::empty())?;
    /// let effective = Effective { client_address: None, secure: false, host: "example.com".to_owned() };
    /// assert_eq!(endpoint.upgrade(request, &effective).status(), 503);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn admission(mut self, admission: Admission) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn config(mut self, config: WebSocketConfig) -> Self {
        self.config = Arc::new(config);
        self.shards = Arc::default();
        self
    }

    /// The cable behind it.
    pub fn cable(&self) -> &Cable {
        &self.cable
    }

    /// Answers a request for a WebSocket with 101 and takes over its socket.
    ///
    /// Whoever comes is let in so far: the connect hook decides after the upgrade, and a refused client is told
    /// `disconnect` and closed.
    /// A request for something else is answered 404 `Page not found`, as Rails does; a broken WebSocket request 400, 405
    /// or 426; whoever is not [admitted](Self::admission) 429 or 503.
    ///
    /// The server must serve connections with upgrades (`axum::serve` does).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn upgrade<B>(&self, mut request: Request<B>, effective: &Effective) -> Response {
        let handshake = match Handshake::of(request.method(), request.headers(), &self.config) {
            Ok(handshake) => handshake,
            Err(error) => return handshake::refused(&error),
        };
        let visit = match &self.admission {
            None => None,
            Some(admission) => match admission.upgrades(effective.client_address) {
                Ok(visit) => Some(visit),
                Err(refused) => return refused.response(admission.config().retry_after),
            },
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, _) = request.into_parts();
        let request = handshake.connect_request(parts, effective);
        let endpoint = self.clone();
        tokio::spawn(async move { endpoint.take(upgrade, request, visit).await });
        handshake.response()
    }

    /// Ends all connections and refuses new ones: each is sent what is queued for it, told `server_restart` and closed
    /// with 1001.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sinew_web::{CableEndpoint, DrainTimeout};
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let endpoint = CableEndpoint::new(cable);
    /// let (socket, browser) = tokio::io::duplex(1024);
    /// endpoint.serve(socket, bytes::Bytes::new(), ConnectRequest::default());
    /// // Here the time is over at once.
    /// assert_eq!(endpoint.drain(Duration::ZERO).await, Err(DrainTimeout { connections: 1 }));
    ///
    /// drop(browser);
    /// endpoint.drain(Duration::from_secs(10)).await?;
    /// assert_eq!(endpoint.cable().statistics().connections, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`DrainTimeout`] when some are still there after that time; their sockets are then cut off by the end of the
    /// process.
    pub async fn drain(&self, within: Duration) -> Result<(), DrainTimeout> {
        tokio::time::timeout(within, self.cable.drain())
            .await
            .map_err(|_| DrainTimeout {
                connections: self.cable.statistics().connections,
            })
    }

    /// Drives a socket whose handshake is done, with what was already read from it.
    ///
    /// For servers that do not come through hyper, for streams that are no TCP sockets, and for tests.
    /// The connection lives on the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// ```
    /// use sinew_web::CableEndpoint;
    /// use tokio::io::AsyncReadExt as _;
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let endpoint = CableEndpoint::new(cable);
    /// let (socket, mut browser) = tokio::io::duplex(1024);
    /// endpoint.serve(socket, bytes::Bytes::new(), ConnectRequest::default());
    ///
    /// // A text frame (0x81) of eighteen bytes.
    /// let mut frame = [0; 20];
    /// browser.read_exact(&mut frame).await?;
    /// assert_eq!(&frame, b"\x81\x12{\"type\":\"welcome\"}");
    /// # Ok(()) }
    /// ```
    pub fn serve(
        &self,
        socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        already_read: Bytes,
        request: ConnectRequest,
    ) {
        self.serve_visit(socket, already_read, request, None);
    }

    fn serve_visit(
        &self,
        socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        already_read: Bytes,
        request: ConnectRequest,
        visit: Option<Visit>,
    ) {
        self.take_to_task(Arrival {
            socket: Box::new(socket) as Box<dyn task::Stream>,
            head: Bytes::new(),
            already_read,
            request: Arc::new(request),
            incoming: self.cable.incoming(),
            visit,
        });
    }

    fn take_to_task(&self, arrival: Arrival<Box<dyn task::Stream>>) {
        let tasks = self.shards.tasks.get_or_init(|| {
            let count = match Handle::current().runtime_flavor() {
                RuntimeFlavor::CurrentThread => 1,
                _ => std::thread::available_parallelism().map_or(1, usize::from),
            };
            let start = |_| ShardTask::start(&self.cable, self.config.clone());
            (0..count).map(start).collect()
        });
        if let Some(task) = self.shards.next(tasks) {
            task.take(arrival);
        }
    }

    /// As [`serve`](Self::serve), for a plain TCP socket, which is told to send at once and to notice when its peer is
    /// gone ([`tcp_user_timeout`](WebSocketConfig::tcp_user_timeout)). With [`shard_threads`](WebSocketConfig::shard_threads) it
    /// leaves the runtime and moves to one of them. The application's code still runs on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the socket cannot be taken from its runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// ```
    /// use sinew_web::CableEndpoint;
    /// use tokio::io::AsyncReadExt as _;
    /// use tokio::net::{TcpListener, TcpStream};
    /// # use std::sync::Arc;
    /// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers};
    /// # use sinew_streams::InProcessStreams;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// let endpoint = CableEndpoint::new(cable);
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut browser = TcpStream::connect(listener.local_addr()?).await?;
    /// let (socket, _) = listener.accept().await?;
    /// endpoint.serve_tcp(socket, bytes::Bytes::new(), ConnectRequest::default())?;
    ///
    /// let mut frame = [0; 20];
    /// browser.read_exact(&mut frame).await?;
    /// assert_eq!(&frame, b"\x81\x12{\"type\":\"welcome\"}");
    /// # Ok(()) }
    /// ```
    pub fn serve_tcp(
        &self,
        socket: TcpStream,
        already_read: Bytes,
        request: ConnectRequest,
    ) -> io::Result<()> {
        self.serve_tcp_visit(socket, already_read, request, None)
    }

    fn serve_tcp_visit(
        &self,
        socket: TcpStream,
        already_read: Bytes,
        request: ConnectRequest,
        visit: Option<Visit>,
    ) -> io::Result<()> {
        self.take_in(
            socket,
            Visitor {
                request,
                head: Bytes::new(),
                already_read,
                visit,
            },
        )
    }

    /// Whose a connection is, by the first bytes that came on it.
    pub(crate) fn look(
        &self,
        door: &dyn Door,
        bytes: &[u8],
        peer: SocketAddr,
        arrival: &server::Arrival,
    ) -> Look {
        let gate = Gate {
            door,
            admission: self.admission.as_ref(),
            config: &self.config,
        };
        gate.look(bytes, peer, Some(arrival))
    }

    /// Takes in a socket.
    pub(crate) fn take_in(&self, socket: TcpStream, visitor: Visitor) -> io::Result<()> {
        tcp::prepare((&socket).into(), &self.config);
        let Visitor {
            request,
            head,
            already_read,
            visit,
        } = visitor;
        let threads = self.shard_threads();
        let Some(thread) = threads.and_then(|threads| self.shards.next(threads)) else {
            self.take_to_task(Arrival {
                socket: Box::new(socket) as Box<dyn task::Stream>,
                head,
                already_read,
                request: Arc::new(request),
                incoming: self.cable.incoming(),
                visit,
            });
            return Ok(());
        };
        thread.take(Arrival {
            socket: mio::net::TcpStream::from_std(socket.into_std()?),
            head,
            already_read,
            request: Arc::new(request),
            incoming: self.cable.incoming(),
            visit,
        });
        Ok(())
    }

    /// The shards' threads, where there are any that sockets can move to.
    fn shard_threads(&self) -> Option<&[ShardThread]> {
        if self.config.shard_threads == 0 || self.config.own_descriptors.is_some() {
            return None;
        }
        let threads = self.shards.threads.get_or_init(|| {
            let start = |number| {
                Prepared::new(None, &self.config)
                    .and_then(|thread| thread.start(number, &self.cable, self.config.clone()))
                    .inspect_err(|error| tracing::error!(%error, "no thread for a shard"))
                    .ok()
            };
            Arc::new((0..self.config.shard_threads).filter_map(start).collect())
        });
        Some(threads)
    }

    /// Tells a listener what the cable's sockets are told when they are taken over, since whatever it accepts inherits
    /// that: so each of them need not be told.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/pages.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let endpoint = endpoint()?;
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// endpoint.prepare_listener(&listener);
    ///
    /// let browser = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// let (accepted, _) = listener.accept()?;
    /// assert!(!browser.nodelay()?);
    /// assert!(accepted.nodelay()?);
    /// # Ok(()) }
    /// ```
    pub fn prepare_listener(&self, listener: &std::net::TcpListener) {
        tcp::prepare(listener.into(), &self.config);
    }

    /// Accepts connections on the shards' own threads, [`shard_threads`](WebSocketConfig::shard_threads) of them and one
    /// at least: each has a listener of its own, among which the kernel distributes who connects (`SO_REUSEPORT`), and
    /// answers the handshakes of the cable's clients itself. Everything else goes through the door to the runtime.
    ///
    /// # Errors
    ///
    /// When the address is in use, also by a socket that would share it, or when a listener or a thread cannot be made.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/pages.rs"));
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let endpoint = endpoint()?;
    /// let listening = endpoint.listen("127.0.0.1:0".parse()?, pages())?;
    ///
    /// // The port is taken now, also from others who would share it.
    /// let taken = endpoint.listen(listening.local_addr(), pages()).err().expect("refused");
    /// assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    /// # Ok(()) }
    /// ```
    pub fn listen(&self, address: SocketAddr, door: Arc<dyn Door>) -> io::Result<Listening> {
        let backlog = self.admission.as_ref().map_or_else(
            || ServerConfig::default().backlog,
            |admission| admission.config().backlog,
        );
        let listeners = server::listen(address, backlog, self.config.shard_threads.max(1))?;
        let address = match listeners.first() {
            Some(listener) => listener.local_addr()?,
            None => address,
        };
        let prepared: io::Result<Vec<Prepared>> = listeners
            .into_iter()
            .map(|listener| {
                let (door, admission) = (door.clone(), self.admission.clone());
                Prepared::new(
                    Some(Entrance {
                        listener,
                        backlog,
                        door,
                        admission,
                    }),
                    &self.config,
                )
            })
            .collect();
        let start = |(number, thread): (usize, Prepared)| {
            thread.start(number, &self.cable, self.config.clone())
        };
        let threads: io::Result<Vec<ShardThread>> =
            prepared?.into_iter().enumerate().map(start).collect();
        let threads = Arc::new(threads?);
        // Sockets that come another way live there as well.
        let _ = self.shards.threads.set(threads.clone());
        Ok(Listening::new(address, threads))
    }

    /// Takes the socket back from hyper: the plain TCP socket where there is one, whatever it is otherwise.
    async fn take(&self, upgrade: OnUpgrade, request: ConnectRequest, visit: Option<Visit>) {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                tracing::debug!(%error, "the socket was not handed over after the upgrade");
                return;
            }
        };
        let (socket, already_read) = match tcp_stream(upgraded) {
            Ok(taken) => taken,
            Err(upgraded) => {
                let socket = TokioIo::new(upgraded);
                return self.serve_visit(socket, Bytes::new(), request, visit);
            }
        };
        if let Err(error) = self.serve_tcp_visit(socket, already_read, request, visit) {
            tracing::debug!(%error, "a socket could not be taken from its runtime");
        }
    }
}

/// Not all connections had ended in time.
///
/// ```
/// use sinew_web::DrainTimeout;
///
/// let late = DrainTimeout { connections: 2 };
/// assert_eq!(late.to_string(), "2 connections were still open at the end of the drain");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{connections} connections were still open at the end of the drain")]
pub struct DrainTimeout {
    /// How many were left.
    pub connections: u64,
}

/// hyper's own server and hyper-util's wrap the socket differently.
fn tcp_stream(upgraded: Upgraded) -> Result<(TcpStream, Bytes), Upgraded> {
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Ok((parts.io.into_inner(), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded)?;
    Ok((parts.io.into_inner(), parts.read_buf))
}
