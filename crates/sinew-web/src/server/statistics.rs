use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a server has admitted and refused since it was made, and what it holds now.
///
/// ```
/// use axum::{Router, routing::get};
/// use sinew_web::{Server, server::ServerStatistics};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(Router::new());
/// let (socket, browser) = tokio::io::duplex(1024);
/// let served = server.serve_stream(socket, "192.0.2.7:5000".parse()?);
/// let now: ServerStatistics = server.admission().statistics();
/// assert_eq!((now.accepted, now.connections, now.arriving), (1, 1, 1));
/// drop(browser);
/// served.await;
/// assert_eq!(server.admission().statistics().connections, 0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServerStatistics {
    /// Connections that are being answered now, those that say nothing among them. Those of the cable are in the
    /// cable's own statistics.
    pub connections: u64,
    /// Of these, those that were accepted a moment ago and whose first request has not been read.
    pub arriving: u64,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Times that accepting paused, since too many were arriving or came too fast.
    pub accept_pauses: u64,
    /// Times that nothing could be accepted, since the system had no descriptors or memory left.
    pub accept_failures: u64,
    /// Connections that did not send the head of their first request in time.
    pub header_timeouts: u64,
    /// Answered 503: more sockets in all than [`connections_max`](crate::ServerConfig::connections_max).
    pub refused_connections: u64,
    /// Answered 429: more sockets than
    /// [`connections_per_address_max`](crate::ServerConfig::connections_per_address_max).
    pub refused_addresses: u64,
    /// Upgrades answered 503: more than [`handshakes_max`](crate::ServerConfig::handshakes_max), or the process ends.
    pub refused_handshakes: u64,
    /// Handshakes of TLS that failed or took too long.
    pub tls_failures: u64,
    /// Certificates that were loaded since the first, because their files changed.
    pub tls_reloads: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// The live counters behind [`ServerStatistics`].
        #[derive(Default)]
        pub(super) struct Counters {
            $(pub(super) $name: AtomicU64,)*
        }

        impl Counters {
            pub(super) fn read(&self) -> ServerStatistics {
                ServerStatistics { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters!(
    connections,
    arriving,
    accepted,
    accept_pauses,
    accept_failures,
    header_timeouts,
    refused_connections,
    refused_addresses,
    refused_handshakes,
    tls_failures,
    tls_reloads
);

/// One more.
pub(super) fn up(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// One less, of a gauge.
pub(super) fn down(counter: &AtomicU64) {
    counter.fetch_sub(1, Relaxed);
}
