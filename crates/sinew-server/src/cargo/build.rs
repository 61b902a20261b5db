//! Building with cargo, whose messages go to the terminal as they are.

use std::fs::Metadata;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::Selection;
use super::target::{Target, cargo};

/// What came of a build.
pub(crate) enum Outcome {
    Built(Executable),
    /// The compiler has said why.
    Failed,
}

/// A program on disk. Two are equal when nothing was built between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    pub(crate) path: PathBuf,
    bytes: u64,
    written: Option<SystemTime>,
}

impl Executable {
    fn at(path: PathBuf) -> Result<Self> {
        let metadata = std::fs::metadata(&path);
        let metadata: Metadata =
            metadata.with_context(|| format!("{} was built and is gone", path.display()))?;
        Ok(Self {
            path,
            bytes: metadata.len(),
            written: metadata.modified().ok(),
        })
    }
}

/// Builds the program. Dropped, it ends cargo.
pub(crate) async fn run(target: &Target, selection: &Selection) -> Result<Outcome> {
    let mut command = Command::new(cargo());
    command
        .args(["build", "--message-format", "json-render-diagnostics"])
        .args(["--package", &target.package, "--bin", &target.bin])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    if let Some(path) = &selection.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    if let Some(features) = &selection.features {
        command.args(["--features", features]);
    }
    if selection.release {
        command.arg("--release");
    }
    let mut child = command.spawn().context("cargo cannot be run")?;
    let mut executable = None;
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            executable = executable.or(executable_of(&line, target));
        }
    }
    let status = child.wait().await?;
    if !status.success() {
        return Ok(Outcome::Failed);
    }
    let path = executable.context("cargo has built no program")?;
    Ok(Outcome::Built(Executable::at(path)?))
}

/// The program that a line of cargo's announces, if it is the one asked for.
fn executable_of(line: &str, target: &Target) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_it = message["reason"] == "compiler-artifact"
        && message["target"]["name"] == target.bin.as_str()
        && message["package_id"] == target.package.as_str();
    let path = message["executable"].as_str().filter(|_| is_it)?;
    Some(PathBuf::from(path))
}
