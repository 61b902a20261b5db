//! Everything that can be set, in one place.

pub use sinew_reflex::VersionCheck;
pub use sinew_store::SessionConfig;
use sinew_store::cookie::CookieStoreConfig;
pub use sinew_verifier::Digest;
use sinew_verifier::SecretKeyBase;
#[cfg(feature = "rails")]
pub use sinew_verifier::rails::CookieMetadata;
#[cfg(feature = "rails")]
use sinew_verifier::rails::SessionCookie;
pub use sinew_web::error::ConfigError;
use sinew_web::sealed::packed_bytes_max;
// What a request is once the trusted proxies were heard, for an `OriginPolicy` to check.
pub use sinew_web::Effective;
pub use sinew_web::config::{CacheStoreKind, SessionStoreKind, StoreVariables, StreamsKind};
pub use sinew_web::{
    AssetsUrl, BasePath, CookieConfig, EdgeConfig, Environment, OriginPolicy, PublicUrl, Secret,
    TrustedProxies,
};

use crate::client;
use crate::content_security_policy::PolicyHeader;
pub use crate::content_security_policy::{ContentSecurityPolicy, PolicyError};

/// How a Rails application seals its session cookie: for
/// [`Sinew::rails_cookie_sessions`](crate::Sinew::rails_cookie_sessions).
///
/// ```
/// use sinew::config::{CookieMetadata, Digest, RailsCookie};
///
/// let newer = RailsCookie::default();
/// assert_eq!((newer.digest, newer.metadata), (Digest::Sha256, CookieMetadata::Required));
///
/// // An application with the defaults of Rails 6.0 or 6.1.
/// let older = RailsCookie { digest: Digest::Sha1, ..RailsCookie::default() };
/// assert_ne!(older, newer);
/// ```
#[cfg(feature = "rails")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RailsCookie {
    /// What its key generator derives with: SHA-256 with the defaults of Rails 7.0 and newer, SHA-1 before. Cookies of
    /// the other digest are read as well, and written anew.
    pub digest: Digest,
    /// Whether its cookies say what they are for: so with the defaults of Rails 6.0 and newer.
    pub metadata: CookieMetadata,
}

/// The settings of an application.
///
/// Every one has a default that a first application can live with. [`Sinew::new`](crate::Sinew::new) reads them from the environment when it is built, unless
/// [`Sinew::config`](crate::Sinew::config) gives them; the variables are listed in
/// [`sinew_web::config::VARIABLES`].
///
/// ```
/// // The defaults, and what the environment variables say.
/// let mut config = sinew::Config::from_env()?;
/// config.cable.ping_interval = std::time::Duration::from_secs(10);
/// config.reflex.lane_calls_max = 20;
/// assert_eq!(config.page_bytes_max, 8 * 1024 * 1024);
/// # Ok::<(), sinew::config::ConfigError>(())
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
    /// What browsers may load and run in pages whose handlers take
    /// [`ClientTags`](crate::ClientTags); on by default, and `None` sends no policy. A response
    /// with a policy of its own keeps that.
    ///
    /// ```
    /// let mut config = sinew::Config::default();
    /// assert_eq!(config.content_security_policy, Some(sinew::config::ContentSecurityPolicy::default()));
    /// config.content_security_policy = None;
    /// ```
    pub content_security_policy: Option<ContentSecurityPolicy>,
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
    /// Whether, in development, the page for [operators](crate::operators) is at `/_sinew`; yes by
    /// default, and then the application's own route of this name is never asked. Elsewhere it is
    /// only where the application puts it.
    pub operators_page: bool,
    /// The digest with which keys are derived from the secret: SHA-256, as Rails 7.0 and later do.
    pub key_digest: Digest,
    /// Whether these settings are those of the environment, and stores may be looked for there, too.
    pub(crate) has_environment: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            edge: EdgeConfig::default(),
            cable: sinew_cable::Config::default(),
            reflex: sinew_reflex::Config::default(),
            session: SessionConfig::default(),
            content_security_policy: Some(ContentSecurityPolicy::default()),
            page_bytes_max: 8 * 1024 * 1024,
            anonymous: false,
            health_routes: true,
            operators_page: true,
            key_digest: Digest::Sha256,
            has_environment: false,
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
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The defaults, with what the variables say that `lookup` knows.
    pub(crate) fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self {
            edge: EdgeConfig::from_lookup(lookup)?,
            has_environment: true,
            ..Self::default()
        };
        config.edge.cable_variables.apply_to(&mut config.cable);
        Ok(config)
    }

    /// A variable that says where a store is, unless all settings are the application's own.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.has_environment.then(|| std::env::var(name).ok())?
    }

    /// The policy, with what the page needs of other hosts: the cable's origin, and the folder of
    /// the client's scripts. The rest of that host stays forbidden.
    /// How sessions live in cookies.
    pub(crate) fn cookie_store(&self, is_shared: bool) -> CookieStoreConfig {
        let expire_after = self.edge.session_expire_after;
        let cookie = self.edge.session_cookie();
        let mut config = CookieStoreConfig::default();
        config.expire_after = expire_after;
        config.compress_over = self.session.compress_cookie_over;
        config.packed_bytes_max = packed_bytes_max(&cookie, expire_after);
        config.is_shared = is_shared;
        #[cfg(feature = "rails")]
        if is_shared {
            config.packed_bytes_max = sinew_web::sealed::shared_bytes_max(&cookie, expire_after);
        }
        config
    }

    /// How sessions live in the cookie of a Rails application, and how it is sealed.
    #[cfg(feature = "rails")]
    pub(crate) fn rails_cookie(&self, secret: &SecretKeyBase, rails: RailsCookie) -> SessionCookie {
        let name = self.edge.session_cookie().name;
        let other = match rails.digest {
            Digest::Sha1 => Digest::Sha256,
            Digest::Sha256 => Digest::Sha1,
        };
        let cookie = SessionCookie::new(name, secret, rails.digest).metadata(rails.metadata);
        let cookie = cookie.with_older(secret, other);
        let older = self.previous_secrets();
        older.iter().fold(cookie, |cookie, older| {
            cookie
                .with_older(older, rails.digest)
                .with_older(older, other)
        })
    }

    /// The secrets that cookies may still be sealed with.
    pub(crate) fn previous_secrets(&self) -> Vec<SecretKeyBase> {
        let secrets = self.edge.previous_secrets.iter();
        secrets
            .map(|secret| SecretKeyBase::new(String::from_utf8_lossy(secret.as_bytes())))
            .collect()
    }

    pub(crate) fn policy_header(&self) -> Result<Option<PolicyHeader>, PolicyError> {
        let Some(mut policy) = self.content_security_policy.clone() else {
            return Ok(None);
        };
        if let Some(origin) = self.edge.cable_url.as_deref().and_then(cable_origin) {
            policy = policy.allow("connect-src", &origin)?;
        }
        if let Some(url) = &self.edge.assets_url {
            policy = policy.allow("script-src", &url.join(client::FOLDER))?;
        }
        Ok(Some(policy.header()))
    }
}

/// The origin of a cable on another host, with the scheme that the client uses.
fn cable_origin(url: &str) -> Option<String> {
    let url: http::Uri = url.parse().ok()?;
    let scheme = match url.scheme_str()? {
        "https" | "wss" => "wss",
        _ => "ws",
    };
    Some(format!("{scheme}://{}", url.authority()?))
}
