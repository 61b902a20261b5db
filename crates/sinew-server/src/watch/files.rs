//! Hearing of changed files.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// How long nothing may change before a change counts as complete, 50 ms: editors write a file in
/// several steps, and a tool that formats or checks out writes many.
const QUIET_TIME: Duration = Duration::from_millis(50);

/// How often a change may be followed by another one before it is built anyway: 40 times, which is
/// two seconds at least.
const CHANGES_MAX: usize = 40;

/// Folders that hold what is made, not what is written.
const IGNORED_FOLDERS: [&str; 2] = ["target", "node_modules"];

/// Endings of what programs and editors write beside their sources.
const IGNORED_ENDINGS: [&str; 10] = [
    "~", ".swp", ".swx", ".tmp", ".log", ".redb", ".db", ".sqlite", ".sqlite3", ".pid",
];

/// The files below some folders.
pub(crate) struct Files {
    watcher: RecommendedWatcher,
    sources: Sources,
    changes: mpsc::Receiver<PathBuf>,
}

impl Files {
    /// Begins to watch these folders, but not what cargo builds into `output`.
    pub(crate) fn watch(folders: &[PathBuf], output: &Path) -> Result<Self> {
        // One that waits is enough to know that something has changed.
        let (tell, changes) = mpsc::channel(1);
        let data = std::env::var_os("SINEW_DATA_DIR").and_then(|data| {
            // One that is not there yet is made by the program, in the folder it is started from.
            std::path::absolute(data).ok()
        });
        let sources = Sources {
            folders: folders.to_vec(),
            ignored: data.into_iter().chain([output.to_owned()]).collect(),
        };
        let heard = sources.clone();
        let hear = move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            let changed = event.paths.iter().find(|path| heard.contains(path));
            if let Some(path) = changed.filter(|_| changes_content(event.kind)) {
                // One that waits already will do.
                let _ = tell.try_send(path.clone());
            }
        };
        let watcher = notify::recommended_watcher(hear).context("files cannot be watched")?;
        let mut files = Self {
            watcher,
            sources,
            changes,
        };
        files.watch_folders()?;
        Ok(files)
    }

    /// Waits until something has changed, and then until nothing does any more. Gives the first
    /// path that changed.
    pub(crate) async fn changed(&mut self) -> Result<PathBuf> {
        let ended = "files are no longer watched";
        let first = self.changes.recv().await.context(ended)?;
        for _ in 0..CHANGES_MAX {
            match tokio::time::timeout(QUIET_TIME, self.changes.recv()).await {
                Ok(more) => drop(more.context(ended)?),
                Err(_quiet) => break,
            }
        }
        // There may be folders that were not there before.
        self.watch_folders()?;
        Ok(first)
    }

    /// Folder by folder, since those that hold what is made may be large.
    fn watch_folders(&mut self) -> Result<()> {
        let mut waiting = self.sources.folders.clone();
        while let Some(folder) = waiting.pop() {
            let watched = self.watcher.watch(&folder, RecursiveMode::NonRecursive);
            match watched.map_err(|error| error.kind) {
                Ok(()) => {}
                // Gone since it was listed.
                Err(notify::ErrorKind::PathNotFound) => continue,
                Err(notify::ErrorKind::MaxFilesWatch) => anyhow::bail!(
                    "the system allows no more watched folders: raise fs.inotify.max_user_watches with sysctl"
                ),
                Err(kind) => {
                    return Err(notify::Error::new(kind))
                        .with_context(|| format!("{} cannot be watched", folder.display()));
                }
            }
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            let below = entries.flatten().filter(|entry| {
                // A link could lead around in a circle.
                entry.file_type().is_ok_and(|kind| kind.is_dir())
                    && self.sources.contains(&entry.path())
            });
            waiting.extend(below.map(|entry| entry.path()));
        }
        Ok(())
    }
}

/// Whether it may have changed what a file says, or which files there are.
fn changes_content(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_))
    )
}

/// Which files are written by a person.
#[derive(Clone, Debug)]
struct Sources {
    folders: Vec<PathBuf>,
    ignored: Vec<PathBuf>,
}

impl Sources {
    /// Whether a person has written it, as far as its path tells.
    fn contains(&self, path: &Path) -> bool {
        // The deepest folder counts: one may lie in a folder that another does not look into.
        let below = self
            .folders
            .iter()
            .filter_map(|folder| path.strip_prefix(folder).ok())
            .min_by_key(|below| below.components().count());
        let Some(below) = below else { return false };
        if self.ignored.iter().any(|ignored| path.starts_with(ignored)) {
            return false;
        }
        below.components().all(|component| match component {
            Component::Normal(name) => is_written(&name.to_string_lossy()),
            _ => true,
        })
    }
}

fn is_written(name: &str) -> bool {
    // cargo makes a new `target` under a name of its own, which ends in six signs.
    let is_output = name.strip_prefix("target").is_some_and(|rest| {
        rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    !name.starts_with('.')
        && !is_output
        && !IGNORED_FOLDERS.contains(&name)
        && !IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_writes_is_a_source() {
        let sources = Sources {
            folders: ["/app", "/app/target/kit"].map(PathBuf::from).into(),
            ignored: ["/app/data", "/app/built"].map(PathBuf::from).into(),
        };
        for (path, expected) in [
            ("/app/src/main.rs", true),
            ("/app/templates/page.html", true),
            ("/app/Cargo.toml", true),
            ("/app/target/debug/app", false),
            ("/app/targetME6eTO", false),
            ("/app/targets/main.rs", true),
            ("/app/built/debug/app", false),
            ("/app/data/visitors", false),
            ("/app/.git/index", false),
            ("/app/.sinew/sinew.redb", false),
            ("/app/web/node_modules/a/index.js", false),
            ("/app/src/main.rs~", false),
            ("/app/src/.main.rs.swp", false),
            ("/app/target/kit/src/lib.rs", true),
            ("/elsewhere/main.rs", false),
        ] {
            assert_eq!(sources.contains(Path::new(path)), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_file_in_a_new_folder_is_heard_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path");
        let mut files =
            Files::watch(std::slice::from_ref(&root), &root.join("target")).expect("watches");
        std::fs::create_dir(root.join("templates")).expect("makes a folder");
        assert_eq!(
            files.changed().await.expect("hears"),
            root.join("templates")
        );
        let page = root.join("templates/page.html");
        std::fs::write(&page, "hello").expect("writes");
        assert_eq!(files.changed().await.expect("hears"), page);
    }
}
