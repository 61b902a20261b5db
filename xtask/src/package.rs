//! `cargo xtask package`: the facade as it would be published, and the proof that it needs no Node.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Error, Result, bail, ensure};

use crate::bundle::{BUNDLE_FILES, read, write};
use crate::run::{self, Counts};
use crate::{checkout, client};

/// The programs that must not be needed.
const HIDDEN: [&str; 5] = ["node", "nodejs", "npm", "npx", "corepack"];

pub(crate) fn run() -> Result<ExitCode> {
    check()?;
    println!("the facade is in {}", archive()?.display());
    Ok(ExitCode::SUCCESS)
}

/// Packages the facade with its bundle, unpacks that elsewhere, and builds it offline on a `PATH`
/// without Node and npm.
pub(crate) fn check() -> Result<Counts> {
    println!("{}", client::make()?);
    package()?;

    let folder = unpack()?;
    let dist = client::package().dist();
    for file in BUNDLE_FILES {
        let packaged = read(&folder.join("client").join(file)).map_err(Error::msg)?;
        let made = read(&dist.join(file)).map_err(Error::msg)?;
        ensure!(
            packaged == made,
            "{file} in the package is not the one in {}",
            dist.display()
        );
    }
    build_without_node(&folder)?;
    Ok(Counts::ONE_PASSED)
}

/// Runs `cargo package` with the bundle beside the facade's manifest, and takes it away again.
fn package() -> Result<()> {
    let beside = checkout::path("crates/sinew/client");
    let _taken_away = RemovedOnDrop(beside.clone());
    let dist = client::package().dist();
    for file in BUNDLE_FILES {
        let bytes = read(&dist.join(file)).map_err(Error::msg)?;
        write(&beside.join(file), &bytes).map_err(Error::msg)?;
    }
    // Without a lock file: resolving one would ask the registry for crates not published yet.
    run::succeed(&mut run::cargo([
        "package",
        "--package",
        "sinew",
        "--no-verify",
        "--allow-dirty",
        "--exclude-lockfile",
        "--offline",
        "--quiet",
    ]))
}

fn archive() -> Result<PathBuf> {
    let version = env!("CARGO_PKG_VERSION");
    let path = checkout::target().join(format!("package/sinew-{version}.crate"));
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

/// Unpacks the crate as the only one of a workspace of its own.
fn unpack() -> Result<PathBuf> {
    let into = checkout::target().join("package-check");
    if into.exists() {
        fs::remove_dir_all(&into)?;
    }
    fs::create_dir_all(&into)?;
    run::succeed(
        Command::new("tar")
            // Times of now: those in the archive are older than what an earlier check left, which
            // cargo would take for what it is to build.
            .arg("--touch")
            .arg("-xzf")
            .arg(archive()?)
            .arg("-C")
            .arg(&into),
    )?;
    let folder = into.join(concat!("sinew-", env!("CARGO_PKG_VERSION")));

    let manifest = folder.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest)?;
    text.push_str("\n[workspace]\n");
    // The other crates from this checkout, since they are not published yet.
    text.push_str("\n[patch.crates-io]\n");
    for name in crates()?.iter().filter(|name| *name != "sinew") {
        let path = checkout::path("crates").join(name);
        writeln!(text, "{name} = {{ path = {path:?} }}")?;
    }
    // The workspace's profiles, so that what it built already is used again.
    let workspace = fs::read_to_string(checkout::path("Cargo.toml"))?;
    if let Some(profiles) = workspace.find("[profile.") {
        text.push('\n');
        text.push_str(&workspace[profiles..]);
    }
    fs::write(&manifest, text)?;
    fs::copy(checkout::path("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder)
}

fn build_without_node(folder: &Path) -> Result<()> {
    let programs = folder.join("programs");
    link_programs(&programs)?;
    let mut cargo = run::cargo(["build", "--lib", "--offline"]);
    cargo
        .current_dir(folder)
        .env("PATH", &programs)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", checkout::target());
    for hidden in HIDDEN {
        ensure!(
            !programs.join(hidden).exists(),
            "{hidden} is still to be found"
        );
    }
    run::succeed(&mut cargo).context("the packaged crate does not build without Node and network")
}

/// A folder with a link to every program of `PATH` but the hidden ones: Node often lies in the
/// folder of the linker.
fn link_programs(into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    let path = env::var_os("PATH").context("PATH is not set")?;
    let mut linked = BTreeSet::new();
    for folder in env::split_paths(&path) {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let is_hidden = HIDDEN.iter().any(|hidden| name == *hidden);
            if !is_hidden && linked.insert(name.clone()) {
                symlink(entry.path(), into.join(name))?;
            }
        }
    }
    Ok(())
}

/// The folders in `crates`, each named as its crate.
fn crates() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(checkout::path("crates"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    if names.is_empty() {
        bail!("there are no crates");
    }
    Ok(names)
}

struct RemovedOnDrop(PathBuf);

impl Drop for RemovedOnDrop {
    fn drop(&mut self) {
        // A leftover is harmless: a checkout's build never reads it, and git ignores it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
