//! Who a socket belongs to.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderName, header};
use sinew_cable::{ConnectRequest, ConnectionIdentifiers, Refusal};
use sinew_protocol::DisconnectReason;
use sinew_reflex::{Handshake, SessionLink};
use sinew_store::{Session, SessionId};
use sinew_web::{Effective, SessionLayer};

use crate::cookie_sessions::CookieConnection;
use crate::kept::Kept;
use crate::page_sockets::SocketName;
use crate::stored_sessions::{StoredConnection, StoredSessions};

/// The name under which a session identifies its connections: by its label, since what identifies
/// a connection stands in the names of streams.
pub(crate) const SESSION_ID: &str = "session_id";

/// Somebody who opens a socket, as [`Sinew::identify`](crate::Sinew::identify) sees them.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// use sinew::cable::{ConnectionIdentifiers, Refusal, Visitor};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// async fn identify(visitor: Visitor) -> Result<ConnectionIdentifiers, Refusal> {
///     let session = visitor.session().ok_or(Refusal::unauthorized())?;
///     assert_eq!(visitor.presented_session_id(), Some(session.id()));
///     let tenant = visitor.request().headers.get("x-tenant");
///     let tenant = tenant.and_then(|it| it.to_str().ok()).unwrap_or("none");
///     Ok(ConnectionIdentifiers::new().with("tenant", tenant).with("session", session.id().label()))
/// }
///
/// struct Tenant;
///
/// #[reflex]
/// impl Tenant {
///     async fn show(&self, cx: &mut Reflex) {
///         cx.payload_mut()["tenant"] = cx.identifier("tenant").into();
///         cx.morph_nothing();
///     }
/// }
///
/// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let sinew = Sinew::new(Router::new().route("/", get(index)));
/// let app = TestApp::new(sinew.identify(identify).reflex(Tenant));
/// let mut tab = app.browser().header("x-tenant", "blue").visit("/").await;
/// tab.stimulate("Tenant#show", ()).await;
/// assert_eq!(tab.payload()["tenant"], "blue");
/// # }
/// ```
#[derive(Clone)]
pub struct Visitor {
    request: Arc<ConnectRequest>,
    session: Option<Session>,
    presented_id: Option<SessionId>,
}

impl Visitor {
    /// The handshake's request: headers, address, host.
    pub fn request(&self) -> &ConnectRequest {
        &self.request
    }

    /// The session whose cookie came with the handshake, if the store knows it. What is written to
    /// it here is not kept.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The session id that the cookie names, whether the store knows it or not.
    ///
    /// Whoever sent it may have made it up: enough to tell visitors apart, never to trust one.
    pub fn presented_session_id(&self) -> Option<SessionId> {
        self.presented_id
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field("host", &self.request.host)
            .finish_non_exhaustive()
    }
}

type Identified = Pin<Box<dyn Future<Output = Result<ConnectionIdentifiers, Refusal>> + Send>>;

/// The application's own answer to who a visitor is.
pub(crate) type Identify = Arc<dyn Fn(Visitor) -> Identified + Send + Sync>;

/// Answers the cable's question, and leaves with the connection what its reflexes will need.
pub(crate) struct Identification {
    pub(crate) sessions: SessionLayer,
    pub(crate) identify: Option<Identify>,
    pub(crate) anonymous: bool,
    pub(crate) kept: Kept,
}

impl Identification {
    pub(crate) async fn connect(
        &self,
        request: Arc<ConnectRequest>,
    ) -> Result<ConnectionIdentifiers, Refusal> {
        // Only an id that the store knows: what a reflex writes under a made-up one would make it
        // known, also to whoever planted it in this visitor's browser.
        let known = self
            .sessions
            .known_id(&request.headers)
            .await
            .map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a session could not be looked up"
                );
                Refusal {
                    reason: DisconnectReason::Unauthorized,
                    reconnect: true,
                }
            })?;
        let sessions = self.sessions.sessions();
        let (identifiers, session, label) = match (&self.identify, known) {
            (Some(identify), known) => {
                let visitor = Visitor {
                    presented_id: self.sessions.presented_id(&request.headers),
                    session: known.map(|id| sessions.open(id)),
                    request: Arc::clone(&request),
                };
                let session = known.unwrap_or_else(SessionId::generate);
                (identify(visitor).await?, session, session.label())
            }
            (None, Some(id)) => {
                let label = id.label();
                let identifiers = ConnectionIdentifiers::new().with(SESSION_ID, label.as_str());
                (identifiers, id, label)
            }
            (None, None) if self.anonymous => {
                // An identity and a session of its own, as long as it lives: nobody shares a stream
                // with strangers. Nothing is stored before something is written.
                let id = SessionId::generate();
                let label = id.label();
                let identifiers = ConnectionIdentifiers::new().with("anonymous", label.as_str());
                (identifiers, id, label)
            }
            (None, None) => return Err(Refusal::unauthorized()),
        };
        let link = match &self.kept {
            Kept::InCookies(cookies) => {
                Link::InCookie(CookieConnection::new(Arc::clone(cookies), session))
            }
            Kept::InStore(stored) => Link::InStore(Arc::clone(stored), OnceLock::new()),
        };
        Ok(identifiers.with_extension(Arc::new(Connected {
            link,
            handshake: Arc::new(handshake(&request)),
            session,
            is_known: known.is_some(),
            label: Connected::label_from(&label).unwrap_or_default(),
        })))
    }
}

/// What a connection keeps of its handshake, for its reflexes.
pub(crate) struct Connected {
    pub(crate) handshake: Arc<Handshake>,
    /// The visitor's, or one that only this connection has, as it was at the handshake.
    session: SessionId,
    /// Whether the browser's cookie names it.
    is_known: bool,
    /// The label of that session, by which other nodes name it.
    label: Label,
    link: Link,
}

/// The session of a connection as it is now, under whatever id.
enum Link {
    InCookie(Arc<CookieConnection>),
    /// Made when the page says that it calls reflexes.
    InStore(Arc<StoredSessions>, OnceLock<Arc<StoredConnection>>),
}

/// The bytes of a session's label.
pub(crate) type Label = [u8; 16];

impl Connected {
    /// Whether the connection so identified has the session of this label.
    pub(crate) fn of_label(identifiers: &ConnectionIdentifiers, label: Label) -> bool {
        let connected = identifiers.extensions().get::<Arc<Self>>();
        connected.is_some_and(|connected| match &connected.link {
            Link::InCookie(cookie) => cookie.label() == label,
            Link::InStore(_, link) => match link.get() {
                Some(stored) => stored.is_of(label),
                None => connected.label == label,
            },
        })
    }

    /// The session for the reflexes of a page, and where the page runs our client (`is_ours`) the name by which its
    /// requests speak of this connection.
    pub(crate) fn link(&self, is_ours: bool) -> (Arc<dyn SessionLink>, Option<SocketName>) {
        match &self.link {
            Link::InCookie(cookie) => {
                if is_ours {
                    cookie.set_ours();
                }
                let socket = is_ours.then(|| cookie.socket());
                (Arc::clone(cookie) as Arc<dyn SessionLink>, socket)
            }
            Link::InStore(stored, link) => {
                let link = link.get_or_init(|| {
                    let stored = Arc::clone(stored);
                    StoredConnection::new(stored, self.session, self.is_known, is_ours)
                });
                let socket = link.socket().filter(|_| is_ours);
                (Arc::clone(link) as Arc<dyn SessionLink>, socket)
            }
        }
    }

    /// Whether only a request of the browser can store what is written to the session.
    pub(crate) fn is_in_cookie(&self) -> bool {
        matches!(self.link, Link::InCookie(_))
    }

    /// The bytes of a label; `None` when the text is none.
    pub(crate) fn label_from(text: &str) -> Option<Label> {
        if text.len() != 32
            || !text
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
    }
}

/// Headers that belong to the socket itself; a page has no use for them.
const OF_THE_SOCKET: &[HeaderName] = &[
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_VERSION,
    header::PRAGMA,
    header::CACHE_CONTROL,
    header::ORIGIN,
    header::ACCEPT_ENCODING,
];

fn handshake(request: &ConnectRequest) -> Handshake {
    let headers = request.headers.iter();
    let kept = headers.filter(|(name, _)| !OF_THE_SOCKET.contains(name));
    let mut extensions = Extensions::new();
    // Handlers that ask for their peer get the socket's in a page morph.
    if let Some(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>() {
        extensions.insert(*peer);
    }
    if let Some(effective) = request.extensions.get::<Effective>() {
        extensions.insert(effective.clone());
    }
    Handshake {
        headers: kept.collect(),
        host: request.host.clone(),
        secure: request.secure,
        remote_address: request.remote_address,
        extensions,
    }
}
