//! The rule itself.

use std::collections::BTreeSet;

use super::code::Example;
use super::source::{Kind, Library, Public};

/// What a library lacks, a line each.
pub(super) fn gaps(library: &Library) -> Vec<String> {
    let lacking = library
        .items
        .iter()
        .filter(|item| !is_shown(library, item))
        .map(|item| match &item.kind {
            Kind::Method { owner, .. } => format!("{}: {owner}::{}", item.file, item.name),
            _ => format!("{}: {}", item.file, item.name),
        });
    library.faults.iter().cloned().chain(lacking).collect()
}

fn is_shown(library: &Library, item: &Public) -> bool {
    let of_type = |name: &str| library.of_types.get(name).into_iter().flatten();
    let around = || {
        item.modules
            .iter()
            .flat_map(|place| &library.modules[*place].examples)
    };
    let asserts = |example: &&Example| example.asserts();
    match &item.kind {
        Kind::Callable => item.examples.iter().any(|example| example.asserts()),
        Kind::Type => of_type(&item.name).any(Example::asserts),
        Kind::Plain => {
            of_type(&item.name).any(Example::asserts)
                || all(library)
                    .filter(asserts)
                    .any(|example| example.names(&item.name))
        }
        Kind::Method { owner, is_of_trait } => {
            item.examples.iter().any(Example::asserts)
                || of_type(owner).filter(asserts).any(|example| {
                    example.uses_on(owner, &item.name) || (*is_of_trait && example.uses(&item.name))
                })
                || around()
                    .filter(asserts)
                    .any(|example| example.names(owner) && example.uses_on(owner, &item.name))
        }
        Kind::Rule => {
            item.examples.iter().any(Example::asserts)
                || reached(library, item).contains(&item.name)
        }
    }
}

/// Every example of the library.
fn all(library: &Library) -> impl Iterator<Item = &Example> {
    let of_items = library.items.iter().flat_map(|item| &item.examples);
    let of_modules = library.modules.iter().flat_map(|module| &module.examples);
    let of_types = library.of_types.values().flatten();
    of_items.chain(of_modules).chain(of_types)
}

/// The functions of a suite that its module's example calls, and those that these call.
fn reached(library: &Library, rule: &Public) -> BTreeSet<String> {
    let suite = &library.modules[*rule.modules.last().expect("a suite is a module")];
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<_> = suite
        .functions
        .keys()
        .filter(|name| {
            suite
                .examples
                .iter()
                .any(|example| example.uses_on("contract", name))
        })
        .collect();
    while let Some(name) = waiting.pop() {
        if reached.insert(name.clone()) {
            let called = suite
                .functions
                .keys()
                .filter(|other| suite.functions[name].contains(*other));
            waiting.extend(called);
        }
    }
    reached
}
