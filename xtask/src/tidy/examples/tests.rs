//! The rule, on sources made up for it.

use super::rule;
use super::source::Library;

/// What a library of this source lacks.
fn gaps(source: &str) -> Vec<String> {
    rule::gaps(&Library::of(source))
}

#[track_caller]
fn assert_gaps(source: &str, names: &[&str]) {
    let names: Vec<_> = names.iter().map(|name| format!("lib.rs: {name}")).collect();
    assert_eq!(gaps(source), names, "{source}");
}

#[test]
fn a_function_needs_an_example_of_its_own() {
    assert_gaps("pub fn one() {}", &["one"]);
    assert_gaps(
        "/// ```\n/// assert_eq!(one(), 1);\n/// ```\npub fn one() {}",
        &[],
    );
    assert_gaps(
        "//! ```\n//! assert_eq!(one(), 1);\n//! ```\npub fn one() {}",
        &["one"],
    );
}

#[test]
fn what_is_not_public_needs_none() {
    assert_gaps(
        "fn one() {}\npub(crate) struct Two;\nimpl Two { pub fn of() {} }",
        &[],
    );
    assert_gaps("#[doc(hidden)] pub fn one() {}", &[]);
    assert_gaps("#[doc(hidden)] pub mod inside { pub fn one() {} }", &[]);
    assert_gaps("#[cfg(test)] mod inside { pub fn one() {} }", &[]);
    assert_gaps(
        "pub struct S { pub one: u8 } impl Clone for S { fn clone(&self) -> S {} }",
        &["S"],
    );
}

#[test]
fn an_example_has_to_run_and_to_assert() {
    assert_gaps("/// ```\n/// one();\n/// ```\npub fn one() {}", &["one"]);
    assert_gaps(
        "/// ```\n/// // assert!(one());\n/// ```\npub fn one() {}",
        &["one"],
    );
    for fate in ["no_run", "compile_fail", "text", "rust,no_run"] {
        let source = format!("/// ```{fate}\n/// assert!(one());\n/// ```\npub fn one() {{}}");
        assert_gaps(&source, &["one"]);
    }
    for fate in ["rust", "should_panic", "edition2024"] {
        let source = format!("/// ```{fate}\n/// assert!(one());\n/// ```\npub fn one() {{}}");
        assert_gaps(&source, &[]);
    }
}

#[test]
fn an_ignored_example_and_one_that_is_not_rust_are_faults() {
    let ignored = "/// ```ignore\n/// assert!(one());\n/// ```\nfn one() {}";
    assert_gaps(ignored, &[]);
    let ignored = ignored.replace("fn one", "pub fn one");
    assert_gaps(&ignored, &["an example is marked `ignore`", "one"]);

    let broken = gaps("/// ```\n/// assert!(\n/// ```\npub fn one() {}");
    assert!(broken[0].contains("an example is not Rust"), "{broken:?}");
}

#[test]
fn hidden_lines_are_read() {
    let hidden = "/// ```\n/// # use x::one;\n/// #\n/// ## [derive(Debug)] struct X;\n/// # assert!(one());\n/// ```\npub fn one() {}";
    assert_gaps(hidden, &[]);
    let attribute = "/// ```\n/// #[derive(Debug)]\n/// struct X;\n/// assert!(one());\n/// ```\npub fn one() {}";
    assert_gaps(attribute, &[]);
}

#[test]
fn a_type_is_shown_by_itself_or_by_an_impl_block() {
    assert_gaps("pub struct Name(u8);", &["Name"]);
    assert_gaps(
        "/// ```\n/// assert_eq!(Name(1), 1);\n/// ```\npub struct Name(u8);",
        &[],
    );
    assert_gaps(
        "pub enum Name { A }\n/// ```\n/// assert_eq!(Name::A, 1);\n/// ```\nimpl Name {}",
        &[],
    );
    let by_another =
        "pub struct Name(u8);\n/// ```\n/// assert_eq!(one(), Name(1));\n/// ```\npub fn one() {}";
    assert_gaps(by_another, &["Name"]);
}

#[test]
fn errors_aliases_and_plain_structs_are_named_somewhere() {
    for item in [
        "pub struct Name { pub field: u8 }",
        "#[derive(Debug, thiserror::Error)] pub enum Name { A }",
        "pub type Name = u8;",
    ] {
        assert_gaps(item, &["Name"]);
        let named =
            format!("{item}\n/// ```\n/// assert_eq!(one(), Name);\n/// ```\npub fn one() {{}}");
        assert_gaps(&named, &[]);
        let in_text_only = named.replace("one(), Name", "one(), \"Name\"");
        assert_gaps(&in_text_only, &["Name"]);
        let without_assertion = named.replace("assert_eq!", "dbg!");
        assert_gaps(&without_assertion, &["Name", "one"]);
    }
}

#[test]
fn a_method_is_used_in_the_example_of_its_type() {
    let with = |code: &str| {
        format!(
            "/// ```\n/// assert!({code});\n/// ```\npub struct Name(u8);\nimpl Name {{ pub fn of(&self) {{}} }}"
        )
    };
    for used in [
        "Name(1).of()",
        "Name::of(&x)",
        "<Name>::of(&x)",
        "f(vec![x.of()])",
        "x.map(Name::of)",
    ] {
        assert_gaps(&with(used), &[]);
    }
    for unused in [
        "of()",
        "Name(of)",
        "Other::of(&x)",
        "x.offer()",
        "\"x.of()\"",
    ] {
        assert_gaps(&with(unused), &["Name::of"]);
    }
}

#[test]
fn a_method_is_used_in_the_example_of_its_module_that_names_its_type() {
    let with = |code: &str| {
        format!(
            "//! ```\n//! assert!({code});\n//! ```\nmod inside {{ pub struct Name {{ pub x: u8 }}\nimpl Name {{ pub fn of(&self) {{}} }} }}"
        )
    };
    assert_gaps(&with("Name(1).of()"), &[]);
    assert_gaps(&with("x.of()"), &["Name", "Name::of"]);
}

#[test]
fn an_example_of_another_module_says_nothing_about_a_method() {
    let source = "pub mod other { //! ```\n//! assert!(Name(1).of());\n//! ```\n}\npub struct Name { pub x: u8 }\nimpl Name { pub fn of(&self) {} }";
    assert_gaps(source, &["Name::of"]);
}

#[test]
fn a_method_of_a_trait_is_used_by_writing_it() {
    let with = |code: &str| {
        format!(
            "/// ```\n/// {code}\n/// assert!(true);\n/// ```\npub trait Name {{ fn of(&self); }}"
        )
    };
    assert_gaps(&with("impl Name for X { fn of(&self) {} }"), &[]);
    assert_gaps(&with("X::of(&x);"), &[]);
    assert_gaps(&with("impl Name for X {}"), &["Name::of"]);
}

#[test]
fn exported_macros_need_an_example_and_others_write_nothing_public() {
    assert_gaps("macro_rules! one { () => { pub(crate) fn x() {} } }", &[]);
    assert_gaps(
        "#[macro_export] macro_rules! one { () => { pub fn x() {} } }",
        &["one"],
    );
    let fault = "a macro writes public items: write them out, so that they can be read";
    assert_gaps("macro_rules! one { () => { pub fn x() {} } }", &[fault]);
    assert_gaps("one! { pub fn x() {} }", &[fault]);
}

#[test]
fn a_suite_is_run_by_the_example_of_its_module() {
    let suite = "pub mod contract { //! ```\n//! contract::run(x);\n//! ```\n
        pub fn run() { all() }\nfn all() { first(); }\npub fn first() {}\npub fn second() {} }";
    assert_gaps(suite, &["second"]);
}
