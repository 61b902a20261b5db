//! Sessions that are in a store, and whose cookie names them.

use sinew_store::{Saved, SessionError};

use super::in_cookies::SessionChange;
use super::{Cookie, SessionLayer, Shared, Visit};
use crate::sealed::SessionSealer;

/// What the layer needs when somebody keeps connections by session.
pub(super) struct InStore {
    pub(super) sealer: Option<SessionSealer>,
    pub(super) on_change: Box<dyn Fn(SessionChange) + Send + Sync>,
}

impl InStore {
    pub(super) fn new(
        sealer: Option<SessionSealer>,
        tell: impl Fn(SessionChange) + Send + Sync + 'static,
    ) -> Self {
        let on_change = Box::new(tell);
        Self { sealer, on_change }
    }
}

impl SessionLayer {
    /// Tells `tell` what became of the sessions in the store: that one has [ended](SessionChange::Ended), or
    /// [goes on](SessionChange::Moved) under another id, and which connection belongs to the page that asked for it.
    /// It hears so after that was saved and before the answer leaves, and must not block.
    ///
    /// It takes the place of [`on_end`](Self::on_end). Of several calls of these functions the first counts.
    /// `sealer` opens the tickets by which a page takes over an id that a reflex has renewed: see
    /// [`redeem`](Self::redeem).
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use sinew_store::{MemoryStore, Session, Sessions};
    /// use sinew_verifier::SecretKeyBase;
    /// use sinew_web::session_layer::SessionChange;
    /// use sinew_web::{CookieConfig, SessionLayer, SessionSealer, TrustedProxies};
    /// use tower::ServiceExt as _;
    ///
    /// async fn login(session: Session) {
    ///     session.renew_id();
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("theme", "dark").await?;
    /// session.commit().await?;
    ///
    /// let changes = Arc::new(Mutex::new(Vec::new()));
    /// let told = changes.clone();
    /// let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
    /// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none())
    ///     .in_store(sealer, move |change| told.lock().unwrap().push(change));
    /// let app = Router::new().route("/login", get(login)).layer(layer);
    ///
    /// let request = Request::get("/login")
    ///     .header("cookie", format!("_sinew_session={}", session.id()))
    ///     .header("sinew-socket", "the page's")
    ///     .body(Body::empty())?;
    /// let response = app.oneshot(request).await?;
    /// let changes = changes.lock().unwrap();
    /// let [SessionChange::Moved { from, to, socket }] = &changes[..] else { panic!() };
    /// assert_eq!(*from, session.id());
    /// assert!(response.headers()["set-cookie"].to_str()?.contains(&to.to_string()));
    /// assert_eq!(socket.as_deref(), Some("the page's"));
    /// # Ok(()) }
    /// ```
    pub fn in_store(
        self,
        sealer: SessionSealer,
        tell: impl Fn(SessionChange) + Send + Sync + 'static,
    ) -> Self {
        // An error means that there is one already.
        let _ = self.0.in_store.set(InStore::new(Some(sealer), tell));
        self
    }
}

impl Shared {
    /// Commits, and says what becomes of the cookie.
    pub(super) async fn save(&self, visit: &Visit) -> Result<Cookie, SessionError> {
        let session = &visit.session;
        let was_dirty = session.is_dirty();
        let mut known = None;
        // A page that only ensures the session of a visitor who has one then writes
        // nothing: a read is far cheaper than a commit that waits for the disk.
        if was_dirty && session.exists().await? {
            known = Some(session.id());
        }
        let is_dirty = session.is_dirty();
        let was_used = !session.is_untouched();
        let saved = session.commit().await?;
        let id = session.id();
        match known {
            Some(known) if saved == Saved::Destroyed => self.tell(SessionChange::Ended(known)),
            Some(from) if from != id => self.tell(SessionChange::Moved {
                from,
                to: id,
                socket: visit.socket.clone(),
            }),
            _ => {}
        }
        Ok(match saved {
            Saved::Destroyed if visit.presented.has_cookie => Cookie::Deleted,
            Saved::Destroyed => Cookie::Stays,
            // Destroyed, but there was no such session: nothing to write, one cookie too many.
            _ if was_dirty && !is_dirty && !was_used && visit.presented.has_cookie => {
                Cookie::Deleted
            }
            _ if !was_used => Cookie::Stays,
            _ if !visit.presented.ids.contains(&id) || self.cookie.persistent => {
                Cookie::Set(id.to_string())
            }
            _ => Cookie::Stays,
        })
    }

    pub(super) fn tell(&self, change: SessionChange) {
        if let Some(in_store) = self.in_store.get() {
            (in_store.on_change)(change);
        }
    }
}

#[cfg(test)]
mod tests;
