//! A reflex generated into applications of several shapes.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::template::{self, Variant};

fn application(variant: Variant) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in template::files(variant, "shop", "version = \"0.1\"", "version = \"0.1\"") {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn text(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}

fn actions(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn it_is_written_and_registered_in_both_variants() {
    for variant in [Variant::Minimal, Variant::Full] {
        let folder = application(variant);
        // From anywhere below the application's folder.
        let below = folder.path().join("src");
        let said = reflex(&below, "LineItems", &actions(&["add", "remove_all"])).unwrap();
        assert_eq!(
            said,
            [
                "wrote    src/reflexes/line_items.rs",
                "changed  src/reflexes/mod.rs",
                "changed  src/application.rs",
                "In a page: data-reflex=(sinew::reflex!(\"click\" => LineItems::add))",
            ]
        );
        let source = text(&folder, "src/reflexes/line_items.rs");
        assert!(source.contains("    async fn remove_all(&self, _cx: &mut Reflex) -> Result {\n"));
        assert!(source.contains("tab.stimulate(\"LineItems#add\", ()).await;"));
        let modules = text(&folder, "src/reflexes/mod.rs");
        assert!(modules.contains("pub(crate) mod line_items;\n"));
        let registered = text(&folder, "src/application.rs");
        assert!(registered.contains("        .reflex(reflexes::line_items::LineItems)\n"));
    }
}

#[test]
fn without_actions_there_is_one() {
    let folder = application(Variant::Minimal);
    reflex(folder.path(), "Carts", &[]).unwrap();
    assert!(text(&folder, "src/reflexes/carts.rs").contains("async fn perform("));
}

#[test]
fn nothing_is_overwritten() {
    let folder = application(Variant::Full);
    let before = text(&folder, "src/reflexes/todos.rs");
    let refusal = reflex(folder.path(), "Todos", &[]).unwrap_err().to_string();
    assert!(
        refusal.starts_with("src/reflexes/todos.rs is there already"),
        "{refusal}"
    );
    assert_eq!(text(&folder, "src/reflexes/todos.rs"), before);
}

#[test]
fn without_the_places_it_says_what_to_add() {
    let folder = application(Variant::Minimal);
    for file in ["src/application.rs", "src/reflexes/mod.rs", "src/tests.rs"] {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    let said = reflex(folder.path(), "Carts", &actions(&["add"]))
        .unwrap()
        .join("\n");
    assert!(said.contains("\n    pub(crate) mod carts;\n"), "{said}");
    assert!(
        said.contains("\n    .reflex(crate::reflexes::carts::Carts)\n"),
        "{said}"
    );
    assert!(said.contains("No test was written"), "{said}");
    assert!(!text(&folder, "src/reflexes/carts.rs").contains("tests"));
}

#[test]
fn a_failure_leaves_everything_as_it_was() {
    let folder = application(Variant::Minimal);
    let before = text(&folder, MODULES);
    let mut changes = Changes::default();
    changes.new_file("src/reflexes/carts.rs", "//! New.\n".to_owned());
    changes.edit(MODULES, before.clone(), "//! Changed.\n".to_owned());
    // There is a file where this one needs a folder.
    changes.new_file("src/main.rs/inner.rs", "//! Impossible.\n".to_owned());
    changes.apply(folder.path()).unwrap_err();
    assert_eq!(text(&folder, MODULES), before);
    assert!(!folder.path().join("src/reflexes/carts.rs").exists());
}

#[test]
fn elsewhere_it_says_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |folder: &TempDir| {
        let refusal = reflex(folder.path(), "Carts", &[]).unwrap_err();
        refusal.to_string()
    };
    assert!(refusal(&folder).starts_with("there is no Cargo.toml"));
    let manifest = "[package]\nname = \"other\"\n[dependencies]\nsinewy = \"1\"\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    assert!(refusal(&folder).contains("does not depend on `sinew`"));
}
