//! Listening, and stopping in good order.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt as _;
use listenfd::ListenFd;
use sinew_web::websocket::Listening;
use sinew_web::{Environment, Server, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::application::App;
use crate::error::StartError;
use crate::metrics;

/// How long stopping may take: connections first, then requests that were already being answered.
struct StopLimits {
    /// For browsers to take leave of the cable.
    drain: Duration,
    /// For requests, after that.
    requests: Duration,
    /// For the first request of a connection that was accepted and has said nothing yet.
    first_request: Duration,
}

impl StopLimits {
    /// Visitors are given time. Whoever waits for a rebuilt program is not: a browser that opened
    /// a connection in advance and says nothing would make each rebuild wait for it.
    fn of(environment: Environment) -> Self {
        let (drain, first_request) = match environment {
            Environment::Production => (Duration::from_secs(10), Duration::from_secs(5)),
            _ => (Duration::from_secs(1), Duration::from_millis(500)),
        };
        Self {
            drain,
            requests: drain,
            first_request,
        }
    }
}

pub(crate) async fn serve(app: App) -> Result<(), StartError> {
    let (cable, health) = (app.handle().cable(), app.health().clone());
    let limits = StopLimits::of(app.config().edge.environment);
    let mut config = ServerConfig::default();
    config.first_request_wait = limits.first_request;
    let server = Server::new(app.router().clone()).config(config);
    let entrance = Entrance::open(&app, &server).await?;
    let metrics = metrics::listener::listen(&app).await?;
    if let Some(metrics) = &metrics {
        tracing::info!("metrics at http://{}/metrics", metrics.address);
    }
    tracing::info!("listening on http://{}", entrance.address()?);

    let (begin, begun) = oneshot::channel();
    let goodbye = async move {
        told_to_stop().await;
        tracing::info!("stopping");
        health.set_ready(false);
        // Nobody listens any more when the server has failed.
        let _ = begin.send(());
        // Told to reconnect, the browsers find the next process.
        if timeout(limits.drain, cable.drain()).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
    }
    .boxed()
    .shared();
    // Visitors who come while this process says goodbye are still answered, unless somebody keeps
    // the socket: then they wait there for the next process.
    let accepting_ends = match entrance {
        Entrance::Inherited(_) => begun.map(drop).boxed(),
        _ => goodbye.clone().boxed(),
    };
    let answered = async {
        entrance.accept(&server, accepting_ends).await;
        server.stop();
        server.stopped().await;
    };
    let too_late = async {
        goodbye.clone().await;
        tokio::time::sleep(limits.requests).await;
    };
    tokio::select! {
        () = answered => goodbye.await,
        () = too_late => tracing::warn!("some requests were not answered in time"),
    }
    Ok(())
}

/// Where connections come in.
enum Entrance {
    /// Bound before this process began, and kept by whoever did that.
    Inherited(TcpListener),
    Bound(TcpListener),
    /// The shards accept by themselves.
    Shards(Listening),
}

impl Entrance {
    async fn open(app: &App, server: &Server) -> Result<Self, StartError> {
        if let Some(listener) = inherited()? {
            return Ok(Self::Inherited(listener));
        }
        let edge = &app.config().edge;
        if edge.shard_threads == 0 {
            return Ok(Self::Bound(bind(edge.listen).await?));
        }
        let (path, base_path) = (&edge.cable_path, edge.base_path.clone());
        app.endpoint()
            .listen(edge.listen, path, base_path, server.clone())
            .map(Self::Shards)
            .map_err(|error| refused(edge.listen, error))
    }

    fn address(&self) -> Result<SocketAddr, StartError> {
        match self {
            Self::Inherited(listener) => listener.local_addr().map_err(StartError::Inherited),
            Self::Bound(listener) => listener.local_addr().map_err(StartError::Serve),
            Self::Shards(listening) => Ok(listening.local_addr()),
        }
    }

    /// Accepts until then.
    async fn accept(self, server: &Server, until: impl Future<Output = ()>) {
        match self {
            Self::Inherited(listener) | Self::Bound(listener) => {
                server.accept(&listener, until).await;
            }
            Self::Shards(listening) => {
                until.await;
                listening.stop();
            }
        }
    }
}

/// The socket that was bound before this process began, by systemd or by `sinew watch`.
fn inherited() -> Result<Option<TcpListener>, StartError> {
    let listener = ListenFd::from_env().take_tcp_listener(0);
    let Some(listener) = listener.map_err(StartError::Inherited)? else {
        return Ok(None);
    };
    let listener = listener
        .set_nonblocking(true)
        .and_then(|()| TcpListener::from_std(listener));
    listener.map(Some).map_err(StartError::Inherited)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| refused(address, error))
}

fn refused(address: SocketAddr, source: io::Error) -> StartError {
    match source.kind() {
        ErrorKind::AddrInUse => StartError::AddressInUse { address, source },
        _ => StartError::Listen { address, source },
    }
}

/// Ctrl-C, or SIGTERM where there is one.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without a handler the signal ends the process by itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
