//! `cargo xtask demo`: the demo, running; with `--watch`, built again after each change.

use std::process::ExitCode;

use anyhow::Result;

use crate::{client, run};

pub(crate) fn run(watch: bool) -> Result<ExitCode> {
    eprintln!("{}", client::make()?);
    let mut command = if watch {
        run::cargo(["run", "--quiet", "--package", "sinew-server", "--"])
    } else {
        run::cargo(["run"])
    };
    if watch {
        command.arg("watch");
    }
    // It prints its address itself, and runs until Ctrl-C.
    let status = command.args(["--package", "demo"]).status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
