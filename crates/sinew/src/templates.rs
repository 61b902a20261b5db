//! Template folders in development: a changed file makes the open pages ask for themselves again.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::handle::SinewHandle;

/// How often the files are looked at, four times a second.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How many files and folders are looked at, 10,000. Those beyond are not: a folder so large holds
/// something else than templates.
const ENTRIES_MAX: usize = 10_000;

/// Looks at the files below these folders until the application is gone. What is there now is
/// taken as known when this is called, not when it is first polled.
pub(crate) fn watch(folders: Vec<PathBuf>, handle: SinewHandle) -> impl Future<Output = ()> {
    let mut known = fingerprint(folders.clone());
    async move {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        // A machine that slept has nothing to catch up with.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while handle.is_alive() {
            let folders = folders.clone();
            let Ok(seen) = tokio::task::spawn_blocking(move || fingerprint(folders)).await else {
                return;
            };
            if known != seen {
                known = seen;
                tracing::info!("a template has changed: open pages are renewed");
                if let Err(error) = handle.refresh_pages().await {
                    tracing::warn!(%error, "open pages could not be told that a template has changed");
                }
            }
            ticks.tick().await;
        }
    }
}

/// A number that is another one when a file was written, made, renamed or taken away.
fn fingerprint(folders: Vec<PathBuf>) -> u64 {
    let mut entries = 0;
    let mut waiting = folders;
    let mut total = 0_u64;
    while let Some(folder) = waiting.pop() {
        let Ok(found) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in found.flatten() {
            entries += 1;
            if entries > ENTRIES_MAX {
                return total;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                waiting.push(entry.path());
            } else {
                // Folders list their files in any order; a sum has none.
                let one = fingerprint_of(&entry.path(), &metadata);
                total = total.wrapping_add(one);
            }
        }
    }
    total
}

fn fingerprint_of(path: &Path, metadata: &fs::Metadata) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    metadata.len().hash(&mut hasher);
    metadata.modified().ok().hash(&mut hasher);
    hasher.finish()
}
