//! The settings that say where sessions, the cache and broadcasts are kept.

use std::time::Duration;

use crate::config::number;
use crate::error::ConfigError;

/// What variables say about where things are kept. Those that are not set leave it to the
/// application, and to what else is set.
///
/// ```
/// use sinew_web::EdgeConfig;
/// use sinew_web::config::{CacheStoreKind, SessionStoreKind, StoreVariables, StreamsKind};
///
/// let variables: StoreVariables = EdgeConfig::from_lookup(|name| match name {
///     "SINEW_SESSION_STORE" => Some("Embedded".to_owned()),
///     "SINEW_CACHE_STORE" => Some("none".to_owned()),
///     "SINEW_STREAMS" => Some("redis".to_owned()),
///     _ => None,
/// })?
/// .stores;
/// assert_eq!(variables.sessions, Some(SessionStoreKind::Embedded));
/// assert_eq!(variables.cache, Some(CacheStoreKind::None));
/// assert_eq!(variables.streams, Some(StreamsKind::Redis));
///
/// let refused = EdgeConfig::from_lookup(|name| (name == "SINEW_STREAMS").then(|| "nats".to_owned()));
/// assert_eq!(
///     refused.unwrap_err().to_string(),
///     "SINEW_STREAMS is `nats`, expected `memory`, `redis` or `postgres`",
/// );
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreVariables {
    /// Where sessions are kept, of `SINEW_SESSION_STORE`.
    pub sessions: Option<SessionStoreKind>,
    /// Where the cache is kept, of `SINEW_CACHE_STORE`.
    pub cache: Option<CacheStoreKind>,
    /// By what broadcasts spread, of `SINEW_STREAMS`.
    pub streams: Option<StreamsKind>,
    /// How many bytes a cache in memory or in the data directory may hold, and the memory in
    /// front of another; of `SINEW_CACHE_BYTES_MAX`.
    pub cache_bytes_max: Option<usize>,
    /// How long the memory of each process keeps what it has read from a cache in Redis or
    /// PostgreSQL, of `SINEW_CACHE_FRONT_SECONDS`; not at all by default.
    pub cache_front: Option<Duration>,
}

/// The longest that one process may be behind another, an hour.
const FRONT_SECONDS_MAX: u64 = 3600;

/// Where sessions are kept.
///
/// ```
/// use sinew_web::config::SessionStoreKind;
///
/// assert_eq!(SessionStoreKind::Postgres.as_str(), "postgres");
/// assert_eq!(SessionStoreKind::VARIABLE, "SINEW_SESSION_STORE");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionStoreKind {
    /// In the memory of the process.
    Memory,
    /// In a file of the data directory.
    Embedded,
    /// In Redis.
    Redis,
    /// In PostgreSQL.
    Postgres,
    /// With the visitor, encrypted.
    Cookie,
}

impl SessionStoreKind {
    /// The variable that names it.
    pub const VARIABLE: &'static str = "SINEW_SESSION_STORE";
    const ALL: [Self; 5] = [
        Self::Memory,
        Self::Embedded,
        Self::Redis,
        Self::Postgres,
        Self::Cookie,
    ];

    /// The word that it is called by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Embedded => "embedded",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Cookie => "cookie",
        }
    }

    fn read(get: impl Fn(&'static str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        one_of(
            get,
            Self::VARIABLE,
            &Self::ALL,
            Self::as_str,
            "`memory`, `embedded`, `redis`, `postgres` or `cookie`",
        )
    }
}

/// Where the cache is kept.
///
/// ```
/// use sinew_web::config::CacheStoreKind;
///
/// assert_eq!(CacheStoreKind::Memory.as_str(), "memory");
/// assert_eq!(CacheStoreKind::VARIABLE, "SINEW_CACHE_STORE");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheStoreKind {
    /// In the memory of the process.
    Memory,
    /// In a file of the data directory.
    Embedded,
    /// In Redis.
    Redis,
    /// In PostgreSQL.
    Postgres,
    /// Nowhere: everything is computed whenever it is asked for.
    None,
}

impl CacheStoreKind {
    /// The variable that names it.
    pub const VARIABLE: &'static str = "SINEW_CACHE_STORE";
    const ALL: [Self; 5] = [
        Self::Memory,
        Self::Embedded,
        Self::Redis,
        Self::Postgres,
        Self::None,
    ];

    /// The word that it is called by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Embedded => "embedded",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::None => "none",
        }
    }

    fn read(get: impl Fn(&'static str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        one_of(
            get,
            Self::VARIABLE,
            &Self::ALL,
            Self::as_str,
            "`memory`, `embedded`, `redis`, `postgres` or `none`",
        )
    }
}

/// By what broadcasts spread.
///
/// ```
/// use sinew_web::config::StreamsKind;
///
/// assert_eq!(StreamsKind::Redis.as_str(), "redis");
/// assert_eq!(StreamsKind::VARIABLE, "SINEW_STREAMS");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamsKind {
    /// Within the process.
    Memory,
    /// Through Redis, between all processes that use it.
    Redis,
    /// Through PostgreSQL, between all processes that use its database.
    Postgres,
}

impl StreamsKind {
    /// The variable that names it.
    pub const VARIABLE: &'static str = "SINEW_STREAMS";
    const ALL: [Self; 3] = [Self::Memory, Self::Redis, Self::Postgres];

    /// The word that it is called by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }

    fn read(get: impl Fn(&'static str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        one_of(
            get,
            Self::VARIABLE,
            &Self::ALL,
            Self::as_str,
            "`memory`, `redis` or `postgres`",
        )
    }
}

/// The one that a variable names, if it is set.
fn one_of<K: Copy>(
    get: impl Fn(&'static str) -> Option<String>,
    variable: &'static str,
    all: &[K],
    word: impl Fn(K) -> &'static str,
    expected: &'static str,
) -> Result<Option<K>, ConfigError> {
    let Some(text) = get(variable) else {
        return Ok(None);
    };
    let named = all
        .iter()
        .find(|kind| word(**kind).eq_ignore_ascii_case(&text));
    match named {
        Some(kind) => Ok(Some(*kind)),
        None => Err(ConfigError::new(variable, &text, expected)),
    }
}

impl StoreVariables {
    pub(crate) fn read(get: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        Ok(Self {
            sessions: SessionStoreKind::read(&get)?,
            cache: CacheStoreKind::read(&get)?,
            streams: StreamsKind::read(&get)?,
            cache_bytes_max: cache_bytes_max(&get)?,
            cache_front: cache_front(&get)?,
        })
    }
}

fn cache_bytes_max(
    get: impl Fn(&'static str) -> Option<String>,
) -> Result<Option<usize>, ConfigError> {
    const NAME: &str = "SINEW_CACHE_BYTES_MAX";
    let expected = "a number of bytes from 1048576 (1 MiB)";
    let Some(text) = get(NAME) else {
        return Ok(None);
    };
    match number::<usize>(NAME, &text, expected)? {
        0..1_048_576 => Err(ConfigError::new(NAME, &text, expected)),
        bytes => Ok(Some(bytes)),
    }
}

fn cache_front(
    get: impl Fn(&'static str) -> Option<String>,
) -> Result<Option<Duration>, ConfigError> {
    const NAME: &str = "SINEW_CACHE_FRONT_SECONDS";
    let expected = format!("a number of seconds from 0 to {FRONT_SECONDS_MAX}");
    let Some(text) = get(NAME) else {
        return Ok(None);
    };
    match number::<u64>(NAME, &text, &expected)? {
        seconds @ 0..=FRONT_SECONDS_MAX => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(ConfigError::new(NAME, &text, expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<StoreVariables, ConfigError> {
        StoreVariables::read(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn the_cache_has_bounds() {
        let read = with("SINEW_CACHE_BYTES_MAX", "1048576").expect("the least");
        assert_eq!(read.cache_bytes_max, Some(1 << 20));
        let read = with("SINEW_CACHE_FRONT_SECONDS", "5").expect("good");
        assert_eq!(read.cache_front, Some(Duration::from_secs(5)));
        for (name, value) in [
            ("SINEW_CACHE_BYTES_MAX", "1048575"),
            ("SINEW_CACHE_BYTES_MAX", "64 MiB"),
            ("SINEW_CACHE_FRONT_SECONDS", "3601"),
            ("SINEW_CACHE_FRONT_SECONDS", "-1"),
            ("SINEW_SESSION_STORE", "none"),
            ("SINEW_CACHE_STORE", "cookie"),
        ] {
            let error = with(name, value).expect_err(value);
            assert_eq!(error.variable, name);
        }
    }
}
