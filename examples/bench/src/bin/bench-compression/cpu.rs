//! What the threads that are measured have used of the processors.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};

/// The name of threads that play browsers.
pub(crate) const BROWSERS: &str = "browsers";

/// Microseconds on a processor of all threads of this process but the browsers, since they began.
///
/// The kernel brings it up to date at every tick and switch, so it is good to some milliseconds.
pub(crate) fn server_us() -> Result<f64> {
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let path = thread?.path();
        // A thread may have ended meanwhile.
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.trim() == BROWSERS {
            continue;
        }
        if let Ok(line) = fs::read_to_string(path.join("schedstat")) {
            let first = line
                .split_whitespace()
                .next()
                .context("schedstat is empty")?;
            sum += first.parse::<u64>()?;
        }
    }
    Ok(sum as f64 / 1e3)
}

/// Time on a processor of the calling thread since it began.
pub(crate) fn thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Resident memory of this process.
pub(crate) fn resident_bytes() -> Result<f64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).context("statm is short")?;
    Ok(pages.parse::<f64>()? * 4096.0)
}
