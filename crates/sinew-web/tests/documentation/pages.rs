// A cable at `/cable` whose shards accept by themselves, and a router for everything else.
use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, routing::get};
use http::Request;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use sinew_cable::{Application, Cable, ConnectionIdentifiers};
use sinew_streams::InProcessStreams;
use sinew_web::forwarded::Direct;
use sinew_web::server::Arrival;
use sinew_web::websocket::{AcceptedStream, Door};
use sinew_web::{CableEndpoint, Effective, TrustedProxies, WebSocketConfig};

struct Pages(Router);

impl Door for Pages {
    fn admit(&self, request: &mut Request<()>) -> Option<Effective> {
        let is_cable = request.uri().path() == "/cable";
        is_cable.then(|| TrustedProxies::none().effective(&Direct::of_request(request)))
    }

    fn serve(&self, stream: AcceptedStream, _: SocketAddr, _: Option<Arrival>) {
        let pages = TowerToHyperService::new(self.0.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), pages));
    }
}

fn pages() -> Arc<Pages> {
    Arc::new(Pages(Router::new().route("/", get(async || "a page"))))
}

fn endpoint() -> Result<CableEndpoint, Box<dyn std::error::Error>> {
    let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()));
    let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    let mut config = WebSocketConfig::default();
    config.shard_threads = 2;
    Ok(CableEndpoint::new(cable).config(config))
}
