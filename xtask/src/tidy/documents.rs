//! Documents that must stay true of the tree.

use std::path::Path;

use super::{files, files_ending, none, text};
use crate::checkout;

#[test]
fn the_index_of_decisions_is_complete() {
    let index = text("docs/adr/README.md");
    let mut decisions = files();
    decisions.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.starts_with("docs/adr") && name.starts_with(|first: char| first.is_ascii_digit())
    });
    assert!(!decisions.is_empty());
    let unlisted: Vec<_> = decisions
        .iter()
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| !index.contains(&format!("]({name})")))
        .collect();
    none("list these in docs/adr/README.md", &unlisted);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut dangling = Vec::new();
    for file in files_ending(".md") {
        let folder = file.parent().unwrap_or(Path::new(""));
        for target in links(&text(&file)) {
            let target = target.split('#').next().unwrap_or_default();
            let is_outside = target.is_empty() || target.contains("://");
            if !is_outside && !checkout::root().join(folder).join(target).exists() {
                dangling.push(format!("{}: {target}", file.display()));
            }
        }
    }
    none("these links lead nowhere", &dangling);
}

#[test]
fn files_that_the_map_names_are_there() {
    let folders = [
        "crates/",
        "docs/",
        "e2e/",
        "examples/",
        "fuzz/",
        "packages/",
        "spec/",
        "xtask/",
    ];
    let mut lost = Vec::new();
    for file in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        for name in text(file).split('`').skip(1).step_by(2) {
            let is_path = folders.iter().any(|folder| name.starts_with(folder));
            if is_path && !checkout::root().join(name).exists() {
                lost.push(format!("{file}: {name}"));
            }
        }
    }
    none("the map names files that are not there", &lost);
}

#[test]
fn the_changelog_has_a_place_for_what_is_not_released() {
    assert!(text("CHANGELOG.md").contains("\n## Unreleased\n"));
}

#[test]
fn ci_runs_the_command_of_the_readme() {
    let command = "cargo xtask test --install";
    for file in ["README.md", ".ci/run"] {
        let has_line = text(file).lines().any(|line| line.trim() == command);
        assert!(has_line, "{file} does not hold the line `{command}`");
    }
}

/// The targets of `[text](target)`.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    markdown
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains(char::is_whitespace))
}
