//! Which program of which package is meant, and building it.

mod build;
mod target;

use std::path::PathBuf;

pub(crate) use build::{Executable, Outcome, run as build};
pub(crate) use target::Target;

/// Which program is meant, and how it is built.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// The package to run, when there are several.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// The program of that package, when it has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Option<String>,
    /// Features to build with, separated by commas.
    #[arg(short = 'F', long, value_name = "NAMES")]
    pub(crate) features: Option<String>,
    /// Builds with optimizations, as a release.
    #[arg(short, long)]
    pub(crate) release: bool,
    /// The Cargo.toml to begin from; that of this folder or one above, if it is not given.
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
}
