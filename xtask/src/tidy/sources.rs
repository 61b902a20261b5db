//! Source files and manifests.

use std::path::Path;

use super::{files, files_ending, none, text};

/// Names that say nothing about what is inside.
const NAMELESS: [&str; 5] = ["common", "helpers", "misc", "types", "utils"];

/// Past this, two nouns share a file.
const LINES_MAX: usize = 1000;

/// What nobody else's machine has, or what leads to one download host; in two halves, so that this
/// file may stand in the tree as well.
const FOREIGN: [(&str, &str); 9] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("https://regi", "stry."),
    ("https://static", ".crates.io"),
    ("https://index", ".crates.io"),
    ("https://deb", ".debian.org"),
    ("https://files", "."),
];

/// Ways to let a test not run.
const SKIPPED: [(&str, &str); 4] = [
    ("#[ig", "nore"),
    ("test.sk", "ip("),
    ("test.fix", "me("),
    ("test.to", "do("),
];

#[test]
fn files_are_named_after_what_is_inside() {
    let offenders: Vec<_> = files()
        .iter()
        .filter(|file| {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            let ending = file.extension().unwrap_or_default().to_string_lossy();
            ["mjs", "rs", "ts"].contains(&&*ending) && NAMELESS.contains(&&*stem)
        })
        .map(|file| file.display().to_string())
        .collect();
    none("name the thing the file is about", &offenders);
}

#[test]
fn nothing_names_one_machine_or_one_download_host() {
    let offenders = containing(&files(), &FOREIGN);
    none("take these paths and addresses out", &offenders);
}

#[test]
fn no_test_is_left_out() {
    let mut sources = files_ending(".rs");
    sources.extend(files_ending(".mjs"));
    let offenders = containing(&sources, &SKIPPED);
    none("assert today's answer, and say it is wrong", &offenders);
}

#[test]
fn files_can_be_held_in_a_head() {
    let offenders: Vec<_> = files_ending(".rs")
        .iter()
        .map(|file| (file, text(file).lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{} has {lines} lines", file.display()))
        .collect();
    none("which two nouns share the file?", &offenders);
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let offenders: Vec<_> = manifests()
        .iter()
        .filter(|(_, manifest)| !manifest.contains("[lints]\nworkspace = true"))
        .map(|(file, _)| file.clone())
        .collect();
    none("add `[lints] workspace = true`", &offenders);
}

#[test]
fn every_crate_lies_in_a_folder_of_its_name() {
    let offenders: Vec<_> = manifests()
        .iter()
        .filter(|(file, manifest)| {
            let folder = Path::new(file).parent().and_then(Path::file_name).unwrap();
            !manifest.contains(&format!("name = \"{}\"", folder.to_string_lossy()))
        })
        .map(|(file, _)| file.clone())
        .collect();
    none("folder and crate share one name", &offenders);
}

#[test]
fn lock_files_of_npm_hold_no_download_addresses() {
    let locks = files_ending("package-lock.json");
    assert!(locks.len() >= 2, "packages/client and e2e are locked");
    let offenders = containing(&locks, &[("\"resol", "ved\"")]);
    none(
        "set omit-lockfile-registry-resolved in npm and lock again",
        &offenders,
    );
}

fn containing(files: &[std::path::PathBuf], halves: &[(&str, &str)]) -> Vec<String> {
    let words: Vec<_> = halves.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut found = Vec::new();
    for file in files {
        let text = text(file);
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{}: {word}", file.display(), number + 1));
            }
        }
    }
    found
}

/// Packages beside the workspace.
const BESIDE: [&str; 2] = ["fuzz", "xtask/mdbook"];

/// Path and text of each manifest of the workspace.
fn manifests() -> Vec<(String, String)> {
    files_ending("Cargo.toml")
        .iter()
        .filter(|file| {
            file.components().count() > 1 && !BESIDE.iter().any(|beside| file.starts_with(beside))
        })
        .map(|file| (file.display().to_string(), text(file)))
        .collect()
}
