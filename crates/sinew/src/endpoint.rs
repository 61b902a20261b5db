//! The cable's routes: who may come, then the upgrade.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::StatusCode;
use sinew_cable::Cable;
use sinew_web::forwarded::Direct;
use sinew_web::websocket::{CableEndpoint, WebSocketConfig};
use sinew_web::{EdgeConfig, OriginPolicy, TrustedProxies};

/// What a handshake is judged by.
#[derive(Clone)]
pub(crate) struct Endpoint {
    cable: CableEndpoint,
    origins: OriginPolicy,
    proxies: TrustedProxies,
}

impl Endpoint {
    pub(crate) fn new(cable: Cable, edge: &EdgeConfig) -> Self {
        let mut config = WebSocketConfig::default();
        config.message_bytes_max = edge.message_bytes_max;
        config.compression = edge.compression;
        config.shard_threads = edge.shard_threads;
        Self {
            cable: CableEndpoint::new(cable).config(config),
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

async fn open(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let effective = endpoint.proxies.effective(&Direct::of(&parts));
    if let Err(refused) = endpoint.origins.check(&parts.headers, &effective) {
        tracing::debug!(%refused, "a page of another origin may not open the cable");
        return (StatusCode::FORBIDDEN, "This page may not connect here.\n").into_response();
    }
    parts.extensions.insert(effective.clone());
    endpoint
        .cable
        .upgrade(Request::from_parts(parts, body), &effective)
}
