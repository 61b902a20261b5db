//! From a listener's queue to connections.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;

use super::Server;

/// After an error of the system's own, such as too many open files, accepting pauses: trying again at once would only
/// keep a processor busy.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

pub(super) async fn accept(server: &Server, listener: &TcpListener) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                // Answers are small and each is whole: waiting for more to send with it only delays it.
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                tokio::spawn(server.serve_stream(socket, peer));
            }
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a connection ended before it was accepted");
            }
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
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
