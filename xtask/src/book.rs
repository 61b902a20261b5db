//! `cargo xtask book`: the book of `docs/`, built by mdBook, and every link in it followed.
//!
//! mdBook is a package of its own, `xtask/mdbook`, that is compiled when it is needed.

mod links;
mod summary;

use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::checkout;
use crate::run::{self, Counts};

/// Where the book ends up: the `build-dir` of `docs/book.toml`.
fn built() -> PathBuf {
    checkout::path("target/book")
}

pub(crate) fn run() -> Result<ExitCode> {
    test()?;
    Ok(ExitCode::SUCCESS)
}

/// As a step of `cargo xtask test`: each page is a check.
pub(crate) fn test() -> Result<Counts> {
    let forgotten = summary::forgotten(&checkout::path("docs"))?;
    if !forgotten.is_empty() {
        bail!(
            "docs/SUMMARY.md does not name {}: list them; `cargo xtask codegen` adds decisions",
            forgotten.join(", ")
        );
    }
    build()?;
    let found = links::follow(&built())?;
    for problem in &found.problems {
        eprintln!("{problem}");
    }
    if !found.problems.is_empty() {
        bail!("{} links of the book lead nowhere", found.problems.len());
    }
    println!(
        "{} pages, {} links followed: {}",
        found.pages,
        found.links,
        built().join("index.html").display()
    );
    Ok(Counts {
        passed: found.pages,
        failed: 0,
    })
}

/// Writes what the book takes from other files: the list of decisions, and the tables of variables,
/// metrics and findings.
pub(crate) fn write() -> Result<()> {
    summary::write_decisions(&checkout::path("docs"))?;
    println!("the decisions in docs/SUMMARY.md are written");
    TABLES.iter().try_for_each(write_table)
}

/// A table that a program of the crate `book` prints about what the library says of itself, and the chapter that shows it.
/// A test of that crate fails while the chapter is out of date.
struct Table {
    /// The program; also what the lines around the table are marked with.
    name: &'static str,
    chapter: &'static str,
}

const TABLES: [Table; 3] = [
    Table {
        name: "variables",
        chapter: "docs/guide/configuration.md",
    },
    Table {
        name: "metrics",
        chapter: "docs/guide/operating.md",
    },
    Table {
        name: "findings",
        chapter: "docs/guide/doctor.md",
    },
];

fn write_table(Table { name, chapter }: &Table) -> Result<()> {
    let output = run::cargo(["run", "--quiet", "--package", "book", "--bin", name])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the table of {name} could not be made");
    }
    let table = String::from_utf8(output.stdout)?;
    let path = checkout::path(chapter);
    let text = fs::read_to_string(&path)?;
    let begin = format!("<!-- {name}:begin -->\n");
    let end = format!("<!-- {name}:end -->");
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("{chapter} has no line {begin}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("{chapter} has no line {end}"))?;
    fs::write(&path, [before, &begin, &table, &end, after].concat())?;
    println!("the {name} in {chapter} are written");
    Ok(())
}

fn build() -> Result<()> {
    // What a page was called before would still be found by its old links.
    if built().exists() {
        fs::remove_dir_all(built())?;
    }
    let mut mdbook = run::cargo(["run", "--quiet", "--locked", "--manifest-path"]);
    mdbook
        .arg(checkout::path("xtask/mdbook/Cargo.toml"))
        .arg("--target-dir")
        .arg(checkout::target().join("mdbook"))
        .arg("--")
        .arg(checkout::path("docs"));
    run::succeed(&mut mdbook)
}
