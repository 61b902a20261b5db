//! The time of day, as something that a test can move.

use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

/// Tells a store what time it is. Expiry is kept as time of day, because it outlives the
/// process.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinew_store::{Clock, MemoryStore};
///
/// /// For a machine whose clock is an hour slow.
/// struct HourAhead;
///
/// impl Clock for HourAhead {
///     fn now(&self) -> SystemTime {
///         SystemTime::now() + Duration::from_secs(60 * 60)
///     }
/// }
///
/// assert!(HourAhead.now() > SystemTime::now());
/// assert!(MemoryStore::with_clock(HourAhead).is_empty());
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> SystemTime;
}

/// The machine's clock.
///
/// ```
/// use std::time::SystemTime;
/// use sinew_store::{Clock, SystemClock};
///
/// assert!(SystemClock.now() > SystemTime::UNIX_EPOCH);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is moved, for tests.
///
/// ```
/// use std::time::Duration;
/// use sinew_store::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), before + Duration::from_secs(60));
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<SystemTime>);

impl ManualClock {
    /// A clock that starts at the present moment.
    pub fn new() -> ManualClock {
        ManualClock(Mutex::new(SystemTime::now()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock() += by;
    }
}

impl Default for ManualClock {
    fn default() -> ManualClock {
        ManualClock::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        *self.0.lock()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}
