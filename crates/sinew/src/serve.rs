//! Listening, and stopping in good order.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use listenfd::ListenFd;
use sinew_web::Server;
use sinew_web::server::listen;
use sinew_web::websocket::Listening;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::application::App;
use crate::error::StartError;
use crate::metrics;

/// Before the time is over, those are told who still wait for an answer: so long they have to leave.
const LAST_CALL: Duration = Duration::from_secs(1);

pub(crate) async fn serve(app: App) -> Result<(), StartError> {
    let server = server_of(&app)?;
    let entrance = Entrance::open(&app, &server)?;
    let server = entrance.server(&app, server);
    let metrics = metrics::listener::listen(&app).await?;
    if let Some(metrics) = &metrics {
        tracing::info!("metrics at http://{}/metrics", metrics.address);
    }
    let scheme = if server.is_secure() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{}", entrance.address()?);

    tokio::select! {
        () = entrance.accept(&server, std::future::pending()) => {}
        () = told_to_stop() => {}
    }
    tracing::info!("stopping");
    tokio::select! {
        () = stop(&app, &server, entrance) => {}
        () = told_to_stop() => tracing::warn!("stopping at once"),
    }
    Ok(())
}

fn server_of(app: &App) -> Result<Server, StartError> {
    let server = Server::new(app.router().clone()).with_admission(app.admission().clone());
    match &app.config().edge.tls {
        None => Ok(server),
        #[cfg(feature = "tls")]
        Some(files) => Ok(server.tls(sinew_web::server::Tls::from_files(files.clone())?)),
        #[cfg(not(feature = "tls"))]
        Some(_) => Err(StartError::WithoutTls),
    }
}

/// Everything ends: the cable's connections, requests, what handlers hold.
async fn stop(app: &App, server: &Server, entrance: Entrance) {
    let config = app.admission().config();
    let ends = Instant::now() + config.drain_timeout.unwrap_or_default();
    let drain = app.handle().drain();
    app.health().set_ready(false);
    drain.begin();
    let is_inherited = matches!(entrance, Entrance::Inherited(_));
    let requests = async {
        // Visitors who come meanwhile are still answered, unless somebody keeps the socket: then they wait there for
        // the next process.
        if !is_inherited {
            entrance.accept(server, drain_cable(app, ends)).await;
        }
        // From here on whoever connects is refused, or waits for the next process.
        entrance.close(server).await;
        server.stop();
        if timeout_at(ends, server.stopped()).await.is_err() {
            tracing::warn!("some requests were not answered in time");
        }
    };
    let cable = async {
        if is_inherited {
            drain_cable(app, ends).await;
        }
    };
    let guards = async {
        if timeout_at(ends, drain.finished()).await.is_err() {
            tracing::warn!("what handlers held did not end in time");
        }
    };
    tokio::join!(requests, cable, guards);
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
    fn open(app: &App, server: &Server) -> Result<Self, StartError> {
        if let Some(listener) = inherited()? {
            return Ok(Self::Inherited(listener));
        }
        let edge = &app.config().edge;
        // Shards read what is on the wire: with TLS that says nothing to them.
        if edge.shard_threads == 0 || server.is_secure() {
            return Ok(Self::Bound(bind(app)?));
        }
        let (path, base_path) = (&edge.cable_path, edge.base_path.clone());
        app.endpoint()
            .listen(edge.listen, path, base_path, server.clone())
            .map(Self::Shards)
            .map_err(|source| refused(edge.listen, source))
    }

    /// Who answers those that come in here.
    fn server(&self, app: &App, server: Server) -> Server {
        let edge = &app.config().edge;
        match self {
            Self::Inherited(_) | Self::Bound(_) => {
                let base_path = edge.base_path.clone();
                app.endpoint()
                    .entrance_of(&server, &edge.cable_path, base_path)
            }
            Self::Shards(_) => server,
        }
    }

    fn address(&self) -> Result<SocketAddr, StartError> {
        match self {
            Self::Inherited(listener) | Self::Bound(listener) => {
                listener.local_addr().map_err(StartError::Inherited)
            }
            Self::Shards(listening) => Ok(listening.local_addr()),
        }
    }

    /// Accepts until then.
    async fn accept(&self, server: &Server, until: impl Future<Output = ()>) {
        match self {
            Self::Inherited(listener) | Self::Bound(listener) => {
                server.accept(listener, until).await;
            }
            Self::Shards(_) => until.await,
        }
    }

    /// Takes who has connected already, unless the next process will, and nobody else.
    async fn close(self, server: &Server) {
        match self {
            Self::Inherited(_) => {}
            Self::Bound(listener) => server.accept_waiting(&listener),
            Self::Shards(listening) => listening.stopped().await,
        }
    }
}

/// Told to reconnect, the browsers find the next process.
async fn drain_cable(app: &App, ends: Instant) {
    let cable = app.handle().cable();
    let window = app.admission().config().drain_window.unwrap_or_default();
    let last_call = async {
        // Of a short time half is for answers.
        let left = ends.saturating_duration_since(Instant::now());
        sleep_until(ends - LAST_CALL.min(left / 2)).await;
        cable.restart();
        sleep_until(ends).await;
    };
    tokio::select! {
        () = cable.drain_over(window) => {}
        () = last_call => tracing::warn!("some connections did not close in time"),
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

fn bind(app: &App) -> Result<TcpListener, StartError> {
    let address = app.config().edge.listen;
    let bound = listen(address, app.admission().config().backlog, 1);
    let listener = bound.and_then(|mut sockets| {
        let listener = sockets.remove(0);
        app.endpoint().prepare_listener(&listener);
        TcpListener::from_std(listener)
    });
    listener.map_err(|source| refused(address, source))
}

fn refused(address: SocketAddr, source: std::io::Error) -> StartError {
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
