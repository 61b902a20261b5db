//! Whether the process lives, and whether it wants new visitors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The two answers a load balancer asks for. Clones share the flag.
///
/// `/health` says the process lives; `/ready` says it takes new visitors, which it stops doing
/// before it shuts down, so that the balancer sends them elsewhere while the present ones are
/// still served.
///
/// ```
/// use sinew_web::Health;
///
/// let health = Health::new();
/// assert!(health.is_ready());
/// health.set_ready(false);
/// assert!(!health.clone().is_ready());
/// ```
#[derive(Clone, Debug)]
pub struct Health {
    ready: Arc<AtomicBool>,
}

impl Health {
    /// A process that is ready.
    pub fn new() -> Self {
        Self {
            ready: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Says whether new visitors are wanted.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether new visitors are wanted.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// `GET /health`: 200 `alive` as long as the process can answer at all.
    /// `GET /ready`: 200 `ready`, or 503 `draining` after `set_ready(false)`. Neither is cached.
    ///
    /// ```
    /// use axum::{Router, body::Body, http::Request};
    /// use sinew_web::Health;
    /// use tower::ServiceExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let health = Health::new();
    /// let app: Router = Router::new().merge(health.routes());
    /// health.set_ready(false);
    /// let ready = app.clone().oneshot(Request::get("/ready").body(Body::empty())?).await?;
    /// assert_eq!(ready.status(), 503);
    /// let alive = app.oneshot(Request::get("/health").body(Body::empty())?).await?;
    /// assert_eq!(alive.status(), 200);
    /// # Ok(()) }
    /// ```
    pub fn routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let health = self.clone();
        Router::new()
            .route(
                "/health",
                get(|| async { answer(StatusCode::OK, "alive\n") }),
            )
            .route(
                "/ready",
                get(move || async move {
                    if health.is_ready() {
                        answer(StatusCode::OK, "ready\n")
                    } else {
                        answer(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
                    }
                }),
            )
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

fn answer(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn status(health: &Health, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let router: Router = health.routes();
        router.oneshot(request).await.expect("infallible").status()
    }

    #[tokio::test]
    async fn draining_is_alive_but_not_ready() {
        let health = Health::new();
        assert_eq!(status(&health, "/health").await, StatusCode::OK);
        assert_eq!(status(&health, "/ready").await, StatusCode::OK);
        health.set_ready(false);
        assert_eq!(status(&health, "/health").await, StatusCode::OK);
        assert_eq!(
            status(&health, "/ready").await,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
}
