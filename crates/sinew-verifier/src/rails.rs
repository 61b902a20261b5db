//! What Rails writes, for programs that share a session with a Rails application.
//!
//! - [`RailsSession`]: a session as a JSON object whose fields are kept as they are written.
//! - [`SessionCookie`]: the encrypted session cookie of `ActionDispatch::Session::CookieStore`.
//! - [`Metadata`]: purpose and expiry of a message, as `ActiveSupport::Messages::Metadata` wraps them around it.
//!
//! Only JSON is read. A session that Rails has written with Marshal or MessagePack is recognised and refused by name,
//! never parsed: Marshal builds arbitrary objects, and MessagePack's extensions are Rails' own.
//!
//! ```
//! use std::time::SystemTime;
//! use sinew_verifier::rails::{RailsSession, SessionCookie};
//! use sinew_verifier::{Digest, SecretKeyBase};
//!
//! let secret = SecretKeyBase::new("the secret_key_base of the Rails application");
//! let cookie = SessionCookie::new("_app_session", &secret, Digest::Sha256);
//!
//! let mut session = RailsSession::new("00112233445566778899aabbccddeeff");
//! session.set("user_id", "42")?;
//! let value = cookie.seal(&session, None)?;
//!
//! let opened = cookie.open(&value, SystemTime::now())?;
//! assert_eq!(opened.session.get("user_id"), Some("42"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cookie;
mod metadata;
mod session;

pub use cookie::{
    COOKIE_BYTES_MAX, CookieMetadata, OpenedSession, SALT, SessionCookie, SessionCookieError,
};
pub use metadata::{Envelope, Metadata, MetadataError};
pub use session::{RailsSession, RailsSessionError, SESSION_BYTES_MAX};
