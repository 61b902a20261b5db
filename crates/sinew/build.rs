//! Finds the browser bundle, or makes it, and hands it to `src/client.rs`.
//!
//! In this order: the bundle that a published crate carries in `client/`; in a checkout, the one
//! that `cargo xtask client` left, if it is fresh; else one made here, once, in a copy of the npm
//! package inside the output folder. When none of these can be, one sentence says what is missing.

#[allow(dead_code, reason = "shared by source: each includer uses a part")]
#[path = "build/bundle.rs"]
mod bundle;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bundle::{BUNDLE_FILES, INPUTS_FILE, NpmPackage, hex, read, write};
use sha2::{Digest, Sha256, Sha384};

/// What stands before the script's hash in its last line.
const FINGERPRINT_AFTER: &str = "//# sourceMappingURL=client-";

/// Hex digits of the script's hash in its file name: enough that two builds never share a name.
const FINGERPRINT_DIGITS: usize = 12;

fn main() -> ExitCode {
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            println!("cargo::error={}", sentence.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    let manifest = folder_from("CARGO_MANIFEST_DIR")?;
    let out = folder_from("OUT_DIR")?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/bundle.rs");

    let bundle = find(&manifest, &out)?;
    let script = bundle.join("sinew.js");
    let fingerprint = fingerprint(&read(&script)?).ok_or_else(|| {
        format!(
            "{} does not end with its own hash: make it again with `cargo xtask client`",
            script.display()
        )
    })?;
    let embedded = out.join("client");
    for file in BUNDLE_FILES {
        write(&embedded.join(file), &read(&bundle.join(file))?)?;
    }
    println!("cargo::rustc-env=SINEW_CLIENT_FINGERPRINT={fingerprint}");
    let integrity = integrity(&read(&script)?);
    println!("cargo::rustc-env=SINEW_CLIENT_INTEGRITY={integrity}");
    let development = read(&bundle.join("sinew-development.js"))?;
    println!(
        "cargo::rustc-env=SINEW_DEVELOPMENT_FINGERPRINT={}",
        digits(&development)
    );
    Ok(())
}

/// The hash in the names of the script and its companions, which the script ends with; none if it is
/// not that of the script.
fn fingerprint(script: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(script).ok()?;
    let (_, last) = text.rsplit_once(FINGERPRINT_AFTER)?;
    let named = last.get(..FINGERPRINT_DIGITS)?;
    let (bare, _) = text.rsplit_once("/*! licences: ")?;
    (digits(bare.as_bytes()) == *named).then(|| named.to_owned())
}

/// The hash of a file, as much of it as stands in a name.
fn digits(bytes: &[u8]) -> String {
    let mut digits = hex(&Sha256::digest(bytes));
    digits.truncate(FINGERPRINT_DIGITS);
    digits
}

/// What a page names so that a browser runs this content and no other.
fn integrity(script: &[u8]) -> String {
    format!("sha384-{}", BASE64.encode(Sha384::digest(script)))
}

/// The folder of a finished bundle.
fn find(manifest: &Path, out: &Path) -> Result<PathBuf, String> {
    let checkout = manifest.join("../../packages/client");
    if !checkout.join("package.json").is_file() {
        let carried = manifest.join("client");
        println!("cargo::rerun-if-changed=client");
        return if BUNDLE_FILES.iter().all(|file| carried.join(file).is_file()) {
            Ok(carried)
        } else {
            Err(format!(
                "this copy of the crate carries no browser bundle ({}): package it with `cargo xtask package`",
                carried.display()
            ))
        };
    }

    let package = NpmPackage::new(checkout);
    for input in package.inputs()? {
        watch(&package.folder().join(input));
    }
    let dist = package.dist();
    // A path that does not exist would make cargo run this script every time.
    if dist.join(INPUTS_FILE).is_file() {
        watch(&dist.join(INPUTS_FILE));
    }
    if package.is_fresh(&dist)? {
        return Ok(dist);
    }
    build_in_copy(&package, out)
}

/// Builds in a copy of the package, so that a build of one's dependency never writes in one's
/// checkout; the lock keeps two builds with one output folder from working in one copy.
fn build_in_copy(package: &NpmPackage, out: &Path) -> Result<PathBuf, String> {
    let lock = out.join("client.lock");
    let lock = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("cannot lock {}: {error}", lock.display()))?;
    let copy = out.join("client-build");
    let bundle = copy.join("dist");
    if !package.is_fresh(&bundle)? {
        for stale in ["src", "licenses"] {
            let _ = fs::remove_dir_all(copy.join(stale));
        }
        package
            .copy_to(&copy)?
            .build(&bundle)
            .map_err(|cause| {
                format!(
                    "the browser bundle is missing and could not be built ({cause}): install Node 18 or newer with npm, then run `cargo xtask client`"
                )
            })?;
        // Only the bundle is needed again.
        let _ = fs::remove_dir_all(copy.join("node_modules"));
    }
    drop(lock);
    Ok(bundle)
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

fn folder_from(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set: build with cargo"))
}
