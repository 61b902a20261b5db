//! One connection: its requests to the router, its end in good order.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use super::Server;
use crate::Peer;

/// hyper's own graceful shutdown closes a connection that has not sent anything yet, as if it were idle. Such a client
/// may be about to send its request, and would see the connection break under it: so hyper is told only when the first
/// request has come. This is also why no version of HTTP is sniffed here: whoever sniffs has no connection to ask.
pub(super) fn serve(
    server: &Server,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
) -> impl Future<Output = ()> + Send + 'static {
    let (router, config) = (server.router.clone(), server.config.clone());
    let (mut is_stopping, stops) = (server.is_stopping.subscribe(), server.is_stopping.clone());
    async move {
        let has_asked = Arc::new(AtomicBool::new(false));
        let asks = has_asked.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            asks.store(true, Relaxed);
            let mut request = request.map(Body::new);
            let extensions = request.extensions_mut();
            extensions.insert(ConnectInfo(peer));
            extensions.insert(Peer {
                address: Some(peer.ip()),
                secure: false,
            });
            let (answer, stops) = (router.clone().oneshot(request), stops.clone());
            async move {
                let mut response = answer.await?;
                // A client that is told does not send its next request into a connection that closes.
                if *stops.borrow() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(config.keep_alive_timeout)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
        );
        let mut stop = pin!(async { drop(is_stopping.wait_for(|it| *it).await) });
        let mut first_request = Some(Box::pin(sleep(config.header_read_timeout)));
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
                    first_request = None;
                    if !is_stopping || is_told {
                        return Poll::Pending;
                    }
                    is_told = true;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                let Some(deadline) = &mut first_request else {
                    return Poll::Pending;
                };
                if is_news {
                    let wait = Instant::now() + config.first_request_wait;
                    let sooner = wait.min(deadline.deadline());
                    deadline.as_mut().reset(sooner);
                }
                return deadline.as_mut().poll(context);
            }
        })
        .await;
    }
}
