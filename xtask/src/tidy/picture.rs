//! The crates and their arrows, against the table in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{none, text};
use crate::run;

/// Libraries that one part of the picture wraps, and who may import them.
const WRAPPED: [(&str, &[&str]); 6] = [
    ("axum", &["sinew-web", "sinew", "sinew-testing"]),
    ("dom_query", &["sinew-reflex", "sinew-testing"]),
    ("hyper", &["sinew-web", "sinew"]),
    ("redb", &["sinew-embedded"]),
    ("redis", &["sinew-redis"]),
    ("syn", &["sinew-macros"]),
];

/// Crate → what of ours it may import, in the order of the table.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let document = text("ARCHITECTURE.md");
    let block = document
        .split_once("<!-- edges:begin -->")
        .and_then(|(_, rest)| rest.split_once("<!-- edges:end -->"))
        .expect("ARCHITECTURE.md has a block of edges")
        .0;
    block
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, imports)| {
            let imports = imports.split_whitespace().map(str::to_owned).collect();
            (name.to_owned(), imports)
        })
        .collect()
}

/// Crate → everything it imports but for its tests, as cargo reads the manifests.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let output = run::cargo([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ])
    .output()
    .unwrap();
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name_of = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .filter(|package| {
            let manifest = package["manifest_path"].as_str().unwrap();
            manifest.ends_with(&format!("crates/{}/Cargo.toml", name_of(package)))
        })
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let imports = dependencies
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(name_of);
            (name_of(package), imports.collect())
        })
        .collect()
}

fn is_ours(name: &str) -> bool {
    name == "sinew" || name.starts_with("sinew-")
}

#[test]
fn the_picture_names_every_crate_and_its_arrows_point_down() {
    let table = table();
    let names: Vec<_> = table.iter().map(|(name, _)| name.as_str()).collect();
    let drawn: BTreeSet<_> = names.iter().copied().collect();
    let imports = imports();
    let there: BTreeSet<_> = imports.keys().map(String::as_str).collect();
    assert_eq!(drawn, there, "crates in ARCHITECTURE.md and in crates/");

    for (row, (name, allowed)) in table.iter().enumerate() {
        for import in allowed {
            assert!(
                names[..row].contains(&import.as_str()),
                "{name} may import {import}, which does not stand above it in the table"
            );
        }
    }
}

#[test]
fn no_crate_imports_against_the_picture() {
    let imports = imports();
    let mut offenders = Vec::new();
    for (name, allowed) in table() {
        for import in &imports[&name] {
            if is_ours(import) && !allowed.contains(import) {
                offenders.push(format!("{name} imports {import}"));
            }
        }
    }
    none(
        "a new arrow needs a decision record in docs/adr",
        &offenders,
    );
}

#[test]
fn wrapped_libraries_are_reached_through_their_crate_only() {
    let mut offenders = Vec::new();
    for (name, imports) in imports() {
        for (library, wrappers) in WRAPPED {
            if imports.contains(library) && !wrappers.contains(&name.as_str()) {
                offenders.push(format!("{name} imports {library}"));
            }
        }
    }
    none("these libraries have a crate of their own", &offenders);
}
