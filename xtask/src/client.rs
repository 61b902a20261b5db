//! `cargo xtask client`: the browser bundle, made when its inputs changed.

use std::process::{Command, ExitCode};

use anyhow::{Error, Result};

use crate::bundle::NpmPackage;
use crate::checkout;
use crate::run::{self, Counts};

pub(crate) fn run() -> Result<ExitCode> {
    println!("{}", make()?);
    Ok(ExitCode::SUCCESS)
}

/// Makes the bundle unless it is fresh, and says which of the two.
pub(crate) fn make() -> Result<&'static str> {
    let package = package();
    let dist = package.dist();
    if package.is_fresh(&dist).map_err(Error::msg)? {
        return Ok("the browser bundle in packages/client/dist is fresh");
    }
    package.build(&dist).map_err(|cause| {
        Error::msg(format!(
            "the browser bundle cannot be built: {cause} (it needs Node 18 or newer with npm)"
        ))
    })?;
    Ok("the browser bundle is in packages/client/dist")
}

/// Builds the npm package, checks its types, and runs its tests.
pub(crate) fn test() -> Result<Counts> {
    let package = package();
    package.install().map_err(Error::msg)?;
    run::counted(
        Command::new("npm")
            .current_dir(package.folder())
            .args(["test", "--silent"]),
    )
}

pub(crate) fn package() -> NpmPackage {
    NpmPackage::new(checkout::path("packages/client"))
}
