//! The load tool against the application and the bare loop, with hundreds of clients instead of a
//! million: everything is counted, nothing is timed.

mod counts;
mod ends;
#[cfg(feature = "stores")]
mod stores;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The tool, with what it says kept out of the tests' own output.
fn tool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cable-load"));
    command.stdin(Stdio::null());
    command
}

/// Runs the tool to its end: what it measured of each server.
#[track_caller]
fn measure(line: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let output = tool()
        .args(line.split_whitespace())
        .arg("--json")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    results(&file)
}

fn results(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    report["results"].as_array().unwrap().clone()
}

/// Runs the tool, which is to fail: what it says.
#[track_caller]
fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}
