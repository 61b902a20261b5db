//! Listening, and stopping in good order.

use std::future::IntoFuture as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use futures_util::FutureExt as _;
use listenfd::ListenFd;
use sinew_web::Environment;
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
}

impl StopLimits {
    /// Visitors are given time. Whoever waits for a rebuilt program is not: a browser that opened
    /// a connection in advance and says nothing would make each rebuild wait for it.
    fn of(environment: Environment) -> Self {
        let seconds = match environment {
            Environment::Production => 10,
            _ => 1,
        };
        let limit = Duration::from_secs(seconds);
        Self {
            drain: limit,
            requests: limit,
        }
    }
}

pub(crate) async fn serve(app: App) -> Result<(), StartError> {
    let (listener, is_inherited) = match inherited()? {
        Some(listener) => (listener, true),
        None => (bind(app.config().edge.listen).await?, false),
    };
    let metrics = metrics::listener::listen(&app).await?;
    if let Some(metrics) = &metrics {
        tracing::info!("metrics at http://{}/metrics", metrics.address);
    }
    let address = listener.local_addr().map_err(StartError::Inherited)?;
    // Frames are small and gathered by the cable itself: waiting for more would only delay them.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    tracing::info!("listening on http://{address}");

    let (cable, health) = (app.handle().cable(), app.health().clone());
    let limits = StopLimits::of(app.config().edge.environment);
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
    let accepting_ends = if is_inherited {
        begun.map(drop).boxed()
    } else {
        goodbye.clone().boxed()
    };
    let service = app
        .router()
        .clone()
        .into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(accepting_ends);
    let too_late = async {
        goodbye.clone().await;
        tokio::time::sleep(limits.requests).await;
    };
    tokio::select! {
        served = server.into_future() => {
            served.map_err(StartError::Serve)?;
            goodbye.await;
        }
        () = too_late => tracing::warn!("some requests were not answered in time"),
    }
    Ok(())
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
        .map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => StartError::AddressInUse { address, source },
            _ => StartError::Listen { address, source },
        })
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
