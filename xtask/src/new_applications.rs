//! What `sinew new` and `sinew generate` make: formatted, linted, tested, and clicked in a browser.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::prerequisites::{self, Prerequisite};
use crate::run::{self, Counts};
use crate::{checkout, client};

/// Name of the application, and what `sinew new` is told besides.
const APPLICATIONS: [(&str, &[&str]); 2] = [("minimal", &[]), ("full", &["--full"])];

pub(crate) fn run() -> Result<ExitCode> {
    prerequisites::require(&Prerequisite::ALL, false)?;
    let Counts { passed, failed } = check()?;
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub(crate) fn check() -> Result<Counts> {
    println!("{}", client::make()?);
    run::succeed(&mut run::cargo(["build", "--package", "sinew-server"]))?;
    let sinew = checkout::example("sinew");
    let folder = folder()?;

    let mut counts = Counts::default();
    for (name, options) in APPLICATIONS {
        run::succeed(
            Command::new(&sinew)
                .current_dir(&folder)
                .args(["new", name, "--no-git", "--sinew-path"])
                .arg(checkout::root())
                .args(options),
        )?;
        let application = folder.join(name);
        run::succeed(Command::new(&sinew).current_dir(&application).args([
            "generate",
            "reflex",
            "Carts",
            "add",
            "remove_all",
        ]))?;
        counts.add(build_and_test(&application)?);
    }
    let mut node = Command::new("node");
    node.current_dir(checkout::path("e2e"))
        .args(["--test", "--test-concurrency=1", "--test-reporter=tap"])
        .args(APPLICATIONS.map(|(name, _)| format!("tests/new/{name}.test.mjs")))
        .env("MINIMAL_BIN", checkout::example("minimal"))
        .env("FULL_BIN", checkout::example("full"))
        .env("CHROMIUM", prerequisites::chromium());
    counts.add(run::counted(&mut node)?);
    Ok(counts)
}

/// An empty folder in which cargo builds as in this checkout, so that what was built for one is
/// used for the other.
fn folder() -> Result<PathBuf> {
    let folder = checkout::target().join("new-applications");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join(".cargo"))?;
    let workspace = fs::read_to_string(checkout::path("Cargo.toml"))?;
    let profiles = workspace
        .find("[profile.")
        .context("the workspace has profiles")?;
    fs::write(folder.join(".cargo/config.toml"), &workspace[profiles..])?;
    Ok(folder)
}

fn build_and_test(application: &Path) -> Result<Counts> {
    // The versions of this checkout; what only the application needs is added to them.
    fs::copy(checkout::path("Cargo.lock"), application.join("Cargo.lock"))?;
    // It lies below this checkout, and is no part of its workspace.
    let manifest = application.join("Cargo.toml");
    let mut manifest = fs::OpenOptions::new().append(true).open(manifest)?;
    manifest.write_all(b"\n[workspace]\n")?;

    let mut counts = Counts::default();
    let mut cargo = |arguments: &[&str]| {
        let mut cargo = run::cargo(arguments);
        cargo
            .current_dir(application)
            .env("CARGO_TARGET_DIR", checkout::target());
        counts.add(run::counted(&mut cargo)?);
        anyhow::Ok(())
    };
    if run::has_component("fmt") {
        cargo(&["fmt", "--check"])?;
    }
    cargo(&["build"])?;
    cargo(&["test"])?;
    if run::has_component("clippy") {
        cargo(&["clippy", "--all-targets", "--", "--deny", "warnings"])?;
    }
    Ok(counts)
}
