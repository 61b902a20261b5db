//! Sessions whose writes need the browser: the port, and handing over what a reflex has written.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;
use sinew_cable_ready::{Operation, Operations};
use sinew_store::{Session, SessionId};

use crate::client::Client;
use crate::data::ReflexData;
use crate::engine::Shared;
use crate::reply;
use crate::statistics::count;

/// The operation that takes a ticket to the page; our browser client knows it, the stock one is not sent it.
const OPERATION: &str = "sinewSession";

/// The event a page gets when what was written has not reached its session's cookie in time.
const PENDING_EVENT: &str = "sinew:session-pending";

/// The session of a connection, where only a response to a request of the browser can store what was written: one that
/// lives in its cookie.
///
/// What a reflex has written leaves as a ticket, in a message of its own ahead of the reply; the reply waits until the
/// ticket was redeemed, or until [`Config::ticket_time_limit`](crate::Config::ticket_time_limit) has passed.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// use std::sync::Arc;
///
/// use futures_util::FutureExt as _;
/// # use sinew_macros::reflex;
/// use sinew_reflex::{Client, Handshake, Reflex, SessionLink, SessionTicket};
/// use sinew_store::{MemoryStore, Session, SessionId, Sessions};
/// # use server::Server;
///
/// /// Every ticket of it is redeemed at once.
/// struct Eager {
///     sessions: Sessions,
///     id: SessionId,
/// }
///
/// impl SessionLink for Eager {
///     fn open(&self) -> Session {
///         self.sessions.open(self.id)
///     }
///
///     fn id(&self) -> SessionId {
///         self.id
///     }
///
///     fn saved(&self, session: &Session) {
///         assert_eq!(session.id(), self.id);
///     }
///
///     fn ticket(&self) -> Option<SessionTicket> {
///         let redeemed = std::future::ready(()).boxed();
///         Some(SessionTicket { sealed: "…".into(), path: "/session".into(), is_again: false, redeemed })
///     }
/// }
///
/// # struct Theme;
/// # #[reflex(crate = sinew_reflex)]
/// # impl Theme {
/// #     async fn dark(&self, cx: &mut Reflex) -> sinew_reflex::Result {
/// #         cx.session().set("theme", "dark").await?;
/// #         cx.morph_nothing();
/// #         Ok(())
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let server = Server::new(|engine| engine.reflex(Theme)).await;
/// # let sessions = Sessions::new(Arc::new(MemoryStore::new()));
/// let link = Eager { sessions, id: SessionId::generate() };
/// let client = Client::new("StimulusReflex::Channel:7".into(), Arc::new(Handshake::default()))
///     .with_session_link(Arc::new(link));
/// # server.engine.receive(&Arc::new(client), r#"{"target":"Theme#dark","version":"3.5.5","id":"1"}"#);
/// # server.engine.idle().await;
/// assert_eq!(server.engine.statistics().tickets, 1);
/// # }
/// ```
pub trait SessionLink: Send + Sync + 'static {
    /// The session as it is now, for one reflex.
    fn open(&self) -> Session;

    /// The session's id as it is now.
    fn id(&self) -> SessionId;

    /// A reflex has saved the session, under the id that it has now.
    fn saved(&self, session: &Session);

    /// What the browser has to take over, unless it has everything or it is on its way.
    fn ticket(&self) -> Option<SessionTicket>;
}

/// What a page presents with a request, to get its session's next cookie.
///
/// Shown at [`SessionLink`].
pub struct SessionTicket {
    /// The ticket, sealed: no script can read it.
    pub sealed: String,
    /// The path, on the host of the page, to which it is sent.
    pub path: String,
    /// Whether the same was sent before, and did not arrive: no reply waits for it a second time.
    pub is_again: bool,
    /// Ready when it was redeemed. Dropped before, it counts as lost.
    pub redeemed: BoxFuture<'static, ()>,
}

impl std::fmt::Debug for SessionTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionTicket")
            .field("path", &self.path)
            .field("is_again", &self.is_again)
            .finish_non_exhaustive()
    }
}

/// Sends what was written to the page that called, and waits until its cookie has it.
pub(crate) async fn hand_over(shared: &Shared, client: &Client, data: &ReflexData) {
    let Some(ticket) = client.session_ticket() else {
        return;
    };
    count(&shared.counters.tickets);
    let operation = Operation::new(OPERATION)
        .option("ticket", ticket.sealed)
        .option("path", ticket.path);
    send(shared, client, data, operation).await;
    let limit = shared.config.ticket_time_limit;
    let redeemed = tokio::time::timeout(limit, ticket.redeemed);
    if ticket.is_again {
        shared.cable_ready.runtime().spawn(redeemed);
        return;
    }
    if redeemed.await.is_err() {
        count(&shared.counters.tickets_pending);
        tracing::debug!(
            target: "sinew::reflex",
            session = client.session_label(),
            "what was written has not reached the session's cookie yet"
        );
        let event = Operation::new("dispatchEvent")
            .option("name", PENDING_EVENT)
            .option("detail", json!({}));
        send(shared, client, data, event).await;
    }
}

/// Sends a message of one operation to the tab that called.
async fn send(shared: &Shared, client: &Client, data: &ReflexData, operation: Operation) {
    let mut operations = Operations::new();
    operations.push(operation);
    let version = &shared.config.cable_ready_version;
    let message = reply::message(data, &operations, version);
    shared.publish(client.stream(), message.into()).await;
}

/// Where a connection gets its session from.
pub(crate) enum SessionSource {
    Stored(sinew_store::Sessions, SessionId),
    Linked(Arc<dyn SessionLink>),
}
