//! How often this disk can be waited for.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

const TIME: Duration = Duration::from_millis(400);
const BLOCK_BYTES: usize = 4096;

/// Blocks that are written and waited for in a second, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fsyncs {
    /// Each behind the one before, as a log of commits would be written.
    pub(super) appended: f64,
    /// All to one place of a file that keeps its size, and only its data: the least that can be waited for.
    pub(super) in_place: f64,
}

impl Fsyncs {
    /// The higher of the rates.
    pub(super) fn faster(self, other: Self) -> Self {
        Self {
            appended: self.appended.max(other.appended),
            in_place: self.in_place.max(other.in_place),
        }
    }
}

pub(super) fn fsyncs_per_second(folder: &Path) -> Result<Fsyncs> {
    Ok(Fsyncs {
        appended: rate(folder, false)?,
        in_place: rate(folder, true)?,
    })
}

fn rate(folder: &Path, in_place: bool) -> Result<f64> {
    let path = folder.join("fsync");
    let mut file = File::create(&path)?;
    let mut block = [0_u8; BLOCK_BYTES];
    let begins = Instant::now();
    let mut count = 0_u32;
    while begins.elapsed() < TIME {
        block[..4].copy_from_slice(&count.to_le_bytes());
        if in_place {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&block)?;
        if in_place {
            file.sync_data()?;
        } else {
            file.sync_all()?;
        }
        count += 1;
    }
    let rate = f64::from(count) / begins.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
