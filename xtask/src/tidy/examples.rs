//! Every public item of the crates is shown in an example that asserts something.
//!
//! Examples are the code blocks of doc comments that are run: those marked `no_run` or
//! `compile_fail` count for nothing here, and `ignore` is refused. One asserts when it calls
//! anything whose name begins with `assert`, or a suite in a module `contract`.
//!
//! - A type, a trait, a free function or a macro has an asserting example of its own. The docs of
//!   an `impl` block are its type's.
//! - An error, a type alias, or a plain struct, whose fields are all public, may instead be named
//!   in any asserting example of its crate.
//! - A method has one of its own, or is used in one of its type, its trait, or a public module
//!   around it that names the type. So is a method of a trait, for which `fn name` is a use.
//! - A rule of a suite in a module `contract` may be called by what the module's example calls.
//!
//! Fields, variants and constants need none: the documentation shows them as they are. What is
//! `#[doc(hidden)]` is not public here. A macro that is not exported may not write public items,
//! for this reads what is written down.

mod code;
mod rule;
mod source;
mod tests;

use std::collections::BTreeMap;
use std::fs;

use super::none;
use crate::checkout;
use source::Library;

/// Crates that do not keep the rule yet. To see what one of them lacks, take it off this list and
/// run `cargo test -p xtask examples`.
const NOT_YET: &[&str] = &[];

/// What each library among the crates lacks.
fn gaps() -> BTreeMap<String, Vec<String>> {
    let mut gaps = BTreeMap::new();
    for entry in fs::read_dir(checkout::root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let root = folder.join("src/lib.rs");
        if root.exists() {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            gaps.insert(name, rule::gaps(&Library::read(&root)));
        }
    }
    assert!(gaps.len() > 10, "the crates were not found");
    gaps
}

#[test]
fn every_public_item_is_shown_in_an_asserting_example() {
    let lacking: Vec<_> = gaps()
        .into_iter()
        .filter(|(name, _)| !NOT_YET.contains(&name.as_str()))
        .flat_map(|(_, gaps)| gaps)
        .collect();
    none("show these in an example that asserts", &lacking);
}

#[test]
fn crates_that_keep_the_rule_are_not_excused_from_it() {
    let gaps = gaps();
    let excused: Vec<_> = NOT_YET
        .iter()
        .filter(|name| gaps.get(**name).is_none_or(Vec::is_empty))
        .map(|name| (*name).to_owned())
        .collect();
    none("take these crates off the list `NOT_YET`", &excused);
}
