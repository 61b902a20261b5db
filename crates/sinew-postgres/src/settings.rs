//! Which PostgreSQL, and how it is spoken to.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::config::{
    CACHE_BYTES_MAX, CONNECT_TIMEOUT, HEALTH_INTERVAL, POOL_SIZE, POOL_SIZE_MAX, SCHEMA,
    STATEMENT_TIMEOUT, TABLE_PREFIX, TIMEOUT_MAX,
};
use crate::error::PostgresSettingsError;
use crate::schema::{Schema, is_name};

/// Bytes of a URL. A longer one is refused.
const URL_BYTES_MAX: usize = 4096;

/// The port of a URL without one.
const PORT: u16 = 5432;

/// After what silence the kernel asks whether the other side is still there: sooner than what
/// is between forgets a connection.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);

/// What stands in the settings when the URL says nothing.
const KEEPALIVES_IDLE_OF_LIBRARY: Duration = Duration::from_secs(2 * 60 * 60);

/// Parameters of a URL that the library is given as they are. Others are for other programs
/// that share the URL, such as `pool`, and are passed over.
const PARAMETERS: [&str; 11] = [
    "user",
    "password",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "options",
    "application_name",
    "target_session_attrs",
    "load_balance_hosts",
    "keepalives_idle",
];

/// Whether a connection is encrypted, and whose certificate is believed: as in libpq.
///
/// ```
/// use sinew_postgres::PostgresSslMode;
///
/// assert_eq!("verify-full".parse::<PostgresSslMode>()?, PostgresSslMode::VerifyFull);
/// assert_eq!(PostgresSslMode::default(), PostgresSslMode::Prefer);
/// assert!("yes".parse::<PostgresSslMode>().is_err());
/// assert!(PostgresSslMode::Require.is_encrypted() && !PostgresSslMode::Prefer.is_encrypted());
/// assert!(PostgresSslMode::VerifyCa.is_verified() && !PostgresSslMode::Require.is_verified());
/// # Ok::<(), sinew_postgres::PostgresSettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostgresSslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted if the server offers it, which somebody between may prevent. `allow` is
    /// taken for this.
    #[default]
    Prefer,
    /// Always encrypted. Whoever answers is believed, unless a file of authorities is set,
    /// one of which must have signed the certificate then.
    Require,
    /// Always encrypted, by a certificate of an authority that is trusted, whatever its name.
    VerifyCa,
    /// Always encrypted, by a certificate of the host's name, of an authority that is trusted.
    VerifyFull,
}

impl PostgresSslMode {
    /// Whether nothing is ever sent in the clear.
    pub fn is_encrypted(self) -> bool {
        !matches!(self, Self::Disable | Self::Prefer)
    }

    /// Whether the server's certificate is verified without further settings.
    pub fn is_verified(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }
}

impl FromStr for PostgresSslMode {
    type Err = PostgresSettingsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(PostgresSettingsError::Value {
                    variable: "SINEW_DATABASE_SSLMODE",
                    value: text.to_owned(),
                    expected: "`disable`, `prefer`, `require`, `verify-ca` or `verify-full`",
                });
            }
        })
    }
}

/// Which PostgreSQL, and how it is spoken to. `Debug` and `Display` show neither users nor
/// passwords.
///
/// ```
/// use std::time::Duration;
/// use sinew_postgres::{PostgresSettings, PostgresSslMode};
///
/// let settings = PostgresSettings::from_lookup(|name| match name {
///     "DATABASE_URL" => {
///         Some("postgres://ada:secret@db.example.com/app?sslmode=verify-full&pool=5".to_owned())
///     }
///     "SINEW_DATABASE_STATEMENT_TIMEOUT_MS" => Some("250".to_owned()),
///     _ => None,
/// })?
/// .expect("there is a URL");
/// assert_eq!(settings.variable(), "DATABASE_URL");
/// assert_eq!(settings.to_string(), "postgres://db.example.com:5432/app");
/// assert!(!format!("{settings:?}").contains("secret"));
/// assert_eq!(settings.ssl_mode, PostgresSslMode::VerifyFull);
/// assert_eq!(settings.statement_timeout, Duration::from_millis(250));
/// assert_eq!((settings.schema(), settings.table_prefix()), ("public", "sinew_"));
/// assert_eq!((settings.hosts(), settings.database()), (vec!["db.example.com:5432".into()], "app"));
/// # Ok::<(), sinew_postgres::PostgresSettingsError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresSettings {
    /// Holds the password.
    target: Config,
    /// The same, without a pooler between, if that is another address.
    listen_target: Option<Config>,
    variable: Cow<'static, str>,
    schema: String,
    table_prefix: String,
    /// Connections to the server, [`POOL_SIZE`](crate::POOL_SIZE) by default, beside the one
    /// that looks after it.
    pub pool_size: NonZeroUsize,
    /// How long connecting, or waiting for a free connection, may take:
    /// [`CONNECT_TIMEOUT`](crate::CONNECT_TIMEOUT) by default.
    pub connect_timeout: Duration,
    /// How long a statement may take, [`STATEMENT_TIMEOUT`](crate::STATEMENT_TIMEOUT) by default.
    pub statement_timeout: Duration,
    /// Time between two looks at whether the server answers,
    /// [`HEALTH_INTERVAL`](crate::HEALTH_INTERVAL) by default.
    pub health_interval: Duration,
    /// Whether connections over TCP are encrypted, and what is verified.
    pub ssl_mode: PostgresSslMode,
    /// PEM file of the authorities that may sign the server's certificate; `None`: those that
    /// the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Whether missing tables are made when the server is reached: so by default.
    pub migrate: bool,
    /// How much the table of the cache may hold, in bytes:
    /// [`CACHE_BYTES_MAX`](crate::CACHE_BYTES_MAX) by default.
    pub cache_bytes_max: u64,
}

impl PostgresSettings {
    /// The URL of a database and defaults for everything else.
    ///
    /// ```
    /// use sinew_postgres::PostgresSettings;
    ///
    /// let settings = PostgresSettings::from_url("postgresql://ada:secret@a,b:6000/app")?;
    /// assert_eq!(settings.hosts(), ["a:5432", "b:6000"]);
    /// assert_eq!(settings.database(), "app");
    /// let socket = PostgresSettings::from_url("postgres:///app?host=/var/run/postgresql")?;
    /// assert_eq!(socket.hosts(), ["/var/run/postgresql"]);
    /// # Ok::<(), sinew_postgres::PostgresSettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PostgresSettingsError::Url`].
    pub fn from_url(url: &str) -> Result<Self, PostgresSettingsError> {
        Self::of("the URL".into(), url)
    }

    /// The settings from variables, as [`VARIABLES`](crate::VARIABLES) describes them. `None`:
    /// neither `SINEW_DATABASE_URL` nor `DATABASE_URL` is set. An empty value counts as none.
    ///
    /// # Errors
    ///
    /// A value that cannot be used: [`PostgresSettingsError`].
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, PostgresSettingsError> {
        let lookup = |name: &str| {
            let value = lookup(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let names = ["SINEW_DATABASE_URL", "DATABASE_URL"];
        let Some((name, url)) = names.iter().find_map(|it| Some((*it, lookup(it)?))) else {
            return Ok(None);
        };
        let mut settings = Self::of(name.into(), &url)?;
        if let Some(mode) = lookup("SINEW_DATABASE_SSLMODE") {
            settings.ssl_mode = mode.parse()?;
        }
        if let Some(file) = lookup("SINEW_DATABASE_CA_FILE") {
            settings.ca_file = Some(file.into());
        }
        if let Some(url) = lookup(LISTEN_URL) {
            settings.listen_target = Some(listen_target(LISTEN_URL.into(), &url)?);
        }
        settings.read_numbers(&lookup)?;
        let schema = lookup("SINEW_DATABASE_SCHEMA").unwrap_or(SCHEMA.to_owned());
        let prefix = lookup("SINEW_DATABASE_TABLE_PREFIX").unwrap_or(TABLE_PREFIX.to_owned());
        settings = settings.tables(&schema, &prefix)?;
        if let Some(value) = lookup("SINEW_DATABASE_MIGRATE") {
            settings.migrate = match value.as_str() {
                "on" => true,
                "off" => false,
                _ => {
                    return Err(PostgresSettingsError::Value {
                        variable: "SINEW_DATABASE_MIGRATE",
                        value,
                        expected: "`on` or `off`",
                    });
                }
            };
        }
        Ok(Some(settings))
    }

    fn read_numbers(
        &mut self,
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), PostgresSettingsError> {
        let refused = |variable, value, expected| PostgresSettingsError::Value {
            variable,
            value,
            expected,
        };
        let variable = "SINEW_DATABASE_POOL_SIZE";
        if let Some(value) = lookup(variable) {
            let size = value.parse().ok();
            self.pool_size = size
                .filter(|size: &NonZeroUsize| size.get() <= POOL_SIZE_MAX)
                .ok_or_else(|| refused(variable, value, "a number between 1 and 1024"))?;
        }
        let variable = "SINEW_DATABASE_CACHE_BYTES_MAX";
        if let Some(value) = lookup(variable) {
            let bytes = value.parse().ok();
            self.cache_bytes_max =
                bytes.ok_or_else(|| refused(variable, value, "a number of bytes"))?;
        }
        let times = [
            (
                "SINEW_DATABASE_CONNECT_TIMEOUT_MS",
                &mut self.connect_timeout,
            ),
            (
                "SINEW_DATABASE_STATEMENT_TIMEOUT_MS",
                &mut self.statement_timeout,
            ),
            (
                "SINEW_DATABASE_HEALTH_INTERVAL_MS",
                &mut self.health_interval,
            ),
        ];
        for (variable, time) in times {
            if let Some(value) = lookup(variable) {
                let parsed = value.parse().ok().map(Duration::from_millis);
                *time = parsed
                    .filter(|time| !time.is_zero() && *time <= TIMEOUT_MAX)
                    .ok_or_else(|| refused(variable, value, "milliseconds between 1 and 600000"))?;
            }
        }
        Ok(())
    }

    fn of(variable: Cow<'static, str>, url: &str) -> Result<Self, PostgresSettingsError> {
        let refused = |problem| PostgresSettingsError::Url {
            variable: variable.clone(),
            problem,
        };
        let parts = UrlParts::parse(url).map_err(refused)?;
        Ok(Self {
            ssl_mode: parts.ssl_mode.unwrap_or_default(),
            ca_file: parts.ca_file,
            target: parts.target,
            listen_target: None,
            variable,
            schema: SCHEMA.to_owned(),
            table_prefix: TABLE_PREFIX.to_owned(),
            pool_size: POOL_SIZE,
            connect_timeout: CONNECT_TIMEOUT,
            statement_timeout: STATEMENT_TIMEOUT,
            health_interval: HEALTH_INTERVAL,
            migrate: true,
            cache_bytes_max: CACHE_BYTES_MAX,
        })
    }

    /// The same with another schema for the tables, and another beginning of their names.
    ///
    /// ```
    /// use sinew_postgres::PostgresSettings;
    ///
    /// let settings = PostgresSettings::from_url("postgres://ada@db/app")?.tables("shop", "web_")?;
    /// assert_eq!((settings.schema(), settings.table_prefix()), ("shop", "web_"));
    /// assert!(PostgresSettings::from_url("postgres://ada@db/app")?.tables("\"", "").is_err());
    /// # Ok::<(), sinew_postgres::PostgresSettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A name that is not made of at most 32 of `a` to `z`, `0` to `9` and `_`, no digit first.
    pub fn tables(
        mut self,
        schema: &str,
        table_prefix: &str,
    ) -> Result<Self, PostgresSettingsError> {
        for (variable, value) in [
            ("SINEW_DATABASE_SCHEMA", schema),
            ("SINEW_DATABASE_TABLE_PREFIX", table_prefix),
        ] {
            if !is_name(value) {
                return Err(PostgresSettingsError::Value {
                    variable,
                    value: value.to_owned(),
                    expected: "at most 32 of `a` to `z`, `0` to `9` and `_`, no digit first",
                });
            }
        }
        self.schema = schema.to_owned();
        self.table_prefix = table_prefix.to_owned();
        Ok(self)
    }

    /// The same with another address of the same database for the connection that listens
    /// ([`PostgresStreams`](crate::PostgresStreams)): one without a pooler between that shares
    /// connections. TLS is that of the other address.
    ///
    /// ```
    /// use sinew_postgres::PostgresSettings;
    ///
    /// let settings = PostgresSettings::from_url("postgres://ada@pooler:6432/app")?
    ///     .listen_at("postgres://ada:secret@db/app")?;
    /// assert_eq!(settings.hosts(), ["pooler:6432"]);
    /// assert!(!format!("{settings:?}").contains("secret"));
    /// # Ok::<(), sinew_postgres::PostgresSettingsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PostgresSettingsError::Url`].
    pub fn listen_at(mut self, url: &str) -> Result<Self, PostgresSettingsError> {
        self.listen_target = Some(listen_target("the URL".into(), url)?);
        Ok(self)
    }

    /// The variable that the URL came from.
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// The schema of the tables.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// What the names of the tables begin with.
    pub fn table_prefix(&self) -> &str {
        &self.table_prefix
    }

    /// `host:port` of all that the URL names; of a Unix socket, its directory.
    pub fn hosts(&self) -> Vec<String> {
        let ports = self.target.get_ports();
        let hosts = self.target.get_hosts().iter().enumerate();
        hosts
            .map(|(index, host)| match host {
                Host::Tcp(name) => {
                    let port = ports.get(index).or(ports.first()).unwrap_or(&PORT);
                    format!("{name}:{port}")
                }
                #[cfg(unix)]
                Host::Unix(directory) => directory.display().to_string(),
            })
            .collect()
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        let user = self.target.get_user();
        self.target.get_dbname().or(user).unwrap_or_default()
    }

    pub(crate) fn schema_names(&self) -> Schema {
        Schema::new(&self.schema, &self.table_prefix)
    }

    /// What the library connects with.
    pub(crate) fn target(&self) -> Config {
        self.complete(&self.target)
    }

    /// What the library connects with to listen.
    pub(crate) fn listen_target(&self) -> Config {
        self.complete(self.listen_target.as_ref().unwrap_or(&self.target))
    }

    fn complete(&self, target: &Config) -> Config {
        use tokio_postgres::config::SslMode;

        let mut target = target.clone();
        let is_tcp = |host: &Host| matches!(host, Host::Tcp(_));
        let has_tcp = target.get_hosts().iter().any(is_tcp);
        target.ssl_mode(match self.ssl_mode {
            // Nobody is between the two ends of a Unix socket.
            _ if !has_tcp => SslMode::Disable,
            PostgresSslMode::Disable => SslMode::Disable,
            PostgresSslMode::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        if target.get_application_name().is_none() {
            target.application_name("sinew");
        }
        if target.get_keepalives_idle() == KEEPALIVES_IDLE_OF_LIBRARY {
            target.keepalives_idle(KEEPALIVES_IDLE);
        }
        let own = target.get_options().unwrap_or_default();
        let options = format!(
            "{own} -c statement_timeout={} -c default_transaction_isolation=read\\ committed",
            self.statement_timeout.as_millis()
        );
        target.options(options.trim_start());
        target
    }
}

impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hosts, database) = (self.hosts().join(","), self.database());
        write!(f, "postgres://{hosts}/{database}")
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("url", &self.to_string())
            .field("has_listen_url", &self.listen_target.is_some())
            .field("variable", &self.variable)
            .field("schema", &self.schema)
            .field("table_prefix", &self.table_prefix)
            .field("pool_size", &self.pool_size)
            .field("connect_timeout", &self.connect_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("health_interval", &self.health_interval)
            .field("ssl_mode", &self.ssl_mode)
            .field("ca_file", &self.ca_file)
            .field("migrate", &self.migrate)
            .field("cache_bytes_max", &self.cache_bytes_max)
            .finish()
    }
}

/// The variable of [`PostgresSettings::listen_at`].
const LISTEN_URL: &str = "SINEW_DATABASE_LISTEN_URL";

fn listen_target(variable: Cow<'static, str>, url: &str) -> Result<Config, PostgresSettingsError> {
    match UrlParts::parse(url) {
        Ok(parts) => Ok(parts.target),
        Err(problem) => Err(PostgresSettingsError::Url { variable, problem }),
    }
}

/// A URL, taken apart.
struct UrlParts {
    target: Config,
    ssl_mode: Option<PostgresSslMode>,
    ca_file: Option<PathBuf>,
}

impl UrlParts {
    /// The problem never repeats a part of the URL: a password with a `/` or `?` in it ends up
    /// in any of them.
    fn parse(url: &str) -> Result<Self, &'static str> {
        if url.len() > URL_BYTES_MAX {
            return Err("it is longer than 4096 bytes");
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("it does not begin with postgres:// or postgresql://");
        }
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut ssl_mode, mut ca_file) = (None, None);
        let mut kept = Vec::new();
        for parameter in query.split('&').filter(|it| !it.is_empty()) {
            let Some((name, value)) = parameter.split_once('=') else {
                return Err("a parameter after the `?` has no value");
            };
            let decoded = || {
                let text = percent_decode_str(value).decode_utf8();
                text.map_err(|_| "a parameter after the `?` is no text")
            };
            match name {
                "sslmode" => {
                    let mode = decoded()?.parse();
                    ssl_mode = Some(mode.map_err(|_| {
                        "sslmode is none of disable, prefer, require, verify-ca and verify-full"
                    })?);
                }
                // What libpq calls the authorities that the system trusts.
                "sslrootcert" if value == "system" => ca_file = None,
                "sslrootcert" => ca_file = Some(PathBuf::from(&*decoded()?)),
                name if PARAMETERS.contains(&name) => kept.push(parameter),
                _ => {}
            }
        }
        let url = match kept.is_empty() {
            true => address.to_owned(),
            false => format!("{address}?{}", kept.join("&")),
        };
        let target: Config = url.parse().map_err(|_| {
            "expected postgres://user:password@host:port/database, \
             with special characters of the password percent-encoded"
        })?;
        if target.get_hosts().is_empty() && target.get_hostaddrs().is_empty() {
            return Err("it names no host");
        }
        Ok(Self {
            target,
            ssl_mode,
            ca_file,
        })
    }
}

#[cfg(test)]
mod tests;
