//! What can be seen before anybody has come.

use std::path::PathBuf;
use std::time::Duration;

use sinew_web::cookie::SecureFlag;
use sinew_web::{Environment, Secret};

use super::{Finding, variables};
use crate::Config;

/// Files and sockets that a process in production should be allowed at least, 4096. Many systems
/// allow 1024 unless they are asked for more.
const DESCRIPTORS_MIN: u64 = 4096;

/// The stock client's `ConnectionMonitor.staleThreshold`.
const STALE_AFTER: Duration = Duration::from_secs(6);

/// Words that a secret of an example is made of, in lower case.
const SAMPLE_WORDS: [&str; 9] = [
    "secret",
    "change",
    "example",
    "password",
    "sinew",
    "default",
    "please",
    "0123456789",
    "abcdef0123",
];

/// A text that repeats after so many bytes was typed, not drawn.
const PERIOD_BYTES_MAX: usize = 16;

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) config: &'a Config,
    /// Whether sessions are kept in memory by [`in_memory`](crate::Sinew::in_memory).
    pub(crate) is_in_memory: bool,
    /// Whether sessions are kept in the data directory.
    pub(crate) is_embedded: bool,
    /// The names of reflexes without an action.
    pub(crate) without_actions: Vec<String>,
    /// The folders whose templates are watched.
    pub(crate) templates: &'a [PathBuf],
}

impl Subject<'_> {
    /// Everything that looks wrong, the most dangerous first.
    pub(crate) fn findings(self) -> Vec<Finding> {
        let edge = &self.config.edge;
        let mut findings = Vec::new();
        if edge.origins.is_open() {
            findings.push(Finding::AnyOrigin);
        }
        if edge.environment == Environment::Production {
            let sign = edge.configured_secret.as_ref().and_then(sample_sign);
            findings.extend(sign.map(|sign| Finding::SampleSecret { sign }));
            if self.is_in_memory {
                findings.push(Finding::SessionsInMemory);
            }
            if self.is_embedded && is_volatile(&edge.data_directory) {
                findings.push(Finding::VolatileData {
                    directory: edge.data_directory.clone(),
                });
            }
            let limit = descriptor_limit().filter(|limit| *limit < DESCRIPTORS_MIN);
            findings.extend(limit.map(|limit| Finding::FewDescriptors { limit }));
            if cfg!(debug_assertions) {
                findings.push(Finding::DebugBuild);
            }
        }
        let interval = self.config.cable.ping_interval;
        if interval >= STALE_AFTER {
            findings.push(Finding::SlowPings { interval });
        }
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        findings.extend(variables::unknown(names));
        let names = self.without_actions.into_iter();
        findings.extend(names.map(|name| Finding::NoActions { name }));
        if edge.environment == Environment::Development {
            let missing = self.templates.iter().filter(|folder| !folder.is_dir());
            findings.extend(
                missing
                    .cloned()
                    .map(|folder| Finding::NoTemplates { folder }),
            );
        }
        findings
    }
}

/// Whether the session cookie is only good over `https`.
pub(super) fn needs_https(config: &Config) -> bool {
    config.edge.environment == Environment::Production
        && config.edge.cookie.secure == SecureFlag::Always
}

/// What gives a secret away as one that was copied or typed.
fn sample_sign(secret: &Secret) -> Option<&'static str> {
    let bytes = secret.as_bytes();
    let lower = bytes.to_ascii_lowercase();
    let word = SAMPLE_WORDS.into_iter().find(|word| {
        let mut windows = lower.windows(word.len());
        windows.any(|window| window == word.as_bytes())
    });
    let repeats = || {
        let mut periods = 1..=PERIOD_BYTES_MAX;
        periods.any(|period| bytes.iter().skip(period).eq(&bytes[..bytes.len() - period]))
    };
    word.or_else(|| repeats().then_some("it repeats itself"))
}

#[cfg(target_os = "linux")]
fn is_volatile(directory: &std::path::Path) -> bool {
    /// What Linux calls the type of a tmpfs.
    const TMPFS: u64 = 0x0102_1994;
    /// And of the older kind of the same.
    const RAMFS: u64 = 0x8584_58f6;

    rustix::fs::statfs(directory).is_ok_and(|system| {
        // The type of this number differs from one platform to the next.
        let kind = u64::try_from(system.f_type).unwrap_or(0);
        kind == TMPFS || kind == RAMFS
    })
}

#[cfg(not(target_os = "linux"))]
fn is_volatile(_: &std::path::Path) -> bool {
    false
}

#[cfg(unix)]
fn descriptor_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_drawn_is_no_sample() {
        for _ in 0..1000 {
            let secret = Secret::generate().expect("random");
            assert_eq!(sample_sign(&secret), None);
        }
    }

    #[test]
    fn a_secret_that_was_typed_is_a_sample() {
        for (text, sign) in [
            ("this-is-a-very-long-Secret-for-tests", "secret"),
            ("CHANGE-ME-before-you-go-to-production!", "change"),
            ("b5c1f7d3a9e84620b5c1f7d3a9e84620b5c1", "it repeats itself"),
            ("0123456789012345678901234567890123456789", "0123456789"),
        ] {
            let secret = Secret::new(text).expect("long enough");
            assert_eq!(sample_sign(&secret), Some(sign), "{text}");
        }
    }
}
