//! The in-process application: a connect hook and Rust channels behind the [`Controller`] port.

mod action;
mod channel;
mod direct;
mod subscription;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use foldhash::fast::RandomState;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::value::RawValue;
use sinew_verifier::MessageVerifier;
use tokio::runtime::Handle;
use tracing::Instrument as _;

pub use channel::Channel;
pub use direct::{DirectChannel, DirectSubscription};
pub use subscription::{Params, Subscription};

use crate::connection::Subscribed;
use crate::controller::{
    Answer, Call, Confirmation, Controller, Refusal, Replies, SubscriptionState,
};
use crate::{ChannelError, ConnectRequest, ConnectionContext, ConnectionIdentifiers};
use action::read_action;
use channel::ErasedChannel;

/// The channel that the elements of `<cable-ready-stream-from>` subscribe to.
const CABLE_READY_STREAM: &str = "CableReady::Stream";
/// The base class of all channels, which the original lets anyone subscribe to; nothing ever comes over it.
const CHANNEL_BASE: &str = "ActionCable::Channel::Base";

/// Decides who a new connection belongs to, or that it may not be.
///
/// Any `Fn(Arc<ConnectRequest>)` that gives a future of the identity or a [`Refusal`] is one.
///
/// ```
/// use std::sync::Arc;
/// use sinew_cable::{ConnectHook, ConnectRequest, ConnectionIdentifiers, Refusal};
///
/// async fn by_header(request: Arc<ConnectRequest>) -> Result<ConnectionIdentifiers, Refusal> {
///     let user = request.headers.get("x-user").and_then(|user| user.to_str().ok());
///     let user = user.ok_or(Refusal::unauthorized())?;
///     Ok(ConnectionIdentifiers::new().with("user", user))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut request = ConnectRequest::default();
/// let refused = by_header.connect(Arc::new(request.clone())).await;
/// assert_eq!(refused.unwrap_err(), Refusal::unauthorized());
///
/// request.headers.insert("x-user", "ann".parse()?);
/// let welcome = by_header.connect(Arc::new(request)).await;
/// assert_eq!(welcome.unwrap().get("user"), Some("ann"));
/// # Ok(()) }
/// ```
pub trait ConnectHook: Send + Sync + 'static {
    /// Looks at the handshake.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: the client is told why, and closed.
    fn connect(
        &self,
        request: Arc<ConnectRequest>,
    ) -> BoxFuture<'static, Result<ConnectionIdentifiers, Refusal>>;
}

impl<F, Fut> ConnectHook for F
where
    F: Fn(Arc<ConnectRequest>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ConnectionIdentifiers, Refusal>> + Send + 'static,
{
    fn connect(
        &self,
        request: Arc<ConnectRequest>,
    ) -> BoxFuture<'static, Result<ConnectionIdentifiers, Refusal>> {
        Box::pin(self(request))
    }
}

/// A [`Controller`] of Rust channels.
///
/// The connect hook and the methods of a [`Channel`] run as tasks of a tokio runtime: the one that drives the
/// connections, or one given by [`runtime`](Self::runtime).
/// A [`DirectChannel`] is called in place; messages to a channel that is [in place](Channel::IN_PLACE) begin there.
/// A method that fails or panics is logged and counted; the connection lives.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::Arc;
/// use sinew_cable::{
///     Answer, Application, Cable, Channel, ConnectionIdentifiers, DirectChannel, DirectSubscription,
/// };
/// use sinew_streams::InProcessStreams;
/// use sinew_verifier::{Digest, MessageVerifier, SecretKeyBase};
///
/// struct EmptyChannel;
///
/// impl Channel for EmptyChannel {
///     const NAME: &'static str = "EmptyChannel";
/// }
///
/// struct ClosedChannel;
///
/// impl DirectChannel for ClosedChannel {
///     fn name(&self) -> &str {
///         "ClosedChannel"
///     }
///     fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
///         Answer::Rejected
///     }
///     fn perform(&self, _: DirectSubscription<'_>, _: &str) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = SecretKeyBase::new("a secret of at least sixteen bytes");
/// let verifier = MessageVerifier::new(secret.derive("signed streams", Digest::Sha256));
/// let signed = verifier.sign("news");
///
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new()))
///     .channel(EmptyChannel)
///     .direct_channel(Arc::new(ClosedChannel))
///     .signed_streams(verifier)
///     .runtime(tokio::runtime::Handle::current());
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
///
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe(r#"{"channel":"EmptyChannel"}"#);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.subscribe(r#"{"channel":"ClosedChannel"}"#);
/// assert_eq!(client.receive().await["type"], "reject_subscription");
///
/// let news = format!(r#"{{"channel":"CableReady::Stream","identifier":"{signed}"}}"#);
/// client.subscribe(&news);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// cable.broadcaster().broadcast("news", "signed for").await?;
/// assert_eq!(client.receive().await["message"], "signed for");
///
/// client.subscribe(r#"{"channel":"CableReady::Stream","identifier":"news"}"#);
/// assert_eq!(client.receive().await["type"], "reject_subscription");
/// # Ok(()) }
/// ```
pub struct Application {
    connect: Arc<dyn ConnectHook>,
    routes: HashMap<String, u32, RandomState>,
    handlers: Vec<Handler>,
    runtime: Option<Handle>,
    connects_in_place: bool,
}

enum Handler {
    Channel(Arc<dyn ErasedChannel>),
    Direct(Arc<dyn DirectChannel>),
    SignedStream(MessageVerifier),
    Base,
}

impl Application {
    /// An application with this connect hook and no channels.
    pub fn new(connect: impl ConnectHook) -> Self {
        let application = Self {
            connect: Arc::new(connect),
            routes: HashMap::default(),
            handlers: Vec::new(),
            runtime: None,
            connects_in_place: false,
        };
        application.handler(CHANNEL_BASE.to_owned(), Handler::Base)
    }

    /// Adds a channel under its [`NAME`](Channel::NAME).
    ///
    /// # Panics
    ///
    /// When a channel of that name is there already.
    #[must_use]
    pub fn channel<C: Channel>(self, channel: C) -> Self {
        self.handler(C::NAME.to_owned(), Handler::Channel(Arc::new(channel)))
    }

    /// Adds a channel that is called in place.
    ///
    /// # Panics
    ///
    /// When a channel of that name is there already.
    #[must_use]
    pub fn direct_channel(self, channel: Arc<dyn DirectChannel>) -> Self {
        self.handler(channel.name().to_owned(), Handler::Direct(channel))
    }

    /// Adds `CableReady::Stream`: whoever shows a stream name signed with this verifier's key follows that stream.
    ///
    /// # Panics
    ///
    /// When it was added before.
    #[must_use]
    pub fn signed_streams(self, verifier: MessageVerifier) -> Self {
        self.handler(
            CABLE_READY_STREAM.to_owned(),
            Handler::SignedStream(verifier),
        )
    }

    /// Asks the connect hook where the connection is driven, and makes a task of it only if it has to wait: a visitor
    /// who can be recognised at once is welcomed at once, without a way to the runtime and back.
    ///
    /// For hooks that neither block nor compute for long: meanwhile no other connection of that shard is served.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Instant;
    /// # use sinew_cable::{Application, Cable, ConnectRequest, ConnectionIdentifiers, shard::Shard};
    /// # use sinew_streams::InProcessStreams;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_streams::StreamsError> {
    /// let application =
    ///     Application::new(async |_| Ok(ConnectionIdentifiers::new())).connects_in_place();
    /// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    ///
    /// // The welcome is there as soon as the connection is.
    /// let mut shard = Shard::new(&cable, || {});
    /// let request = Arc::new(ConnectRequest::default());
    /// let key = shard.open(Instant::now(), cable.incoming(), request, "the first");
    /// let mut line = shard.visit(key).expect("it is there").line;
    /// let welcome = line.outbox().and_then(|outbox| outbox.only());
    /// assert_eq!(welcome, Some(&b"\x81\x12{\"type\":\"welcome\"}"[..]));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn connects_in_place(mut self) -> Self {
        self.connects_in_place = true;
        self
    }

    /// Runs hooks and channels on this runtime, not on the one that drives the connections.
    #[must_use]
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    fn handler(mut self, name: String, handler: Handler) -> Self {
        let route = u32::try_from(self.handlers.len()).expect("fewer channels than 2^32");
        self.handlers.push(handler);
        let known = self.routes.insert(name, route);
        assert!(known.is_none(), "a channel of this name is there already");
        self
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = task.in_current_span();
        match &self.runtime {
            Some(runtime) => runtime.spawn(task),
            None => tokio::spawn(task),
        };
    }

    fn connect(&self, request: Arc<ConnectRequest>, replies: &Replies<'_>) -> Option<Answer> {
        let hook = self.connect.clone();
        let connected = guard("connect hook", async move { hook.connect(request).await });
        let answer = async move {
            match connected.await {
                Some(Ok(identifiers)) => Answer::connected(identifiers),
                Some(Err(refusal)) => Answer::Refused(refusal),
                None => Answer::Failed,
            }
        };
        self.answer(answer, self.connects_in_place, replies)
    }

    /// Takes the answer from a task; in place, from what is known at once, and from a task only if that has to wait.
    fn answer(
        &self,
        answer: impl Future<Output = Answer> + Send + 'static,
        is_in_place: bool,
        replies: &Replies<'_>,
    ) -> Option<Answer> {
        if !is_in_place {
            self.answer_later(answer, replies);
            return None;
        }
        let mut answer = Box::pin(answer);
        // Whatever it waits for wakes nobody yet; the task asks once more.
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
            return Some(answer);
        }
        self.answer_later(answer, replies);
        None
    }

    fn answer_later(
        &self,
        answer: impl Future<Output = Answer> + Send + 'static,
        replies: &Replies<'_>,
    ) {
        let reply = replies.later();
        // Not an `async` block, which would keep room for what it awaits a second time.
        self.spawn(answer.map(move |answer| {
            reply.answer(answer);
        }));
    }

    fn subscribe(
        &self,
        connection: &ConnectionContext,
        identifier: &sinew_protocol::Identifier,
        replies: &Replies<'_>,
    ) -> Option<Answer> {
        let route = identifier
            .channel()
            .and_then(|channel| self.routes.get(&channel).copied());
        let Some(route) = route else {
            tracing::debug!(%identifier, "subscribe to an unknown channel ignored");
            return Some(Answer::Ignored);
        };
        match &self.handlers[route as usize] {
            Handler::Base => Some(
                Confirmation {
                    route,
                    ..Confirmation::default()
                }
                .into(),
            ),
            Handler::SignedStream(verifier) => Some(signed_stream(verifier, identifier, route)),
            Handler::Direct(channel) => {
                let subscription = DirectSubscription::new(connection, identifier, None);
                let mut answer = channel.subscribed(subscription);
                if let Answer::Confirmed(confirmation) = &mut answer {
                    confirmation.route = route;
                }
                Some(answer)
            }
            Handler::Channel(channel) => {
                let reply = replies.later();
                let channel = channel.clone();
                let mut cx = Subscription::new(connection.clone(), identifier.clone(), None);
                self.spawn(async move {
                    let subscribed = guard("subscribed", channel.subscribed(&mut cx)).await;
                    let answer = match subscribed {
                        Some(Ok(())) => cx.take_confirmation(route),
                        Some(Err(error)) => {
                            log_failure("subscribed", &cx, &error);
                            Answer::Failed
                        }
                        None => Answer::Failed,
                    };
                    let confirmed = matches!(answer, Answer::Confirmed(_));
                    if !reply.answer(answer) && confirmed {
                        // The client left meanwhile: the subscription never stood, but the channel believes it did.
                        guard("unsubscribed", channel.unsubscribed(&mut cx)).await;
                    }
                });
                None
            }
        }
    }

    fn perform(
        &self,
        connection: &ConnectionContext,
        subscription: &Subscribed,
        data: &str,
        replies: &Replies<'_>,
    ) -> Option<Answer> {
        match &self.handlers[subscription.route() as usize] {
            Handler::Base | Handler::SignedStream(_) => Some(Answer::Done),
            Handler::Direct(channel) => {
                channel.perform(
                    DirectSubscription::new(
                        connection,
                        subscription.identifier(),
                        subscription.state(),
                    ),
                    data,
                );
                Some(Answer::Done)
            }
            Handler::Channel(channel) => {
                let data = RawValue::from_string(data.to_owned()).ok();
                let read = data.and_then(|data| read_action(&data).zip(Some(data)));
                let Some((action, data)) = read else {
                    tracing::debug!(
                        identifier = %subscription.identifier(),
                        "message ignored: data is no object or its action no string"
                    );
                    return Some(Answer::Done);
                };
                let is_in_place = channel.is_in_place();
                let channel = channel.clone();
                let mut cx = self.context_of(connection, subscription);
                let answer = async move {
                    let done = match &action {
                        Some(action) => {
                            let action = action.in_data(&data);
                            guard("perform", channel.perform(&mut cx, action, &data)).await
                        }
                        None => guard("receive", channel.receive(&mut cx, &data)).await,
                    };
                    if let Some(Err(error)) = &done {
                        let action = action.as_ref().map(|it| it.in_data(&data));
                        log_failure(action.unwrap_or("receive"), &cx, error);
                    }
                    // What an action followed before it failed stays followed.
                    cx.take_changes()
                };
                self.answer(answer, is_in_place, replies)
            }
        }
    }

    fn unsubscribe(
        &self,
        connection: &ConnectionContext,
        subscription: &Subscribed,
        replies: &Replies<'_>,
    ) -> Option<Answer> {
        match &self.handlers[subscription.route() as usize] {
            Handler::Channel(channel) if channel.cares_about_unsubscribed() => {
                let channel = channel.clone();
                let mut cx = self.context_of(connection, subscription);
                let answer = async move {
                    guard("unsubscribed", channel.unsubscribed(&mut cx)).await;
                    Answer::Done
                };
                self.answer(answer, false, replies)
            }
            Handler::Direct(channel) => {
                channel.unsubscribed(DirectSubscription::new(
                    connection,
                    subscription.identifier(),
                    subscription.state(),
                ));
                Some(Answer::Done)
            }
            _ => Some(Answer::Done),
        }
    }

    fn context_of(
        &self,
        connection: &ConnectionContext,
        subscription: &Subscribed,
    ) -> Subscription {
        Subscription::new(
            connection.clone(),
            subscription.identifier().clone(),
            subscription.state().cloned(),
        )
    }
}

impl Controller for Application {
    fn handle(&self, call: Call<'_>, replies: &Replies<'_>) -> Option<Answer> {
        match call {
            Call::Connect(request) => self.connect(request, replies),
            Call::Subscribe {
                connection,
                identifier,
            } => self.subscribe(connection, identifier, replies),
            Call::Perform {
                connection,
                subscription,
                data,
            } => self.perform(connection, subscription, data, replies),
            Call::Unsubscribe {
                connection,
                subscription,
            } => self.unsubscribe(connection, subscription, replies),
        }
    }

    fn is_busy(&self, connection: &ConnectionContext, subscription: &Subscribed) -> bool {
        match &self.handlers[subscription.route() as usize] {
            Handler::Direct(channel) => channel.is_busy(DirectSubscription::new(
                connection,
                subscription.identifier(),
                subscription.state(),
            )),
            _ => false,
        }
    }

    fn disconnected(&self, connection: &ConnectionContext, subscriptions: Vec<Subscribed>) {
        for subscription in subscriptions {
            match &self.handlers[subscription.route() as usize] {
                Handler::Base | Handler::SignedStream(_) => {}
                Handler::Direct(channel) => channel.unsubscribed(DirectSubscription::new(
                    connection,
                    subscription.identifier(),
                    subscription.state(),
                )),
                Handler::Channel(channel) if channel.cares_about_unsubscribed() => {
                    let channel = channel.clone();
                    let mut cx = self.context_of(connection, &subscription);
                    let task = async move {
                        guard("unsubscribed", channel.unsubscribed(&mut cx)).await;
                    };
                    // A connection may also end while its runtime shuts down: then no one is left to tell.
                    match self.runtime.clone().map_or_else(Handle::try_current, Ok) {
                        Ok(runtime) => drop(runtime.spawn(task)),
                        Err(_) => tracing::debug!("unsubscribed not called: no runtime"),
                    }
                }
                Handler::Channel(_) => {}
            }
        }
    }
}

/// Awaits application code; a panic in it is logged and gives nothing.
async fn guard<T>(what: &'static str, code: impl Future<Output = T>) -> Option<T> {
    match AssertUnwindSafe(code).catch_unwind().await {
        Ok(done) => Some(done),
        Err(panic) => {
            tracing::error!(
                what,
                panic = panic_text(&*panic),
                "application code panicked"
            );
            None
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "no text"
    }
}

fn log_failure(action: &str, cx: &Subscription, error: &ChannelError) {
    tracing::warn!(action, identifier = %cx.identifier(), %error, "channel failed");
}

fn signed_stream(
    verifier: &MessageVerifier,
    identifier: &sinew_protocol::Identifier,
    route: u32,
) -> Answer {
    #[derive(Deserialize)]
    struct Signed {
        identifier: String,
    }
    let verified = serde_json::from_str::<Signed>(identifier.as_str())
        .ok()
        .and_then(|signed| verifier.verify(&signed.identifier).ok());
    match verified {
        Some(stream) => {
            let confirmation = Confirmation {
                route,
                ..Confirmation::default()
            };
            confirmation.stream_from(stream).into()
        }
        None => Answer::Rejected,
    }
}

/// Kept by a controller with a subscription, as the type it is.
pub(crate) fn state_of<T: Send + Sync + 'static>(
    state: Option<&SubscriptionState>,
) -> Option<Arc<T>> {
    state?.clone().downcast().ok()
}
