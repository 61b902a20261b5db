//! `cargo xtask golden`: the reference application against the recordings of the original.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::prerequisites::{self, Prerequisite};
use crate::run::{self, Counts};
use crate::{checkout, client};

/// What was asked for on the command line.
#[derive(Default)]
pub(crate) struct Options {
    /// A regular expression on scenarios' numbers and names.
    pub(crate) filter: Option<String>,
    /// A folder for the recordings made on the way.
    pub(crate) keep: Option<String>,
    /// Write the differences found into the rows of the table that have a reason already.
    pub(crate) bless: bool,
    pub(crate) install: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    prerequisites::require(&Prerequisite::ALL, options.install)?;
    println!("{}", client::make()?);
    let counts = compare(options)?;
    Ok(if counts.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Builds the reference application and compares it: one check a scenario.
pub(crate) fn compare(options: &Options) -> Result<Counts> {
    build_examples()?;
    let mut node = Command::new("node");
    node.current_dir(checkout::root())
        .arg("e2e/golden/run.mjs")
        .env("REFERENCE_BIN", checkout::example("reference"))
        .env("CHROMIUM", prerequisites::chromium());
    for (name, value) in [("--filter", &options.filter), ("--keep", &options.keep)] {
        if let Some(value) = value {
            node.args([name, value]);
        }
    }
    if options.bless {
        node.arg("--bless");
    }
    run::counted(&mut node)
}

/// The programs that are driven through a browser, built in one go: cargo would compile their
/// dependencies twice, with the features of each.
pub(crate) fn build_examples() -> Result<()> {
    run::succeed(&mut run::cargo([
        "build",
        "--package",
        "cookies",
        "--package",
        "demo",
        "--package",
        "reference",
        "--package",
        "book",
        "--package",
        "sinew-server",
        "--package",
        "sinew",
        "--bins",
        "--examples",
    ]))
}
