//! What the kernel says of processes and of itself.

use std::collections::HashSet;
use std::fs;

use anyhow::{Context as _, Result};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Microseconds on a processor of all threads of a process and of its children since they began.
///
/// The kernel brings it up to date at every tick and switch, so it is good to some milliseconds.
pub(crate) fn cpu_us(process: u32) -> Result<f64> {
    let folder = format!("/proc/{process}/task");
    let threads = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let mut sum = 0.0;
    for thread in threads {
        let thread = thread?.path();
        // A thread may have ended meanwhile.
        if let Ok(line) = fs::read_to_string(thread.join("schedstat"))
            && let Some(first) = line.split_whitespace().next()
        {
            sum += first.parse::<f64>()? / 1e3;
        }
        let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            sum += cpu_us(child.parse()?).unwrap_or(0.0);
        }
    }
    Ok(sum)
}

/// Resident memory of a process and its children.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    let mut sum = status_bytes(process, "VmRSS:")?;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let children = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            sum += resident_bytes(child.parse()?).unwrap_or(0);
        }
    }
    Ok(sum)
}

/// The most resident memory a process ever had.
pub(crate) fn resident_bytes_peak(process: u32) -> Result<u64> {
    status_bytes(process, "VmHWM:")
}

fn status_bytes(process: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    kilobytes(&status, name).with_context(|| format!("{path} does not say {name}"))
}

/// The bytes of a line `name: NUMBER kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number * 1024)
}

/// What the kernel holds for all sockets of the machine, and for whatever else it keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kernel {
    /// Its own objects: sockets, files, and what epoll keeps of them.
    pub(crate) slab_bytes: u64,
    /// Bytes on their way between sockets.
    pub(crate) tcp_queue_bytes: u64,
}

impl Kernel {
    pub(crate) fn now() -> Self {
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let sockets = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
        let pages = sockets
            .lines()
            .find_map(|line| line.strip_prefix("TCP: "))
            .and_then(|line| line.split_once("mem ")?.1.split(' ').next()?.parse().ok())
            .unwrap_or(0_u64);
        Self {
            slab_bytes: kilobytes(&memory, "Slab:").unwrap_or(0),
            tcp_queue_bytes: pages * 4096,
        }
    }
}

/// Who listens on this port, if this user may see it.
pub(crate) fn listener(port: u16) -> Option<u32> {
    let mut sockets = HashSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        sockets.extend(table.lines().filter_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let local = words.get(1)?.rsplit(':').next()?;
            let is_ours = u16::from_str_radix(local, 16).ok()? == port && *words.get(3)? == "0A";
            is_ours.then(|| format!("socket:[{}]", words[9]))
        }));
    }
    if sockets.is_empty() {
        return None;
    }
    let mut processes: Vec<u32> = fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    // Of a parent and its children who all have the socket, the parent.
    processes.sort_unstable();
    processes.into_iter().find(|process| {
        let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else {
            return false;
        };
        files.flatten().any(|file| {
            let link = fs::read_link(file.path()).unwrap_or_default();
            sockets.contains(&*link.to_string_lossy())
        })
    })
}

/// Lets this process, and those it starts, open as many files as they may.
pub(crate) fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Whoever opens too many is told so then.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Processors, kernel and how busy others keep them.
pub(crate) fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let information = read("/proc/cpuinfo");
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':']));
    let kernel = read("/proc/sys/kernel/osrelease");
    let memory = kilobytes(&read("/proc/meminfo"), "MemTotal:").unwrap_or(0) >> 30;
    format!(
        "{processors} × {model}, {memory} GiB, Linux {}",
        kernel.trim()
    )
}

/// Processes that wanted to run, on average over the last minute.
pub(crate) fn load() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ')
        .next()
        .and_then(|it| it.parse().ok())
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn this_process_is_known() {
        let this = std::process::id();
        assert!(cpu_us(this).unwrap() > 0.0);
        let resident = resident_bytes(this).unwrap();
        assert!(resident > 100_000 && resident_bytes_peak(this).unwrap() >= resident / 2);
        assert!(Kernel::now().slab_bytes > 0);
    }

    #[test]
    fn who_listens_is_found_by_the_port() {
        let listener_here = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener_here.local_addr().unwrap().port();
        assert_eq!(listener(port), Some(std::process::id()));
        drop(listener_here);
        assert_eq!(listener(port), None);
    }
}
