//! What the compiler says to a misused macro, word for word.
//!
//! Each file of `misuse/` holds one mistake, and beside it stands what is said about it, all of it
//! ours. In `misuse/types/` are the mistakes that only the compiler's types can find: the sentence is
//! ours, what stands around it is that of one version of Rust.
//!
//! After a change: `TRYBUILD=overwrite cargo test -p sinew --test misuse`, and read the difference.
//! The first run checks the crate and what it depends on once more, a minute or two; later ones take
//! some seconds.

use std::process::Command;

/// The version whose words stand in `misuse/types/`.
const RUST: &str = "rustc 1.95.";

#[test]
fn a_misused_macro_says_what_to_write_instead() {
    let tests = trybuild::TestCases::new();
    tests.compile_fail("tests/misuse/*.rs");
    if rustc_version().starts_with(RUST) {
        tests.compile_fail("tests/misuse/types/*.rs");
    }
}

fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let output = output.expect("this test was compiled by a rustc");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
