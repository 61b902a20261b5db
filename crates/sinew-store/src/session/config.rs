//! What sessions may cost and how long they live.

use std::time::Duration;

/// How long sessions live and how large they may become.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sinew_store::{MemoryStore, SessionConfig, SessionError, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), SessionError> {
/// let mut config = SessionConfig::default();
/// assert_eq!(config.expire_after, Duration::from_secs(14 * 24 * 60 * 60));
/// config.fields_max = 2;
///
/// let session = Sessions::with_config(Arc::new(MemoryStore::new()), config).create();
/// session.set("a", &1).await?;
/// session.set("b", &2).await?;
/// let refused = session.set("c", &3).await;
/// assert!(matches!(refused, Err(SessionError::TooManyFields { fields_max: 2 })));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionConfig {
    /// A session that nobody used for this long is gone. Default: 14 days.
    ///
    /// It rolls: every write renews it, and so does a commit without writes once more than a
    /// tenth of it has passed and the session was read.
    pub expire_after: Duration,
    /// The most bytes one field's value may have as JSON. Default: 64 KiB. A larger one is
    /// refused by the write with [`SessionError::FieldTooLarge`](crate::SessionError::FieldTooLarge).
    pub field_bytes_max: usize,
    /// The most bytes that all names and values may have together. Default: 256 KiB.
    ///
    /// Refused with [`SessionError::SessionTooLarge`](crate::SessionError::SessionTooLarge) by
    /// the write when the session was read before, otherwise by the commit.
    pub session_bytes_max: usize,
    /// The most fields of one session. Default: 256. Refused like
    /// [`session_bytes_max`](SessionConfig::session_bytes_max), with
    /// [`SessionError::TooManyFields`](crate::SessionError::TooManyFields).
    pub fields_max: usize,
    /// The most bytes of a field's name. Default: 256. A longer one is refused by the write
    /// with [`SessionError::NameTooLong`](crate::SessionError::NameTooLong).
    pub name_bytes_max: usize,
    /// How many times in a row one commit may meet another's write of the same field before
    /// it gives up with [`SessionError::Contended`](crate::SessionError::Contended).
    /// Default: 1,000.
    ///
    /// Every conflict means that somebody else's commit of the same field succeeded, so this
    /// many concurrent writers of one field are always served; waiting between attempts would
    /// only make them slower.
    pub conflicts_max: u32,
    /// Fields of more bytes than this are compressed where the session lives in its cookie. Default: 512. No other
    /// store looks at it.
    pub compress_cookie_over: usize,
}

impl Default for SessionConfig {
    fn default() -> SessionConfig {
        SessionConfig {
            expire_after: Duration::from_secs(14 * 24 * 60 * 60),
            field_bytes_max: 64 * 1024,
            session_bytes_max: 256 * 1024,
            fields_max: 256,
            name_bytes_max: 256,
            conflicts_max: 1_000,
            compress_cookie_over: 512,
        }
    }
}
