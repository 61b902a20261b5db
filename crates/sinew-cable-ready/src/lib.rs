//! Typed CableReady operations, selectors, batches, and their JSON.
//!
//! For servers that tell a browser running `cable_ready@5.0.6` what to change: over a cable, in the answer to a
//! reflex, or in an HTTP response. This crate builds operations and writes their JSON; it knows no socket, no HTML
//! parser and no reflex.
//!
//! ```
//! use sinew_cable_ready::{Operations, VERSION};
//!
//! let mut operations = Operations::new();
//! operations
//!     .inner_html("#users", "<b>2</b>")
//!     .add_css_class("#users", "active")
//!     .with(|operation| operation.select_all());
//! assert_eq!(VERSION, "5.0.6");
//! assert_eq!(
//!     operations.message(None),
//!     r##"{"cableReady":true,"operations":[{"selector":"#users","html":"<b>2</b>","operation":"innerHtml"},{"selector":"#users","name":"active","selectAll":true,"operation":"addCssClass"}],"version":"5.0.6"}"##
//! );
//! ```

pub mod cable_car;
mod error;
mod json;
mod key;
mod operation;
mod operations;
mod selector;
mod stream;

pub use cable_car::CableCar;
pub use error::ApplyError;
pub use json::{write_camelized_json, write_string};
pub use key::{camelize_key, camelize_keys};
pub use operation::{ClassNames, ConsoleLevel, Operation, Position, Scope, Storage};
pub use operations::{Operations, write_message, write_operations};
pub use selector::{DomId, Target, ToSelector, document, previous, xpath};
pub use stream::{channel_name, stream_key};

/// Version of CableReady whose client these operations are written for, sent with every message.
///
/// The StimulusReflex client compares it with the npm version of `cable_ready` it was bundled with and drops the
/// whole message when they differ.
pub const VERSION: &str = "5.0.6";

/// Names of the 37 operations that the `cable_ready` npm package performs, as they travel.
pub const OPERATION_NAMES: [&str; 37] = [
    "addCssClass",
    "append",
    "clearStorage",
    "consoleLog",
    "consoleTable",
    "dispatchEvent",
    "go",
    "graft",
    "innerHtml",
    "insertAdjacentHtml",
    "insertAdjacentText",
    "morph",
    "notification",
    "outerHtml",
    "prepend",
    "pushState",
    "redirectTo",
    "reload",
    "remove",
    "removeAttribute",
    "removeCssClass",
    "removeStorageItem",
    "replace",
    "replaceState",
    "scrollIntoView",
    "setAttribute",
    "setCookie",
    "setDatasetProperty",
    "setFocus",
    "setMeta",
    "setProperty",
    "setStorageItem",
    "setStyle",
    "setStyles",
    "setTitle",
    "setValue",
    "textContent",
];
