use std::time::Duration;

/// Bounds of a [`Server`](crate::Server), with unit, default and what happens beyond.
///
/// ```
/// use sinew_web::ServerConfig;
/// use std::time::Duration;
///
/// let mut config = ServerConfig::default();
/// assert_eq!(config.keep_alive_timeout, Duration::from_secs(75));
/// config.first_request_wait = Duration::from_millis(500);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// How long a connection may take until the head of its first request is read. Default 10 s. Then it is closed.
    pub header_read_timeout: Duration,
    /// How long a connection may take from one answer until the head of its next request is read. Default 75 s. Then it
    /// is closed. Longer than what proxies keep unused connections for, so that it is they who close them.
    pub keep_alive_timeout: Duration,
    /// How long a connection that has not sent any request yet is waited for once the server was told to stop. Default
    /// 5 s. Then it is closed.
    pub first_request_wait: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(75),
            first_request_wait: Duration::from_secs(5),
        }
    }
}
