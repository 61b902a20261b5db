//! Whether the process lives, and whether it wants new visitors.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::RwLock;

/// The two answers a load balancer asks for. Clones share what they say.
///
/// `/health` says the process lives; `/ready` says it takes new visitors, which it stops doing
/// before it shuts down, so that the balancer sends them elsewhere while the present ones are
/// still served. It also takes none while something that it [needs](Self::require) is away.
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

/// Something that visitors cannot be served without.
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

    /// Something that visitors cannot be served without, such as a database. `is_there` is asked
    /// for each `/ready` and answers at once from what is known.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use sinew_web::Health;
    ///
    /// let database = Arc::new(AtomicBool::new(false));
    /// let health = Health::new();
    /// let there = Arc::clone(&database);
    /// health.require("database", move || there.load(Ordering::Acquire));
    /// assert!(!health.is_ready());
    /// assert_eq!(health.missing(), ["database"]);
    /// database.store(true, Ordering::Release);
    /// assert!(health.is_ready());
    /// ```
    pub fn require(
        &self,
        name: impl Into<String>,
        is_there: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        self.needs.write().push(Need {
            name: name.into(),
            is_there: Box::new(is_there),
        });
    }

    /// The names of what is needed and away, now.
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
        self.ready.load(Ordering::Acquire) && self.needs.read().iter().all(|need| (need.is_there)())
    }

    /// `GET /health`: 200 `alive` as long as the process can answer at all.
    /// `GET /ready`: 200 `ready`, 503 `draining` after `set_ready(false)`, or 503 `waiting` while
    /// something is [missing](Self::missing), which visitors are not told by name. Neither is cached.
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
                    if !health.ready.load(Ordering::Acquire) {
                        answer(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
                    } else if health.is_ready() {
                        answer(StatusCode::OK, "ready\n")
                    } else {
                        answer(StatusCode::SERVICE_UNAVAILABLE, "waiting\n")
                    }
                }),
            )
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("ready", &self.ready)
            .field("missing", &self.missing())
            .finish()
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

    #[tokio::test]
    async fn what_is_missing_keeps_visitors_away() {
        let health = Health::new();
        let database = Arc::new(AtomicBool::new(true));
        let there = Arc::clone(&database);
        health
            .clone()
            .require("database", move || there.load(Ordering::Acquire));
        health.require("cache", || true);
        assert_eq!(status(&health, "/ready").await, StatusCode::OK);
        database.store(false, Ordering::Release);
        assert_eq!(
            status(&health, "/ready").await,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(health.missing(), ["database"]);
        assert_eq!(status(&health, "/health").await, StatusCode::OK);
        database.store(true, Ordering::Release);
        assert!(health.is_ready());
    }
}
