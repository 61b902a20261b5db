//! From a listener's queue to connections.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{Server, first_request};

/// After an error of the system's own, such as too many open files, accepting pauses: trying again at once would only
/// keep a processor busy.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

pub(super) async fn accept(server: &Server, listener: &TcpListener) {
    let admission = server.admission();
    loop {
        if let Err(wait) = admission.next(now()) {
            admission.paused();
            sleep(wait).await;
            while let Err(wait) = admission.next(now()) {
                sleep(wait).await;
            }
        }
        match listener.accept().await {
            Ok((socket, peer)) => take(server, socket, peer),
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a connection ended before it was accepted");
            }
            Err(error) => {
                admission.failed();
                tracing::error!(%error, "no connection can be accepted");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// Bounded by the length of the queue, also if it is filled again as fast.
pub(super) fn accept_waiting(server: &Server, listener: &TcpListener) {
    for _ in 0..server.admission().config().backlog {
        match listener.accept().now_or_never() {
            Some(Ok((socket, peer))) => take(server, socket, peer),
            Some(Err(error)) if concerns_one_connection(&error) => {}
            _ => return,
        }
    }
}

pub(super) fn take(server: &Server, socket: TcpStream, peer: SocketAddr) {
    if let Some(entrance) = &server.cable
        && !server.is_secure()
    {
        return first_request::take(server, entrance, socket, peer);
    }
    set_nodelay(&socket);
    #[cfg(feature = "tls")]
    if let Some(tls) = &server.tls {
        tokio::spawn(super::connection::serve_secure(server, tls, socket, peer));
        return;
    }
    tokio::spawn(server.serve_stream(socket, peer));
}

/// Answers are small and each is whole: waiting for more to send with it only delays it.
pub(super) fn set_nodelay(socket: &TcpStream) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
