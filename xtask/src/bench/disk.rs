//! How often this disk can be waited for.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

const TIME: Duration = Duration::from_secs(1);
const BLOCK_BYTES: usize = 4096;

/// Writes a block and waits until it is on the medium, one after the other.
pub(super) fn fsyncs_per_second(folder: &Path) -> Result<f64> {
    let path = folder.join("fsync");
    let mut file = File::create(&path)?;
    let mut block = [0_u8; BLOCK_BYTES];
    let begins = Instant::now();
    let mut count = 0_u32;
    while begins.elapsed() < TIME {
        block[..4].copy_from_slice(&count.to_le_bytes());
        // Always the same place: the file does not grow, so nothing but the block is written.
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&block)?;
        file.sync_all()?;
        count += 1;
    }
    let rate = f64::from(count) / begins.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
