//! The clock that a program believes in: libfaketime answers when it asks the system for the time.

use std::fs;
use std::path::PathBuf;

/// Where Debian's package has it, below the folder of the architecture.
const LIBRARY: &str = "faketime/libfaketime.so.1";

/// What a program is started with for its clock to be so many seconds ahead, or behind if there
/// is a minus: the first arguments of `env`.
pub(crate) fn environment(seconds: i64) -> [String; 3] {
    // libfaketime asks for memory when it is asked for the time, and jemalloc for the time when it
    // is asked for memory. With the allocator of the C library before jemalloc's neither waits for
    // the other.
    let preload = format!("LD_PRELOAD={}:libc.so.6", library().display());
    [
        preload,
        format!("FAKETIME={seconds:+}s"),
        // What is measured keeps its pace.
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ]
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path().join(LIBRARY))
        .find(|library| library.exists())
        .expect("libfaketime is not installed: apt-get install libfaketime")
}

/// Removes what libfaketime leaves in memory when its process is killed.
pub(crate) fn clean_up(pid: u32) {
    for name in [
        format!("faketime_shm_{pid}"),
        format!("sem.faketime_sem_{pid}"),
    ] {
        // It has cleaned up by itself where there is none.
        let _ = fs::remove_file(PathBuf::from("/dev/shm").join(name));
    }
}
