//! Sessions that live in their cookie.

use std::sync::atomic::Ordering;

use http::{HeaderMap, header};
use sinew_store::cookie::{CookieState, CookieStore, Learned};
use sinew_store::{Saved, SessionError, SessionId};

use super::{COOKIES_MAX, Cookie, Presented, Shared, Visit};
use crate::sealed::SessionSealer;

/// The header by which a request says which connection belongs to the page that sends it, so that it can go on under
/// the session's new id: what the server has told that connection alone.
pub const SOCKET_HEADER: &str = "sinew-socket";

/// The most bytes of that header that are looked at.
const SOCKET_BYTES_MAX: usize = 64;

/// What became of a session, for those who have connections of it: see
/// [`SessionLayer::in_cookies`](super::SessionLayer::in_cookies) and [`SessionLayer::in_store`](super::SessionLayer::in_store).
///
/// ```
/// use sinew_store::SessionId;
/// use sinew_web::session_layer::SessionChange;
///
/// let id = SessionId::generate();
/// let SessionChange::Ended(ended) = SessionChange::Ended(id) else { panic!() };
/// assert_eq!(ended, id);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionChange {
    /// The session lives in its cookie: the browser holds this version now, or will when the answer has arrived.
    Written(CookieState),
    /// The session lives in its cookie, and goes on under another id.
    Renewed {
        /// The id that is dead now.
        from: SessionId,
        /// What it became.
        state: CookieState,
        /// What the request said of its page's connection ([`SOCKET_HEADER`]).
        socket: Option<String>,
    },
    /// The session is in a store, and goes on under another id.
    Moved {
        /// The id that is dead now.
        from: SessionId,
        /// The id that the browser's cookie names when the answer has arrived.
        to: SessionId,
        /// What the request said of its page's connection ([`SOCKET_HEADER`]).
        socket: Option<String>,
    },
    /// The session has ended.
    Ended(SessionId),
}

/// What the layer needs when the cookie is the session.
pub(super) struct InCookies {
    pub(super) store: CookieStore,
    pub(super) sealer: SessionSealer,
    pub(super) on_change: Box<dyn Fn(SessionChange) + Send + Sync>,
}

/// The cookie of a request, opened.
pub(super) struct Opened {
    pub(super) state: CookieState,
    /// An older secret opened it: it is to be sealed anew.
    is_by_older_secret: bool,
}

impl InCookies {
    /// The first of the values that is a session of ours and lives.
    pub(super) fn presented<'a>(&self, values: impl Iterator<Item = &'a str>) -> Presented {
        let mut presented = Presented::default();
        for value in values {
            presented.has_cookie = true;
            if presented.looked_at == COOKIES_MAX {
                break;
            }
            presented.looked_at += 1;
            let Some((state, is_by_older_secret)) = self.sealer.open_cookie(value) else {
                continue;
            };
            presented.is_ours = true;
            let is_over = self.store.learn(state.clone()) == Learned::Over;
            let opened = Opened {
                state,
                is_by_older_secret,
            };
            if is_over {
                presented.over.get_or_insert(opened);
                continue;
            }
            presented.ids.push(opened.state.id());
            presented.opened = Some(opened);
            break;
        }
        presented
    }

    pub(super) fn seal(&self, state: &CookieState) -> String {
        let compress_over = self.store.config().compress_over;
        self.sealer.seal_cookie(state, compress_over)
    }

    /// Commits, and says what becomes of the cookie. `is_free`: whether the response may carry one although its
    /// handler did not use the session.
    pub(super) async fn save(&self, visit: &Visit, is_free: bool) -> Result<Cookie, SessionError> {
        let session = &visit.session;
        let known = match session.is_dirty() && session.exists().await? {
            true => Some(session.id()),
            false => None,
        };
        let was_used = !session.is_untouched();
        let saved = session.commit().await?;
        let id = session.id();
        if saved == Saved::Destroyed {
            if let Some(known) = known {
                (self.on_change)(SessionChange::Ended(known));
            }
            return Ok(match visit.presented.has_cookie {
                true => Cookie::Deleted,
                false => Cookie::Stays,
            });
        }
        let Some(newest) = self.store.state(id) else {
            return Ok(Cookie::Stays);
        };
        let is_current = visit.presented.opened.as_ref().is_some_and(|opened| {
            opened.state.version() == newest.version()
                && opened.state.issued_at() == newest.issued_at()
                && !opened.is_by_older_secret
        });
        if is_current || !(was_used || is_free) {
            return Ok(Cookie::Stays);
        }
        let Some(state) = self.store.handed_out(id) else {
            return Ok(Cookie::Stays);
        };
        let value = self.seal(&state);
        match known.filter(|known| *known != id) {
            Some(from) => (self.on_change)(SessionChange::Renewed {
                from,
                state,
                socket: visit.socket.clone(),
            }),
            None if saved == Saved::Written => (self.on_change)(SessionChange::Written(state)),
            None => {}
        }
        Ok(Cookie::Set(value))
    }
}

impl Shared {
    /// Counts a cookie that is no session of ours.
    pub(super) fn count_malformed(&self, presented: &Presented) {
        if presented.has_cookie && !presented.is_ours {
            self.counters
                .cookies_malformed
                .fetch_add(1, Ordering::Relaxed);
            tracing::debug!("a session cookie is none of ours");
        }
    }
}

/// What a request says of its page's connection.
pub(super) fn socket(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(SOCKET_HEADER)?.to_str().ok()?;
    (value.len() <= SOCKET_BYTES_MAX).then(|| value.to_owned())
}

/// Whether a response that did not use the session may carry its cookie: one that says nothing about caching, so that
/// no shared cache keeps it.
pub(super) fn may_carry_cookie(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::CACHE_CONTROL)
}

#[cfg(test)]
mod tests;
