//! Why Redis did not do what it was asked, and why settings cannot be used.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use redis::ServerError;

/// Characters of a server's message that are kept.
const DETAIL_CHARACTERS_MAX: usize = 200;

/// What kind of trouble Redis is in.
///
/// ```
/// use sinew_redis::{Redis, RedisErrorKind, RedisSettings, redis};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens on port 1.
/// let redis = Redis::connect_lazily(RedisSettings::from_url("redis://127.0.0.1:1")?)?;
/// let error = redis.query(&redis::cmd("PING")).await.unwrap_err();
/// assert_eq!(error.kind(), RedisErrorKind::Unavailable);
/// assert!(error.is_retryable());
/// assert!(!error.was_sent());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedisErrorKind {
    /// It cannot be reached, did not answer in time, or is not able to serve for now (loading,
    /// failing over, not allowed to write to its disk). Trying again later may work.
    Unavailable,
    /// It has no memory left for a write (`maxmemory`, and nothing may be evicted).
    Full,
    /// It does not let this user in, or does not let it do this.
    Denied,
    /// The command can never succeed as it is.
    Rejected,
}

impl RedisErrorKind {
    fn sentence(self) -> &'static str {
        match self {
            Self::Unavailable => "Redis is unavailable",
            Self::Full => "Redis is full",
            Self::Denied => "Redis denies access",
            Self::Rejected => "Redis refused the command",
        }
    }

    fn of_server(code: &str, detail: &str) -> Self {
        match code {
            "OOM" => Self::Full,
            "NOAUTH" | "WRONGPASS" | "NOPERM" => Self::Denied,
            "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MISCONF" | "NOREPLICAS"
            | "READONLY" | "TRYAGAIN" | "UNKILLABLE" | "MOVED" | "ASK" => Self::Unavailable,
            _ if detail.starts_with("max number of clients") => Self::Unavailable,
            _ if detail.starts_with("invalid password") || detail.starts_with("AUTH ") => {
                Self::Denied
            }
            _ => Self::Rejected,
        }
    }
}

/// Redis did not do what it was asked. Its text is safe to log: it holds no secret and no key.
///
/// ```
/// # use sinew_redis::{Redis, RedisErrorKind, RedisSettings, redis};
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// redis.query(redis::cmd("SET").arg("name").arg("Ada")).await?;
/// let error = redis.query(redis::cmd("LPUSH").arg("name").arg("1")).await.unwrap_err();
/// assert_eq!(error.kind(), RedisErrorKind::Rejected);
/// assert_eq!(error.code(), Some("WRONGTYPE"));
/// assert!(!error.is_retryable());
/// assert!(!error.was_sent());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {reason}", kind.sentence())]
pub struct RedisError {
    kind: RedisErrorKind,
    was_sent: bool,
    code: Option<Arc<str>>,
    reason: Cow<'static, str>,
}

impl RedisError {
    /// What kind of trouble it is.
    pub fn kind(&self) -> RedisErrorKind {
        self.kind
    }

    /// Whether the same command may succeed later without a change: so for
    /// [`Unavailable`](RedisErrorKind::Unavailable) and [`Full`](RedisErrorKind::Full).
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            RedisErrorKind::Unavailable | RedisErrorKind::Full
        )
    }

    /// Whether the command may have been carried out although its answer is missing: it was
    /// sent, and then time was up or the connection was lost.
    pub fn was_sent(&self) -> bool {
        self.was_sent
    }

    /// The first word of the server's own message, such as `WRONGTYPE` or what a script said;
    /// none if the server did not answer.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What the server said after the code.
    pub(crate) fn server_detail(&self) -> Option<&str> {
        self.reason.strip_prefix(self.code()?)?.strip_prefix(' ')
    }

    pub(crate) fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: RedisErrorKind::Unavailable,
            was_sent: false,
            code: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn rejected(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: RedisErrorKind::Rejected,
            ..Self::unavailable(reason)
        }
    }

    /// Several were asked, and none of them could do it: every reason, and the kind of the first that trying again will not
    /// mend.
    pub(crate) fn all_of(errors: &[Self]) -> Self {
        let worst = errors.iter().find(|error| !error.is_retryable());
        let mut reasons: Vec<&str> = Vec::new();
        for error in errors {
            if !reasons.contains(&&*error.reason) {
                reasons.push(&error.reason);
            }
        }
        Self {
            kind: worst.map_or(RedisErrorKind::Unavailable, Self::kind),
            ..Self::unavailable(reasons.join("; "))
        }
    }

    /// Nobody can say whether the command was carried out.
    pub(crate) fn sent(mut self) -> Self {
        self.was_sent = true;
        self
    }

    pub(crate) fn from_server(error: &ServerError) -> Self {
        let (code, detail) = (error.code(), error.details().unwrap_or_default());
        // What follows repeats the command, and with it what may be a secret.
        let detail = detail.split(", with args beginning").next().unwrap_or("");
        let shown: String = detail.chars().take(DETAIL_CHARACTERS_MAX).collect();
        Self {
            kind: RedisErrorKind::of_server(code, detail),
            was_sent: false,
            code: Some(code.into()),
            reason: format!("{code} {shown}").trim_end().to_owned().into(),
        }
    }

    /// What the library says of a connection, or of the answer to one command.
    pub(crate) fn from_library(error: &redis::RedisError) -> Self {
        if let Some(code) = error.code() {
            let detail = error.detail().unwrap_or_default();
            let detail = detail.split(", with args beginning").next().unwrap_or("");
            let shown: String = detail.chars().take(DETAIL_CHARACTERS_MAX).collect();
            return Self {
                kind: RedisErrorKind::of_server(code, detail),
                was_sent: false,
                code: Some(code.into()),
                reason: format!("{code} {shown}").trim_end().to_owned().into(),
            };
        }
        if error.kind() == redis::ErrorKind::AuthenticationFailed {
            return Self {
                kind: RedisErrorKind::Denied,
                ..Self::unavailable("the user name or the password is wrong")
            };
        }
        if error.kind() == redis::ErrorKind::UnexpectedReturnType {
            return Self::rejected("the answer is of another type than was asked for");
        }
        Self::unavailable(error.to_string())
    }
}

impl From<RedisError> for sinew_store::StoreError {
    fn from(error: RedisError) -> Self {
        use sinew_store::StoreErrorKind;

        let kind = match error.kind {
            RedisErrorKind::Unavailable => StoreErrorKind::Unavailable,
            RedisErrorKind::Full => StoreErrorKind::Full,
            RedisErrorKind::Denied | RedisErrorKind::Rejected => StoreErrorKind::Rejected,
        };
        sinew_store::StoreError::new(kind, error)
    }
}

/// Settings cannot be used. The message names the variable and never a secret of its value.
///
/// ```
/// use sinew_redis::{RedisRole, RedisSettings};
///
/// let error = RedisSettings::from_lookup(RedisRole::Cache, |name| {
///     (name == "REDIS_URL").then(|| "redis://:secret@db.example.com:port".to_owned())
/// })
/// .unwrap_err();
/// assert!(error.to_string().starts_with("REDIS_URL is no Redis URL that can be used: "));
/// assert!(!error.to_string().contains("secret"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisSettingsError {
    /// A URL that is none.
    #[error("{variable} is no Redis URL that can be used: {problem}")]
    Url {
        /// The variable it came from.
        variable: Cow<'static, str>,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Several of Heroku's URLs, and nothing that says which.
    #[error(
        "{} are all set: set SINEW_REDIS_URL, or the URL of each role, to the one that is meant",
        variables.join(", ")
    )]
    Ambiguous {
        /// The variables that are set.
        variables: Vec<String>,
    },
    /// A number that is none, or out of its bounds.
    #[error("{variable} is `{value}`, expected {expected}")]
    Number {
        /// The variable.
        variable: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The file of the certificate authority cannot be used.
    #[error(
        "SINEW_REDIS_TLS names {}, which cannot be used: {problem}; expected `system`, \
         `unverified`, or a PEM file of the authority that signed the server's certificate",
        file.display()
    )]
    CaFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system has no certificate authorities.
    #[error(
        "the system has no certificate authorities to verify Redis by: install them \
         (Debian: ca-certificates), or set SINEW_REDIS_TLS to a file of them"
    )]
    NoSystemRoots,
}
