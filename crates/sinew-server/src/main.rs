//! The `sinew` command, for whoever writes an application.
//!
//! It makes new applications, adds reflexes to them, and runs them while they are being written.
//! It knows an application as files and as a process; what a reflex is, the libraries know.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's output is what it is for"
)]

mod cargo;
mod doctor;
mod generate;
#[cfg(unix)]
mod launch;
mod new;
#[cfg(unix)]
mod watch;

mod names;
mod template;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What the doctor ends with when there is nothing that could be examined, and every command when its
/// arguments make no sense.
const NOT_EXAMINED: u8 = 3;

/// Reactive pages for axum applications.
#[derive(Debug, Parser)]
#[command(name = "sinew", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Arguments),
    Generate(generate::Arguments),
    Doctor(doctor::Arguments),
    #[cfg(unix)]
    Watch(watch::Arguments),
    #[cfg(unix)]
    #[command(hide = true)]
    Launch(launch::Arguments),
}

fn main() -> ExitCode {
    let command = match Arguments::try_parse() {
        Ok(arguments) => arguments.command,
        Err(error) => return misread(&error),
    };
    let outcome = match command {
        Command::Doctor(arguments) => return doctor::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        #[cfg(unix)]
        Command::Watch(arguments) => watch::run(&arguments),
        #[cfg(unix)]
        Command::Launch(arguments) => launch::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sinew: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong with the arguments, or helps.
fn misread(error: &clap::Error) -> ExitCode {
    // Where it should be printed to has gone when this fails.
    let _ = error.print();
    if error.use_stderr() {
        // 2 would mean that the doctor has found errors.
        ExitCode::from(NOT_EXAMINED)
    } else {
        ExitCode::SUCCESS
    }
}
