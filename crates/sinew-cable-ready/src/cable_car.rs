//! Operations in an HTTP response.

use std::ops::{Deref, DerefMut};

use crate::operations::Operations;

/// Media type of a response that carries operations.
pub const MEDIA_TYPE: &str = "text/vnd.cable-ready.json";
/// Value of the `Content-Type` header of such a response.
pub const CONTENT_TYPE: &str = "text/vnd.cable-ready.json; charset=utf-8";
/// Name of the header with the CableReady version, lower case as the `http` crate wants it.
pub const VERSION_HEADER: &str = "x-cable-ready-version";

/// Operations that leave as the body of an HTTP response: `fetch(..).then(r => r.json()).then(CableReady.perform)`.
///
/// Has all methods of [`Operations`]. The body is the bare array, without the envelope of a cable message.
///
/// ```
/// use sinew_cable_ready::CableCar;
/// let mut car = CableCar::new();
/// car.inner_html("#slot", "<i>car</i>").console_log("from the car");
/// assert_eq!(
///     car.body(),
///     r##"[{"selector":"#slot","html":"<i>car</i>","operation":"innerHtml"},{"message":"from the car","selector":"#slot","operation":"consoleLog"}]"##
/// );
/// assert_eq!(CableCar::headers()[1], ("x-cable-ready-version", "5.0.6"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CableCar(Operations);

impl CableCar {
    /// An empty car.
    pub fn new() -> Self {
        Self::default()
    }

    /// The body of the response: a JSON array of the operations.
    pub fn body(&self) -> String {
        self.0.to_json()
    }

    /// The headers that belong to the body, each a name in lower case and a value.
    pub const fn headers() -> [(&'static str, &'static str); 2] {
        [
            ("content-type", CONTENT_TYPE),
            (VERSION_HEADER, crate::VERSION),
        ]
    }
}

impl From<Operations> for CableCar {
    fn from(operations: Operations) -> Self {
        CableCar(operations)
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
