//! What a session in a cookie may cost.

use std::time::Duration;

/// How large the sessions of a [`CookieStore`](super::CookieStore) may become, and how long it remembers them.
///
/// ```
/// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
/// use sinew_store::{SessionError, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), SessionError> {
/// let mut config = CookieStoreConfig::default();
/// config.packed_bytes_max = 200;
/// let sessions = Sessions::new(std::sync::Arc::new(CookieStore::new(config)));
///
/// let session = sessions.create();
/// session.set("theme", "dark").await?;
/// let noise: Vec<u64> = (1..40).map(|n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
/// let refused = session.set("noise", &noise).await;
/// assert!(matches!(refused, Err(SessionError::CookieTooLarge { bytes_max: 200, .. })));
/// assert_eq!(session.keys().await?, ["theme"], "nothing of it was written");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieStoreConfig {
    /// A session that nobody used for this long is gone. Default: 14 days.
    pub expire_after: Duration,
    /// The most bytes a session may have when it is packed, and before it is sealed. Default: 2,900, about what a
    /// cookie of 4,096 bytes holds; the edge computes it from the cookie's name and attributes. A write that would
    /// take more is [`SessionError::CookieTooLarge`](crate::SessionError::CookieTooLarge).
    pub packed_bytes_max: usize,
    /// Fields of more bytes than this are compressed. Default: 512: below it there is little to win.
    pub compress_over: usize,
    /// Whether the cookie is shared with another program, and so holds the fields as one JSON object, which is not
    /// compressed: [`packed_bytes_max`](Self::packed_bytes_max) is then of that. Default: no. See
    /// [`CookieState::to_shared_fields`](super::CookieState::to_shared_fields).
    pub is_shared: bool,
    /// How many sessions are remembered that no connection holds. Default: 100,000; those that were used least
    /// recently are forgotten before it is passed, and what the browser's cookie says counts then. From 2,048 on it is
    /// split evenly between two to sixteen parts, each with a lock of its own.
    pub remembered_max: usize,
    /// How long a session is remembered after a request. Default: 60 s: as long as requests of one page may take, so
    /// that those which run beside each other lose nothing of each other's.
    pub remembered_for: Duration,
    /// How long a session is remembered whose newest version has not reached the browser. Default: 1 hour.
    pub pending_for: Duration,
}

impl Default for CookieStoreConfig {
    fn default() -> CookieStoreConfig {
        CookieStoreConfig {
            expire_after: Duration::from_secs(14 * 24 * 60 * 60),
            packed_bytes_max: 2_900,
            compress_over: 512,
            is_shared: false,
            remembered_max: 100_000,
            remembered_for: Duration::from_secs(60),
            pending_for: Duration::from_secs(60 * 60),
        }
    }
}
