//! One connection as the engine sees it, and the lanes its calls wait in.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;
use parking_lot::Mutex;
use sinew_store::{Session, SessionId, Sessions};
use sinew_streams::StreamName;

use crate::call::Call;
use crate::config::Config;
use crate::headers::PackedHeaders;
use crate::session_link::{SessionLink, SessionSource, SessionTicket};

/// What is known from the request that opened the connection.
#[derive(Debug, Clone, Default)]
pub struct Handshake {
    /// Its headers, cookies among them; a page morph sees them again.
    pub headers: PackedHeaders,
    /// The host the browser asked for, with its port, behind a trusted proxy the forwarded one.
    pub host: String,
    /// Whether the browser came over https.
    pub secure: bool,
    /// The browser's address, behind a trusted proxy the forwarded one.
    pub remote_address: Option<IpAddr>,
    /// What layers left on the request; a page morph sees it again.
    pub extensions: Extensions,
}

/// One connection that may call reflexes.
///
/// Made when the connection subscribes, kept by whoever owns the connection, handed to [`Engine::receive`](crate::Engine::receive) with each call.
///
/// ```
/// use std::sync::Arc;
///
/// use sinew_reflex::{Client, Handshake};
/// use sinew_store::{MemoryStore, SessionId, Sessions};
///
/// #[derive(Clone)]
/// struct Tenant(&'static str);
///
/// let handshake = Handshake { host: "app.test".to_owned(), secure: true, ..Handshake::default() };
/// let mut extensions = http::Extensions::new();
/// extensions.insert(Tenant("blue"));
///
/// let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let client = Client::new("StimulusReflex::Channel:7".into(), Arc::new(handshake))
///     .with_identifiers([("user_id", "7")]) // `cx.identifier("user_id")`
///     .with_extensions(extensions) // `cx.connection::<Tenant>()`
///     .with_session(sessions, SessionId::generate()); // `cx.session()`
/// assert_eq!(client.stream().as_str(), "StimulusReflex::Channel:7");
/// ```
pub struct Client {
    stream: StreamName,
    /// A list: there are one or two, and a map would take half a kibibyte of every connection.
    identifiers: Box<[(Box<str>, Box<str>)]>,
    extensions: Extensions,
    handshake: Arc<Handshake>,
    session: Option<SessionSource>,
    /// What the log calls the session: the beginning of its key in the store, since the id itself is a secret.
    session_label: String,
    lanes: Mutex<Lanes>,
}

impl Client {
    /// A connection whose replies are published on `stream`.
    pub fn new(stream: StreamName, handshake: Arc<Handshake>) -> Self {
        Self {
            stream,
            identifiers: Box::default(),
            extensions: Extensions::new(),
            handshake,
            session: None,
            session_label: "-".to_owned(),
            lanes: Mutex::default(),
        }
    }

    /// By what the connection is identified: names and values, as the application's connect hook gave them.
    #[must_use]
    pub fn with_identifiers<N: Into<Box<str>>, V: Into<Box<str>>>(
        mut self,
        identifiers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let identifiers = identifiers.into_iter();
        self.identifiers = identifiers
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        self
    }

    /// Values the connect hook left for the reflexes of this connection.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// The session its reflexes read and write.
    #[must_use]
    pub fn with_session(mut self, sessions: Sessions, id: SessionId) -> Self {
        self.label_session(id);
        self.session = Some(SessionSource::Stored(sessions, id));
        self
    }

    /// The session its reflexes read and write, where only a response to a request of the browser can store it.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use sinew_reflex::{Client, Handshake, SessionLink, SessionTicket};
    /// use sinew_store::{MemoryStore, Session, SessionId, Sessions};
    ///
    /// struct Link(Session);
    ///
    /// impl SessionLink for Link {
    ///     fn open(&self) -> Session {
    ///         self.0.clone()
    ///     }
    ///     fn id(&self) -> SessionId {
    ///         self.0.id()
    ///     }
    ///     fn saved(&self, _: &Session) {}
    ///     fn ticket(&self) -> Option<SessionTicket> {
    ///         None
    ///     }
    /// }
    ///
    /// let session = Sessions::new(Arc::new(MemoryStore::new())).create();
    /// let client = Client::new("StimulusReflex::Channel:7".into(), Arc::new(Handshake::default()))
    ///     .with_session_link(Arc::new(Link(session)));
    /// assert!(!client.is_busy());
    /// ```
    #[must_use]
    pub fn with_session_link(mut self, link: Arc<dyn SessionLink>) -> Self {
        self.label_session(link.id());
        self.session = Some(SessionSource::Linked(link));
        self
    }

    fn label_session(&mut self, id: SessionId) {
        let key = id.store_key();
        // The store's key ends in the digest; the label is the digest's beginning.
        let digest = key.as_str().rsplit([':', '/']).next().unwrap_or_default();
        self.session_label = digest.chars().take(8).collect();
    }

    /// The stream replies are published on.
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// Whether calls of it run or wait, or their replies are being published.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_reflex::{Client, Handshake};
    ///
    /// let client = Client::new("StimulusReflex::Channel:7".into(), Arc::new(Handshake::default()));
    /// assert!(!client.is_busy(), "nothing was called");
    /// ```
    pub fn is_busy(&self) -> bool {
        let lanes = self.lanes.lock();
        lanes.under_way > 0 || lanes.refusals > 0
    }

    pub(crate) fn identifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.identifiers
            .iter()
            .map(|(name, value)| (&**name, &**value))
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    pub(crate) fn handshake(&self) -> &Arc<Handshake> {
        &self.handshake
    }

    pub(crate) fn open_session(&self) -> Option<Session> {
        Some(match self.session.as_ref()? {
            SessionSource::Stored(sessions, id) => sessions.open(*id),
            SessionSource::Linked(link) => link.open(),
        })
    }

    /// A session that was opened for a reflex is saved.
    pub(crate) fn session_saved(&self, session: &Session) {
        if let Some(SessionSource::Linked(link)) = &self.session {
            link.saved(session);
        }
    }

    pub(crate) fn session_ticket(&self) -> Option<SessionTicket> {
        match &self.session {
            Some(SessionSource::Linked(link)) => link.ticket(),
            _ => None,
        }
    }

    pub(crate) fn session_label(&self) -> &str {
        &self.session_label
    }

    /// Finds a place for a call, or says that there is none. Never waits.
    pub(crate) fn enqueue(&self, call: Call, concurrent: bool, config: &Config) -> Enqueued {
        let mut lanes = self.lanes.lock();
        if lanes.under_way >= config.connection_calls_max {
            return Enqueued::Refused(call);
        }
        if concurrent {
            lanes.under_way += 1;
            return Enqueued::Beside(call);
        }
        let tab = call.data.tab_id().unwrap_or_default();
        if let Some(lane) = lanes.tabs.iter_mut().find(|lane| *lane.tab == *tab) {
            if lane.waiting.len() >= config.lane_calls_max {
                return Enqueued::Refused(call);
            }
            lane.waiting.push_back(call);
            lanes.under_way += 1;
            return Enqueued::Waiting;
        }
        let tab: Arc<str> = tab.into();
        lanes.tabs.push(Lane {
            tab: Arc::clone(&tab),
            waiting: VecDeque::new(),
        });
        lanes.under_way += 1;
        Enqueued::First(tab, call)
    }

    /// A call of a lane is over: the next one, or the end of the lane.
    pub(crate) fn next(&self, tab: &Arc<str>) -> Option<Call> {
        let mut lanes = self.lanes.lock();
        lanes.under_way -= 1;
        let index = lanes
            .tabs
            .iter()
            .position(|lane| Arc::ptr_eq(&lane.tab, tab))?;
        let next = lanes.tabs[index].waiting.pop_front();
        if next.is_none() {
            lanes.tabs.swap_remove(index);
        }
        next
    }

    /// A concurrent call is over.
    pub(crate) fn leave(&self) {
        self.lanes.lock().under_way -= 1;
    }

    /// Whether one more refusal may wait for the streams; pair with [`Client::refused`].
    pub(crate) fn may_refuse(&self, refusals_max: usize) -> bool {
        let mut lanes = self.lanes.lock();
        let admitted = lanes.refusals < refusals_max;
        lanes.refusals += usize::from(admitted);
        admitted
    }

    /// A refusal was published.
    pub(crate) fn refused(&self) {
        self.lanes.lock().refusals -= 1;
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("session", &self.session_label)
            .finish_non_exhaustive()
    }
}

/// What became of a call that arrived.
pub(crate) enum Enqueued {
    /// Nothing of its tab is under way: it begins at once, and what comes after it waits.
    First(Arc<str>, Call),
    /// It waits for those before it.
    Waiting,
    /// It begins at once, beside the others.
    Beside(Call),
    /// Too many are waiting.
    Refused(Call),
}

/// The calls of a connection that are not over yet.
#[derive(Default)]
struct Lanes {
    /// One for each tab with a call under way; mostly one, so a list is searched faster than a map.
    tabs: Vec<Lane>,
    /// Calls that run or wait, of all tabs, concurrent ones included.
    under_way: usize,
    /// Refusals on their way out.
    refusals: usize,
}

struct Lane {
    tab: Arc<str>,
    waiting: VecDeque<Call>,
}
