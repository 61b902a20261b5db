//! The load on a cable: clients that connect, subscribe, talk, listen, stall, go and come back.
//!
//! `cable-load` starts the servers, the workers that hold the clients, and measures all servers in
//! turns; `cable-load worker` is one of the workers. `cargo xtask bench cable` builds what it needs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the numbers are what it is for"
)]

mod children;
mod clock;
mod driver;
mod fleet;
mod options;
mod plot;
mod process;
mod protocol;
mod report;
mod scenario;
mod target;
mod worker;

use std::fs;
use std::process::ExitCode;

use anyhow::Result;
use options::Options;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let outcome = match words.peek().map(String::as_str) {
        Some("worker") => worker::run(),
        Some("help" | "--help") => {
            print!("{}", options::HELP);
            Ok(())
        }
        _ => Options::from_words(words).and_then(|options| conduct(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cable-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn conduct(options: &Options) -> Result<()> {
    children::end_on_signal(remove_data)?;
    process::raise_descriptor_limit();
    let measured = scenario::run_all(options);
    remove_data();
    let report = measured?;
    report.print();
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_vec_pretty(&report.to_json())?)?;
    }
    if let Some(folder) = &options.plots {
        fs::create_dir_all(folder)?;
        for (name, svg) in report.plots() {
            fs::write(folder.join(name), svg)?;
        }
    }
    Ok(())
}

fn remove_data() {
    // There is none when no server of ours was started.
    let _ = fs::remove_dir_all(target::data_root());
}
