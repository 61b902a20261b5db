//! What another process has used of the processors.

use std::fs;

use anyhow::{Context as _, Result};

/// Time on a processor of all threads of a process since they began, in nanoseconds.
///
/// The kernel brings it up to date at every tick and switch, so it is good to some milliseconds.
pub(crate) fn nanoseconds(process: u32) -> Result<u64> {
    let folder = format!("/proc/{process}/task");
    let threads = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let mut sum = 0;
    for thread in threads {
        // A thread may have ended meanwhile.
        if let Ok(line) = fs::read_to_string(thread?.path().join("schedstat")) {
            let first = line
                .split_whitespace()
                .next()
                .context("schedstat is empty")?;
            sum += first.parse::<u64>()?;
        }
    }
    Ok(sum)
}
