//! One connection whose session lives in its cookie.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use sinew_reflex::{SessionLink, SessionTicket};
use sinew_store::cookie::Hold;
use sinew_store::{Session, SessionId};

use super::CookieSessions;
use crate::identify::{Connected, Label};
use crate::page_sockets::SocketName;

pub(crate) struct CookieConnection {
    cookies: Arc<CookieSessions>,
    hold: Hold,
    label: Mutex<Label>,
    /// The name by which the page's own requests speak of this connection: random, told to nobody else.
    socket: SocketName,
    /// Whether the page can redeem tickets, and its requests can name the connection.
    is_ours: AtomicBool,
}

impl CookieConnection {
    pub(crate) fn new(cookies: Arc<CookieSessions>, id: SessionId) -> Arc<Self> {
        let socket = SocketName::generate();
        let hold = cookies.store.hold(id);
        cookies.follow(id);
        let connection = Arc::new(Self {
            hold,
            label: Mutex::new(label_of(id)),
            socket,
            is_ours: AtomicBool::new(false),
            cookies,
        });
        connection.cookies.sockets.insert(socket, &connection);
        connection
    }

    /// The page runs our client: from now on it is given tickets.
    pub(crate) fn set_ours(&self) {
        self.is_ours.store(true, Ordering::Release);
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.is_ours.load(Ordering::Acquire)
    }

    pub(crate) fn socket(&self) -> SocketName {
        self.socket
    }

    pub(crate) fn label(&self) -> Label {
        *self.label.lock()
    }

    /// The session goes on under another id, and the connection with it.
    pub(super) fn follow(&self, id: SessionId) {
        let old = self.hold.id();
        if old == id {
            return;
        }
        self.cookies.follow(id);
        self.hold.follow(id);
        *self.label.lock() = label_of(id);
        self.cookies.unfollow(old);
    }
}

fn label_of(id: SessionId) -> Label {
    Connected::label_from(&id.label()).unwrap_or_default()
}

impl SessionLink for CookieConnection {
    fn open(&self) -> Session {
        self.cookies.sessions.open(self.hold.id())
    }

    fn id(&self) -> SessionId {
        self.hold.id()
    }

    fn saved(&self, session: &Session) {
        self.follow(session.id());
    }

    fn ticket(&self) -> Option<SessionTicket> {
        if !self.is_ours() {
            return None;
        }
        let store = &self.cookies.store;
        let offer = store.offer(self.hold.id())?;
        let compress_over = store.config().compress_over;
        Some(SessionTicket {
            sealed: self
                .cookies
                .sealer
                .seal_ticket(offer.ticket(), compress_over),
            path: self.cookies.path.clone(),
            is_again: offer.is_again(),
            redeemed: async move { offer.redeemed().await }.boxed(),
        })
    }
}

impl Drop for CookieConnection {
    fn drop(&mut self) {
        self.cookies.unfollow(self.hold.id());
        self.cookies.sockets.remove(self.socket);
    }
}
