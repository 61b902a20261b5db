use std::path::PathBuf;
use std::time::Duration;

use crate::environment::Environment;
use crate::error::ConfigError;

/// Bounds of a [`Server`](crate::Server) and of what is admitted to it, with unit, default and what happens beyond.
///
/// ```
/// use sinew_web::ServerConfig;
/// use std::time::Duration;
///
/// let mut config = ServerConfig::default();
/// assert_eq!(config.keep_alive_timeout, Duration::from_secs(75));
/// assert_eq!(config.handshakes_max, 8192);
/// config.connections_max = Some(50_000);
/// config.drain_window = Some(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Sockets in all: connections that are being answered, and those of the cable. Default: as many as the process may
    /// have open files, less 128 for everything else, in each of its [tables](Self::descriptor_tables).
    /// One more is answered 503 with `Retry-After` and closed.
    pub connections_max: Option<usize>,
    /// Tables of descriptors that the sockets are spread over, each with the process's limit. Default 1; with
    /// [`own_descriptors`](crate::WebSocketConfig::own_descriptors) one for each shard.
    pub descriptor_tables: usize,
    /// Sockets of one address, of each kind: connections that are being answered, by the address of the socket, and
    /// connections of the cable, by the address of the visitor once the trusted proxies were heard. Of IPv6 the first
    /// 64 bits are the address. Default 1000; 0 is no bound.
    /// One more is answered 429 with `Retry-After`. Never counted are this machine itself (loopback) and, as sockets,
    /// trusted proxies: behind them is everybody.
    pub connections_per_address_max: usize,
    /// Sockets that are arriving: accepted a moment ago and their first request not read, or upgraded and not yet
    /// welcomed by the application. Default 8192: with the system's queue of 4096 that is room for ten thousand who return at
    /// once after a restart. What finds no room there is dropped, and tried again by the client's system after one second,
    /// two, four.
    /// At the bound nothing more is accepted, and what comes waits in the system's queue; but for one connection in
    /// 100 ms, so that a load balancer has its answer even while the application welcomes nobody. If that one asks for
    /// the cable, it is answered 503 with `Retry-After`.
    pub handshakes_max: usize,
    /// Connections accepted in a second, evenly. Default 0: no bound but the one on handshakes.
    /// What comes faster waits in the system's queue.
    pub accepts_per_second_max: u32,
    /// Connections that the system keeps until they are accepted. Default 4096; the system may have a lower bound
    /// (`net.core.somaxconn`). Those beyond it try again by themselves, after a second and more.
    pub backlog: u32,
    /// How long a connection may take until the head of its first request is read. Default 10 s. Then it is closed.
    pub header_read_timeout: Duration,
    /// Bytes of the head of a request. Default 64 KiB (65,536 bytes). A longer one is answered 431 and closed.
    pub header_bytes_max: usize,
    /// How long a connection may take from one answer until the head of its next request is read. Default 75 s. Then it
    /// is closed. Longer than what proxies keep unused connections for, so that it is they who close them.
    pub keep_alive_timeout: Duration,
    /// How often the files of a certificate are looked at. Default 5 s.
    pub tls_reload_interval: Duration,
    /// What `Retry-After` says to those who are refused. Default 5 s.
    pub retry_after: Duration,
    /// How long a connection that has not sent any request yet is waited for once the server was told to stop. Default
    /// 5 s; for an application half a second outside of production. Then it is closed.
    pub first_request_wait: Option<Duration>,
    /// Over what time the cable's clients are told to reconnect when the process is told to stop, evenly. Default 5 s in
    /// production, elsewhere all at once.
    pub drain_window: Option<Duration>,
    /// When the process ends at the latest, counted from when it was told to stop. Default 25 s in production, 2 s
    /// elsewhere. Whoever is still there is cut off.
    pub drain_timeout: Option<Duration>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            connections_max: None,
            descriptor_tables: 1,
            connections_per_address_max: 1000,
            handshakes_max: 8192,
            accepts_per_second_max: 0,
            backlog: 4096,
            header_read_timeout: Duration::from_secs(10),
            header_bytes_max: 64 * 1024,
            keep_alive_timeout: Duration::from_secs(75),
            tls_reload_interval: Duration::from_secs(5),
            retry_after: Duration::from_secs(5),
            first_request_wait: None,
            drain_window: None,
            drain_timeout: None,
        }
    }
}

impl ServerConfig {
    /// The same, with what is not set as this environment has it.
    ///
    /// Visitors are given time. Whoever waits for a rebuilt program is not.
    ///
    /// ```
    /// use sinew_web::{Environment, ServerConfig};
    /// use std::time::Duration;
    ///
    /// let config = ServerConfig::default().with_defaults_of(Environment::Production);
    /// assert_eq!(config.drain_window, Some(Duration::from_secs(5)));
    /// assert_eq!(config.drain_timeout, Some(Duration::from_secs(25)));
    /// let config = ServerConfig::default().with_defaults_of(Environment::Development);
    /// assert_eq!(config.drain_window, Some(Duration::ZERO));
    /// ```
    #[must_use]
    pub fn with_defaults_of(mut self, environment: Environment) -> Self {
        let (window, timeout, first_request) = match environment {
            Environment::Production => (5_000, 25_000, 5_000),
            _ => (0, 2_000, 500),
        };
        let or = |set: &mut Option<Duration>, milliseconds| {
            set.get_or_insert(Duration::from_millis(milliseconds));
        };
        or(&mut self.drain_window, window);
        or(&mut self.drain_timeout, timeout);
        or(&mut self.first_request_wait, first_request);
        self
    }

    /// The defaults, with what the variables say.
    pub(crate) fn from_lookup(
        get: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let number = |name: &'static str, min: u32, max: u32| -> Result<Option<u32>, ConfigError> {
            let Some(text) = get(name) else {
                return Ok(None);
            };
            match text.parse() {
                Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
                _ => {
                    let expected = format!("a number from {min} to {max}");
                    Err(ConfigError::new(name, &text, expected))
                }
            }
        };
        if let Some(count) = number("SINEW_CONNECTIONS_MAX", 1, u32::MAX)? {
            config.connections_max = Some(count as usize);
        }
        if let Some(count) = number("SINEW_CONNECTIONS_PER_ADDRESS_MAX", 0, u32::MAX)? {
            config.connections_per_address_max = count as usize;
        }
        if let Some(count) = number("SINEW_HANDSHAKES_MAX", 1, u32::MAX)? {
            config.handshakes_max = count as usize;
        }
        if let Some(count) = number("SINEW_ACCEPTS_PER_SECOND_MAX", 0, 1_000_000)? {
            config.accepts_per_second_max = count;
        }
        if let Some(seconds) = number("SINEW_DRAIN_WINDOW_SECONDS", 0, 86_400)? {
            config.drain_window = Some(Duration::from_secs(seconds.into()));
        }
        if let Some(seconds) = number("SINEW_DRAIN_TIMEOUT_SECONDS", 1, 86_400)? {
            config.drain_timeout = Some(Duration::from_secs(seconds.into()));
        }
        Ok(config)
    }
}

/// Where a certificate and its key are, as PEM. The server needs the feature `tls`.
///
/// ```
/// use sinew_web::EdgeConfig;
/// use sinew_web::server::TlsFiles;
///
/// let config = EdgeConfig::from_lookup(|name| match name {
///     "SINEW_TLS_CERTIFICATE" => Some("/etc/shop/fullchain.pem".to_owned()),
///     "SINEW_TLS_KEY" => Some("/etc/shop/privkey.pem".to_owned()),
///     _ => None,
/// })?;
/// let files: TlsFiles = config.tls.expect("both are set");
/// assert_eq!(files.key.to_str(), Some("/etc/shop/privkey.pem"));
///
/// let one = EdgeConfig::from_lookup(|name| (name == "SINEW_TLS_KEY").then(|| "key.pem".to_owned()));
/// assert!(one.unwrap_err().to_string().contains("SINEW_TLS_CERTIFICATE"));
/// # Ok::<(), sinew_web::error::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those that lead to a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    pub(crate) fn from_lookup(
        get: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        const CERTIFICATE: &str = "SINEW_TLS_CERTIFICATE";
        const KEY: &str = "SINEW_TLS_KEY";
        match (get(CERTIFICATE), get(KEY)) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Self {
                certificate: certificate.into(),
                key: key.into(),
            })),
            (Some(path), None) => {
                let expected = "a certificate whose key is named by SINEW_TLS_KEY";
                Err(ConfigError::new(CERTIFICATE, &path, expected))
            }
            (None, Some(path)) => {
                let expected = "the key of the certificate named by SINEW_TLS_CERTIFICATE";
                Err(ConfigError::new(KEY, &path, expected))
            }
        }
    }
}
