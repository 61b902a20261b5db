//! Page morphs: the application's own router, run in process.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{StatusCode, header};
use parking_lot::Mutex;
use sinew_reflex::{Page, PageRenderer, PageRequest, RenderError, Route};
use sinew_store::{Flash, Sessions};
use sinew_web::BasePath;
use sinew_web::session_layer::InProcess;
use tower::ServiceExt as _;

use crate::doctor::COMPRESSED_PAGE;

/// Runs the router that also answers HTTP, without the session layer around it.
pub(crate) struct RouterRenderer {
    pub(crate) app: Router,
    pub(crate) sessions: Sessions,
    /// What the addresses of pages have that the router's own do not.
    pub(crate) base_path: BasePath,
    pub(crate) page_bytes_max: usize,
}

/// A request that only asks where it would arrive. A layer answers it instead of the handler.
#[derive(Clone, Default)]
struct RouteProbe(Arc<Mutex<Option<Route>>>);

/// Lets an application answer [`RouteProbe`]s.
///
/// It is the outermost layer of each route and of the fallback, so a probe meets nothing of the
/// application's own.
pub(crate) fn answer_probes(app: Router) -> Router {
    app.layer(axum::middleware::from_fn(answer_probe))
}

async fn answer_probe(request: Request, next: Next) -> Response {
    let Some(probe) = request.extensions().get::<RouteProbe>().cloned() else {
        return next.run(request).await;
    };
    let (mut parts, _) = request.into_parts();
    let matched = parts.extensions.get::<MatchedPath>();
    let Some(template) = matched.map(|path| path.as_str().to_owned()) else {
        // It arrived at the fallback.
        return StatusCode::NOT_FOUND.into_response();
    };
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    // It would hold itself.
    parts.extensions.remove::<RouteProbe>();
    *probe.0.lock() = Some(Route {
        template,
        params: params.map_or_else(
            |_| Vec::new(),
            |params| {
                let params = params.iter();
                params
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            },
        ),
        extensions: parts.extensions,
    });
    StatusCode::NO_CONTENT.into_response()
}

impl PageRenderer for RouterRenderer {
    fn route(
        &self,
        request: http::Request<()>,
    ) -> BoxFuture<'_, Result<Option<Route>, RenderError>> {
        let app = self.app.clone();
        async move {
            let probe = RouteProbe::default();
            let mut request = request.map(|()| Body::empty());
            // Those that come back are the router's own.
            request.extensions_mut().clear();
            request.extensions_mut().insert(probe.clone());
            self.base_path.enter(&mut request);
            let Ok(_) = app.oneshot(request).await;
            let route = probe.0.lock().take();
            Ok(route)
        }
        .boxed()
    }

    fn render(&self, page: PageRequest) -> BoxFuture<'_, Result<Page, RenderError>> {
        let app = self.app.clone();
        async move {
            let mut request = page.request.map(|()| Body::empty());
            let extensions = request.extensions_mut();
            extensions.insert(InProcess);
            // An anonymous connection has no session; its pages see an empty one that is never stored.
            extensions.insert(page.session.unwrap_or_else(|| self.sessions.create()));
            extensions.insert::<Flash>(page.flash);
            self.base_path.enter(&mut request);
            let Ok(response) = app.oneshot(request).await;
            let (parts, body) = response.into_parts();
            if parts.headers.contains_key(header::SET_COOKIE) {
                tracing::debug!(
                    target: "sinew::reflex",
                    "a page set a cookie during a page morph; no browser will see it"
                );
            }
            let encoding = parts.headers.get(header::CONTENT_ENCODING);
            if let Some(encoding) = encoding.filter(|encoding| *encoding != "identity") {
                let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
                let what = format!("the page came with `Content-Encoding: {encoding}`");
                return Err(RenderError::new(
                    COMPRESSED_PAGE.found("the page").what(what),
                ));
            }
            let location = parts.headers.get(header::LOCATION);
            let location = location
                .and_then(|location| location.to_str().ok())
                .map(str::to_owned);
            let body = to_bytes(body, self.page_bytes_max)
                .await
                .map_err(RenderError::new)?;
            Ok(Page {
                status: parts.status.as_u16(),
                location,
                body,
            })
        }
        .boxed()
    }
}
