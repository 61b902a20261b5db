//! What can go wrong at the edge.

use std::path::PathBuf;

use crate::environment::Environment;

/// A setting that cannot be used, with the variable to change and what is expected of it.
///
/// ```
/// use std::error::Error;
/// use sinew_web::EdgeConfig;
/// use sinew_web::error::ConfigError;
///
/// let refused = EdgeConfig::from_lookup(|name| {
///     (name == "SINEW_COOKIE_NAME").then(|| "my session".to_owned())
/// });
/// let error: ConfigError = refused.unwrap_err();
/// assert_eq!(error.variable, "SINEW_COOKIE_NAME");
/// assert_eq!(error.to_string(), "SINEW_COOKIE_NAME is `my session`, expected a name browsers accept");
/// assert!(error.source().is_some());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("{variable} is `{value}`, expected {expected}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// What it was set to.
    pub value: String,
    /// What it may be, as the end of a sentence.
    pub expected: String,
    /// What the parser said, when there was one.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ConfigError {
    /// A refusal of `value` for `variable`; `expected` ends the sentence.
    pub(crate) fn new(variable: &'static str, value: &str, expected: impl Into<String>) -> Self {
        Self {
            variable,
            value: value.to_owned(),
            expected: expected.into(),
            cause: None,
        }
    }

    /// The same with what the parser said.
    pub(crate) fn caused_by(
        mut self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

/// Why there is no application secret. Each sentence can be shown as it is to whoever started
/// the server; none contains the secret.
///
/// ```
/// use sinew_web::Secret;
/// use sinew_web::error::SecretError;
///
/// let error = Secret::new("hunter2").unwrap_err();
/// assert!(matches!(error, SecretError::TooShort { length: 7, bytes_min: 32 }));
/// assert!(!error.to_string().contains("hunter2"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// None was given and this is not a developer's machine.
    #[error(
        "SINEW_SECRET is not set and the environment is {environment}: set it to at least 32 random bytes, for example SINEW_SECRET=$(openssl rand -hex 32)"
    )]
    Missing {
        /// Where the application runs.
        environment: Environment,
    },
    /// It is too short to be a key.
    #[error(
        "the application secret has {length} bytes and needs at least {bytes_min}; `openssl rand -hex 32` prints one"
    )]
    TooShort {
        /// Its length in bytes.
        length: usize,
        /// The length it needs.
        bytes_min: usize,
    },
    /// It repeats so few different bytes that it can be guessed.
    #[error(
        "the application secret repeats {distinct} different bytes, which can be guessed; `openssl rand -hex 32` prints a better one"
    )]
    Weak {
        /// How many different bytes it has.
        distinct: usize,
    },
    /// The generated secret of a developer's machine cannot be read or written.
    #[error("cannot keep the development secret in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The system has no randomness to give.
    #[error("the operating system gave no random bytes")]
    Randomness(#[source] std::io::Error),
}

/// A list of networks that cannot be read.
///
/// ```
/// use sinew_web::TrustedProxies;
/// use sinew_web::error::NetworkError;
///
/// let refused: NetworkError = "10.0.0.0/8, nginx".parse::<TrustedProxies>().unwrap_err();
/// assert_eq!(refused.0, "nginx");
/// ```
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error(
    "`{0}` is no address (`10.0.0.7`), network (`10.0.0.0/8`, `fd00::/8`) or word (`loopback`, `private`)"
)]
pub struct NetworkError(pub String);

/// An entry of a list of allowed origins that cannot be used.
///
/// ```
/// use sinew_web::OriginPolicy;
/// use sinew_web::error::OriginListError;
///
/// let loose = OriginPolicy::parse("*example.com");
/// assert_eq!(loose, Err(OriginListError::LooseStar("*example.com".to_owned())));
/// let malformed = OriginPolicy::parse("https://");
/// assert_eq!(malformed, Err(OriginListError::Malformed("https://".to_owned())));
/// ```
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginListError {
    /// It has no form we know.
    #[error(
        "`{0}` is no origin (`https://app.example.com`), host (`app.example.com:3000`) or suffix (`*.example.com`)"
    )]
    Malformed(String),
    /// The star is not followed by a dot, so the entry would let strangers in.
    #[error(
        "`{0}` would match hosts of other people too; write `*.` before the domain, and the domain itself as an entry of its own"
    )]
    LooseStar(String),
}

/// Why a request was refused for its `Origin`.
///
/// ```
/// use axum::response::IntoResponse;
/// use http::HeaderMap;
/// use sinew_web::error::OriginRefused;
/// use sinew_web::{Effective, OriginPolicy};
///
/// let effective = Effective { client_address: None, secure: true, host: "app.example.com".into() };
/// let policy = OriginPolicy::list(["https://app.example.com"])?;
/// let mut headers = HeaderMap::new();
/// assert_eq!(policy.check(&headers, &effective), Err(OriginRefused::Missing));
///
/// headers.insert("origin", "https://evil.example".parse()?);
/// let refused = policy.check(&headers, &effective).unwrap_err();
/// assert_eq!(refused, OriginRefused::NotAllowed("https://evil.example".to_owned()));
/// assert_eq!(refused.into_response().status(), 403);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginRefused {
    /// A list is configured and the request names no origin.
    #[error("the request names no origin")]
    Missing,
    /// The origin is not one of those allowed.
    #[error("the origin `{0}` is not allowed")]
    NotAllowed(String),
}

/// A path that cannot be that of an application.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error(
    "`{0}` cannot be the path of the application; write `/app`: a slash first, none last, and letters, digits, `-`, `.`, `_` and `~` between"
)]
pub struct BasePathError(pub String);

/// An address that cannot be that of the client's files.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error(
    "`{0}` cannot be where the client's files are; write `https://cdn.example.com` with or without a path, without a query"
)]
pub struct AssetsUrlError(pub String);

/// An address at which no visitor can find the application.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error(
    "`{0}` cannot be where visitors find the application; write `https://shop.example.com`: a scheme and a host, no path"
)]
pub struct PublicUrlError(pub String);

/// A cookie configuration that a browser would refuse.
///
/// ```
/// use sinew_web::CookieConfig;
/// use sinew_web::error::CookieError;
///
/// let named = |name: &str| CookieConfig { name: name.to_owned(), ..CookieConfig::default() };
/// assert_eq!(named("my session").validate(), Err(CookieError::Name("my session".to_owned())));
/// assert_eq!(named("__Host-session").validate(), Err(CookieError::NeedsSecure));
/// ```
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The name has characters that a cookie's name may not have.
    #[error("`{0}` cannot be the name of a cookie")]
    Name(String),
    /// The domain has characters that a domain may not have.
    #[error("`{0}` cannot be the domain of a cookie; write `example.com`")]
    Domain(String),
    /// The path does not begin with `/`, or has characters that a cookie's path may not have.
    #[error("`{0}` cannot be the path of a cookie; write `/` or `/app`")]
    Path(String),
    /// A `__Host-` cookie may have no domain and must be on the path `/`.
    #[error("a cookie named `__Host-…` can have no domain and no path but `/`")]
    HostPrefix,
    /// `SameSite=None` and the two prefixes are only accepted on secure cookies.
    #[error("the cookie would be refused by browsers unless it is always secure")]
    NeedsSecure,
}

/// Why a certificate cannot be used. No sentence repeats anything of a key.
///
/// ```
/// use sinew_web::error::TlsError;
/// use sinew_web::server::{Tls, TlsFiles};
///
/// let files = TlsFiles { certificate: "nowhere/cert.pem".into(), key: "nowhere/key.pem".into() };
/// let error: TlsError = Tls::from_files(files).unwrap_err();
/// assert_eq!(error.to_string(), "cannot read nowhere/cert.pem");
/// ```
#[cfg(feature = "tls")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no certificate in the file.
    #[error("{} holds no certificate: it begins with `-----BEGIN CERTIFICATE-----`", .0.display())]
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    #[error("{} holds no private key that can be used: it begins with `-----BEGIN PRIVATE KEY-----`", .0.display())]
    NoKey(PathBuf),
    /// They are of a kind that is not known, or do not belong together.
    #[error("the certificate cannot be used with the key")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(feature = "tls")]
impl TlsError {
    pub(crate) fn refused(cause: rustls::Error) -> Self {
        Self::Refused(Box::new(cause))
    }
}
