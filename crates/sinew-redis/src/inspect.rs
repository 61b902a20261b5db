//! What a Redis server says of itself, for whoever checks whether it fits what it is used for.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use redis::{Cmd, FromRedisValue, cmd};

use crate::client::Redis;
use crate::error::{RedisError, RedisErrorKind};
use crate::settings::{RedisSettings, RedisTls};

/// Bytes of what `INFO` says that are looked at: 64 KiB. It is 6 to 10 on a server without modules.
const INFO_BYTES_MAX: usize = 64 * 1024;

/// Characters of a value that is kept.
const VALUE_CHARACTERS_MAX: usize = 100;

/// What a server does when its memory is full: `maxmemory-policy`.
///
/// ```
/// use sinew_redis::EvictionPolicy;
///
/// let policy: EvictionPolicy = "volatile-lru".parse()?;
/// assert_eq!(policy, EvictionPolicy::VolatileLru);
/// assert!(policy.evicts() && !policy.evicts_lasting() && !policy.is_random());
/// assert!(!EvictionPolicy::NoEviction.evicts());
/// assert_eq!(EvictionPolicy::AllkeysRandom.to_string(), "allkeys-random");
/// # Ok::<(), sinew_redis::UnknownPolicy>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionPolicy {
    /// Writes are refused.
    NoEviction,
    /// The keys that nobody used for longest go.
    AllkeysLru,
    /// The keys that are used least often go.
    AllkeysLfu,
    /// The keys that nobody wrote for longest go.
    AllkeysLrm,
    /// Any key may go.
    AllkeysRandom,
    /// Of the keys that expire, those that nobody used for longest go.
    VolatileLru,
    /// Of the keys that expire, those that are used least often go.
    VolatileLfu,
    /// Of the keys that expire, those that nobody wrote for longest go.
    VolatileLrm,
    /// Of the keys that expire, any may go.
    VolatileRandom,
    /// Of the keys that expire, those that do so first go.
    VolatileTtl,
}

impl EvictionPolicy {
    const NAMES: [(Self, &'static str); 10] = [
        (Self::NoEviction, "noeviction"),
        (Self::AllkeysLru, "allkeys-lru"),
        (Self::AllkeysLfu, "allkeys-lfu"),
        (Self::AllkeysLrm, "allkeys-lrm"),
        (Self::AllkeysRandom, "allkeys-random"),
        (Self::VolatileLru, "volatile-lru"),
        (Self::VolatileLfu, "volatile-lfu"),
        (Self::VolatileLrm, "volatile-lrm"),
        (Self::VolatileRandom, "volatile-random"),
        (Self::VolatileTtl, "volatile-ttl"),
    ];

    /// Whether keys go at all.
    pub fn evicts(self) -> bool {
        self != Self::NoEviction
    }

    /// Whether keys go that were to last for ever.
    pub fn evicts_lasting(self) -> bool {
        matches!(
            self,
            Self::AllkeysLru | Self::AllkeysLfu | Self::AllkeysLrm | Self::AllkeysRandom
        )
    }

    /// Whether it is chance which keys go.
    pub fn is_random(self) -> bool {
        matches!(self, Self::AllkeysRandom | Self::VolatileRandom)
    }
}

/// A policy that Redis does not know, or that we do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no eviction policy that is known")]
pub struct UnknownPolicy;

impl FromStr for EvictionPolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(policy, _)| *policy).ok_or(UnknownPolicy)
    }
}

impl fmt::Display for EvictionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().find(|(policy, _)| policy == self);
        f.write_str(known.map_or("", |(_, name)| name))
    }
}

/// What a server said of itself. What it did not say, or was not allowed to, is `None`.
///
/// ```
/// use std::time::Duration;
///
/// use sinew_redis::{EvictionPolicy, Redis, RedisFacts, RedisSettings};
/// use test_servers::RedisOptions;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = RedisOptions::default().config("maxmemory 64mb").config("maxmemory-policy volatile-lru");
/// let server = options.start();
/// let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// let facts = RedisFacts::gather(&redis).await?;
/// assert_eq!(facts.policy, Some(EvictionPolicy::VolatileLru));
/// assert_eq!(facts.maxmemory_bytes, Some(64 << 20));
/// assert!(facts.used_memory_bytes < facts.maxmemory_bytes);
/// assert_eq!(facts.keeps_on_disk, Some(false));
/// assert!(facts.version >= Some([6, 2, 0]));
/// assert_eq!(facts.run_id.map(|id| id.len()), Some(40));
/// assert!(facts.clock_skew < Some(Duration::from_secs(1)), "both are this machine's clock");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisFacts {
    /// Of the server; of Valkey, the version of Redis that it is compatible with.
    pub version: Option<[u32; 3]>,
    /// What tells this server from every other, and from itself before it was restarted.
    pub run_id: Option<String>,
    /// Bytes that its data may take; 0: no bound.
    pub maxmemory_bytes: Option<u64>,
    /// Bytes that it takes.
    pub used_memory_bytes: Option<u64>,
    /// What it does when these are used up.
    pub policy: Option<EvictionPolicy>,
    /// Whether anything is left after it was restarted (`appendonly`, or `save`).
    pub keeps_on_disk: Option<bool>,
    /// How far its clock is from ours at least, in either direction: what the way to it and back cannot explain.
    pub clock_skew: Option<Duration>,
}

impl RedisFacts {
    /// Asks a server: of a cluster one, of a service that sentinels watch the primary.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or does not let this user in. What it merely does not tell is no error.
    pub async fn gather(redis: &Redis) -> Result<Self, RedisError> {
        redis.query(&cmd("PING")).await?;
        let info: Option<String> = told(redis, &cmd("INFO")).await?;
        let mut facts = Self::from_info(info.as_deref().unwrap_or_default());
        for name in ["maxmemory-policy", "maxmemory", "appendonly", "save"] {
            let mut command = cmd("CONFIG");
            command.arg("GET").arg(name);
            let values: Option<HashMap<String, String>> = told(redis, &command).await?;
            if let Some(value) = values.as_ref().and_then(|values| values.get(name)) {
                facts.configured(name, value);
            }
        }
        let before = SystemTime::now();
        let time: Option<(u64, u64)> = told(redis, &cmd("TIME")).await?;
        let after = SystemTime::now();
        facts.clock_skew = time.and_then(|time| skew(before, time, after));
        Ok(facts)
    }

    /// What the text of `INFO` says; at most 64 KiB of it are read.
    ///
    /// ```
    /// use sinew_redis::RedisFacts;
    ///
    /// let facts = RedisFacts::from_info("# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory:0\r\n");
    /// assert_eq!(facts.version, Some([7, 0, 15]));
    /// assert_eq!(facts.maxmemory_bytes, Some(0));
    /// assert_eq!(facts.run_id, None);
    /// ```
    pub fn from_info(text: &str) -> Self {
        let mut end = text.len().min(INFO_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = &text[..end];
        let mut facts = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim_end();
            match name {
                "redis_version" => facts.version = version(value),
                "run_id" => facts.run_id = short(value),
                "maxmemory" => facts.maxmemory_bytes = value.parse().ok(),
                "used_memory" => facts.used_memory_bytes = value.parse().ok(),
                "maxmemory_policy" => facts.policy = value.parse().ok(),
                // That there is no log of writes does not say that there are no snapshots.
                "aof_enabled" if value == "1" => facts.keeps_on_disk = Some(true),
                _ => {}
            }
        }
        facts
    }

    fn configured(&mut self, name: &str, value: &str) {
        match name {
            "maxmemory-policy" => self.policy = value.parse().ok().or(self.policy),
            "maxmemory" => self.maxmemory_bytes = value.parse().ok().or(self.maxmemory_bytes),
            "appendonly" | "save" => {
                let keeps = !value.is_empty() && value != "no";
                self.keeps_on_disk = Some(keeps || self.keeps_on_disk == Some(true));
            }
            _ => {}
        }
    }
}

/// An answer, unless the server does not give it to this user, or does not know the command.
async fn told<T: FromRedisValue>(redis: &Redis, command: &Cmd) -> Result<Option<T>, RedisError> {
    match redis.query_as(command).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error)
            if matches!(
                error.kind(),
                RedisErrorKind::Denied | RedisErrorKind::Rejected
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// How far seconds and microseconds of the server are outside of the time in which they were asked for.
fn skew(
    before: SystemTime,
    (seconds, microseconds): (u64, u64),
    after: SystemTime,
) -> Option<Duration> {
    let time = Duration::from_secs(seconds).checked_add(Duration::from_micros(microseconds))?;
    let theirs = SystemTime::UNIX_EPOCH.checked_add(time)?;
    let ahead = theirs.duration_since(after).ok();
    let behind = before.duration_since(theirs).ok();
    Some(ahead.or(behind).unwrap_or_default())
}

fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.splitn(3, '.');
    let mut part = || -> Option<u32> {
        let part = parts.next()?;
        let digits = part.len()
            - part
                .trim_start_matches(|it: char| it.is_ascii_digit())
                .len();
        part[..digits].parse().ok()
    };
    Some([part()?, part()?, part().unwrap_or(0)])
}

fn short(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.chars().take(VALUE_CHARACTERS_MAX).collect())
}

impl RedisSettings {
    /// Whether the URL has a password.
    ///
    /// ```
    /// use sinew_redis::RedisSettings;
    ///
    /// assert!(RedisSettings::from_url("redis://:secret@db")?.has_password());
    /// assert!(!RedisSettings::from_url("redis://db")?.has_password());
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    pub fn has_password(&self) -> bool {
        self.url.credentials.password.is_some()
    }

    /// Whether connections are encrypted, and nobody looks at the server's certificate.
    ///
    /// ```
    /// use sinew_redis::{RedisSettings, RedisTls};
    ///
    /// let mut settings = RedisSettings::from_url("rediss://db")?;
    /// assert!(!settings.is_unverified());
    /// settings.tls = RedisTls::Unverified;
    /// assert!(settings.is_unverified());
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    pub fn is_unverified(&self) -> bool {
        self.is_tls() && self.tls == RedisTls::Unverified
    }
}

#[cfg(test)]
mod tests;
