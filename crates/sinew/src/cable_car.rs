//! CableReady operations as the body of an HTTP response.

use std::ops::{Deref, DerefMut};

use axum::response::{IntoResponse, Response};
use sinew_cable_ready::Operations;

/// CableReady operations as the body of an HTTP response.
///
/// A page's script carries them out: `fetch(…).then(r => r.json()).then(CableReady.perform)`.
///
/// ```
/// use axum::response::IntoResponse as _;
/// use sinew::CableCar;
///
/// let mut car = CableCar::new();
/// car.inner_html("#slot", "<i>car</i>").console_log("from the car");
/// let response = car.into_response();
/// assert_eq!(response.headers()["content-type"], "text/vnd.cable-ready.json; charset=utf-8");
/// assert_eq!(response.headers()["x-cable-ready-version"], "5.0.6");
/// ```
#[derive(Debug, Default)]
pub struct CableCar(sinew_cable_ready::CableCar);

impl CableCar {
    /// No operations yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Deref for CableCar {
    type Target = Operations;

    fn deref(&self) -> &Operations {
        &self.0
    }
}

impl DerefMut for CableCar {
    fn deref_mut(&mut self) -> &mut Operations {
        &mut self.0
    }
}

impl IntoResponse for CableCar {
    fn into_response(self) -> Response {
        (sinew_cable_ready::CableCar::headers(), self.0.body()).into_response()
    }
}
