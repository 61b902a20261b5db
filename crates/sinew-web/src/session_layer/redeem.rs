//! The request by which a page takes over what a reflex has written, or the id that it has renewed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use sinew_store::SessionError;
use sinew_store::cookie::{CookieState, Redeemed};

use super::in_cookies::{InCookies, SessionChange};
use super::{SessionLayer, Shared};
use crate::sealed::{MoveTicket, TICKET_BYTES_MAX};

/// The header that says what became of a ticket: `redeemed`, `merged`, `replayed`, `foreign`, `unknown`, `too-large`,
/// `over`, `no-session`, `expired`, `malformed`, `sender`.
pub const OUTCOME_HEADER: &str = "sinew-ticket";

/// What comes around a ticket in the body of a request.
const BODY_BYTES_MAX: usize = TICKET_BYTES_MAX + 64;

impl SessionLayer {
    /// Answers the request by which a page redeems the ticket of a reflex: a POST of `{"ticket":"…"}` as JSON, from a
    /// page of the same origin.
    ///
    /// The answer is 204, with the session's next cookie unless the browser holds it already; 409 when the ticket
    /// changes nothing, 400 when it is none, and 403 or 415 when the request is not one that only a page of ours can
    /// make. The header `Sinew-Ticket` says which it was. Where sessions are neither [in cookies](Self::in_cookies) nor
    /// [in a store](Self::in_store) with somebody who makes tickets it is 404.
    ///
    /// A ticket for another id ([`MoveTicket`]) ends the session that the cookie has named. It
    /// changes nothing where that has ended already: it is good once.
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
    /// let response = layer.redeem(request).await;
    /// assert_eq!(response.status(), 204);
    /// assert_eq!(response.headers()["sinew-ticket"], "redeemed");
    /// assert!(response.headers()["set-cookie"].to_str()?.contains("; HttpOnly"));
    /// assert_eq!(layer.statistics().tickets_redeemed, 1);
    /// # Ok(()) }
    /// ```
    pub async fn redeem(&self, mut request: Request<Bytes>) -> Response {
        let shared = &self.0;
        let secure = shared.effective(&mut request);
        let in_cookies = shared.in_cookies.get();
        let in_store = shared.in_store.get().and_then(|it| it.sealer.as_ref());
        if in_cookies.is_none() && in_store.is_none() {
            return StatusCode::NOT_FOUND.into_response();
        }
        if let Err(refused) = check_sender(&request) {
            return shared.refused(refused, "sender");
        }
        let Some(ticket) = ticket_of(request.body()) else {
            return shared.refused(StatusCode::BAD_REQUEST, "malformed");
        };
        match (in_cookies, in_store) {
            (Some(cookies), _) => shared.take_over(cookies, ticket, request.headers(), secure),
            (None, Some(sealer)) => {
                let ticket = sealer.open_move(ticket);
                let moved = shared.move_over(ticket, request.headers(), secure).await;
                moved.unwrap_or_else(|error| shared.failed(&error))
            }
            (None, None) => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

impl Shared {
    /// Takes over what a reflex has written to a session that lives in its cookie.
    fn take_over(
        &self,
        cookies: &InCookies,
        ticket: &str,
        headers: &HeaderMap,
        secure: bool,
    ) -> Response {
        let Some(ticket) = cookies.sealer.open_ticket(ticket) else {
            return self.refused(StatusCode::BAD_REQUEST, "malformed");
        };
        let presented = self.presented(headers);
        self.count_malformed(&presented);
        // A session that is over here may be so because of this ticket, which gives it another id.
        let Some(opened) = presented.opened.or(presented.over) else {
            return self.refused(StatusCode::CONFLICT, "no-session");
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
                count(&self.counters.tickets_redeemed);
                tell(state.clone());
                self.handed_over(&state, secure, "redeemed")
            }
            Redeemed::Merged(state) => {
                count(&self.counters.tickets_merged);
                tell(state.clone());
                self.handed_over(&state, secure, "merged")
            }
            Redeemed::Replayed => {
                count(&self.counters.tickets_replayed);
                // Whoever waits for it may have missed it.
                (cookies.on_change)(SessionChange::Written(held));
                answer(StatusCode::NO_CONTENT, "replayed")
            }
            Redeemed::Foreign => self.refused(StatusCode::CONFLICT, "foreign"),
            Redeemed::Over => self.refused(StatusCode::CONFLICT, "over"),
            Redeemed::TooLarge => {
                (cookies.on_change)(SessionChange::Written(held));
                self.refused(StatusCode::CONFLICT, "too-large")
            }
            _ => {
                // So that the next ticket is made from what the browser holds.
                (cookies.on_change)(SessionChange::Written(held));
                self.refused(StatusCode::CONFLICT, "unknown")
            }
        }
    }

    /// Lets the cookie name the id that a reflex has renewed.
    async fn move_over(
        &self,
        ticket: Option<MoveTicket>,
        headers: &HeaderMap,
        secure: bool,
    ) -> Result<Response, SessionError> {
        let Some(ticket) = ticket else {
            return Ok(self.refused(StatusCode::BAD_REQUEST, "malformed"));
        };
        let refused = |outcome| Ok(self.refused(StatusCode::CONFLICT, outcome));
        let presented = self.presented(headers);
        self.count_malformed(&presented);
        let (from, to) = (ticket.from, ticket.to);
        let moved = SessionChange::Moved {
            from,
            to,
            socket: Some(ticket.socket.clone()),
        };
        if presented.ids.contains(&to) {
            count(&self.counters.tickets_replayed);
            // Whoever waits for it may have missed it.
            self.tell(moved);
            return Ok(answer(StatusCode::NO_CONTENT, "replayed"));
        }
        if presented.ids.is_empty() {
            return refused("no-session");
        }
        if !presented.ids.contains(&from) {
            return refused("foreign");
        }
        if ticket.has_expired(SystemTime::now()) {
            return refused("expired");
        }
        let is_there = self.sessions.open(to).exists().await?;
        // Of several requests with this ticket one ends the session of before.
        if !is_there || !self.sessions.end(from).await? {
            return refused("over");
        }
        count(&self.counters.tickets_redeemed);
        self.tell(moved);
        let mut response = answer(StatusCode::NO_CONTENT, "redeemed");
        let life = self.sessions.config().expire_after;
        let cookie = self.cookie.set(&to.to_string(), secure, life);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    }

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ticket(body: &str) -> Option<String> {
        ticket_of(&Bytes::copy_from_slice(body.as_bytes())).map(str::to_owned)
    }

    #[test]
    fn bodies() {
        for good in [r#"{"ticket":"a--b"}"#, " { \"ticket\" : \"a--b\" }\n"] {
            assert_eq!(ticket(good).as_deref(), Some("a--b"), "{good}");
        }
        let long = format!("{{\"ticket\":\"{}\"}}", "a".repeat(BODY_BYTES_MAX));
        let bad = [
            "",
            "{}",
            "[]",
            r#""ticket""#,
            r#"{"ticket":1}"#,
            r#"{"ticket":"a"#,
            r#"{"ticket":"a","more":"b"}"#,
            r#"{"ticket":"\u0061"}"#,
            &long,
        ];
        for bad in bad {
            assert_eq!(ticket(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_one_or_none(body in prop::collection::vec(any::<u8>(), 0..100), text in "[A-Za-z0-9+/=-]{0,80}") {
            let _ = ticket_of(&Bytes::from(body));
            prop_assert_eq!(ticket(&format!("{{\"ticket\":\"{text}\"}}")), Some(text));
        }
    }
}
