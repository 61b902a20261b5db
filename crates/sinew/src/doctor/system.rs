//! The machine: descriptors, queues, disks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sinew_web::EdgeConfig;

use super::Finding;
use super::kinds::{
    DATA_UNWRITABLE, EPHEMERAL_DATA, FEW_DESCRIPTORS, SHORT_BACKLOG, VOLATILE_DATA,
};
use super::platform::Platform;

/// Files and sockets that a process in production should be allowed at least, 4096. Many systems
/// allow 1024 unless they are asked for more.
const DESCRIPTORS_MIN: u64 = 4096;

/// Descriptors that are left for everything else when connections are counted, as admission does.
const DESCRIPTORS_BESIDE: u64 = 128;

/// The limit on descriptors, against the visitors who may come.
pub(super) fn descriptors(edge: &EdgeConfig) -> Option<Finding> {
    let limit = descriptor_limit()?;
    if let Some(connections) = edge.server.connections_max {
        let needed = (connections as u64).saturating_add(DESCRIPTORS_BESIDE);
        let tables = edge.server.descriptor_tables.max(1) as u64;
        let has_own_tables = edge.own_descriptors.is_some() || tables > 1;
        return (!has_own_tables && needed > limit).then(|| {
            FEW_DESCRIPTORS
                .found("SINEW_CONNECTIONS_MAX")
                .what(format!(
                    "this process may hold {limit} files and sockets at a time, and SINEW_CONNECTIONS_MAX={connections} needs {needed}"
                ))
                .fix(raise(needed))
        });
    }
    (limit < DESCRIPTORS_MIN).then(|| {
        FEW_DESCRIPTORS
            .found("the limit on open files")
            .what(format!(
                "this process may hold {limit} files and sockets at a time"
            ))
            .fix(raise(65536))
    })
}

fn raise(limit: u64) -> String {
    format!(
        "raise it, with `LimitNOFILE={limit}` in a systemd unit, `--ulimit nofile={limit}` in Docker, or `ulimit -n {limit}` in the shell that starts it"
    )
}

#[cfg(unix)]
fn descriptor_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<u64> {
    None
}

/// The system's bound on its queue of waiting connections.
pub(super) fn backlog(wanted: u32) -> Option<Finding> {
    // Elsewhere than on Linux the file is not there.
    let bound = fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?;
    let bound: u32 = bound.trim().parse().ok()?;
    (bound < wanted).then(|| {
        SHORT_BACKLOG
            .found("net.core.somaxconn")
            .what(format!(
                "the system keeps {bound} waiting connections (net.core.somaxconn), and the application asks for {wanted}"
            ))
            .fix(format!(
                "`sysctl -w net.core.somaxconn={wanted}`, kept in /etc/sysctl.d; or lower `config.edge.server.backlog`"
            ))
    })
}

/// Where sessions are kept on a disk that forgets.
pub(super) fn forgetful_data(directory: &Path, platform: &Platform) -> Option<Finding> {
    let subject = directory.display().to_string();
    let kind = kind_of(directory);
    if kind == Some(FileSystem::Memory) {
        let what = format!("the data directory {subject} is on a file system in memory");
        return Some(
            VOLATILE_DATA
                .found(subject)
                .what(what)
                .fix("set SINEW_DATA_DIR to a folder on a disk"),
        );
    }
    if platform.forgets_files {
        let what = format!(
            "sessions are kept in the data directory {subject}, and {} keeps no files from one start to the next",
            platform.name.unwrap_or("this platform")
        );
        return Some(
            EPHEMERAL_DATA
                .found(subject)
                .what(what)
                .fix("keep sessions elsewhere: SINEW_SESSION_REDIS_URL (feature `redis`), or SINEW_SESSION_STORE=postgres (feature `postgres`)"),
        );
    }
    (kind == Some(FileSystem::Container)).then(|| {
        let what =
            format!("the data directory {subject} is part of the container's own file system");
        EPHEMERAL_DATA.found(subject).what(what)
    })
}

/// File systems that forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileSystem {
    Memory,
    Container,
    Lasting,
}

#[cfg(target_os = "linux")]
fn kind_of(directory: &Path) -> Option<FileSystem> {
    /// What Linux calls the type of a tmpfs.
    const TMPFS: u64 = 0x0102_1994;
    /// And of the older kind of the same.
    const RAMFS: u64 = 0x8584_58f6;
    /// Layers of images with one that can be written, as containers have.
    const OVERLAYFS: u64 = 0x794c_7630;

    // One that is not there yet will be on the file system of what is above it.
    let system = rustix::fs::statfs(nearest(directory)).ok()?;
    // The type of this number differs from one platform to the next.
    Some(match u64::try_from(system.f_type).unwrap_or(0) {
        TMPFS | RAMFS => FileSystem::Memory,
        OVERLAYFS => FileSystem::Container,
        _ => FileSystem::Lasting,
    })
}

#[cfg(not(target_os = "linux"))]
fn kind_of(_: &Path) -> Option<FileSystem> {
    None
}

/// The folder itself, or the nearest above it that is there.
fn nearest(directory: &Path) -> PathBuf {
    let whole = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let there = whole.ancestors().find(|folder| folder.exists());
    there.map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// Whether the store could be kept there, without opening it: the application may be running.
pub(super) fn unwritable_data(directory: &Path) -> Option<Finding> {
    let error = try_to_write(&nearest(directory)).err()?;
    let subject = directory.display().to_string();
    let what = format!("the data directory {subject} cannot be written ({error})");
    Some(DATA_UNWRITABLE.found(subject.clone()).what(what).fix(format!(
        "`install -d -m 700 -o USER {subject}` with the user that runs the program, or set SINEW_DATA_DIR to another folder"
    )))
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".sinew-doctor-{}", std::process::id()));
    fs::create_dir(&probe)?;
    fs::remove_dir(&probe)
}
