//! The encrypted session cookie.

use std::fmt;
use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use thiserror::Error;

use super::metadata::{Envelope, Metadata, MetadataError};
use super::session::{RailsSession, RailsSessionError};
use crate::{DecryptError, Digest, MessageEncryptor, SecretKeyBase};

/// What keys of encrypted cookies are derived with: the default of `authenticated_encrypted_cookie_salt`.
pub const SALT: &str = "authenticated encrypted cookie";
/// The most bytes that name and value have together, as they stand in the header: what browsers keep of one cookie.
pub const COOKIE_BYTES_MAX: usize = 4096;

/// Whether cookies carry their purpose (`cookie.` and the name): `config.action_dispatch.use_cookies_with_metadata`
/// in Rails. An expiry is sealed in either way, as Rails does.
///
/// ```
/// use std::time::SystemTime;
/// use sinew_verifier::rails::{CookieMetadata, RailsSession, SessionCookie};
/// use sinew_verifier::{Digest, SecretKeyBase};
///
/// let secret = SecretKeyBase::new("secret");
/// let cookie = || SessionCookie::new("_app_session", &secret, Digest::Sha1);
/// let bare = cookie().metadata(CookieMetadata::Absent).seal(&RailsSession::new("0f"), None)?;
///
/// assert!(cookie().open(&bare, SystemTime::now()).is_err());
/// assert!(cookie().metadata(CookieMetadata::Optional).open(&bare, SystemTime::now()).is_ok());
/// # Ok::<(), sinew_verifier::rails::SessionCookieError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CookieMetadata {
    /// Written, and a cookie without is refused: the default, for applications with the defaults of Rails 6.0 and
    /// newer. An encrypted cookie of another name can then not be passed off as the session.
    #[default]
    Required,
    /// Written, and cookies without are read as well, as Rails does: while cookies of before are still about.
    Optional,
    /// Not written, and cookies with or without are read: for applications with the defaults of Rails 5.2 and older.
    Absent,
}

/// Writes and reads the session cookie of `ActionDispatch::Session::CookieStore`: AES-256-GCM
/// (`use_authenticated_cookie_encryption`, the default since Rails 5.2), JSON (`cookies_serializer` of `:json`
/// or `:hybrid`), the value percent-encoded as it stands in the header.
///
/// ```
/// use std::time::SystemTime;
/// use sinew_verifier::rails::{RailsSession, SessionCookie};
/// use sinew_verifier::{Digest, SecretKeyBase};
///
/// let secret = SecretKeyBase::new("secret");
/// let cookie = SessionCookie::new("_app_session", &secret, Digest::Sha256);
/// assert_eq!(cookie.name(), "_app_session");
///
/// let value = cookie.seal(&RailsSession::new("0f"), None)?;
/// assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-%".contains(&byte)));
/// let opened = cookie.open(&value, SystemTime::now())?;
/// assert_eq!(opened.session.session_id().as_deref(), Some("0f"));
///
/// // A cookie of another name has another purpose, even with the same key.
/// let other = SessionCookie::new("_other_session", &secret, Digest::Sha256);
/// assert!(other.open(&value, SystemTime::now()).is_err());
/// # Ok::<(), sinew_verifier::rails::SessionCookieError>(())
/// ```
#[derive(Clone)]
pub struct SessionCookie {
    name: String,
    encryptor: MessageEncryptor,
    metadata: CookieMetadata,
}

impl SessionCookie {
    /// The cookie `name` of an application with this `secret_key_base`, whose key generator uses `digest`.
    ///
    /// Deriving the key takes about a millisecond: make one at start and keep it.
    pub fn new(name: impl Into<String>, secret: &SecretKeyBase, digest: Digest) -> Self {
        let key = secret.derive_encryption_key(SALT, digest);
        // Percent-encoding may triple a text; no browser presents more.
        let encryptor = MessageEncryptor::new(&key).with_message_bytes_max(COOKIE_BYTES_MAX);
        Self {
            name: name.into(),
            encryptor,
            metadata: CookieMetadata::default(),
        }
    }

    /// Also reads cookies that were written with this secret and digest: after the secret was changed, or while an
    /// application goes from SHA-1 to SHA-256.
    ///
    /// # Example: a secret is changed
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sinew_verifier::rails::{RailsSession, SessionCookie};
    /// use sinew_verifier::{Digest, SecretKeyBase};
    ///
    /// let (old, new) = (SecretKeyBase::new("old"), SecretKeyBase::new("new"));
    /// let before = SessionCookie::new("_app_session", &old, Digest::Sha1);
    /// let value = before.seal(&RailsSession::new("0f"), None)?;
    ///
    /// let cookie = SessionCookie::new("_app_session", &new, Digest::Sha256)
    ///     .with_older(&old, Digest::Sha1);
    /// let opened = cookie.open(&value, SystemTime::now())?;
    /// assert!(opened.with_older_key, "worth writing again, with the new key");
    ///
    /// let again = cookie.seal(&opened.session, None)?;
    /// assert!(before.open(&again, SystemTime::now()).is_err());
    /// # Ok::<(), sinew_verifier::rails::SessionCookieError>(())
    /// ```
    #[must_use]
    pub fn with_older(mut self, secret: &SecretKeyBase, digest: Digest) -> Self {
        let key = secret.derive_encryption_key(SALT, digest);
        self.encryptor = self.encryptor.with_older_key(&key);
        self
    }

    /// Whether the purpose is written and asked for; without this, [`CookieMetadata::Required`].
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sinew_verifier::rails::{CookieMetadata, RailsSession, SessionCookie};
    /// use sinew_verifier::{Digest, SecretKeyBase};
    ///
    /// let cookie = SessionCookie::new("_app", &SecretKeyBase::new("secret"), Digest::Sha1);
    /// let older = cookie.clone().metadata(CookieMetadata::Absent);
    /// let (with, bare) = (cookie.seal(&RailsSession::new("0f"), None)?, older.seal(&RailsSession::new("0f"), None)?);
    /// assert!(bare.len() < with.len());
    /// assert!(older.open(&with, SystemTime::now()).is_ok());
    /// # Ok::<(), sinew_verifier::rails::SessionCookieError>(())
    /// ```
    #[must_use]
    pub fn metadata(mut self, metadata: CookieMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value to set. `expires_at` is the cookie's `Expires`, where it has one: it is sealed in, so that a cookie
    /// that was kept longer is refused.
    ///
    /// # Errors
    ///
    /// [`SessionCookieError::TooLarge`] over [`COOKIE_BYTES_MAX`]; a browser would drop such a cookie in silence.
    ///
    /// ```
    /// use sinew_verifier::rails::{RailsSession, SessionCookie, SessionCookieError};
    /// use sinew_verifier::{Digest, SecretKeyBase};
    ///
    /// let cookie = SessionCookie::new("_app", &SecretKeyBase::new("secret"), Digest::Sha256);
    /// let mut session = RailsSession::new("0f");
    /// session.set("note", &format!("\"{}\"", "x".repeat(4000))).expect("JSON");
    /// assert!(matches!(cookie.seal(&session, None), Err(SessionCookieError::TooLarge { .. })));
    /// ```
    pub fn seal(
        &self,
        session: &RailsSession,
        expires_at: Option<SystemTime>,
    ) -> Result<String, SessionCookieError> {
        let metadata = Metadata {
            purpose: (self.metadata != CookieMetadata::Absent).then(|| self.purpose()),
            expires_at,
        };
        let plaintext = metadata
            .wrap(session.to_json().as_bytes(), Envelope::Message)
            .map_err(SessionCookieError::Metadata)?;
        let value = percent_encode(&self.encryptor.encrypt(plaintext.as_bytes()));
        let bytes = self.name.len() + value.len();
        if bytes > COOKIE_BYTES_MAX {
            return Err(SessionCookieError::TooLarge { bytes });
        }
        Ok(value)
    }

    /// The session in a value as it stands in the `Cookie` header.
    ///
    /// # Errors
    ///
    /// A [`SessionCookieError`] for everything that is not such a cookie, expired at `now`, of another purpose, or
    /// written with another serializer. For the visitor all of them mean a fresh session.
    pub fn open(&self, value: &str, now: SystemTime) -> Result<OpenedSession, SessionCookieError> {
        let bytes = self.name.len() + value.len();
        if bytes > COOKIE_BYTES_MAX {
            return Err(SessionCookieError::TooLarge { bytes });
        }
        let message = percent_decode_str(value);
        let message = message
            .decode_utf8()
            .map_err(|_| SessionCookieError::Sealed(DecryptError::NotSealed))?;
        let opened = self.encryptor.decrypt_noting_key(&message);
        let (plaintext, key) = opened.map_err(SessionCookieError::Sealed)?;
        let unwrapped = Metadata::unwrap(&plaintext, now);
        let (text, metadata) = unwrapped.map_err(SessionCookieError::Metadata)?;
        match metadata.purpose {
            Some(purpose) if purpose == self.purpose() => {}
            Some(_) => return Err(SessionCookieError::WrongPurpose),
            None if self.metadata == CookieMetadata::Required => {
                return Err(SessionCookieError::NoPurpose);
            }
            None => {}
        }
        Ok(OpenedSession {
            session: RailsSession::parse(&text).map_err(SessionCookieError::Session)?,
            expires_at: metadata.expires_at,
            with_older_key: key > 0,
        })
    }

    fn purpose(&self) -> String {
        format!("cookie.{}", self.name)
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionCookie")
            .field("name", &self.name)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// What was in a cookie.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinew_verifier::rails::{OpenedSession, RailsSession, SessionCookie};
/// use sinew_verifier::{Digest, SecretKeyBase};
///
/// let cookie = SessionCookie::new("_app_session", &SecretKeyBase::new("secret"), Digest::Sha256);
/// let hour = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
/// let value = cookie.seal(&RailsSession::new("0f"), Some(hour))?;
/// let opened: OpenedSession = cookie.open(&value, SystemTime::UNIX_EPOCH)?;
/// assert_eq!((opened.expires_at, opened.with_older_key), (Some(hour), false));
/// # Ok::<(), sinew_verifier::rails::SessionCookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedSession {
    /// The session's fields.
    pub session: RailsSession,
    /// Until when the cookie counts, when that was sealed in.
    pub expires_at: Option<SystemTime>,
    /// Whether it was sealed with an [older secret](SessionCookie::with_older), and is worth writing again.
    pub with_older_key: bool,
}

/// Why a cookie was not written or not read. Nothing of the session or of a key is in it.
///
/// ```
/// use std::time::SystemTime;
/// use sinew_verifier::rails::{SessionCookie, SessionCookieError};
/// use sinew_verifier::{DecryptError, Digest, SecretKeyBase};
///
/// let cookie = SessionCookie::new("_app_session", &SecretKeyBase::new("secret"), Digest::Sha256);
/// let error = cookie.open("nonsense", SystemTime::now()).unwrap_err();
/// assert!(matches!(error, SessionCookieError::Sealed(DecryptError::NotSealed)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionCookieError {
    /// Name and value are longer than [`COOKIE_BYTES_MAX`].
    #[error("cookie of {bytes} bytes is longer than {COOKIE_BYTES_MAX}")]
    TooLarge {
        /// Length of name and value, in bytes.
        bytes: usize,
    },
    /// Not sealed, or with another key.
    #[error("cookie could not be opened")]
    Sealed(#[source] DecryptError),
    /// Expired, or in an envelope that cannot be read.
    #[error("cookie does not count")]
    Metadata(#[source] MetadataError),
    /// Sealed without the purpose that is [required](CookieMetadata::Required).
    #[error("cookie does not say what it is for")]
    NoPurpose,
    /// Sealed for another purpose, such as another cookie.
    #[error("cookie is for another purpose")]
    WrongPurpose,
    /// Opened, and what is in it cannot be read.
    #[error("session in the cookie cannot be read")]
    Session(#[source] RailsSessionError),
}

/// The three characters of a sealed message that have a meaning elsewhere, as Rack encodes them. A `+` must not
/// stay: Rack would read a space.
fn percent_encode(message: &str) -> String {
    let mut value = String::with_capacity(message.len() + 64);
    for character in message.chars() {
        match character {
            '+' => value.push_str("%2B"),
            '/' => value.push_str("%2F"),
            '=' => value.push_str("%3D"),
            _ => value.push(character),
        }
    }
    value
}

#[cfg(test)]
mod tests;
