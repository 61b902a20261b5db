//! The cookie of a Rails application as the place of sessions.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sinew_store::SessionId;
use sinew_store::cookie::CookieState;
use sinew_verifier::MessageEncryptor;
use sinew_verifier::rails::{RailsSession, SessionCookie};

use super::{COOKIE_BYTES_MAX, SessionSealer};
use crate::cookie::CookieConfig;

/// The field of a Rails session that holds its id.
const SESSION_ID: &str = "session_id";
/// How often a cookie is sealed anew that became too long: how many of its characters are percent-encoded is chance.
const ATTEMPTS_MAX: usize = 4;

#[derive(Clone)]
pub(super) struct RailsCookie {
    cookie: SessionCookie,
    /// How long sessions live.
    lifetime: Duration,
    /// Whether the cookie says when it ends.
    is_persistent: bool,
}

impl SessionSealer {
    /// The same for tickets and messages, with the session cookie of a Rails application: sessions that Rails begins
    /// are opened here, and the other way round. `config` and `lifetime` are those of the cookie, whose name is
    /// `cookie`'s.
    ///
    /// The store below has to be [shared](sinew_store::cookie::CookieStoreConfig::is_shared), with the room of
    /// [`shared_bytes_max`].
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use sinew_store::SessionId;
    /// use sinew_verifier::rails::{RailsSession, SessionCookie};
    /// use sinew_verifier::{Digest, SecretKeyBase};
    /// use sinew_web::{CookieConfig, SessionSealer};
    ///
    /// let secret = SecretKeyBase::new("the secret_key_base");
    /// let rails = SessionCookie::new("_app_session", &secret, Digest::Sha256);
    /// let config = CookieConfig { name: "_app_session".to_owned(), ..CookieConfig::default() };
    /// let life = Duration::from_secs(3600);
    /// let sealer = SessionSealer::new(&secret, &[]).with_rails_cookie(rails.clone(), &config, life);
    ///
    /// // What Rails has written.
    /// let id = SessionId::generate();
    /// let mut session = RailsSession::new(&id.to_string());
    /// session.set("user_id", "42")?;
    /// let value = rails.seal(&session, None)?;
    ///
    /// let (state, is_by_older_secret) = sealer.open_cookie(&value).ok_or("opens")?;
    /// assert_eq!((state.id(), is_by_older_secret), (id, false));
    /// assert_eq!(state.keys().collect::<Vec<_>>(), ["user_id"]);
    ///
    /// // What Rails reads.
    /// let opened = rails.open(&sealer.seal_cookie(&state, 512), SystemTime::now())?;
    /// assert_eq!(opened.session.get("user_id"), Some("42"));
    /// assert_eq!(opened.session.session_id(), Some(id.to_string()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_rails_cookie(
        mut self,
        cookie: SessionCookie,
        config: &CookieConfig,
        lifetime: Duration,
    ) -> Self {
        self.rails = Some(RailsCookie {
            cookie,
            lifetime,
            is_persistent: config.persistent,
        });
        self
    }
}

impl RailsCookie {
    pub(super) fn seal(&self, state: &CookieState) -> String {
        let end = state.issued_at().checked_add(self.lifetime);
        let end = end.filter(|_| self.is_persistent);
        let whole = session(state.id(), &state.to_shared_fields());
        // What Rails wrote may leave no room for our own field; without it the session looks as if Rails wrote it.
        let bare = || session(state.id(), state.fields());
        for session in std::iter::repeat_n(whole, ATTEMPTS_MAX).chain(std::iter::once_with(bare)) {
            match self.cookie.seal(&session, end) {
                Ok(value) => return value,
                Err(error) => tracing::debug!(%error, "a session cookie is sealed again"),
            }
        }
        // What was read from a cookie fits into one, and what is written has to fit into the store's room.
        tracing::error!("a session does not fit into its cookie, and is dropped");
        String::new()
    }

    /// The session in a cookie; nothing when it is none. What is wrong with it is for the log alone.
    pub(super) fn open(&self, value: &str, now: SystemTime) -> Option<(CookieState, bool)> {
        let opened = match self.cookie.open(value, now) {
            Ok(opened) => opened,
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map(ToString::to_string).unwrap_or_default();
                tracing::debug!(%error, cause, "a session cookie of Rails is not read");
                return None;
            }
        };
        let id: SessionId = opened.session.session_id()?.parse().ok()?;
        let fields: BTreeMap<_, _> = opened
            .session
            .iter()
            .filter(|(name, _)| *name != SESSION_ID)
            .map(|(name, value)| (name.to_owned(), value.to_owned().into()))
            .collect();
        let issued_at = match opened.expires_at {
            Some(end) => end.checked_sub(self.lifetime).unwrap_or(now).min(now),
            None => self.recently(now),
        };
        let state = CookieState::from_shared_fields(id, fields, issued_at);
        Some((state, opened.with_older_key))
    }

    /// About now, and the same for a tenth of a session's life: a cookie that says nothing of its age shall not look
    /// like another one at each request.
    fn recently(&self, now: SystemTime) -> SystemTime {
        let step = (self.lifetime.as_secs() / 10).max(1);
        let now = now.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = now.unwrap_or_default().as_secs();
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds - seconds % step)
    }
}

/// What Rails reads.
fn session(id: SessionId, fields: &BTreeMap<String, Bytes>) -> RailsSession {
    let mut session = RailsSession::new(&id.to_string());
    for (name, value) in fields {
        // Fields are JSON; one that is not could not stand beside the others.
        let text = std::str::from_utf8(value).unwrap_or_default();
        if session.set(name, text).is_err() {
            tracing::warn!(
                name,
                "a session field is not JSON, and is left out of the cookie"
            );
        }
    }
    session
}

/// How many bytes a session may have as one JSON object, so that it fits into the cookie of a Rails application: as
/// [`packed_bytes_max`](super::packed_bytes_max), for a [shared](sinew_store::cookie::CookieStoreConfig::is_shared)
/// store.
///
/// ```
/// use std::time::Duration;
/// use sinew_web::CookieConfig;
/// use sinew_web::sealed::{packed_bytes_max, shared_bytes_max};
///
/// let life = Duration::from_secs(14 * 24 * 60 * 60);
/// let most = shared_bytes_max(&CookieConfig::default(), life);
/// assert_eq!(most, 1_965);
/// // It is encoded twice, and not compressed.
/// assert!(most < packed_bytes_max(&CookieConfig::default(), life));
/// ```
pub fn shared_bytes_max(cookie: &CookieConfig, lifetime: Duration) -> usize {
    let around = cookie.set("", true, lifetime).len();
    let encoded = COOKIE_BYTES_MAX.saturating_sub(around);
    // One character in 32 of base64 becomes three, which is a sixteenth more; a tenth is hardly ever passed.
    let sealed = encoded * 10 / 11;
    let wrapped = sealed.saturating_sub(MessageEncryptor::sealed_bytes(0)) / 4 * 3;
    let envelope = r#"{"_rails":{"message":"","exp":"2026-01-01T00:00:00.000Z","pur":"cookie."}}"#;
    let base64 = wrapped.saturating_sub(envelope.len() + cookie.name.len());
    base64 / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use sinew_verifier::{Digest, SecretKeyBase};

    fn rails(is_persistent: bool) -> RailsCookie {
        let secret = SecretKeyBase::new("secret");
        RailsCookie {
            cookie: SessionCookie::new("_app", &secret, Digest::Sha256),
            lifetime: Duration::from_secs(3600),
            is_persistent,
        }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn a_life_ends_when_the_cookie_says() {
        let fields = BTreeMap::from([("user".to_owned(), "1".into())]);
        let state = CookieState::from_shared_fields(SessionId::generate(), fields, now());
        for (is_persistent, is_over) in [(true, true), (false, false)] {
            let rails = rails(is_persistent);
            let value = rails.seal(&state);
            let (opened, _) = rails.open(&value, now()).expect("opens");
            assert_eq!(opened.version(), state.version());
            assert_eq!(opened.issued_at(), now());
            let later = now() + Duration::from_secs(3601);
            assert_eq!(rails.open(&value, later).is_none(), is_over);
        }
    }

    #[test]
    fn a_cookie_without_an_age_is_the_same_for_a_while() {
        let rails = rails(false);
        let value = rails
            .cookie
            .seal(&RailsSession::new("00112233445566778899aabbccddeeff"), None);
        let value = value.expect("seals");
        let at = |seconds| rails.open(&value, now() + Duration::from_secs(seconds));
        assert_eq!(at(0), at(359));
        assert_ne!(at(0), at(361));
    }

    #[test]
    fn an_id_that_is_none_of_ours_is_no_session() {
        let rails = rails(false);
        for session in [RailsSession::new("0f"), RailsSession::default()] {
            let value = rails.cookie.seal(&session, None).expect("seals");
            assert!(rails.open(&value, now()).is_none());
        }
    }

    #[test]
    fn what_the_room_allows_fits_into_the_cookie() {
        let config = CookieConfig {
            name: "_app".to_owned(),
            ..CookieConfig::default()
        };
        let rails = rails(true);
        let most = shared_bytes_max(&config, rails.lifetime);
        // Longer than any, with the id and a mark of the longest lineage.
        let text = format!("\"{}\"", "x".repeat(most - 52));
        let mut session = RailsSession::new("00112233445566778899aabbccddeeff");
        session.set("a", &text).expect("JSON");
        for _ in 0..200 {
            let value = rails.cookie.seal(&session, Some(now())).expect("fits");
            let header = config.set(&value, true, rails.lifetime);
            assert!(header.len() <= COOKIE_BYTES_MAX, "{}", header.len());
        }
    }
}
