//! `cargo xtask demo`: the counter, running.

use std::process::ExitCode;

use anyhow::Result;

use crate::{client, run};

pub(crate) fn run() -> Result<ExitCode> {
    eprintln!("{}", client::make()?);
    // The demo prints its address itself, and runs until Ctrl-C.
    let status = run::cargo(["run", "--package", "demo"]).status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
