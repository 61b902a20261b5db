//! The `sinew` command, for whoever writes an application.
//!
//! It makes new applications, adds reflexes to them, and runs them while they are being written.
//! It knows an application as files and as a process; what a reflex is, the libraries know.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's output is what it is for"
)]

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
    #[cfg(unix)]
    Watch(watch::Arguments),
    #[cfg(unix)]
    #[command(hide = true)]
    Launch(launch::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
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
