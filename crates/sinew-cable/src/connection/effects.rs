use std::sync::Arc;

use sinew_protocol::{DisconnectReason, Identifier, ServerMessage};
use sinew_streams::StreamName;

use super::Subscribed;
use crate::controller::{Answer, Call};
use crate::shard::Seat;
use crate::{ConnectRequest, ConnectionContext, ConnectionIdentifiers};

/// Ties an answer to its call: an answer that comes too late is recognised and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(pub(crate) u32);

/// What happens to a connection.
pub(crate) enum Event<'a> {
    /// The socket is open; this is its handshake. Once, and first.
    Opened(Arc<ConnectRequest>),
    /// A text frame came.
    Text(&'a str),
    /// A binary frame came: decoded as if it were text. (Rails ignores binary frames.)
    Binary(&'a [u8]),
    /// The application answered a call that [`Effects::call`] had left open.
    Answered(Ticket, Answer),
    /// A stream that [`Effects::follow`] had left open is followed now, or (false) cannot be.
    Followed(Ticket, bool),
    /// Some time has passed. Needed only while the application owes its welcome.
    Tick,
    /// The server ends the connection.
    Disconnect {
        /// What the client is told.
        reason: DisconnectReason,
        /// Whether it should come back.
        reconnect: bool,
    },
    /// The client has sent far more than it may.
    Flooded,
    /// The socket is gone.
    Gone,
}

/// What a connection wants done, in the order it wants it.
///
/// The performer knows sockets, hub and application; the connection does not.
pub(crate) trait Effects {
    /// Send a message to the client.
    fn send(&mut self, message: ServerMessage<'_>);

    /// Send a close frame and end the socket. Nothing is sent after it.
    fn close(&mut self, code: u16, text: &'static str);

    /// Ask the application. None when the answer will come as [`Event::Answered`].
    fn call(&mut self, ticket: Ticket, call: Call<'_>) -> Option<Answer>;

    /// The application has welcomed the connection as this.
    fn opened(&mut self, identifiers: ConnectionIdentifiers);

    /// The identifier with this text: the one that others hold, where there is one.
    fn identifier(&mut self, text: &str) -> Identifier;

    /// Deliver a stream's messages under that identifier from now on. The name becomes the one that others hold.
    fn follow(
        &mut self,
        ticket: Ticket,
        identifier: &Identifier,
        stream: &mut StreamName,
    ) -> Followed;

    /// Deliver them no more.
    fn unfollow(&mut self, identifier: &Identifier, stream: &StreamName, seat: Seat);

    /// Tell the application that a connection it had welcomed has ended, with these subscriptions.
    fn disconnected(&mut self, connection: &ConnectionContext, subscriptions: Vec<Subscribed>);
}

/// How far following a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// It is followed.
    Now(Seat),
    /// It has its seat, but the stream itself is being followed elsewhere: [`Event::Followed`] will tell.
    Later(Seat),
}
