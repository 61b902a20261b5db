//! Rules about the tree itself, as ordinary tests: `cargo test -p xtask tidy`.
//!
//! A rule's failure names the file and what to do about it.

mod documents;
mod examples;
mod picture;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use crate::checkout;

/// Folders that hold nothing anybody wrote.
const NOT_OURS: [&str; 7] = [
    ".git",
    ".sinew",
    "artifacts",
    "corpus",
    "dist",
    "node_modules",
    "target",
];

/// Every file of the checkout that somebody wrote, relative to its root.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(checkout::root(), &mut found);
    found.sort();
    assert!(found.len() > 50, "the checkout was not found");
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        // In a second work tree of git, `.git` is a file.
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            walk(&path, found);
        } else if kind.is_file() {
            found.push(path.strip_prefix(checkout::root()).unwrap().to_owned());
        }
    }
}

/// The files with this ending.
fn files_ending(ending: &str) -> Vec<PathBuf> {
    let mut files = files();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files
}

/// The text of a file, or nothing if it holds none.
fn text(relative: impl AsRef<Path>) -> String {
    let bytes = fs::read(checkout::root().join(relative)).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

#[track_caller]
fn none(rule: &str, offenders: &[String]) {
    assert!(
        offenders.is_empty(),
        "{rule}:\n  {}",
        offenders.join("\n  ")
    );
}
