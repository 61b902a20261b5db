//! What one test hears of `tracing`, whatever other threads do.

use std::sync::Once;

use tracing::Subscriber;
use tracing::subscriber::{DefaultGuard, set_default, set_global_default};
use tracing_subscriber::Registry;

/// A subscriber for the current thread, until the guard is dropped.
///
/// As long as there is only one, `tracing` asks the thread that comes to a place of the code first whether anybody is
/// interested, and remembers that for all: it may be the thread of another test, where nobody is. So there is always a
/// second one, which everybody else has.
pub(crate) fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static EVERYBODY_ELSE: Once = Once::new();
    // An error means that there is one already.
    EVERYBODY_ELSE.call_once(|| drop(set_global_default(Registry::default())));
    set_default(subscriber)
}
