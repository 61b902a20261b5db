//! The browser client, served from the binary.

use axum::Router;
use axum::routing::get;
use http::{HeaderName, HeaderValue, header};

use crate::client;

/// One route for each file of the client. Its name changes with its content, so it may be kept for ever.
pub(crate) fn routes() -> Router {
    client::ASSETS
        .into_iter()
        .fold(Router::new(), |router, asset| {
            let headers: [(HeaderName, HeaderValue); 3] = [
                (
                    header::CONTENT_TYPE,
                    HeaderValue::from_static(asset.content_type),
                ),
                (
                    header::CACHE_CONTROL,
                    HeaderValue::from_static(client::CACHE_CONTROL),
                ),
                (
                    header::X_CONTENT_TYPE_OPTIONS,
                    HeaderValue::from_static("nosniff"),
                ),
            ];
            router.route(asset.path, get(async move || (headers, asset.bytes)))
        })
}
