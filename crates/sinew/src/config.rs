//! Everything that can be set, in one place.

pub use sinew_reflex::VersionCheck;
pub use sinew_store::SessionConfig;
pub use sinew_verifier::Digest;
pub use sinew_web::error::ConfigError;
pub use sinew_web::{CookieConfig, EdgeConfig, Environment, OriginPolicy, Secret, TrustedProxies};

/// The settings of an application. Every one has a default that a first application can live with.
///
/// [`Sinew::new`](crate::Sinew::new) reads them from the environment when it is built, unless
/// [`Sinew::config`](crate::Sinew::config) gives them; the variables are listed in
/// [`sinew_web::config::VARIABLES`].
///
/// ```
/// let mut config = sinew::Config::default();
/// config.cable.ping_interval = std::time::Duration::from_secs(10);
/// config.reflex.lane_calls_max = 20;
/// assert_eq!(config.page_bytes_max, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The edge: address, environment, secret, origins, proxies, cookie, cable path.
    pub edge: EdgeConfig,
    /// The cable: pings, queues, subscriptions.
    pub cable: sinew_cable::Config,
    /// The reflexes: time limits, lanes, version check. Whether browsers see the text of errors
    /// follows [`EdgeConfig::environment`]: in development and tests yes, in production no.
    pub reflex: sinew_reflex::Config,
    /// The sessions: sizes. How long they live is set by [`EdgeConfig::session_expire_after`].
    pub session: SessionConfig,
    /// Bytes that a page may have in a page morph, 8 MiB by default. A larger one is a `morph-error`.
    pub page_bytes_max: usize,
    /// Whether a socket without a session may connect; no by default.
    ///
    /// Such a connection has an identity of its own, never one that it shares with strangers.
    pub anonymous: bool,
    /// Whether `/health` and `/ready` are answered here; yes by default, and then the application's
    /// own routes of these names are never asked. [`App::health`](crate::App::health) gives them a
    /// place elsewhere.
    pub health_routes: bool,
    /// The digest with which keys are derived from the secret: SHA-256, as Rails 7.0 and later do.
    pub key_digest: Digest,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            edge: EdgeConfig::default(),
            cable: sinew_cable::Config::default(),
            reflex: sinew_reflex::Config::default(),
            session: SessionConfig::default(),
            page_bytes_max: 8 * 1024 * 1024,
            anonymous: false,
            health_routes: true,
            key_digest: Digest::Sha256,
        }
    }
}

impl Config {
    /// The defaults, with what the environment variables say.
    ///
    /// # Errors
    ///
    /// The first variable that cannot be used, by name.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            edge: EdgeConfig::from_env()?,
            ..Self::default()
        })
    }
}
