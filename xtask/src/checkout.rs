//! Where things are in this checkout.

use std::path::{Path, PathBuf};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the root of the checkout")
}

/// A path below the root, written with slashes.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| path("target"), |given| root().join(given))
}

/// The program of an example in the debug build.
pub(crate) fn example(name: &str) -> PathBuf {
    target().join("debug").join(name)
}
