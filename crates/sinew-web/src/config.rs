//! The settings of the edge, with their defaults and the variables that change them.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::assets_url::AssetsUrl;
use crate::base_path::BasePath;
pub use crate::cable_variables::CableVariables;
use crate::cookie::CookieConfig;
pub use crate::doctor_variables::{DoctorVariables, ReportFormat};
use crate::environment::Environment;
use crate::error::{
    AssetsUrlError, BasePathError, ConfigError, NetworkError, PublicUrlError, SecretError,
};
use crate::forwarded::{ForwardedHeaders, TrustedProxies};
use crate::origin::OriginPolicy;
use crate::public_url::PublicUrl;
use crate::secret::Secret;
use crate::server::{ServerConfig, TlsFiles};
pub use crate::store_variables::{CacheStoreKind, SessionStoreKind, StoreVariables, StreamsKind};

/// Bytes a message from a client may have, by default: 1 MiB.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// How long a session lives without use, by default: 14 days.
pub const SESSION_EXPIRE_AFTER: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// One variable as an operator reads about it.
///
/// ```
/// use sinew_web::config::{VARIABLES, Variable};
///
/// let listen: &Variable = VARIABLES.iter().find(|it| it.name == "SINEW_LISTEN").expect("one of them");
/// assert_eq!(listen.default, "`127.0.0.1:3000`");
/// assert_eq!(listen.meaning, "address and port to listen on");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// Every variable [`EdgeConfig::from_lookup`] reads, in that order.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: Environment::VARIABLE,
        default: "`development` in a debug build, `production` in a release build",
        meaning: "where the application runs: `development`, `production` or `test`",
    },
    Variable {
        name: Secret::VARIABLE,
        default: "none; in development one is generated into the data directory",
        meaning: "at least 32 bytes from which signing keys are derived",
    },
    Variable {
        name: "SINEW_LISTEN",
        default: "`127.0.0.1:3000`",
        meaning: "address and port to listen on",
    },
    Variable {
        name: "PORT",
        default: "none",
        meaning: "port to listen on at 127.0.0.1, when SINEW_LISTEN is not set",
    },
    Variable {
        name: "SINEW_DATA_DIR",
        default: "`.sinew`",
        meaning: "folder of the embedded store and of the generated secret",
    },
    Variable {
        name: "SINEW_ALLOWED_ORIGINS",
        default: "the host of the request",
        meaning: "origins, hosts or `*.suffixes` that may open a socket, separated by commas; `*` turns the check off",
    },
    Variable {
        name: "SINEW_TRUSTED_PROXIES",
        default: "nobody",
        meaning: "addresses, networks, `loopback` or `private`, whose forwarding headers are believed",
    },
    Variable {
        name: "SINEW_FORWARDED_HEADERS",
        default: "`either`",
        meaning: "what those proxies write: `x-forwarded`, `forwarded` or `either`",
    },
    Variable {
        name: "SINEW_COOKIE_NAME",
        default: "`_sinew_session`",
        meaning: "name of the session cookie",
    },
    Variable {
        name: "SINEW_COOKIE_DOMAIN",
        default: "the host that set it",
        meaning: "domain of the session cookie, when the cable has another host than the pages",
    },
    Variable {
        name: "SINEW_SESSION_SECONDS",
        default: "1209600 (14 days)",
        meaning: "how long a session lives without use",
    },
    Variable {
        name: "SINEW_CABLE_PATH",
        default: "`/cable`",
        meaning: "path of the WebSocket endpoint",
    },
    Variable {
        name: "SINEW_CABLE_URL",
        default: "the cable's path on the page's own host",
        meaning: "where browsers find the cable, when it has another host than the pages: `wss://cable.example.com/cable`",
    },
    Variable {
        name: "SINEW_BASE_PATH",
        default: "none",
        meaning: "path below which browsers find the application, such as `/app`, when a proxy shows more than this application",
    },
    Variable {
        name: "SINEW_ASSETS_URL",
        default: "this application",
        meaning: "where browsers find the files of the client, when another host has them: `https://cdn.example.com`",
    },
    Variable {
        name: "SINEW_MESSAGE_BYTES_MAX",
        default: "1048576 (1 MiB)",
        meaning: "bytes a message from a client may have; a longer one closes its connection with 1009",
    },
    Variable {
        name: "SINEW_PING_SECONDS",
        default: "3",
        meaning: "time between two pings of a client that does not ask for another; stock clients need less than 6",
    },
    Variable {
        name: "SINEW_PONG_SECONDS",
        default: "120 (2 minutes)",
        meaning: "how long nothing may come from a client, which is asked for a sign of life after a half of it; 0: for ever",
    },
    Variable {
        name: "SINEW_INCOMING_MESSAGES_PER_SECOND",
        default: "1000",
        meaning: "messages a client may send lastingly, ten times as many at once; what exceeds it waits; 0: no bound",
    },
    Variable {
        name: "SINEW_INCOMING_BYTES_PER_SECOND",
        default: "4194304 (4 MiB)",
        meaning: "bytes a client may send lastingly, ten times as many at once; what exceeds it waits; 0: no bound",
    },
    Variable {
        name: "SINEW_COMPRESSION",
        default: "`off`",
        meaning: "whether browsers that offer it get long messages compressed: `on` or `off`",
    },
    Variable {
        name: "SINEW_SHARD_THREADS",
        default: "0: tasks of the runtime",
        meaning: "threads of their own that accept connections and drive those of the cable, at most 1024",
    },
    Variable {
        name: "SINEW_CONNECTIONS_MAX",
        default: "the limit on open files, less 128",
        meaning: "sockets in all; one more is answered 503",
    },
    Variable {
        name: "SINEW_CONNECTIONS_PER_ADDRESS_MAX",
        default: "1000",
        meaning: "sockets of one address, loopback and trusted proxies excepted; one more is answered 429; 0 is no bound",
    },
    Variable {
        name: "SINEW_HANDSHAKES_MAX",
        default: "8192",
        meaning: "sockets that were accepted and not yet welcomed by the application; beyond, visitors wait in the system's queue",
    },
    Variable {
        name: "SINEW_ACCEPTS_PER_SECOND_MAX",
        default: "0: no bound",
        meaning: "connections accepted in a second; what comes faster waits in the system's queue",
    },
    Variable {
        name: "SINEW_DRAIN_WINDOW_SECONDS",
        default: "5 in production, 0 elsewhere",
        meaning: "over what time browsers are told to reconnect when the process is told to stop",
    },
    Variable {
        name: "SINEW_DRAIN_TIMEOUT_SECONDS",
        default: "25 in production, 2 elsewhere",
        meaning: "when the process ends at the latest, counted from when it was told to stop",
    },
    Variable {
        name: "SINEW_TLS_CERTIFICATE",
        default: "none: no TLS",
        meaning: "PEM file of the certificate with its chain, when TLS ends in the program itself (feature `tls`)",
    },
    Variable {
        name: "SINEW_TLS_KEY",
        default: "none",
        meaning: "PEM file of the certificate's private key",
    },
    Variable {
        name: "SINEW_METRICS_LISTEN",
        default: "none",
        meaning: "address and port where `/metrics` is served to Prometheus, such as `127.0.0.1:9394`; whoever reaches it may read it",
    },
    Variable {
        name: "SINEW_SANITY_CHECKS",
        default: "`on`",
        meaning: "whether what looks wrong is named in the log: `on` or `off`",
    },
    Variable {
        name: "SINEW_URL",
        default: "none",
        meaning: "where visitors find the application, for links in mails and feeds: `https://shop.example.com`",
    },
    Variable {
        name: "SINEW_NODES",
        default: "as many as the platform tells, or else 1",
        meaning: "processes of the application that run at the same time, for `sinew doctor`",
    },
    Variable {
        name: ReportFormat::VARIABLE,
        default: "`0`",
        meaning: "`1` or `json`: the application is examined, says what it finds, and ends, in place of serving; `sinew doctor` sets it",
    },
    Variable {
        name: "SINEW_DOCTOR_IGNORE",
        default: "none",
        meaning: "codes of findings that are meant as they are, separated by commas",
    },
    Variable {
        name: SessionStoreKind::VARIABLE,
        default: "`redis` where it has a URL and the program the feature `redis`, else `embedded`",
        meaning: "where sessions are kept: `memory`, `embedded` (the data directory), `redis`, `postgres` or `cookie`",
    },
    Variable {
        name: CacheStoreKind::VARIABLE,
        default: "`redis` where it has a URL and the program the feature `redis`, else `memory`",
        meaning: "where the cache is kept: `memory`, `embedded` (the data directory), `redis`, `postgres` or `none`",
    },
    Variable {
        name: StreamsKind::VARIABLE,
        default: "`redis` where it has a URL and the program the feature `redis`, else `postgres` where the sessions are, else `memory`",
        meaning: "by what broadcasts spread: `memory` (this process), `redis` or `postgres` (all that share it)",
    },
    Variable {
        name: "SINEW_CACHE_BYTES_MAX",
        default: "67108864 (64 MiB) in memory, 268435456 (256 MiB) in the data directory",
        meaning: "bytes that a cache in memory or in the data directory holds; what was used or written longest ago makes room",
    },
    Variable {
        name: "SINEW_CACHE_FRONT_SECONDS",
        default: "0: not at all",
        meaning: "how long each process keeps in memory what it has read from a cache in Redis or PostgreSQL, and may not see what another has changed",
    },
    Variable {
        name: Secret::PREVIOUS_VARIABLE,
        default: "none",
        meaning: "earlier values of `SINEW_SECRET`, separated by commas: sessions in cookies that they sealed are still read, and sealed anew",
    },
    Variable {
        name: "SINEW_COOKIE_PATH",
        default: "the base path, or `/`",
        meaning: "path below which browsers send the session cookie",
    },
    Variable {
        name: "SINEW_COOKIE_SAME_SITE",
        default: "`lax`",
        meaning: "from which other sites browsers send the session cookie along: `strict`, `lax` or `none`",
    },
    Variable {
        name: "SINEW_COOKIE_SECURE",
        default: "`auto`",
        meaning: "whether the session cookie goes over https only: `auto`, when the request that sets it came so, or `always`",
    },
];

/// The settings of the edge.
///
/// ```
/// use sinew_web::EdgeConfig;
///
/// let config = EdgeConfig::from_lookup(|name| (name == "PORT").then(|| "4000".to_owned()))?;
/// assert_eq!(config.listen.to_string(), "127.0.0.1:4000");
/// assert_eq!(config.cable_path, "/cable");
/// assert_eq!(config.cable_address(), "/cable");
///
/// let refused = EdgeConfig::from_lookup(|name| (name == "PORT").then(|| "http".to_owned()));
/// assert_eq!(
///     refused.unwrap_err().to_string(),
///     "PORT is `http`, expected a port between 0 and 65535",
/// );
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EdgeConfig {
    /// Where the application runs.
    pub environment: Environment,
    /// The secret that was given; [`secret`](Self::secret) finds the one to use.
    pub configured_secret: Option<Secret>,
    /// Secrets of earlier times: what they sealed is still read where sessions live in cookies. None by default.
    pub previous_secrets: Vec<Secret>,
    /// Where to listen, `127.0.0.1:3000` by default.
    pub listen: SocketAddr,
    /// The folder of the embedded store and of the generated secret, `.sinew` by default.
    pub data_directory: PathBuf,
    /// Which pages may open a socket; those of the same host by default.
    pub origins: OriginPolicy,
    /// Whose forwarding headers are believed; nobody's by default.
    pub trusted_proxies: TrustedProxies,
    /// How the session cookie looks.
    pub cookie: CookieConfig,
    /// How long a session lives without use, [`SESSION_EXPIRE_AFTER`] by default.
    pub session_expire_after: Duration,
    /// The path of the WebSocket endpoint, `/cable` by default.
    pub cable_path: String,
    /// Where browsers find the cable when that is not `cable_path` on the page's own host.
    pub cable_url: Option<String>,
    /// The path below which browsers find the application; none by default.
    pub base_path: BasePath,
    /// Where browsers find the files of the client, when another host has them.
    pub assets_url: Option<AssetsUrl>,
    /// Bytes a message from a client may have, [`MESSAGE_BYTES_MAX`] by default. A longer one
    /// closes its connection with 1009.
    pub message_bytes_max: usize,
    /// What variables say about the cable's own settings: for whoever builds the cable to
    /// [apply](CableVariables::apply_to).
    pub cable_variables: CableVariables,
    /// Whether clients that offer permessage-deflate get it; no by default, see
    /// [`WebSocketConfig::compression`](crate::WebSocketConfig::compression).
    pub compression: bool,
    /// Threads of their own that drive the cable's connections; 0 by default, see
    /// [`WebSocketConfig::shard_threads`](crate::WebSocketConfig::shard_threads).
    pub shard_threads: usize,
    /// What gives a shard's thread a descriptor table of its own, for binaries with more sockets than one table holds;
    /// none by default. [`WebSocketConfig::own_descriptors`](crate::WebSocketConfig::own_descriptors) says what it asks
    /// of the rest of the process.
    pub own_descriptors: Option<fn() -> io::Result<()>>,
    /// Who is let in, and how the process ends.
    pub server: ServerConfig,
    /// The certificate, when TLS ends in the program itself; none by default. It needs the feature `tls`.
    pub tls: Option<TlsFiles>,
    /// Where `/metrics` is served to Prometheus; nowhere by default. Whoever reaches that address may
    /// read it, so it is one of this machine or of a network of your own.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether what looks wrong about the settings and the first requests is named in the log, each
    /// with what to do about it; yes by default.
    pub sanity_checks: bool,
    /// Where visitors find the application, for links that leave it; unknown by default.
    pub public_url: Option<PublicUrl>,
    /// What is said to, and about, examinations of the application.
    pub doctor: DoctorVariables,
    /// Where sessions, the cache and broadcasts are kept, unless the application says it itself.
    pub stores: StoreVariables,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            configured_secret: None,
            previous_secrets: Vec::new(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000),
            data_directory: PathBuf::from(".sinew"),
            origins: OriginPolicy::default(),
            trusted_proxies: TrustedProxies::default(),
            cookie: CookieConfig::default(),
            session_expire_after: SESSION_EXPIRE_AFTER,
            cable_path: "/cable".to_owned(),
            cable_url: None,
            base_path: BasePath::default(),
            assets_url: None,
            message_bytes_max: MESSAGE_BYTES_MAX,
            cable_variables: CableVariables::default(),
            compression: false,
            shard_threads: 0,
            own_descriptors: None,
            server: ServerConfig::default(),
            tls: None,
            metrics_listen: None,
            sanity_checks: true,
            public_url: None,
            doctor: DoctorVariables::default(),
            stores: StoreVariables::default(),
        }
    }
}

impl EdgeConfig {
    /// The settings from the process's environment variables.
    ///
    /// ```
    /// use sinew_web::EdgeConfig;
    ///
    /// let config = EdgeConfig::from_env()?;
    /// let variables = |name: &str| std::env::var(name).ok();
    /// assert_eq!(config.listen, EdgeConfig::from_lookup(variables)?.listen);
    /// # Ok::<(), sinew_web::error::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first variable that cannot be used, by name. One that is not UTF-8 counts as not
    /// set.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The settings from the variables `lookup` knows; see [`VARIABLES`]. An empty value counts
    /// as not set, surrounding white space is ignored.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use sinew_web::EdgeConfig;
    ///
    /// let file = HashMap::from([("SINEW_LISTEN", "0.0.0.0:80"), ("SINEW_SESSION_SECONDS", " 3600 ")]);
    /// let config = EdgeConfig::from_lookup(|name| file.get(name).map(|value| value.to_string()))?;
    /// assert_eq!(config.listen.port(), 80);
    /// assert_eq!(config.session_expire_after.as_secs(), 3600);
    /// # Ok::<(), sinew_web::error::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first variable that cannot be used, by name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &'static str| -> Option<String> {
            let value = lookup(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let mut config = Self {
            environment: Environment::from_name(get(Environment::VARIABLE).as_deref())?,
            ..Self::default()
        };
        if let Some(secret) = get(Secret::VARIABLE) {
            // The value stays out of the sentence.
            let secret = Secret::new(secret).map_err(|error| {
                ConfigError::new(Secret::VARIABLE, "…", "at least 32 random bytes").caused_by(error)
            })?;
            config.configured_secret = Some(secret);
        }
        if let Some(listen) = get("SINEW_LISTEN") {
            config.listen = listen.parse().map_err(|_| {
                let expected = "an address and a port, such as `0.0.0.0:3000`";
                ConfigError::new("SINEW_LISTEN", &listen, expected)
            })?;
        } else if let Some(port) = get("PORT") {
            config
                .listen
                .set_port(number("PORT", &port, "a port between 0 and 65535")?);
        }
        if let Some(path) = get("SINEW_DATA_DIR") {
            config.data_directory = path.into();
        }
        if let Some(origins) = get("SINEW_ALLOWED_ORIGINS") {
            config.origins = OriginPolicy::parse(&origins).map_err(|error| {
                let expected =
                    "origins, hosts or suffixes (`https://app.example.com, *.example.com`), or `*`";
                ConfigError::new("SINEW_ALLOWED_ORIGINS", &origins, expected).caused_by(error)
            })?;
        }
        if let Some(proxies) = get("SINEW_TRUSTED_PROXIES") {
            config.trusted_proxies = proxies.parse().map_err(|error: NetworkError| {
                let expected = "addresses or networks (`10.0.0.0/8, loopback`)";
                ConfigError::new("SINEW_TRUSTED_PROXIES", &proxies, expected).caused_by(error)
            })?;
        }
        if let Some(headers) = get("SINEW_FORWARDED_HEADERS") {
            let headers = match headers.to_ascii_lowercase().as_str() {
                "either" => ForwardedHeaders::Either,
                "x-forwarded" => ForwardedHeaders::XForwarded,
                "forwarded" => ForwardedHeaders::Rfc7239,
                _ => {
                    let expected = "`x-forwarded`, `forwarded` or `either`";
                    return Err(ConfigError::new(
                        "SINEW_FORWARDED_HEADERS",
                        &headers,
                        expected,
                    ));
                }
            };
            config.trusted_proxies = config.trusted_proxies.headers(headers);
        }
        if let Some(name) = get("SINEW_COOKIE_NAME") {
            config.cookie.name = name;
            config.cookie.validate().map_err(|error| {
                let expected = "a name browsers accept";
                ConfigError::new("SINEW_COOKIE_NAME", &config.cookie.name, expected)
                    .caused_by(error)
            })?;
        }
        if let Some(domain) = get("SINEW_COOKIE_DOMAIN") {
            config.cookie.domain = Some(domain.clone());
            config.cookie.validate().map_err(|error| {
                let expected = "a domain, such as `example.com`";
                ConfigError::new("SINEW_COOKIE_DOMAIN", &domain, expected).caused_by(error)
            })?;
        }
        if let Some(seconds) = get("SINEW_SESSION_SECONDS") {
            let expected = "a number of seconds from 1 to 4294967295";
            let number: u32 = number("SINEW_SESSION_SECONDS", &seconds, expected)?;
            if number == 0 {
                return Err(ConfigError::new(
                    "SINEW_SESSION_SECONDS",
                    &seconds,
                    expected,
                ));
            }
            config.session_expire_after = Duration::from_secs(number.into());
        }
        if let Some(path) = get("SINEW_CABLE_PATH") {
            if !is_path(&path) {
                let expected = "a path, such as `/cable`";
                return Err(ConfigError::new("SINEW_CABLE_PATH", &path, expected));
            }
            config.cable_path = path;
        }
        if let Some(url) = get("SINEW_CABLE_URL") {
            if !is_cable_url(&url) {
                let expected = "an address such as `wss://cable.example.com/cable`, or a path";
                return Err(ConfigError::new("SINEW_CABLE_URL", &url, expected));
            }
            config.cable_url = Some(url);
        }
        if let Some(path) = get("SINEW_BASE_PATH") {
            config.base_path = path.parse().map_err(|error: BasePathError| {
                let expected = "a path, such as `/app`";
                ConfigError::new("SINEW_BASE_PATH", &path, expected).caused_by(error)
            })?;
        }
        if let Some(url) = get("SINEW_ASSETS_URL") {
            config.assets_url = Some(url.parse().map_err(|error: AssetsUrlError| {
                let expected = "an address such as `https://cdn.example.com`";
                ConfigError::new("SINEW_ASSETS_URL", &url, expected).caused_by(error)
            })?);
        }
        if let Some(bytes) = get("SINEW_MESSAGE_BYTES_MAX") {
            let expected = "a number of bytes from 1024 to 1073741824";
            let number: usize = number("SINEW_MESSAGE_BYTES_MAX", &bytes, expected)?;
            if !(1 << 10..=1 << 30).contains(&number) {
                return Err(ConfigError::new(
                    "SINEW_MESSAGE_BYTES_MAX",
                    &bytes,
                    expected,
                ));
            }
            config.message_bytes_max = number;
        }
        config.cable_variables = CableVariables::read(get)?;
        if let Some(compression) = get("SINEW_COMPRESSION") {
            config.compression = switch("SINEW_COMPRESSION", &compression)?;
        }
        if let Some(threads) = get("SINEW_SHARD_THREADS") {
            let expected = "a number of threads from 0 to 1024";
            let number: usize = number("SINEW_SHARD_THREADS", &threads, expected)?;
            if number > 1024 {
                return Err(ConfigError::new("SINEW_SHARD_THREADS", &threads, expected));
            }
            config.shard_threads = number;
        }
        config.server = ServerConfig::from_lookup(get)?;
        config.tls = TlsFiles::from_lookup(get)?;
        if let Some(listen) = get("SINEW_METRICS_LISTEN") {
            config.metrics_listen = Some(listen.parse().map_err(|_| {
                let expected = "an address and a port, such as `127.0.0.1:9394`";
                ConfigError::new("SINEW_METRICS_LISTEN", &listen, expected)
            })?);
        }
        if let Some(checks) = get("SINEW_SANITY_CHECKS") {
            config.sanity_checks = switch("SINEW_SANITY_CHECKS", &checks)?;
        }
        if let Some(url) = get("SINEW_URL") {
            config.public_url = Some(url.parse().map_err(|error: PublicUrlError| {
                let expected = "an address such as `https://shop.example.com`";
                ConfigError::new("SINEW_URL", &url, expected).caused_by(error)
            })?);
        }
        config.doctor = DoctorVariables::read(get)?;
        config.stores = StoreVariables::read(get)?;
        if let Some(secrets) = get(Secret::PREVIOUS_VARIABLE) {
            config.previous_secrets = previous_secrets(&secrets)?;
        }
        config.cookie.read_variables(get)?;
        Ok(config)
    }

    /// The secret to use: the one given, or in development the one kept in the data directory;
    /// see [`Secret::resolve`].
    ///
    /// ```
    /// use sinew_web::error::SecretError;
    /// use sinew_web::{EdgeConfig, Environment, Secret};
    ///
    /// let mut config = EdgeConfig::default();
    /// config.environment = Environment::Production;
    /// assert!(matches!(config.secret(), Err(SecretError::Missing { .. })));
    ///
    /// config.configured_secret = Some(Secret::generate()?);
    /// assert_eq!(config.secret()?.as_bytes().len(), 64);
    /// # Ok::<(), SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Secret::resolve`]: outside development a missing secret is a refusal to
    /// start, and the error is the sentence to print.
    pub fn secret(&self) -> Result<Secret, SecretError> {
        match &self.configured_secret {
            Some(secret) => Ok(secret.clone()),
            None => Secret::resolve(self.environment, None, &self.data_directory),
        }
    }

    /// Where browsers find the cable: the content of the `action-cable-url` meta tag. It is
    /// [`cable_url`](Self::cable_url), or else the cable's path below the base path.
    ///
    /// ```
    /// let mut config = sinew_web::EdgeConfig::default();
    /// config.base_path = "/app".parse()?;
    /// assert_eq!(config.cable_address(), "/app/cable");
    /// config.cable_url = Some("wss://cable.example.com/cable".to_owned());
    /// assert_eq!(config.cable_address(), "wss://cable.example.com/cable");
    /// # Ok::<(), sinew_web::error::BasePathError>(())
    /// ```
    pub fn cable_address(&self) -> Cow<'_, str> {
        match &self.cable_url {
            Some(url) => Cow::Borrowed(url),
            None => Cow::Owned(self.base_path.join(&self.cable_path)),
        }
    }

    /// The session cookie: [`cookie`](Self::cookie), and below a base path that path instead of
    /// `/`, so that other applications of the same host do not get it.
    ///
    /// It stays `/` where the cable is outside of the base path, since its handshake needs the
    /// cookie, and for a `__Host-` cookie, which browsers accept for `/` only.
    ///
    /// ```
    /// let mut config = sinew_web::EdgeConfig::default();
    /// config.base_path = "/app".parse()?;
    /// assert_eq!(config.session_cookie().path, "/app");
    /// config.cable_url = Some("wss://cable.example.com/cable".to_owned());
    /// assert_eq!(config.session_cookie().path, "/");
    /// # Ok::<(), sinew_web::error::BasePathError>(())
    /// ```
    pub fn session_cookie(&self) -> CookieConfig {
        let mut cookie = self.cookie.clone();
        let is_below = !self.base_path.is_empty()
            && match self.cable_url.as_deref().map(str::parse::<http::Uri>) {
                Some(Ok(url)) => self.base_path.strip(url.path()).is_some(),
                Some(Err(_)) => false,
                None => true,
            };
        if is_below && cookie.path == "/" && !cookie.name.starts_with("__Host-") {
            cookie.path = self.base_path.as_str().to_owned();
        }
        cookie
    }
}

/// Secrets separated by commas, none of which is shown when it is no good.
fn previous_secrets(list: &str) -> Result<Vec<Secret>, ConfigError> {
    let secrets = list.split(',').map(str::trim).filter(|it| !it.is_empty());
    let secrets = secrets.map(Secret::new).collect::<Result<_, _>>();
    secrets.map_err(|error| {
        let expected = "at least 32 random bytes each, separated by commas";
        ConfigError::new(Secret::PREVIOUS_VARIABLE, "…", expected).caused_by(error)
    })
}

fn switch(variable: &'static str, text: &str) -> Result<bool, ConfigError> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(ConfigError::new(variable, text, "`on` or `off`")),
    }
}

pub(crate) fn number<N: std::str::FromStr>(
    variable: &'static str,
    text: &str,
    expected: &str,
) -> Result<N, ConfigError>
where
    N::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(|error: N::Err| ConfigError::new(variable, text, expected).caused_by(error))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\"'<>?#{}*\\".contains(&b))
}

fn is_cable_url(text: &str) -> bool {
    if text.starts_with('/') {
        return is_path(text);
    }
    let Ok(uri) = text.parse::<http::Uri>() else {
        return false;
    };
    let scheme = matches!(uri.scheme_str(), Some("ws" | "wss" | "http" | "https"));
    scheme
        && uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::{SameSite, SecureFlag};

    fn with(pairs: &[(&str, &str)]) -> Result<EdgeConfig, ConfigError> {
        EdgeConfig::from_lookup(|name| {
            let value = pairs.iter().find(|(variable, _)| *variable == name)?.1;
            Some(value.to_owned())
        })
    }

    #[test]
    fn nothing_set() {
        let config = with(&[]).expect("the defaults");
        assert_eq!(config.environment, Environment::default_for_build());
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.data_directory, PathBuf::from(".sinew"));
        assert_eq!(config.origins, OriginPolicy::same_host());
        assert_eq!(config.trusted_proxies, TrustedProxies::none());
        assert_eq!(config.cookie, CookieConfig::default());
        assert_eq!(config.session_expire_after, Duration::from_secs(1_209_600));
        assert_eq!(config.cable_address(), "/cable");
        assert_eq!(config.message_bytes_max, 1_048_576);
    }

    #[test]
    fn everything_set() {
        let config = with(&[
            ("SINEW_ENV", "production"),
            ("SINEW_SECRET", "b5c1f7d3a9e84620b5c1f7d3a9e84620"),
            ("SINEW_LISTEN", "[::]:80"),
            ("PORT", "ignored"),
            ("SINEW_DATA_DIR", "/var/lib/app"),
            ("SINEW_ALLOWED_ORIGINS", "https://app.example.com,"),
            ("SINEW_TRUSTED_PROXIES", "loopback"),
            ("SINEW_FORWARDED_HEADERS", "Forwarded"),
            ("SINEW_COOKIE_NAME", "_app"),
            ("SINEW_COOKIE_DOMAIN", "example.com"),
            ("SINEW_SESSION_SECONDS", "60"),
            ("SINEW_CABLE_PATH", "/socket"),
            ("SINEW_CABLE_URL", "wss://cable.example.com/socket"),
            ("SINEW_BASE_PATH", "/app"),
            ("SINEW_ASSETS_URL", "https://cdn.example.com"),
            ("SINEW_MESSAGE_BYTES_MAX", "2048"),
            ("SINEW_PING_SECONDS", "30"),
            ("SINEW_PONG_SECONDS", "0"),
            ("SINEW_INCOMING_MESSAGES_PER_SECOND", "10"),
            ("SINEW_INCOMING_BYTES_PER_SECOND", "2048"),
            ("SINEW_COMPRESSION", "ON"),
            ("SINEW_SHARD_THREADS", "2"),
            ("SINEW_CONNECTIONS_MAX", "50000"),
            ("SINEW_CONNECTIONS_PER_ADDRESS_MAX", "0"),
            ("SINEW_HANDSHAKES_MAX", "10"),
            ("SINEW_ACCEPTS_PER_SECOND_MAX", "500"),
            ("SINEW_DRAIN_WINDOW_SECONDS", "0"),
            ("SINEW_DRAIN_TIMEOUT_SECONDS", "60"),
            ("SINEW_TLS_CERTIFICATE", "/etc/app/cert.pem"),
            ("SINEW_TLS_KEY", "/etc/app/key.pem"),
            ("SINEW_SANITY_CHECKS", "Off"),
            ("SINEW_URL", "https://app.example.com"),
            ("SINEW_NODES", "2"),
            ("SINEW_DOCTOR", "1"),
            ("SINEW_DOCTOR_IGNORE", "url-unset"),
            (
                "SINEW_SECRET_PREVIOUS",
                "c5c1f7d3a9e84620b5c1f7d3a9e84620, d5c1f7d3a9e84620b5c1f7d3a9e84620",
            ),
            ("SINEW_COOKIE_PATH", "/app/shop"),
            ("SINEW_COOKIE_SAME_SITE", "None"),
            ("SINEW_COOKIE_SECURE", "always"),
        ])
        .expect("good settings");
        assert_eq!(config.environment, Environment::Production);
        assert!(config.secret().is_ok());
        assert_eq!(config.listen.to_string(), "[::]:80");
        assert_eq!(config.data_directory, PathBuf::from("/var/lib/app"));
        assert_eq!(config.origins.to_string(), "a list of 1");
        assert!(
            config
                .trusted_proxies
                .trusts(IpAddr::V4(Ipv4Addr::LOCALHOST))
        );
        assert_eq!(config.cookie.name, "_app");
        assert_eq!(config.cookie.domain.as_deref(), Some("example.com"));
        assert_eq!(config.session_expire_after, Duration::from_secs(60));
        assert_eq!(config.cable_path, "/socket");
        assert_eq!(config.cable_address(), "wss://cable.example.com/socket");
        assert_eq!(config.base_path.as_str(), "/app");
        assert_eq!(
            config.assets_url.as_ref().map(AssetsUrl::as_str),
            Some("https://cdn.example.com")
        );
        assert_eq!(config.message_bytes_max, 2048);
        let mut cable = sinew_cable::Config::default();
        config.cable_variables.apply_to(&mut cable);
        assert_eq!(cable.ping_interval, Duration::from_secs(30));
        assert_eq!(cable.pong_timeout, Duration::ZERO);
        assert_eq!(cable.incoming_messages_per_second, 10);
        assert_eq!(cable.incoming_bytes_per_second, 2048);
        assert!(config.compression);
        assert_eq!(config.shard_threads, 2);
        let server = &config.server;
        assert_eq!(server.connections_max, Some(50_000));
        assert_eq!(server.connections_per_address_max, 0);
        assert_eq!(server.handshakes_max, 10);
        assert_eq!(server.accepts_per_second_max, 500);
        assert_eq!(server.drain_window, Some(Duration::ZERO));
        assert_eq!(server.drain_timeout, Some(Duration::from_secs(60)));
        assert!(config.tls.is_some());
        assert!(!config.sanity_checks);
        let url = config.public_url.as_ref().map(PublicUrl::as_str);
        assert_eq!(url, Some("https://app.example.com"));
        assert_eq!(config.doctor.nodes.map(u32::from), Some(2));
        assert_eq!(config.doctor.format, Some(ReportFormat::Text));
        assert_eq!(config.doctor.ignored, ["url-unset"]);
        assert_eq!(config.previous_secrets.len(), 2);
        assert_eq!(config.session_cookie().path, "/app/shop");
        assert_eq!(config.cookie.same_site, SameSite::None);
        assert_eq!(config.cookie.secure, SecureFlag::Always);
    }

    #[test]
    fn refusals_name_the_variable() {
        for (name, value) in [
            ("SINEW_ENV", "staging"),
            ("SINEW_SECRET", "hunter2"),
            ("SINEW_LISTEN", "3000"),
            ("PORT", "70000"),
            ("SINEW_ALLOWED_ORIGINS", "*example.com"),
            ("SINEW_TRUSTED_PROXIES", "nginx"),
            ("SINEW_FORWARDED_HEADERS", "all"),
            ("SINEW_COOKIE_NAME", "a b"),
            ("SINEW_COOKIE_DOMAIN", "https://example.com"),
            ("SINEW_SESSION_SECONDS", "0"),
            ("SINEW_SESSION_SECONDS", "two weeks"),
            ("SINEW_CABLE_PATH", "cable"),
            ("SINEW_CABLE_PATH", "//evil.example"),
            ("SINEW_CABLE_URL", "cable.example.com"),
            ("SINEW_CABLE_URL", "ftp://cable.example.com"),
            ("SINEW_BASE_PATH", "/app/"),
            ("SINEW_ASSETS_URL", "cdn.example.com"),
            ("SINEW_MESSAGE_BYTES_MAX", "1"),
            ("SINEW_MESSAGE_BYTES_MAX", "1 MiB"),
            ("SINEW_PING_SECONDS", "0"),
            ("SINEW_PING_SECONDS", "3601"),
            ("SINEW_PING_SECONDS", "3 s"),
            ("SINEW_PONG_SECONDS", "-1"),
            ("SINEW_INCOMING_MESSAGES_PER_SECOND", "many"),
            ("SINEW_INCOMING_BYTES_PER_SECOND", "1 MiB"),
            ("SINEW_COMPRESSION", "maybe"),
            ("SINEW_SHARD_THREADS", "1025"),
            ("SINEW_SHARD_THREADS", "all"),
            ("SINEW_CONNECTIONS_MAX", "0"),
            ("SINEW_CONNECTIONS_PER_ADDRESS_MAX", "-1"),
            ("SINEW_HANDSHAKES_MAX", "0"),
            ("SINEW_ACCEPTS_PER_SECOND_MAX", "fast"),
            ("SINEW_DRAIN_WINDOW_SECONDS", "5s"),
            ("SINEW_DRAIN_TIMEOUT_SECONDS", "0"),
            ("SINEW_TLS_CERTIFICATE", "alone.pem"),
            ("SINEW_TLS_KEY", "alone.pem"),
            ("SINEW_SANITY_CHECKS", "sometimes"),
            ("SINEW_URL", "app.example.com"),
            ("SINEW_NODES", "0"),
            ("SINEW_DOCTOR", "please"),
        ] {
            let error = with(&[(name, value)]).expect_err(value);
            let sentence = error.to_string();
            assert!(sentence.starts_with(&format!("{name} is `")), "{sentence}");
            assert!(sentence.contains(", expected "), "{sentence}");
            assert_eq!(
                sentence.contains(value),
                name != "SINEW_SECRET",
                "{sentence}"
            );
        }
    }

    #[test]
    fn the_cookie_goes_where_pages_and_cable_are() {
        let path = |pairs: &[(&str, &str)]| {
            let base = ("SINEW_BASE_PATH", "/app");
            let config = with(&[&[base], pairs].concat()).expect("good settings");
            config.session_cookie().path
        };
        assert_eq!(path(&[]), "/app");
        assert_eq!(path(&[("SINEW_CABLE_URL", "/app/socket")]), "/app");
        assert_eq!(path(&[("SINEW_CABLE_URL", "/socket")]), "/");
        assert_eq!(
            path(&[("SINEW_CABLE_URL", "wss://a.example/app/c")]),
            "/app"
        );
        assert_eq!(path(&[("SINEW_CABLE_URL", "wss://a.example/cable")]), "/");
        let mut config = with(&[("SINEW_BASE_PATH", "/app")]).expect("good settings");
        config.cookie.name = "__Host-id".to_owned();
        assert_eq!(config.session_cookie().path, "/");
        config.cookie = CookieConfig {
            path: "/mine".to_owned(),
            ..CookieConfig::default()
        };
        assert_eq!(config.session_cookie().path, "/mine");
    }

    #[test]
    fn blank_is_not_set() {
        for variable in VARIABLES {
            assert!(with(&[(variable.name, "  ")]).is_ok(), "{}", variable.name);
        }
    }

    #[test]
    fn every_variable_is_described_once() {
        let asked = std::cell::RefCell::new(Vec::new());
        let config = EdgeConfig::from_lookup(|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        assert!(config.is_ok());
        let described: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        assert_eq!(asked.into_inner(), described);
    }

    #[test]
    fn no_secret_in_production_is_one_sentence() {
        let config = with(&[("SINEW_ENV", "production")]).expect("good settings");
        let sentence = config.secret().expect_err("none").to_string();
        assert!(
            sentence.contains("SINEW_SECRET") && sentence.contains("openssl"),
            "{sentence}"
        );
    }
}
