//! A clock that all processes of this machine share.

use rustix::time::{ClockId, clock_gettime};

/// Microseconds since the machine began.
pub(crate) fn now_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}
