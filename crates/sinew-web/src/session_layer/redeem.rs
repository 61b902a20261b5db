//! The request by which a page takes over what a reflex has written.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use sinew_store::cookie::{CookieState, Redeemed};

use super::in_cookies::SessionChange;
use super::{SessionLayer, Shared};
use crate::sealed::TICKET_BYTES_MAX;

/// The header that says what became of a ticket: `redeemed`, `merged`, `replayed`, `foreign`, `unknown`, `too-large`,
/// `over`, `no-session`, `malformed`, `sender`.
pub const OUTCOME_HEADER: &str = "sinew-ticket";

/// What comes around a ticket in the body of a request.
const BODY_BYTES_MAX: usize = TICKET_BYTES_MAX + 64;

impl SessionLayer {
    /// Answers the request by which a page redeems the ticket of a reflex: a POST of `{"ticket":"…"}` as JSON, from a
    /// page of the same origin.
    ///
    /// The answer is 204, with the session's next cookie unless the browser holds it already; 409 when the ticket
    /// changes nothing, 400 when it is none, and 403 or 415 when the request is not one that only a page of ours can
    /// make. The header `Sinew-Ticket` says which it was. While sessions are not kept in cookies it is 404.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use axum::body::Bytes;
    /// use http::Request;
    /// use sinew_store::Sessions;
    /// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
    /// use sinew_verifier::SecretKeyBase;
    /// use sinew_web::{CookieConfig, SessionLayer, SessionSealer, TrustedProxies};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = CookieStore::new(CookieStoreConfig::default());
    /// let sessions = Sessions::new(Arc::new(store.clone()));
    /// let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
    /// let layer = SessionLayer::new(sessions.clone(), CookieConfig::default(), TrustedProxies::none())
    ///     .in_cookies(store.clone(), sealer.clone(), |_| {});
    ///
    /// let session = sessions.create();
    /// session.ensure();
    /// session.commit().await?;
    /// let cookie = store.handed_out(session.id()).ok_or("stored")?;
    /// session.set("theme", "dark").await?;
    /// session.commit().await?;
    /// let offer = store.offer(session.id()).ok_or("something was written")?;
    ///
    /// let request = Request::post("/_sinew/session")
    ///     .header("content-type", "application/json")
    ///     .header("sec-fetch-site", "same-origin")
    ///     .header("cookie", format!("_sinew_session={}", sealer.seal_cookie(&cookie, 512)))
    ///     .body(Bytes::from(format!("{{\"ticket\":\"{}\"}}", sealer.seal_ticket(offer.ticket(), 512))))?;
    /// let response = layer.redeem(request);
    /// assert_eq!(response.status(), 204);
    /// assert_eq!(response.headers()["sinew-ticket"], "redeemed");
    /// assert!(response.headers()["set-cookie"].to_str()?.contains("; HttpOnly"));
    /// assert_eq!(layer.statistics().tickets_redeemed, 1);
    /// # Ok(()) }
    /// ```
    pub fn redeem(&self, mut request: Request<Bytes>) -> Response {
        let shared = &self.0;
        let secure = shared.effective(&mut request);
        let Some(cookies) = shared.in_cookies.get() else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if let Err(refused) = check_sender(&request) {
            return shared.refused(refused, "sender");
        }
        let Some(ticket) = ticket_of(request.body()) else {
            return shared.refused(StatusCode::BAD_REQUEST, "malformed");
        };
        let Some(ticket) = cookies.sealer.open_ticket(ticket) else {
            return shared.refused(StatusCode::BAD_REQUEST, "malformed");
        };
        let presented = shared.presented(request.headers());
        shared.count_malformed(&presented);
        // A session that is over here may be so because of this ticket, which gives it another id.
        let Some(opened) = presented.opened.or(presented.over) else {
            return shared.refused(StatusCode::CONFLICT, "no-session");
        };
        let (from, held) = (ticket.from(), opened.state.clone());
        let redeemed = cookies.store.redeem(ticket, opened.state);
        let tell = |state: CookieState| {
            (cookies.on_change)(match state.id() == from {
                true => SessionChange::Written(state),
                false => SessionChange::Renewed {
                    from,
                    state,
                    socket: None,
                },
            });
        };
        match redeemed {
            Redeemed::Applied(state) => {
                count(&shared.counters.tickets_redeemed);
                tell(state.clone());
                shared.handed_over(&state, secure, "redeemed")
            }
            Redeemed::Merged(state) => {
                count(&shared.counters.tickets_merged);
                tell(state.clone());
                shared.handed_over(&state, secure, "merged")
            }
            Redeemed::Replayed => {
                count(&shared.counters.tickets_replayed);
                // Whoever waits for it may have missed it.
                (cookies.on_change)(SessionChange::Written(held));
                answer(StatusCode::NO_CONTENT, "replayed")
            }
            Redeemed::Foreign => shared.refused(StatusCode::CONFLICT, "foreign"),
            Redeemed::Over => shared.refused(StatusCode::CONFLICT, "over"),
            Redeemed::TooLarge => {
                (cookies.on_change)(SessionChange::Written(held));
                shared.refused(StatusCode::CONFLICT, "too-large")
            }
            _ => {
                // So that the next ticket is made from what the browser holds.
                (cookies.on_change)(SessionChange::Written(held));
                shared.refused(StatusCode::CONFLICT, "unknown")
            }
        }
    }
}

impl Shared {
    fn handed_over(&self, state: &CookieState, secure: bool, outcome: &'static str) -> Response {
        let mut response = answer(StatusCode::NO_CONTENT, outcome);
        if let Some(cookies) = self.in_cookies.get() {
            let life = self.sessions.config().expire_after;
            let cookie = self.cookie.set(&cookies.seal(state), secure, life);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn refused(&self, status: StatusCode, outcome: &'static str) -> Response {
        count(&self.counters.tickets_refused);
        tracing::debug!(outcome, "the ticket of a session was refused");
        answer(status, outcome)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn answer(status: StatusCode, outcome: &'static str) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(OUTCOME_HEADER, HeaderValue::from_static(outcome));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Only a script of a page of this origin sends JSON and says where it comes from.
fn check_sender(request: &Request<Bytes>) -> Result<(), StatusCode> {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let is_ours = match header_of(headers, "sec-fetch-site") {
        Some(site) => site == "same-origin",
        // Browsers leave it out over http, except on the machine itself.
        None => {
            let effective = request.extensions().get::<crate::Effective>();
            let origin = effective.map(crate::Effective::origin);
            origin.is_some() && text(header::ORIGIN) == origin.as_deref()
        }
    };
    if is_ours {
        Ok(())
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The ticket in `{"ticket":"…"}`. What a page sends has no escapes in it, since the alphabet of sealed texts has
/// nothing to escape.
fn ticket_of(body: &Bytes) -> Option<&str> {
    if body.len() > BODY_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    let inner = text.strip_prefix('{')?.strip_suffix('}')?.trim();
    let value = inner.strip_prefix("\"ticket\"")?.trim_start();
    let value = value.strip_prefix(':')?.trim_start();
    let ticket = value.strip_prefix('"')?.strip_suffix('"')?;
    (!ticket.contains(['"', '\\'])).then_some(ticket)
}
