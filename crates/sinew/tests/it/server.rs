//! An application on a port of its own.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sinew::{
    App, Config, Sinew,
    config::{Environment, Secret},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) app: App,
    _data: Option<TempDir>,
}

impl Server {
    /// Serves it with sessions in memory, as production.
    pub(crate) async fn start(sinew: Sinew) -> Self {
        Self::with(sinew, config()).await
    }

    pub(crate) async fn with(sinew: Sinew, config: Config) -> Self {
        Self::built(sinew.config(config).in_memory()).await
    }

    /// As [`start`](Self::start), with sessions on disk.
    pub(crate) async fn embedded(sinew: Sinew) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut config = config();
        config.edge.data_directory = data.path().to_owned();
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
        let mut server = Self::built(sinew.config(config)).await;
        server._data = Some(data);
        server
    }

    pub(crate) async fn built(sinew: Sinew) -> Self {
        Self::inside(sinew, |router| router).await
    }

    /// Serves what `around` makes of the finished router.
    pub(crate) async fn inside(sinew: Sinew, around: impl FnOnce(Router) -> Router) -> Self {
        let app = sinew.build().expect("builds");
        let router = around(app.router().clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let address = listener.local_addr().expect("bound");
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self {
            address,
            app,
            _data: None,
        }
    }
}

/// Production, without a ping within a test.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.edge.environment = Environment::Production;
    config.cable.ping_interval = Duration::from_secs(3600);
    config
}
