//! One connection: its requests to the router, its end in good order.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};
use tower::ServiceExt as _;

use super::admission::Arrival;
use super::statistics::up;
use super::{Server, ServerConfig};
use crate::Peer;

/// A request comes with its connection. One that has not is no longer counted among those who arrive, or a few silent
/// connections would keep everybody out.
const ARRIVES_WITHIN: Duration = Duration::from_millis(250);

/// For a server that was told nothing else.
const FIRST_REQUEST_WAIT: Duration = Duration::from_secs(5);

/// hyper's own graceful shutdown closes a connection that has not sent anything yet, as if it were idle. Such a client
/// may be about to send its request, and would see the connection break under it: so hyper is told only when the first
/// request has come. This is also why no version of HTTP is sniffed here: whoever sniffs has no connection to ask.
pub(super) fn serve(
    server: &Server,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    is_secure: bool,
    arrival: Arrival,
) -> impl Future<Output = ()> + Send + 'static {
    let mut stopping = server.is_stopping.subscribe();
    let answers = Answers {
        router: server.router.clone(),
        is_stopping: server.is_stopping.clone(),
        arrival: Arc::new(arrival),
        has_asked: Arc::default(),
        peer,
        is_secure,
    };
    async move {
        let (arrival, has_asked) = (answers.arrival.clone(), answers.has_asked.clone());
        let config = arrival.admission().config();
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(config.keep_alive_timeout)
                .max_header_size(config.header_bytes_max)
                .serve_connection(
                    TokioIo::new(stream),
                    service_fn(move |request| answers.clone().answer(request)),
                )
                .with_upgrades()
        );
        let mut stop = pin!(async { drop(stopping.wait_for(|it| *it).await) });
        let mut silence = Some(Silence::new(config));
        let (mut is_stopping, mut is_told) = (false, false);
        poll_fn(|context| {
            loop {
                // Before anything is closed, what has come is read.
                if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                    if let Err(error) = ended {
                        tracing::debug!(%error, %peer, "a connection ended early");
                    }
                    return Poll::Ready(());
                }
                let is_news = !is_stopping && stop.as_mut().poll(context).is_ready();
                is_stopping |= is_news;
                if has_asked.load(Relaxed) {
                    silence = None;
                    if !is_stopping || is_told {
                        return Poll::Pending;
                    }
                    is_told = true;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                let Some(silence) = &mut silence else {
                    return Poll::Pending;
                };
                if is_news {
                    silence.stops(config);
                }
                return silence.poll(context, &arrival, is_stopping);
            }
        })
        .await;
    }
}

/// As [`serve`], once both sides have agreed on keys.
#[cfg(feature = "tls")]
pub(super) fn serve_secure(
    server: &Server,
    tls: &super::Tls,
    socket: tokio::net::TcpStream,
    peer: SocketAddr,
) -> impl Future<Output = ()> + Send + 'static {
    let arrival = server.admission().arrives(peer.ip());
    // Counted from now on.
    let mut stopping = server.is_stopping.subscribe();
    let (server, tls) = (server.clone(), tls.clone());
    async move {
        let config = server.admission().config();
        let given_up = async {
            drop(stopping.wait_for(|it| *it).await);
            sleep(config.first_request_wait.unwrap_or(FIRST_REQUEST_WAIT)).await;
        };
        let settles = async {
            sleep(ARRIVES_WITHIN).await;
            arrival.settles();
            std::future::pending::<()>().await;
        };
        let stream = tokio::select! {
            stream = super::tls::shake_hands(&server, &tls, socket) => stream,
            () = given_up => None,
            () = settles => None,
        };
        if let Some(stream) = stream {
            serve(&server, stream, peer, true, arrival).await;
        }
    }
}

/// What answers the requests of a connection.
#[derive(Clone)]
struct Answers {
    router: axum::Router,
    is_stopping: watch::Sender<bool>,
    arrival: Arc<Arrival>,
    has_asked: Arc<AtomicBool>,
    peer: SocketAddr,
    is_secure: bool,
}

impl Answers {
    async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        self.has_asked.store(true, Relaxed);
        self.arrival.settles();
        if let Some(response) = self.arrival.response() {
            return Ok(closing(response));
        }
        let mut request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(Peer {
            address: Some(self.peer.ip()),
            secure: self.is_secure,
        });
        let response = self.router.oneshot(request).await?;
        let is_last = *self.is_stopping.borrow();
        if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(closing(response));
        }
        Ok(response)
    }
}

/// A client that is told does not send its next request into a connection that closes.
fn closing(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// A connection whose first request has not come.
pub(super) struct Silence {
    timer: Pin<Box<Sleep>>,
    /// When it is given up.
    ends: Instant,
}

impl Silence {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self {
            timer: Box::pin(sleep(ARRIVES_WITHIN.min(config.header_read_timeout))),
            ends: Instant::now() + config.header_read_timeout,
        }
    }

    /// The server ends: so long it may still last.
    pub(super) fn stops(&mut self, config: &ServerConfig) {
        self.ends_within(config.first_request_wait.unwrap_or(FIRST_REQUEST_WAIT));
    }

    fn ends_within(&mut self, time: Duration) {
        self.ends = self.ends.min(Instant::now() + time);
        let sooner = self.ends.min(self.timer.deadline());
        self.timer.as_mut().reset(sooner);
    }

    /// Ready when it has lasted too long.
    pub(super) fn poll(
        &mut self,
        context: &mut std::task::Context<'_>,
        arrival: &Arrival,
        is_stopping: bool,
    ) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            arrival.settles();
            if self.timer.deadline() >= self.ends {
                if !is_stopping {
                    up(&arrival.admission().counters().header_timeouts);
                }
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.ends);
        }
        Poll::Pending
    }
}
