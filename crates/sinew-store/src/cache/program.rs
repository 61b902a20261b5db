//! The digest of the running program.

use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::fragment::of_program;

static DIGEST: OnceCell<String> = OnceCell::const_new();

/// The same for every process of the same build. Found when it is first asked for, which reads the
/// program's file once, on a thread that may block.
pub(crate) async fn program_digest() -> &'static str {
    let find = || async {
        let found = tokio::task::spawn_blocking(digest).await;
        of_program(found.ok().and_then(Result::ok))
    };
    DIGEST.get_or_init(find).await
}

fn digest() -> io::Result<[u8; 32]> {
    let mut file = File::open(std::env::current_exe()?)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            length => digest.update(&buffer[..length]),
        }
    }
}
