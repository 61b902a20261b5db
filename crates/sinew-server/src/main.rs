//! The `sinew` command, for whoever writes an application.
//!
//! It makes new applications, adds reflexes to them, and runs them while they are being written.
//! It knows an application as files and as a process; what a reflex is, the libraries know.

use clap::Parser;

/// Reactive pages for axum applications.
#[derive(Debug, Parser)]
#[command(name = "sinew", version, arg_required_else_help = true)]
struct Arguments {}

fn main() {
    Arguments::parse();
}
