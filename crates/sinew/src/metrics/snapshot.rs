//! All counters, read at one moment.

use std::sync::Arc;
use std::time::SystemTime;

use sinew_cable::{ShardStatistics, WeakCable};
use sinew_reflex::{ReflexStatistics, WeakEngine};
use sinew_store::cache::{Cache, CacheStatistics};
use sinew_streams::{Missed, Streams};
use sinew_web::server::{AdmissionCounts, ServerStatistics};
use sinew_web::{Health, SessionLayer, SessionStatistics};

use crate::services::{Service, ServiceState};

/// Where the counters are. It keeps none of those that hold the handle.
pub(crate) struct Sources {
    pub(crate) cable: WeakCable,
    pub(crate) engine: WeakEngine,
    pub(crate) sessions: SessionLayer,
    pub(crate) cache: Cache,
    pub(crate) server: AdmissionCounts,
    pub(crate) health: Health,
    pub(crate) services: Arc<[Service]>,
    pub(crate) streams: Arc<dyn Streams>,
    pub(crate) started: SystemTime,
}

/// What they said.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) cable: sinew_cable::Statistics,
    pub(crate) shards: Vec<ShardStatistics>,
    pub(crate) engine: sinew_reflex::Statistics,
    pub(crate) reflexes: Vec<ReflexStatistics>,
    pub(crate) sessions: SessionStatistics,
    pub(crate) cache: CacheStatistics,
    pub(crate) server: ServerStatistics,
    pub(crate) is_ready: bool,
    pub(crate) services: Vec<(String, ServiceState)>,
    pub(crate) missed: Missed,
    pub(crate) started: SystemTime,
    /// Bytes of memory that the process has, where the system says so.
    pub(crate) resident_bytes: Option<u64>,
}

impl Sources {
    /// Reads them. What is gone, because the application is ending, reads as nothing.
    pub(crate) fn read(&self) -> Snapshot {
        let cable = self.cable.upgrade();
        let engine = self.engine.upgrade();
        Snapshot {
            cable: cable
                .as_ref()
                .map(|cable| cable.statistics())
                .unwrap_or_default(),
            shards: cable.map(|cable| cable.shards()).unwrap_or_default(),
            engine: engine
                .as_ref()
                .map(|engine| engine.statistics())
                .unwrap_or_default(),
            reflexes: engine.map(|engine| engine.reflexes()).unwrap_or_default(),
            sessions: self.sessions.statistics(),
            cache: self.cache.statistics(),
            server: self.server.statistics(),
            is_ready: self.health.is_ready(),
            missed: self.streams.missed(),
            services: self
                .services
                .iter()
                .map(|service| (service.label(), service.state()))
                .collect(),
            started: self.started,
            resident_bytes: resident_bytes(),
        }
    }
}

impl Snapshot {
    /// When the application was built, in seconds since 1970.
    pub(crate) fn started_unix(&self) -> f64 {
        let since = self.started.duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0.0, |since| since.as_secs_f64())
    }
}

/// As the kernel says it; other systems say it differently.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes_of(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024)
}

fn kibibytes_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_the_kernel_calls_resident() {
        let status = "Name:\tshop\nVmPeak:\t  9000 kB\nVmRSS:\t  4321 kB\n";
        assert_eq!(kibibytes_of(status, "VmRSS:"), Some(4321));
        assert_eq!(kibibytes_of("Name:\tVmRSS\n", "VmRSS:"), None);
    }
}
