//! Listening, and stopping in good order.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::application::App;
use crate::error::StartError;

/// How long connections may take to say goodbye when the process is told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Writes a log unless the program has a log of its own.
pub(crate) fn log_to_standard_error() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // An error means that there is a subscriber already, which then has its way.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for people, not for files.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}

pub(crate) async fn serve(app: App) -> Result<(), StartError> {
    let address = app.config().edge.listen;
    let listen = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    // Frames are small and gathered by the cable itself: waiting for more would only delay them.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    tracing::info!("listening on http://{address}");

    let (cable, health) = (app.handle().cable(), app.health().clone());
    let service = app
        .router()
        .clone()
        .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            told_to_stop().await;
            tracing::info!("stopping");
            health.set_ready(false);
            // Told to reconnect, the browsers find the next process.
            if tokio::time::timeout(DRAIN_TIME_MAX, cable.drain())
                .await
                .is_err()
            {
                tracing::warn!("some connections did not close in time");
            }
        })
        .await
        .map_err(StartError::Serve)
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
