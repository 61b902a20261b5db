//! The address where nobody but Prometheus comes.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::application::App;
use crate::error::StartError;

/// Serves `/metrics` for as long as it is kept.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens where the settings say, if they say so.
pub(crate) async fn listen(app: &App) -> Result<Option<Listening>, StartError> {
    let Some(address) = app.config().edge.metrics_listen else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Metrics { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    let handle = app.handle().clone();
    let metrics = async move || handle.metrics();
    let router = Router::new().route("/metrics", get(metrics));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%address, %error, "metrics are no longer served");
        }
    });
    Ok(Some(Listening { address, task }))
}
