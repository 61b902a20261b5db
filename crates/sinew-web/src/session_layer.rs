//! The layer that gives every request its visitor's session.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use sinew_store::{Flash, Session, SessionError, SessionId, Sessions};
use tower::{Layer, Service};

use sinew_store::cookie::{CookieStore, Hold};

mod in_cookies;
mod in_store;
mod redeem;

use self::in_cookies::{InCookies, Opened, may_carry_cookie, socket};
pub use self::in_cookies::{SOCKET_HEADER, SessionChange};
use self::in_store::InStore;
pub use self::redeem::OUTCOME_HEADER;
use crate::cookie::CookieConfig;
use crate::forwarded::{Direct, Effective, Peer, TrustedProxies};
use crate::sealed::SessionSealer;

/// Marks a request that is made in process, on behalf of a visitor who is connected: the GET of
/// a page morph. Whoever makes it puts it into the request's extensions, together with the
/// [`Session`], [`Flash`] and [`Effective`] the handler shall see. The session layer then lets
/// the request pass as it is: it opens no session, commits nothing and sets no cookie. (A
/// [`Session`] alone has the same effect.)
///
/// ```
/// use std::sync::Arc;
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use sinew_store::{MemoryStore, Session, Sessions};
/// use sinew_web::{CookieConfig, InProcess, SessionLayer, TrustedProxies};
/// use tower::ServiceExt as _;
///
/// async fn theme(session: Session) -> String {
///     session.set("theme", "dark").await.expect("within the limits");
///     session.get("theme").await.expect("just set").unwrap_or_default()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let layer =
///     SessionLayer::new(sessions.clone(), CookieConfig::default(), TrustedProxies::none());
/// let app = Router::new().route("/", get(theme)).layer(layer);
///
/// let session = sessions.create();
/// let request = Request::get("/")
///     .extension(InProcess)
///     .extension(session.clone())
///     .body(Body::empty())?;
/// let response = app.oneshot(request).await?;
/// assert!(response.headers().get("set-cookie").is_none());
/// assert!(session.is_dirty(), "whoever made the request commits");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InProcess;

/// Cookies of the session's name that are looked at in one request. A browser sends several when
/// they were set for different domains or paths.
const COOKIES_MAX: usize = 4;

/// What the session layer met since it was made.
///
/// ```
/// use std::sync::Arc;
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use sinew_store::{MemoryStore, Sessions};
/// use sinew_web::{CookieConfig, SessionLayer, SessionStatistics, TrustedProxies};
/// use tower::ServiceExt as _;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none());
/// let app = Router::new().route("/", get(async || "hello")).layer(layer.clone());
///
/// let request = Request::get("/").header("cookie", "_sinew_session=guess").body(Body::empty())?;
/// app.oneshot(request).await?;
/// let statistics: SessionStatistics = layer.statistics();
/// assert_eq!((statistics.cookies_malformed, statistics.commits_failed), (1, 0));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStatistics {
    /// Requests whose session cookie was no session id or, where the cookie is the session, none of ours: corrupt,
    /// tampered with, or sealed with a secret that is not known here.
    pub cookies_malformed: u64,
    /// Requests that were answered with 500 since their session could not be saved.
    pub commits_failed: u64,
    /// Tickets of reflexes that became the session's next cookie.
    pub tickets_redeemed: u64,
    /// Tickets that were merged with what somebody else had written meanwhile.
    pub tickets_merged: u64,
    /// Tickets that the cookie had already.
    pub tickets_replayed: u64,
    /// Tickets that changed nothing: of another session, of one that is over, from a version that is not remembered,
    /// too large together with the cookie, malformed, or sent by somebody else than a page of ours.
    pub tickets_refused: u64,
    /// Fields that two had changed, and of which the change was dropped that reached the cookie second.
    pub conflicts: u64,
}

#[derive(Default)]
struct Counters {
    cookies_malformed: AtomicU64,
    commits_failed: AtomicU64,
    tickets_redeemed: AtomicU64,
    tickets_merged: AtomicU64,
    tickets_replayed: AtomicU64,
    tickets_refused: AtomicU64,
}

/// A tower layer around an application: its handlers find the visitor's [`Session`], their
/// [`Flash`] and the request's [`Effective`] origin in the extensions.
///
/// - The session is lazy: a request that does not use it costs nothing and gets no cookie.
/// - It is committed when the handler has answered and **before** the answer leaves, whatever
///   the status. If that fails the answer is a 500 of one sentence, the cause is in the log and
///   nothing is half saved. What is written to it later, while a body streams, is lost.
/// - The cookie is the first `Set-Cookie` of the response. It is set when the session is new,
///   when its id changed, and, while cookies are persistent, whenever the session was used, so
///   that it rolls; it is deleted when the session was destroyed. Such a response is made
///   `Cache-Control: private` unless it says something about caching itself.
/// - An id that the store does not know is never taken over: the visitor gets a new one. One
///   that is no id is counted and otherwise treated like none. Of several cookies of that name
///   (up to four are looked at) the first counts whose session exists.
///
/// A page whose visitor shall call reflexes, without a field written yet, calls
/// [`Session::ensure`].
///
/// ```
/// use std::sync::Arc;
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use sinew_store::{MemoryStore, Session, SessionError, Sessions};
/// use sinew_web::{CookieConfig, SessionLayer, TrustedProxies};
/// use tower::ServiceExt as _;
///
/// async fn visits(session: Session) -> Result<String, String> {
///     let visits = session.update("visits", |visits: i64| visits + 1).await;
///     visits.map(|visits| visits.to_string()).map_err(|error| error.to_string())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none());
/// let app = Router::new().route("/", get(visits)).layer(layer.clone());
///
/// let response = app.oneshot(Request::get("/").body(Body::empty())?).await?;
/// let cookie = response.headers()["set-cookie"].to_str()?;
/// assert!(cookie.starts_with("_sinew_session="));
/// assert!(cookie.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax"));
///
/// // The next request, or a socket, comes with it.
/// let mut headers = http::HeaderMap::new();
/// headers.insert("cookie", response.headers()["set-cookie"].clone());
/// let id = layer.presented_id(&headers).expect("a session's id");
/// let session = layer.sessions().open(id);
/// assert_eq!(session.get("visits").await?, Some(1));
/// assert_eq!(layer.statistics().cookies_malformed, 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SessionLayer(Arc<Shared>);

struct Shared {
    sessions: Sessions,
    cookie: CookieConfig,
    proxies: TrustedProxies,
    counters: Counters,
    in_store: OnceLock<InStore>,
    in_cookies: OnceLock<InCookies>,
}

impl SessionLayer {
    /// A layer that keeps `sessions` under a cookie that looks like `cookie`. `proxies` tell
    /// whether a request came over `https`, and with it whether its cookie is `Secure`.
    ///
    /// The cookie's configuration is taken as it is; [`CookieConfig::validate`] checks it.
    pub fn new(sessions: Sessions, cookie: CookieConfig, proxies: TrustedProxies) -> Self {
        let counters = Counters::default();
        Self(Arc::new(Shared {
            sessions,
            cookie,
            proxies,
            counters,
            in_store: OnceLock::new(),
            in_cookies: OnceLock::new(),
        }))
    }

    /// Tells `tell` the id of a session that a request has ended, by destroying it or by giving it
    /// another id, after that was saved and before the answer leaves. Whoever keeps connections by
    /// session ends them then: under the old id they would read nothing and could write nothing.
    /// It must not block. Of several calls of this function the first counts.
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use std::sync::Arc;
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use sinew_store::{MemoryStore, Session, Sessions};
    /// use sinew_web::{CookieConfig, SessionLayer, TrustedProxies};
    /// use tower::ServiceExt as _;
    ///
    /// async fn logout(session: Session) -> &'static str {
    ///     session.destroy();
    ///     "bye"
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let session = sessions.create();
    /// session.set("user", "ada").await?;
    /// session.commit().await?;
    ///
    /// let ended = Arc::new(Mutex::new(Vec::new()));
    /// let told = ended.clone();
    /// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none())
    ///     .on_end(move |id| told.lock().unwrap().push(id));
    /// let app = Router::new().route("/logout", get(logout)).layer(layer);
    ///
    /// let cookie = format!("_sinew_session={}", session.id());
    /// app.oneshot(Request::get("/logout").header("cookie", cookie).body(Body::empty())?).await?;
    /// assert_eq!(*ended.lock().unwrap(), [session.id()]);
    /// # Ok(()) }
    /// ```
    pub fn on_end(self, tell: impl Fn(SessionId) + Send + Sync + 'static) -> Self {
        let in_store = InStore::new(None, move |change| match change {
            SessionChange::Moved { from: id, .. } | SessionChange::Ended(id) => tell(id),
            _ => {}
        });
        // An error means that there is one already.
        let _ = self.0.in_store.set(in_store);
        self
    }

    /// Keeps the sessions in their cookies: `store`, the one below [`sessions`](Self::sessions), holds what this process
    /// knows of them, and `sealer` seals them.
    ///
    /// - A cookie that is none of ours, was changed or has expired is like none at all, and counted.
    /// - It is set when it does not hold the newest version that is known here: after a write, when the session's life
    ///   was renewed, when an older secret has sealed it, and when a reflex has written what has not reached the
    ///   browser yet. (The last also by a response whose handler did not use the session, if it says nothing of caching.)
    /// - Requests of one session that run beside each other in this process lose nothing of each other's. Of those that
    ///   run in different processes, the last cookie to arrive wins, as browsers have it.
    ///
    /// `tell` hears what became of sessions, before the answer leaves; it must not block. It takes the place of
    /// [`on_end`](Self::on_end). Of several calls of this function the first counts. See
    /// [`redeem`](Self::redeem) for what a reflex has written.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use sinew_store::cookie::{CookieStore, CookieStoreConfig};
    /// use sinew_store::{Session, SessionError, Sessions};
    /// use sinew_verifier::SecretKeyBase;
    /// use sinew_web::{CookieConfig, SessionLayer, SessionSealer, TrustedProxies};
    /// use tower::ServiceExt as _;
    ///
    /// async fn visits(session: Session) -> Result<String, String> {
    ///     let visits = session.update("visits", |visits: i64| visits + 1).await;
    ///     visits.map(|visits| visits.to_string()).map_err(|error| error.to_string())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Each process has a store of its own; they have the secret in common.
    /// let process = || {
    ///     let store = CookieStore::new(CookieStoreConfig::default());
    ///     let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
    ///     let sessions = Sessions::new(Arc::new(store.clone()));
    ///     let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none());
    ///     Router::new().route("/", get(visits)).layer(layer.in_cookies(store, sealer, |_| {}))
    /// };
    /// let response = process().oneshot(Request::get("/").body(Body::empty())?).await?;
    /// let cookie = response.headers()["set-cookie"].clone();
    /// let request = Request::get("/").header("cookie", cookie).body(Body::empty())?;
    /// let response = process().oneshot(request).await?;
    /// assert_eq!(axum::body::to_bytes(response.into_body(), 10).await?, "2");
    /// # Ok(()) }
    /// ```
    pub fn in_cookies(
        self,
        store: CookieStore,
        sealer: SessionSealer,
        tell: impl Fn(SessionChange) + Send + Sync + 'static,
    ) -> Self {
        let in_cookies = InCookies {
            store,
            sealer,
            on_change: Box::new(tell),
        };
        // An error means that there is one already.
        let _ = self.0.in_cookies.set(in_cookies);
        self
    }

    /// The sessions it keeps.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What it met so far.
    pub fn statistics(&self) -> SessionStatistics {
        let counters = &self.0.counters;
        SessionStatistics {
            cookies_malformed: counters.cookies_malformed.load(Ordering::Relaxed),
            commits_failed: counters.commits_failed.load(Ordering::Relaxed),
            tickets_redeemed: counters.tickets_redeemed.load(Ordering::Relaxed),
            tickets_merged: counters.tickets_merged.load(Ordering::Relaxed),
            tickets_replayed: counters.tickets_replayed.load(Ordering::Relaxed),
            tickets_refused: counters.tickets_refused.load(Ordering::Relaxed),
            conflicts: self
                .0
                .in_cookies
                .get()
                .map_or(0, |cookies| cookies.store.statistics().conflicts),
        }
    }

    /// The session id that the visitor's cookie presents, when it is one: for a socket, which
    /// is opened without passing the layer. Whether the store knows it is another question; see
    /// [`known_id`](Self::known_id).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http::HeaderMap;
    /// use sinew_store::{MemoryStore, SessionId, Sessions};
    /// use sinew_web::{CookieConfig, SessionLayer, TrustedProxies};
    ///
    /// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none());
    /// let id = SessionId::generate();
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(layer.presented_id(&headers), None);
    /// headers.insert("cookie", format!("_sinew_session={id}").parse()?);
    /// assert_eq!(layer.presented_id(&headers), Some(id));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    pub fn presented_id(&self, headers: &HeaderMap) -> Option<SessionId> {
        self.0.presented(headers).ids.first().copied()
    }

    /// The first session id among the visitor's cookies that the store knows, for a socket.
    ///
    /// A socket cannot give its visitor another cookie, so whatever is written under an id that
    /// nobody knows would make it known, also to whoever has planted it. Who identifies a
    /// connection by its session therefore asks here.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http::HeaderMap;
    /// use sinew_store::{MemoryStore, SessionId, Sessions};
    /// use sinew_web::{CookieConfig, SessionLayer, TrustedProxies};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
    /// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none());
    /// let session = layer.sessions().create();
    /// session.ensure();
    /// session.commit().await?;
    ///
    /// let planted = SessionId::generate();
    /// let cookies = format!("_sinew_session={planted}; _sinew_session={}", session.id());
    /// let mut headers = HeaderMap::new();
    /// headers.insert("cookie", cookies.parse()?);
    /// assert_eq!(layer.known_id(&headers).await?, Some(session.id()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn known_id(&self, headers: &HeaderMap) -> Result<Option<SessionId>, SessionError> {
        for id in self.0.presented(headers).ids {
            if self.0.sessions.claim(id).exists().await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for SessionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("cookie", &self.0.cookie)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService {
            shared: Arc::clone(&self.0),
            inner,
        }
    }
}

/// The service a [`SessionLayer`] makes.
///
/// ```
/// use std::sync::Arc;
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use sinew_store::{MemoryStore, Sessions};
/// use sinew_web::session_layer::SessionService;
/// use sinew_web::{CookieConfig, SessionLayer, TrustedProxies};
/// use tower::{Layer as _, ServiceExt as _};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let layer = SessionLayer::new(sessions, CookieConfig::default(), TrustedProxies::none());
/// let router = Router::new().route("/", get(async || "hello"));
/// let service: SessionService<Router> = layer.layer(router);
///
/// let response = service.oneshot(Request::get("/").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 200);
/// assert!(response.headers().get("set-cookie").is_none(), "the session was not used");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SessionService<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S: fmt::Debug> fmt::Debug for SessionService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, B> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that was polled ready answers; its clone waits for the next request.
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        let extensions = request.extensions();
        if extensions.get::<InProcess>().is_some() || extensions.get::<Session>().is_some() {
            return Box::pin(inner.call(request));
        }
        let shared = Arc::clone(&self.shared);
        let secure = shared.effective(&mut request);
        let presented = shared.presented(request.headers());
        shared.count_malformed(&presented);
        let socket = socket(request.headers());
        Box::pin(async move {
            let session = match shared.open(&presented.ids).await {
                Ok(session) => session,
                Err(error) => return Ok(shared.failed(&error)),
            };
            // Nothing that this process knows of it is forgotten before the answer leaves.
            let cookies = shared.in_cookies.get();
            let hold = cookies.map(|cookies| cookies.store.hold(session.id()));
            request.extensions_mut().insert(session.clone());
            request
                .extensions_mut()
                .insert(Flash::for_request(session.clone()));
            let response = inner.call(request).await?;
            let visit = Visit {
                session,
                presented,
                secure,
                socket,
                _hold: hold,
            };
            Ok(shared.finish(visit, response).await)
        })
    }
}

/// What a request's cookies say.
#[derive(Default)]
struct Presented {
    /// Those values that are session ids, in the browser's order.
    ids: Vec<SessionId>,
    /// Whether there was a cookie of that name at all.
    has_cookie: bool,
    /// Whether one was a session's.
    is_ours: bool,
    /// How many were looked at.
    looked_at: usize,
    /// The session itself, where it is in the cookie.
    opened: Option<Opened>,
    /// One that is in the cookie, and over.
    over: Option<Opened>,
}

/// One request's session, and how it was asked for.
struct Visit {
    session: Session,
    presented: Presented,
    secure: bool,
    /// What it said of its page's connection.
    socket: Option<String>,
    _hold: Option<Hold>,
}

/// What becomes of the visitor's cookie.
enum Cookie {
    Stays,
    /// With this value.
    Set(String),
    Deleted,
}

impl Shared {
    /// Sees to it that the request has its [`Effective`], and tells whether it came over TLS.
    fn effective<B>(&self, request: &mut Request<B>) -> bool {
        if let Some(effective) = request.extensions().get::<Effective>() {
            return effective.secure;
        }
        let peer = Peer::of(request.extensions());
        let effective = self.proxies.effective(&Direct {
            peer: peer.address,
            secure: peer.secure,
            headers: request.headers(),
            authority: request.uri().authority().map(http::uri::Authority::as_str),
        });
        let secure = effective.secure;
        request.extensions_mut().insert(effective);
        secure
    }

    fn presented(&self, headers: &HeaderMap) -> Presented {
        if let Some(cookies) = self.in_cookies.get() {
            return cookies.presented(self.cookie.values(headers));
        }
        let mut has_cookie = false;
        let values = self.cookie.values(headers).inspect(|_| has_cookie = true);
        let ids: Vec<SessionId> = values
            .filter_map(|value| value.parse().ok())
            .take(COOKIES_MAX)
            .collect();
        Presented {
            is_ours: !ids.is_empty(),
            ids,
            has_cookie,
            ..Presented::default()
        }
    }

    /// The session of the first id that the store knows. With one id that is left for the first
    /// use of the session to find out; only when there are several are they looked up here, so
    /// that a cookie which another host of the domain has planted does not hide the real one.
    async fn open(&self, ids: &[SessionId]) -> Result<Session, SessionError> {
        let [first, others @ ..] = ids else {
            return Ok(self.sessions.create());
        };
        if !others.is_empty() {
            for id in ids {
                let session = self.sessions.claim(*id);
                if session.exists().await? {
                    return Ok(session);
                }
            }
        }
        Ok(self.sessions.claim(*first))
    }

    async fn finish(&self, visit: Visit, response: Response) -> Response {
        let saved = match self.in_cookies.get() {
            Some(cookies) => {
                let is_free = may_carry_cookie(response.headers());
                cookies.save(&visit, is_free).await
            }
            None => self.save(&visit).await,
        };
        match saved {
            Ok(Cookie::Stays) => response,
            Ok(Cookie::Set(value)) => {
                let life = self.sessions.config().expire_after;
                with_cookie(response, self.cookie.set(&value, visit.secure, life))
            }
            Ok(Cookie::Deleted) => with_cookie(response, self.cookie.delete(visit.secure)),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &SessionError) -> Response {
        self.counters.commits_failed.fetch_add(1, Ordering::Relaxed);
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(%error, cause, "a session could not be saved");
        let sentence = "Your changes could not be saved. Please try again.\n";
        (StatusCode::INTERNAL_SERVER_ERROR, sentence).into_response()
    }
}

/// Puts `cookie` before the cookies the handler has set.
fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    let headers = response.headers_mut();
    let others: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    headers.insert(header::SET_COOKIE, cookie);
    for other in others {
        headers.append(header::SET_COOKIE, other);
    }
    // A shared cache that kept this would hand one visitor's session to the next.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private"));
    response
}

#[cfg(test)]
mod tests;
