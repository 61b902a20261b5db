//! Which Redis, for what, and how it is spoken to.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::error::RedisSettingsError;
use crate::url::{RedisUrl, Topology};

/// Connections to each server, by default. One carries many commands at a time; a second one
/// keeps short commands from waiting behind a long answer.
pub const POOL_SIZE: NonZeroUsize = NonZeroUsize::new(2).expect("two");

/// Connections to each server, at most.
pub const POOL_SIZE_MAX: usize = 1024;

/// How long connecting may take, with TLS and the password: 2 s by default.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a command may take, with all that it waits for: 1 s by default.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);

/// Time between two looks at whether the server answers: 5 s by default.
pub const HEALTH_INTERVAL: Duration = Duration::from_secs(5);

/// The longest of the times that can be set: ten minutes.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// The colours of Heroku's additional Redis instances.
const COLOURS: [&str; 32] = [
    "AMBER", "AQUA", "BLACK", "BLUE", "BRONZE", "BROWN", "CHARCOAL", "COBALT", "COPPER", "CRIMSON",
    "CYAN", "GOLD", "GRAY", "GREEN", "IVORY", "JADE", "MAROON", "MAUVE", "NAVY", "OLIVE", "ONYX",
    "ORANGE", "PINK", "PUCE", "PURPLE", "RED", "ROSE", "SILVER", "TEAL", "VIOLET", "WHITE",
    "YELLOW",
];

/// What Redis is for. Each role may have an instance of its own, as their needs differ: a cache
/// may be evicted, jobs may not.
///
/// ```
/// use sinew_redis::RedisRole;
///
/// assert_eq!(RedisRole::Sessions.variable(), "SINEW_SESSION_REDIS_URL");
/// assert_eq!(RedisRole::ALL.len(), 4);
/// assert_eq!(RedisRole::Cable.to_string(), "cable");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RedisRole {
    /// What can be computed again.
    Cache,
    /// Sessions of visitors.
    Sessions,
    /// Broadcasts between the nodes of an application.
    Cable,
    /// Queues of background jobs, which other programs run.
    Jobs,
}

impl RedisRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cache, Self::Sessions, Self::Cable, Self::Jobs];

    /// The variable that has the URL of this role alone.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Cache => "SINEW_CACHE_REDIS_URL",
            Self::Sessions => "SINEW_SESSION_REDIS_URL",
            Self::Cable => "SINEW_CABLE_REDIS_URL",
            Self::Jobs => "SINEW_JOBS_REDIS_URL",
        }
    }
}

impl fmt::Display for RedisRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cache => "cache",
            Self::Sessions => "sessions",
            Self::Cable => "cable",
            Self::Jobs => "jobs",
        })
    }
}

/// By what a server's certificate is verified, when the URL asks for TLS.
///
/// ```
/// use sinew_redis::RedisTls;
///
/// assert_eq!("system".parse(), Ok(RedisTls::System));
/// assert_eq!("unverified".parse(), Ok(RedisTls::Unverified));
/// assert_eq!("/etc/redis/ca.pem".parse(), Ok(RedisTls::CaFile("/etc/redis/ca.pem".into())));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisTls {
    /// The authorities that the system trusts.
    #[default]
    System,
    /// The authorities in a PEM file, and no others.
    CaFile(PathBuf),
    /// Nothing: whoever answers is believed, and may read and change everything. For servers
    /// with a certificate that they signed themselves, such as Heroku's. Said in the log.
    Unverified,
}

impl FromStr for RedisTls {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "system" => Self::System,
            "unverified" => Self::Unverified,
            file => Self::CaFile(file.into()),
        })
    }
}

/// Which Redis, and how it is spoken to. `Debug` and `Display` show neither users nor passwords.
///
/// ```
/// use std::time::Duration;
/// use sinew_redis::{RedisRole, RedisSettings};
///
/// let settings = RedisSettings::from_lookup(RedisRole::Sessions, |name| match name {
///     "REDIS_URL" => Some("redis://everything.example.com".to_owned()),
///     "SINEW_SESSION_REDIS_URL" => Some("rediss://:secret@sessions.example.com/1".to_owned()),
///     "SINEW_REDIS_COMMAND_TIMEOUT_MS" => Some("250".to_owned()),
///     _ => None,
/// })?
/// .expect("there is a URL");
/// assert_eq!(settings.variable(), "SINEW_SESSION_REDIS_URL");
/// assert_eq!(settings.to_string(), "rediss://sessions.example.com:6379/1");
/// assert_eq!(settings.hosts(), ["sessions.example.com:6379"]);
/// assert_eq!(settings.command_timeout, Duration::from_millis(250));
/// assert!(settings.is_tls());
/// # Ok::<(), sinew_redis::RedisSettingsError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisSettings {
    pub(crate) url: RedisUrl,
    role: Option<RedisRole>,
    variable: Cow<'static, str>,
    /// Connections to each server, [`POOL_SIZE`] by default.
    pub pool_size: NonZeroUsize,
    /// How long connecting may take, [`CONNECT_TIMEOUT`] by default.
    pub connect_timeout: Duration,
    /// How long a command may take, with all that it waits for; [`COMMAND_TIMEOUT`] by default.
    pub command_timeout: Duration,
    /// Time between two looks at whether the server answers, [`HEALTH_INTERVAL`] by default.
    pub health_interval: Duration,
    /// By what the server's certificate is verified, when the URL asks for TLS.
    pub tls: RedisTls,
}

impl RedisSettings {
    /// The URL of one Redis and defaults for everything else.
    ///
    /// ```
    /// use sinew_redis::RedisSettings;
    ///
    /// let settings = RedisSettings::from_url("redis-sentinel://:secret@s1,s2:5000/main/2")?;
    /// assert_eq!(settings.to_string(), "redis-sentinel://s1:26379,s2:5000/main/2");
    /// assert_eq!(settings.hosts(), ["s1:26379", "s2:5000"]);
    /// assert!(!format!("{settings:?}").contains("secret"));
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RedisSettingsError::Url`].
    pub fn from_url(url: &str) -> Result<Self, RedisSettingsError> {
        Self::of("the URL".into(), url)
    }

    /// The settings of a role from variables, as [`VARIABLES`](crate::VARIABLES) describes
    /// them. `None`: no variable has a URL. An empty value counts as none.
    ///
    /// The URL is that of the role; else `SINEW_REDIS_URL`, `REDIS_TLS_URL`, `REDIS_URL`, or
    /// the only one of Heroku's `HEROKU_REDIS_<COLOUR>_URL`, in this order.
    ///
    /// # Errors
    ///
    /// A value that cannot be used: [`RedisSettingsError`].
    pub fn from_lookup(
        role: RedisRole,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, RedisSettingsError> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let Some((variable, url)) = find_url(role, &lookup)? else {
            return Ok(None);
        };
        let mut settings = Self::of(variable, url.trim())?;
        settings.role = Some(role);
        if let Some(size) = lookup("SINEW_REDIS_POOL_SIZE") {
            let size = Some(size.trim())
                .and_then(|size| size.parse().ok())
                .filter(|size: &NonZeroUsize| size.get() <= POOL_SIZE_MAX)
                .ok_or(RedisSettingsError::Number {
                    variable: "SINEW_REDIS_POOL_SIZE",
                    value: size.clone(),
                    expected: "a number between 1 and 1024",
                })?;
            settings.pool_size = size;
        }
        let times = [
            (
                "SINEW_REDIS_CONNECT_TIMEOUT_MS",
                &mut settings.connect_timeout,
            ),
            (
                "SINEW_REDIS_COMMAND_TIMEOUT_MS",
                &mut settings.command_timeout,
            ),
            (
                "SINEW_REDIS_HEALTH_INTERVAL_MS",
                &mut settings.health_interval,
            ),
        ];
        for (variable, time) in times {
            if let Some(value) = lookup(variable) {
                *time = milliseconds(variable, value)?;
            }
        }
        if let Some(tls) = lookup("SINEW_REDIS_TLS") {
            let Ok(tls) = tls.trim().parse();
            settings.tls = tls;
        }
        Ok(Some(settings))
    }

    fn of(variable: Cow<'static, str>, url: &str) -> Result<Self, RedisSettingsError> {
        let url = RedisUrl::parse(url).map_err(|problem| RedisSettingsError::Url {
            variable: variable.clone(),
            problem,
        })?;
        Ok(Self {
            url,
            role: None,
            variable,
            pool_size: POOL_SIZE,
            connect_timeout: CONNECT_TIMEOUT,
            command_timeout: COMMAND_TIMEOUT,
            health_interval: HEALTH_INTERVAL,
            tls: RedisTls::default(),
        })
    }

    /// What it is for; nothing if it was made from a URL.
    ///
    /// ```
    /// use sinew_redis::RedisSettings;
    ///
    /// assert_eq!(RedisSettings::from_url("redis://a")?.role(), None);
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    pub fn role(&self) -> Option<RedisRole> {
        self.role
    }

    /// The variable that the URL came from.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.url.is_tls
    }

    /// Whether the URL names the nodes of a cluster.
    ///
    /// ```
    /// use sinew_redis::RedisSettings;
    ///
    /// assert!(RedisSettings::from_url("redis://a,b?cluster=true")?.is_cluster());
    /// assert!(!RedisSettings::from_url("redis://a")?.is_cluster());
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    pub fn is_cluster(&self) -> bool {
        matches!(self.url.topology, Topology::Cluster(_))
    }

    /// `host:port` of all that the URL names (servers, sentinels, or nodes); of a Unix socket,
    /// its path.
    pub fn hosts(&self) -> Vec<String> {
        match &self.url.topology {
            Topology::Server(address) => vec![address.to_string()],
            Topology::Socket(path) => vec![path.display().to_string()],
            Topology::Sentinel { sentinels, .. } => {
                sentinels.iter().map(ToString::to_string).collect()
            }
            Topology::Cluster(seeds) => seeds.iter().map(ToString::to_string).collect(),
        }
    }

    /// The number of the database, 0 by default.
    ///
    /// ```
    /// use sinew_redis::RedisSettings;
    ///
    /// assert_eq!(RedisSettings::from_url("redis://db/3")?.database(), 3);
    /// # Ok::<(), sinew_redis::RedisSettingsError>(())
    /// ```
    pub fn database(&self) -> u32 {
        self.url.database
    }
}

impl fmt::Display for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.url.is_tls { "s" } else { "" };
        let hosts = self.hosts().join(",");
        match &self.url.topology {
            Topology::Server(_) => write!(f, "redis{s}://{hosts}")?,
            Topology::Socket(_) => write!(f, "unix://{hosts}")?,
            Topology::Sentinel { service, .. } => {
                write!(f, "redis{s}-sentinel://{hosts}/{service}")?;
            }
            Topology::Cluster(_) => return write!(f, "redis{s}-cluster://{hosts}"),
        }
        match (self.url.database, &self.url.topology) {
            (0, _) => Ok(()),
            (database, Topology::Socket(_)) => write!(f, "?db={database}"),
            (database, _) => write!(f, "/{database}"),
        }
    }
}

type Found = Option<(Cow<'static, str>, String)>;

fn find_url(
    role: RedisRole,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Found, RedisSettingsError> {
    for name in [
        role.variable(),
        "SINEW_REDIS_URL",
        "REDIS_TLS_URL",
        "REDIS_URL",
    ] {
        if let Some(url) = lookup(name) {
            return Ok(Some((name.into(), url)));
        }
    }
    let mut found: Vec<_> = COLOURS
        .iter()
        .filter_map(|colour| {
            let names = ["_TLS_URL", "_URL"].map(|end| format!("HEROKU_REDIS_{colour}{end}"));
            names
                .into_iter()
                .find_map(|name| lookup(&name).map(|url| (Cow::from(name), url)))
        })
        .collect();
    if found.len() > 1 {
        let variables = found
            .into_iter()
            .map(|(name, _)| name.into_owned())
            .collect();
        return Err(RedisSettingsError::Ambiguous { variables });
    }
    Ok(found.pop())
}

fn milliseconds(variable: &'static str, value: String) -> Result<Duration, RedisSettingsError> {
    let time = value.trim().parse().ok().map(Duration::from_millis);
    time.filter(|time| !time.is_zero() && *time <= TIMEOUT_MAX)
        .ok_or(RedisSettingsError::Number {
            variable,
            value,
            expected: "milliseconds between 1 and 600000",
        })
}

#[cfg(test)]
mod tests;
