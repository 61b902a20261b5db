use std::any::Any;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use sinew_protocol::{DisconnectReason, Identifier};
use sinew_streams::StreamName;

use crate::connection::{Subscribed, Ticket};
use crate::mailbox::{Mail, Mailbox};
use crate::{ConnectRequest, ConnectionContext, ConnectionIdentifiers};

/// What a channel keeps per subscription. A stateless channel keeps nothing, and costs nothing.
pub type SubscriptionState = Arc<dyn Any + Send + Sync>;

/// The application behind the cable.
///
/// It is called on the thread that drives connections and **must not block or compute for long**: it answers at once, or
/// takes a [`Reply`] and answers later from anywhere.
/// Commands of one connection come strictly one after another: the next is not made before the last is answered.
pub trait Controller: Send + Sync + 'static {
    /// Takes one call. `Some` is the answer; `None` says that a reply was taken and will bring it.
    ///
    /// `None` without a reply taken leaves the connection waiting for ever; a reply that is dropped answers
    /// [`Answer::Failed`].
    fn handle(&self, call: Call<'_>, replies: &Replies<'_>) -> Option<Answer>;

    /// A connection that had been welcomed is gone, with these subscriptions.
    fn disconnected(&self, connection: &ConnectionContext, subscriptions: Vec<Subscribed>);
}

/// What the cable asks the application.
#[non_exhaustive]
pub enum Call<'a> {
    /// Somebody opened a socket: who is it? Answered by [`Answer::Connected`] or [`Answer::Refused`].
    Connect(Arc<ConnectRequest>),
    /// A subscribe command. Answered by [`Answer::Confirmed`], [`Answer::Rejected`] or [`Answer::Ignored`].
    Subscribe {
        /// The connection it came from.
        connection: &'a ConnectionContext,
        /// The identifier, with channel and params inside.
        identifier: &'a Identifier,
    },
    /// A message command to a standing subscription. Answered by [`Answer::Done`] or [`Answer::Changed`].
    Perform {
        /// The connection it came from.
        connection: &'a ConnectionContext,
        /// The subscription it is for.
        subscription: &'a Subscribed,
        /// The client's text; usually JSON, not checked.
        data: &'a str,
    },
    /// An unsubscribe command; the streams are left already. Answered by [`Answer::Done`].
    Unsubscribe {
        /// The connection it came from.
        connection: &'a ConnectionContext,
        /// The subscription that ended.
        subscription: &'a Subscribed,
    },
}

/// What the application answers.
#[non_exhaustive]
pub enum Answer {
    /// The connection is welcome, with this identity.
    Connected(Box<ConnectionIdentifiers>),
    /// The connection is told why and closed.
    Refused(Refusal),
    /// The subscription stands; its streams are followed before the client is told.
    Confirmed(Box<Confirmation>),
    /// The client is told that it may not; the connection lives.
    Rejected,
    /// Nothing is sent, as for a channel that does not exist.
    Ignored,
    /// The command is done.
    Done,
    /// The command is done and changes what the subscription follows.
    Changed(Box<Changes>),
    /// The application failed. A connect is closed; of any other command the client hears nothing.
    Failed,
}

impl Answer {
    /// A welcome.
    pub fn connected(identifiers: ConnectionIdentifiers) -> Self {
        Self::Connected(Box::new(identifiers))
    }
}

impl From<Confirmation> for Answer {
    fn from(confirmation: Confirmation) -> Self {
        Self::Confirmed(Box::new(confirmation))
    }
}

impl From<Changes> for Answer {
    fn from(changes: Changes) -> Self {
        if changes.is_empty() {
            Self::Done
        } else {
            Self::Changed(Box::new(changes))
        }
    }
}

/// Why a connection is refused. Usually [`Refusal::unauthorized`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What the client is told.
    pub reason: DisconnectReason,
    /// Whether it should try again.
    pub reconnect: bool,
}

impl Refusal {
    /// `unauthorized`: the client does not come back by itself.
    pub fn unauthorized() -> Self {
        DisconnectReason::Unauthorized.into()
    }
}

impl From<DisconnectReason> for Refusal {
    fn from(reason: DisconnectReason) -> Self {
        Self {
            reason,
            reconnect: reason.reconnect(),
        }
    }
}

/// A subscription granted: what it follows and what is kept with it.
///
/// ```
/// use sinew_cable::{Answer, Confirmation};
///
/// let answer: Answer = Confirmation::new().stream_from("chat:1").into();
/// assert!(matches!(answer, Answer::Confirmed(_)));
/// ```
#[derive(Default)]
pub struct Confirmation {
    /// The streams it follows.
    pub streams: SmallVec<[StreamName; 1]>,
    /// Kept with the subscription and given back with every call.
    pub state: Option<SubscriptionState>,
    /// A number of the controller's own, given back with every call: which of its channels this is.
    pub route: u32,
}

impl Confirmation {
    /// A subscription that follows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows a stream too.
    #[must_use]
    pub fn stream_from(mut self, stream: impl Into<StreamName>) -> Self {
        self.streams.push(stream.into());
        self
    }

    /// Keeps a value with the subscription.
    #[must_use]
    pub fn with_state<T: Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        self.state = Some(state);
        self
    }
}

/// What a command changes about its subscription.
#[derive(Debug, Default)]
pub struct Changes {
    /// Leave all streams first.
    pub unfollow_all: bool,
    /// Streams to leave.
    pub unfollow: Vec<StreamName>,
    /// Streams to follow, after those are left.
    pub follow: Vec<StreamName>,
}

impl Changes {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        !self.unfollow_all && self.unfollow.is_empty() && self.follow.is_empty()
    }
}

/// Where a controller that cannot answer at once gets its [`Reply`].
pub struct Replies<'a> {
    pub(crate) mailbox: &'a Arc<Mailbox>,
    pub(crate) ticket: Ticket,
}

impl Replies<'_> {
    /// A reply to keep and answer with later, from any thread.
    pub fn later(&self) -> Reply {
        Reply {
            mailbox: Some(self.mailbox.clone()),
            ticket: self.ticket,
        }
    }
}

/// The answer to one call, to be given once. Dropping it answers [`Answer::Failed`].
pub struct Reply {
    mailbox: Option<Arc<Mailbox>>,
    ticket: Ticket,
}

impl Reply {
    /// Gives the answer.
    ///
    /// False when the connection is gone and will not see it: a subscription confirmed then never stood.
    pub fn answer(mut self, answer: Answer) -> bool {
        match self.mailbox.take() {
            Some(mailbox) => mailbox.push(Mail::Answer(self.ticket, answer)),
            None => false,
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.push(Mail::Answer(self.ticket, Answer::Failed));
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}
