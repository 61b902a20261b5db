//! Whether the process lives, and whether it wants new visitors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::RwLock;

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
#[derive(Clone)]
pub struct Health {
    ready: Arc<AtomicBool>,
    needs: Arc<RwLock<Vec<Need>>>,
}

/// Something that has to be there.
struct Need {
    name: String,
    is_there: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Health {
    /// A process that is ready.
    pub fn new() -> Self {
        Self {
            ready: Arc::new(AtomicBool::new(true)),
            needs: Arc::default(),
        }
    }

    /// Says what else has to be there for new visitors to be wanted: a server that sessions are
    /// kept on. `is_there` is asked whenever somebody asks, so it has to know without asking others.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use sinew_web::Health;
    ///
    /// let health = Health::new();
    /// let is_up = Arc::new(AtomicBool::new(false));
    /// let asked = is_up.clone();
    /// health.need("redis (sessions)", move || asked.load(Ordering::Relaxed));
    /// assert!(!health.is_ready());
    /// assert_eq!(health.missing(), ["redis (sessions)"]);
    /// is_up.store(true, Ordering::Relaxed);
    /// assert!(health.is_ready());
    /// ```
    pub fn need(
        &self,
        name: impl Into<String>,
        is_there: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        self.needs.write().push(Need {
            name: name.into(),
            is_there: Box::new(is_there),
        });
    }

    /// What has to be there and is not.
    ///
    /// ```
    /// let health = sinew_web::Health::new();
    /// health.need("here", || true);
    /// health.need("gone", || false);
    /// assert_eq!(health.missing(), ["gone"]);
    /// ```
    pub fn missing(&self) -> Vec<String> {
        let needs = self.needs.read();
        let missing = needs.iter().filter(|need| !(need.is_there)());
        missing.map(|need| need.name.clone()).collect()
    }

    /// Says whether new visitors are wanted.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether new visitors are wanted: nobody has said otherwise, and nothing is missing.
    pub fn is_ready(&self) -> bool {
        !self.is_draining() && self.needs.read().iter().all(|need| (need.is_there)())
    }

    fn is_draining(&self) -> bool {
        !self.ready.load(Ordering::Acquire)
    }

    /// `GET /health`: 200 `alive` as long as the process can answer at all.
    /// `GET /ready`: 200 `ready`, or 503: `draining` after `set_ready(false)`, or the names of
    /// what is [missing](Self::missing). Neither is cached.
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
                    match health.missing() {
                        _ if health.is_draining() => unavailable("draining\n".to_owned()),
                        missing if missing.is_empty() => answer(StatusCode::OK, "ready\n"),
                        missing => unavailable(format!("without {}\n", missing.join(", "))),
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

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health")
            .field("is_draining", &self.is_draining())
            .field("missing", &self.missing())
            .finish()
    }
}

fn unavailable(text: String) -> Response {
    answer(StatusCode::SERVICE_UNAVAILABLE, text)
}

fn answer(status: StatusCode, text: impl Into<String>) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], text.into()).into_response()
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
