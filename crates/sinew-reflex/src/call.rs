//! A call with the route that was found for it.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::Span;

use crate::data::ReflexData;
use crate::error::Error;
use crate::registry::Route;

/// A call on its way through a lane. One that cannot run waits as well, so that answers keep their order.
pub(crate) struct Call {
    pub(crate) data: Arc<ReflexData>,
    pub(crate) route: Result<Arc<Route>, Error>,
    /// When it came.
    pub(crate) came: Instant,
    /// From the frame that brought it to its reply; none unless somebody looks.
    pub(crate) span: Span,
}
