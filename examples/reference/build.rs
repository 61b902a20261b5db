//! Bundles `client/` with the npm packages of `packages/client`.

#[allow(dead_code, reason = "shared by source: each includer uses a part")]
#[path = "../../crates/sinew/build/bundle.rs"]
mod bundle;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bundle::NpmPackage;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            println!("cargo::error={}", sentence.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: build with cargo")?;
    let package = NpmPackage::new(here.join("../../packages/client"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=client");
    for input in package.inputs()? {
        println!(
            "cargo::rerun-if-changed={}",
            package.folder().join(input).display()
        );
    }
    let entry = |name: &str| here.join("client").join(name);
    let entries = [
        ("client", entry("client.js")),
        ("client-turbo", entry("client-turbo.js")),
    ];
    let entries = entries
        .each_ref()
        .map(|(name, source)| (*name, source.as_path()));
    package.build_entries(&entries, Path::new(&out))
}
