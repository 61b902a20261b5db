//! The cable's routes: who may come, then the upgrade.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{Request, StatusCode};
use sinew_cable::Cable;
use sinew_web::forwarded::Direct;
use sinew_web::server::{Admission, Arrival};
use sinew_web::websocket::{AcceptedStream, CableEndpoint, Door, Listening, WebSocketConfig};
use sinew_web::{BasePath, EdgeConfig, Effective, OriginPolicy, Server, TrustedProxies};

/// What a handshake is judged by.
#[derive(Clone)]
pub(crate) struct Endpoint {
    cable: CableEndpoint,
    origins: OriginPolicy,
    proxies: TrustedProxies,
}

impl Endpoint {
    pub(crate) fn new(cable: Cable, edge: &EdgeConfig, admission: Admission) -> Self {
        let mut config = WebSocketConfig::default();
        config.message_bytes_max = edge.message_bytes_max;
        config.compression = edge.compression;
        config.shard_threads = edge.shard_threads;
        config.own_descriptors = edge.own_descriptors;
        Self {
            cable: CableEndpoint::new(cable)
                .config(config)
                .admission(admission),
            origins: edge.origins.clone(),
            proxies: edge.trusted_proxies.clone(),
        }
    }
}

/// The cable's path and everything below it, as in the original.
pub(crate) fn routes(endpoint: Endpoint, path: &str) -> Router {
    let path = path.trim_end_matches('/');
    let router = Router::new().route(&format!("{path}/{{*below}}"), any(open));
    let router = if path.is_empty() {
        router
    } else {
        router.route(path, any(open))
    };
    router.with_state(endpoint)
}

impl Endpoint {
    /// Who asks, if a page of its origin may open the cable.
    fn admit(&self, request: &Direct<'_>) -> Option<Effective> {
        let effective = self.proxies.effective(request);
        if let Err(refused) = self.origins.check(request.headers, &effective) {
            tracing::debug!(%refused, "a page of another origin may not open the cable");
            return None;
        }
        Some(effective)
    }

    pub(crate) fn prepare_listener(&self, listener: &std::net::TcpListener) {
        self.cable.prepare_listener(listener);
    }

    /// Shards that accept by themselves: the cable's clients stay there, all others are the server's.
    pub(crate) fn listen(
        &self,
        address: SocketAddr,
        path: &str,
        base_path: BasePath,
        server: Server,
    ) -> io::Result<Listening> {
        let entrance = Entrance::new(self, path, base_path, server);
        self.cable.listen(address, Arc::new(entrance))
    }

    /// The same server, from which the cable's clients go to its shards with their handshake.
    pub(crate) fn entrance_of(&self, server: &Server, path: &str, base_path: BasePath) -> Server {
        let entrance = Entrance::new(self, path, base_path, server.clone());
        server.clone().cable(self.cable.clone(), Arc::new(entrance))
    }
}

/// The application, as seen by whoever has accepted a connection.
struct Entrance {
    endpoint: Endpoint,
    /// The cable's, without a slash at its end.
    path: String,
    base_path: BasePath,
    server: Server,
}

impl Entrance {
    fn new(endpoint: &Endpoint, path: &str, base_path: BasePath, server: Server) -> Self {
        Self {
            endpoint: endpoint.clone(),
            path: path.trim_end_matches('/').to_owned(),
            base_path,
            server,
        }
    }
}

impl Door for Entrance {
    fn admit(&self, request: &mut Request<()>) -> Option<Effective> {
        self.base_path.enter(request);
        let below = request.uri().path().strip_prefix(&self.path)?;
        // As the routes have it.
        let is_cable = match below.strip_prefix('/') {
            Some(rest) => !rest.is_empty(),
            None => below.is_empty(),
        };
        if !is_cable {
            return None;
        }
        // Who is refused is told so by the server.
        let effective = self.endpoint.admit(&Direct::of_request(request))?;
        request.extensions_mut().insert(effective.clone());
        Some(effective)
    }

    fn serve(&self, stream: AcceptedStream, peer: SocketAddr, arrival: Option<Arrival>) {
        let admission = self.server.admission();
        let arrival = arrival.unwrap_or_else(|| admission.arrives(peer.ip()));
        tokio::spawn(self.server.serve_arrival(stream, peer, arrival));
    }
}

async fn open(State(endpoint): State<Endpoint>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(effective) = endpoint.admit(&Direct::of(&parts)) else {
        return (StatusCode::FORBIDDEN, "This page may not connect here.\n").into_response();
    };
    parts.extensions.insert(effective.clone());
    endpoint
        .cable
        .upgrade(Request::from_parts(parts, body), &effective)
}
