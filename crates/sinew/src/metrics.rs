//! What an operator watches: numbers for Prometheus, and the page that shows them.
//!
//! [`METRICS`] lists them all. They are read, and cost something, only when somebody asks:
//!
//! - [`EdgeConfig::metrics_listen`](crate::config::EdgeConfig::metrics_listen) (`SINEW_METRICS_LISTEN=127.0.0.1:9394`)
//!   serves them at `/metrics` of an address of their own, where no visitor comes;
//! - [`SinewHandle::metrics`](crate::SinewHandle::metrics) is the answer of a handler of yours, behind whatever keeps
//!   visitors from it.
//!
//! Nothing of it is served unless one of the two is asked for. What is labelled has as many labels as the program has
//! reflexes, shards and reasons: no visitor can make another.

mod encode;
mod list;
pub(crate) mod listener;
mod snapshot;

use axum::response::{IntoResponse, Response};
use http::header;

pub use list::METRICS;
pub(crate) use snapshot::{Snapshot, Sources};

/// Of what kind a metric is.
///
/// ```
/// use sinew::metrics::{Kind, METRICS};
///
/// let metric = |name: &str| METRICS.iter().find(|it| it.name == name).expect("one of them");
/// assert_eq!(metric("sinew_cable_connections").kind, Kind::Gauge);
/// assert_eq!(metric("sinew_reflex_duration_seconds").kind.to_string(), "histogram");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Grows until the program ends; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size, in seconds: `_bucket`, `_sum` and `_count`.
    Histogram,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// One metric as an operator reads about it.
///
/// ```
/// use sinew::metrics::{METRICS, Metric};
///
/// let by_reason: Vec<&Metric> = METRICS.iter().filter(|it| it.label == Some("reason")).collect();
/// assert_eq!(by_reason[0].name, "sinew_cable_disconnects_total");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, unit and `_total` included.
    pub name: &'static str,
    /// Of what kind it is.
    pub kind: Kind,
    /// The label that its samples are told apart by.
    pub label: Option<&'static str>,
    /// What it counts.
    pub meaning: &'static str,
    read: list::Read,
}

/// All metrics as they were at one moment: an answer to `GET /metrics`.
///
/// It displays in the text format of OpenMetrics 1.0, which Prometheus has read since version 2.5, and as a response
/// says so in its `Content-Type`.
///
/// ```
/// use axum::{Router, routing::get};
/// use sinew::{metrics::Metrics, prelude::*};
/// # use axum::{body::Body, http::Request};
/// # use tower::ServiceExt as _;
///
/// // Put it behind what keeps visitors from it.
/// async fn metrics(sinew: SinewHandle) -> Metrics {
///     sinew.metrics()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = Sinew::new(Router::new().route("/internal/metrics", get(metrics))).in_memory().build()?;
/// # let request = Request::get("/internal/metrics").body(Body::empty())?;
/// # let response = app.router().clone().oneshot(request).await?;
/// # assert_eq!(response.headers()["content-type"], Metrics::CONTENT_TYPE);
/// assert!(app.handle().metrics().to_string().contains("\nsinew_cable_connections 0.0\n"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is an answer"]
pub struct Metrics(pub(crate) Snapshot);

impl Metrics {
    /// The media type of the text.
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl std::fmt::Display for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&encode::text(&self.0)?)
    }
}

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, Self::CONTENT_TYPE),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests;
