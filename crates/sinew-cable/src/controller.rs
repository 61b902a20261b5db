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
///
/// ```
/// use std::sync::Arc;
/// use sinew_cable::{Confirmation, SubscriptionState};
///
/// let confirmation = Confirmation::new().with_state(Arc::new(7_u32));
/// let state: SubscriptionState = confirmation.state.expect("just given");
/// assert_eq!(state.downcast_ref::<u32>(), Some(&7));
/// ```
pub type SubscriptionState = Arc<dyn Any + Send + Sync>;

/// The application behind the cable.
///
/// It is called on the thread that drives connections and **must not block or compute for long**: it answers at once, or
/// takes a [`Reply`] and answers later from anywhere.
/// Commands of one connection come strictly one after another: the next is not made before the last is answered.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
/// use sinew_cable::{
///     Answer, Cable, Call, Confirmation, ConnectionContext, ConnectionIdentifiers, Controller,
///     Replies, Subscribed,
/// };
/// use sinew_streams::InProcessStreams;
///
/// /// One channel of any name, that gives back what it gets.
/// #[derive(Default)]
/// struct Mirror {
///     ended: AtomicUsize,
/// }
///
/// impl Controller for Mirror {
///     fn handle(&self, call: Call<'_>, _replies: &Replies<'_>) -> Option<Answer> {
///         Some(match call {
///             Call::Connect(_) => Answer::connected(ConnectionIdentifiers::new()),
///             Call::Subscribe { .. } => Confirmation::new().into(),
///             Call::Perform { connection, subscription, data } => {
///                 connection.transmit_json(subscription.identifier(), data);
///                 Answer::Done
///             }
///             _ => Answer::Done,
///         })
///     }
///
///     fn disconnected(&self, _: &ConnectionContext, subscriptions: Vec<Subscribed>) {
///         self.ended.fetch_add(subscriptions.len(), Relaxed);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mirror = Arc::new(Mirror::default());
/// let cable = Cable::builder(mirror.clone(), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe(r#"{"channel":"Any"}"#);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.perform(r#"{"channel":"Any"}"#, r#"{"text":"hello"}"#);
/// assert_eq!(client.receive().await["message"]["text"], "hello");
///
/// drop(client);
/// assert_eq!(mirror.ended.load(Relaxed), 1);
/// # Ok(()) }
/// ```
pub trait Controller: Send + Sync + 'static {
    /// Takes one call. `Some` is the answer; `None` says that a reply was taken and will bring it.
    ///
    /// `None` without a reply taken leaves the connection waiting for ever; a reply that is dropped answers
    /// [`Answer::Failed`].
    fn handle(&self, call: Call<'_>, replies: &Replies<'_>) -> Option<Answer>;

    /// A connection that had been welcomed is gone, with these subscriptions.
    fn disconnected(&self, connection: &ConnectionContext, subscriptions: Vec<Subscribed>);

    /// Whether something that this subscription began, and whose call was answered, is still on its way to it. While it
    /// is, a [drain](crate::Cable::drain_over) does not tell the client to leave.
    ///
    /// Called on the threads that drive connections; must not block. No by default.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// # use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// # use sinew_cable::{
    /// #     Answer, Cable, Call, Confirmation, ConnectionContext, ConnectionIdentifiers, Controller,
    /// #     Replies, Subscribed,
    /// # };
    /// # use sinew_streams::InProcessStreams;
    ///
    /// /// Something that was begun goes on for so many looks.
    /// struct Works(AtomicU32);
    ///
    /// impl Controller for Works {
    /// #   fn handle(&self, call: Call<'_>, _: &Replies<'_>) -> Option<Answer> {
    /// #       Some(match call {
    /// #           Call::Connect(_) => Answer::connected(ConnectionIdentifiers::new()),
    /// #           Call::Subscribe { .. } => Confirmation::new().into(),
    /// #           _ => Answer::Done,
    /// #       })
    /// #   }
    /// #   fn disconnected(&self, _: &ConnectionContext, _: Vec<Subscribed>) {}
    ///     // And the rest.
    ///     fn is_busy(&self, _: &ConnectionContext, _: &Subscribed) -> bool {
    ///         self.0.fetch_sub(1, Relaxed) > 1
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let works = Arc::new(Works(AtomicU32::new(1)));
    /// let cable = Cable::builder(works.clone(), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// client.subscribe("news");
    /// # assert_eq!(client.receive().await["type"], "confirm_subscription");
    /// let leaves = async {
    ///     assert_eq!(client.receive().await["reason"], "server_restart");
    ///     drop(client);
    /// };
    /// tokio::join!(cable.drain(), leaves);
    /// assert_eq!(works.0.load(Relaxed), 0, "it was asked");
    /// # Ok(()) }
    /// ```
    fn is_busy(&self, connection: &ConnectionContext, subscription: &Subscribed) -> bool {
        let _ = (connection, subscription);
        false
    }
}

/// What the cable asks the application.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{
/// #     Answer, Cable, Call, Confirmation, ConnectionContext, ConnectionIdentifiers, Controller,
/// #     Replies, Subscribed,
/// # };
/// # use sinew_streams::InProcessStreams;
///
/// # struct Log(std::sync::Mutex<Vec<String>>);
/// impl Controller for Log {
///     fn handle(&self, call: Call<'_>, _: &Replies<'_>) -> Option<Answer> {
///         let (line, answer) = match call {
///             Call::Connect(request) => {
///                 (format!("connect {}", request.uri), Answer::connected(ConnectionIdentifiers::new()))
///             }
///             Call::Subscribe { identifier, .. } => {
///                 (format!("subscribe {identifier}"), Confirmation::new().into())
///             }
///             Call::Perform { data, .. } => (format!("perform {data}"), Answer::Done),
///             Call::Unsubscribe { subscription, .. } => {
///                 (format!("unsubscribe {}", subscription.identifier()), Answer::Done)
///             }
///             _ => return Some(Answer::Failed),
///         };
///         self.0.lock().unwrap().push(line);
///         Some(answer)
///     }
/// #   fn disconnected(&self, _: &ConnectionContext, _: Vec<Subscribed>) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let log = Arc::new(Log(Default::default()));
/// # let cable = Cable::builder(log.clone(), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// client.subscribe("news");
/// client.perform("news", "{}");
/// client.unsubscribe("news");
/// assert_eq!(
///     *log.0.lock().unwrap(),
///     ["connect /", "subscribe news", "perform {}", "unsubscribe news"],
/// );
/// # Ok(()) }
/// ```
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
///
/// ```
/// use sinew_cable::{Answer, Changes, Confirmation, ConnectionIdentifiers, Refusal};
///
/// let welcome = Answer::connected(ConnectionIdentifiers::new().with("user", "ann"));
/// assert!(matches!(welcome, Answer::Connected(who) if who.get("user") == Some("ann")));
/// let not_welcome = Answer::Refused(Refusal::unauthorized());
/// assert!(matches!(not_welcome, Answer::Refused(refusal) if !refusal.reconnect));
///
/// assert!(matches!(Confirmation::new().into(), Answer::Confirmed(_)));
/// assert!(matches!(Changes::default().into(), Answer::Done), "changes that change nothing");
/// ```
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
///
/// ```
/// use sinew_cable::Refusal;
/// use sinew_protocol::DisconnectReason;
///
/// let stranger = Refusal::unauthorized();
/// assert_eq!(stranger.reason, DisconnectReason::Unauthorized);
/// assert!(!stranger.reconnect);
///
/// // Any reason makes a refusal, with that reason's own advice about coming back.
/// assert!(Refusal::from(DisconnectReason::ServerRestart).reconnect);
/// ```
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
/// use std::sync::Arc;
/// use sinew_cable::{Answer, Confirmation};
///
/// let confirmation = Confirmation::new().stream_from("chat:1").with_state(Arc::new("ann"));
/// assert_eq!(confirmation.streams[0].as_str(), "chat:1");
/// assert!(confirmation.state.as_ref().is_some_and(|state| state.is::<&str>()));
///
/// let answer: Answer = confirmation.into();
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
///
/// ```
/// use sinew_cable::{Answer, Changes};
///
/// let mut changes = Changes::default();
/// assert!(changes.is_empty());
/// changes.unfollow.push("chat:1".into());
/// changes.follow.push("chat:2".into());
/// assert!(!changes.is_empty());
/// assert!(matches!(changes.into(), Answer::Changed(_)));
/// ```
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
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{
/// #     Answer, Cable, Call, Confirmation, ConnectionContext, ConnectionIdentifiers, Controller,
/// #     Replies, Subscribed,
/// # };
/// # use sinew_streams::InProcessStreams;
///
/// /// Thinks about every subscription on a thread of its own.
/// struct Slow;
///
/// impl Controller for Slow {
///     fn handle(&self, call: Call<'_>, replies: &Replies<'_>) -> Option<Answer> {
///         match call {
///             Call::Connect(_) => Some(Answer::connected(ConnectionIdentifiers::new())),
///             Call::Subscribe { .. } => {
///                 let reply = replies.later();
///                 std::thread::spawn(move || reply.answer(Confirmation::new().into()));
///                 None
///             }
///             _ => Some(Answer::Done),
///         }
///     }
/// #   fn disconnected(&self, _: &ConnectionContext, _: Vec<Subscribed>) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cable = Cable::builder(Arc::new(Slow), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe("news");
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// # Ok(()) }
/// ```
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
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{
/// #     Answer, Cable, Call, Confirmation, ConnectionContext, ConnectionIdentifiers, Controller,
/// #     Replies, Subscribed,
/// # };
/// # use sinew_streams::InProcessStreams;
///
/// use std::sync::Mutex;
/// use sinew_cable::Reply;
///
/// /// Answers when it is told to.
/// #[derive(Default)]
/// struct Asked(Mutex<Vec<Reply>>);
///
/// impl Controller for Asked {
///     fn handle(&self, _: Call<'_>, replies: &Replies<'_>) -> Option<Answer> {
///         self.0.lock().unwrap().push(replies.later());
///         None
///     }
/// #   fn disconnected(&self, _: &ConnectionContext, _: Vec<Subscribed>) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let asked = Arc::new(Asked::default());
/// let cable = Cable::builder(asked.clone(), Arc::new(InProcessStreams::new())).build()?;
///
/// # let mut client = Client::open(&cable);
/// let reply: Reply = asked.0.lock().unwrap().remove(0);
/// assert!(reply.answer(Answer::connected(ConnectionIdentifiers::new())));
/// assert_eq!(client.receive().await["type"], "welcome");
///
/// // A client that has left hears no answer.
/// client.subscribe("news");
/// drop(client);
/// let reply = asked.0.lock().unwrap().remove(0);
/// assert!(!reply.answer(Confirmation::new().into()));
/// # Ok(()) }
/// ```
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
