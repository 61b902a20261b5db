use std::future::Future;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use super::Subscription;
use crate::ChannelError;

/// What clients subscribe to: the server-side class of a channel.
///
/// One value serves all subscriptions; what belongs to one of them is kept by [`Subscription::set_state`].
/// Methods are written as `async fn`; those not written do what an empty channel does.
/// Calls of one connection come one after another, those of different connections at the same time.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
/// use serde_json::value::RawValue;
/// use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
/// use sinew_streams::InProcessStreams;
///
/// #[derive(Clone, Default)]
/// struct RoomChannel {
///     left: Arc<AtomicUsize>,
/// }
///
/// impl Channel for RoomChannel {
///     const NAME: &'static str = "RoomChannel";
///
///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
///         match cx.params().get::<u32>("room") {
///             Some(room) => cx.stream_from(format!("room:{room}")),
///             None => cx.reject(),
///         }
///         Ok(())
///     }
///
///     async fn perform(
///         &self,
///         cx: &mut Subscription,
///         action: &str,
///         _data: &RawValue,
///     ) -> Result<(), ChannelError> {
///         match action {
///             "ping" => cx.transmit("pong"),
///             _ => Err(ChannelError::unknown_action(action)),
///         }
///     }
///
///     async fn receive(&self, cx: &mut Subscription, data: &RawValue) -> Result<(), ChannelError> {
///         cx.transmit(data)
///     }
///
///     async fn unsubscribed(&self, _cx: &mut Subscription) {
///         self.left.fetch_add(1, Relaxed);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rooms = RoomChannel::default();
/// let application =
///     Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(rooms.clone());
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
///
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// let room = r#"{"channel":"RoomChannel","room":1}"#;
/// client.subscribe(room);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.perform(room, r#"{"action":"ping"}"#);
/// assert_eq!(client.receive().await["message"], "pong");
/// client.perform(room, r#"{"text":"no action"}"#);
/// assert_eq!(client.receive().await["message"]["text"], "no action");
/// cable.broadcaster().broadcast("room:1", "hello").await?;
/// assert_eq!(client.receive().await["message"], "hello");
///
/// // Commands of one connection are carried out one after another.
/// client.unsubscribe(room);
/// client.subscribe(r#"{"channel":"RoomChannel"}"#);
/// assert_eq!(client.receive().await["type"], "reject_subscription");
/// assert_eq!(rooms.left.load(Relaxed), 1);
/// # Ok(()) }
/// ```
pub trait Channel: Send + Sync + 'static {
    /// The name clients subscribe by, such as `ChatChannel`.
    const NAME: &'static str;

    /// Whether [`unsubscribed`](Self::unsubscribed) does anything. `false` saves a task per ending subscription.
    const CARES_ABOUT_UNSUBSCRIBED: bool = true;

    /// Whether messages are begun where the connection is driven, and become a task only if they have to wait: an
    /// answer that is known at once is sent without a way to the runtime and back.
    ///
    /// For channels whose [`perform`](Self::perform) and [`receive`](Self::receive) neither block nor compute for long:
    /// meanwhile no other connection of that shard is served. Not by default.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// # use std::sync::Arc;
    /// # use serde_json::value::RawValue;
    /// # use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
    /// # use sinew_streams::InProcessStreams;
    /// struct EchoChannel;
    ///
    /// impl Channel for EchoChannel {
    ///     const NAME: &'static str = "EchoChannel";
    ///     const IN_PLACE: bool = true;
    ///
    ///     async fn receive(&self, cx: &mut Subscription, data: &RawValue) -> Result<(), ChannelError> {
    ///         cx.transmit(data)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let application = Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(EchoChannel);
    /// # let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// # client.subscribe(r#"{"channel":"EchoChannel"}"#);
    /// # assert_eq!(client.receive().await["type"], "confirm_subscription");
    /// client.perform(r#"{"channel":"EchoChannel"}"#, r#"{"text":"hello"}"#);
    /// assert_eq!(client.receive().await["message"]["text"], "hello");
    /// # Ok(()) }
    /// ```
    const IN_PLACE: bool = false;

    /// A client asks to subscribe. `Ok` confirms, unless [`Subscription::reject`] was called.
    ///
    /// What is transmitted here reaches the client before the confirmation.
    /// After an error or a panic the client hears nothing, and will ask again.
    fn subscribed(
        &self,
        cx: &mut Subscription,
    ) -> impl Future<Output = Result<(), ChannelError>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// The client left, or its connection ended. Nothing can be sent any more.
    fn unsubscribed(&self, cx: &mut Subscription) -> impl Future<Output = ()> + Send {
        let _ = cx;
        async {}
    }

    /// A message with an `action`. `data` is the whole object, the action in it.
    fn perform(
        &self,
        cx: &mut Subscription,
        action: &str,
        data: &RawValue,
    ) -> impl Future<Output = Result<(), ChannelError>> + Send {
        let _ = (cx, data);
        let unknown = ChannelError::unknown_action(action);
        async { Err(unknown) }
    }

    /// A message without an `action`.
    fn receive(
        &self,
        cx: &mut Subscription,
        data: &RawValue,
    ) -> impl Future<Output = Result<(), ChannelError>> + Send {
        let _ = (cx, data);
        async {
            Err(ChannelError::msg(
                "the channel takes no message without an action",
            ))
        }
    }
}

/// [`Channel`] as an object.
pub(super) trait ErasedChannel: Send + Sync {
    fn cares_about_unsubscribed(&self) -> bool;

    fn is_in_place(&self) -> bool;

    fn subscribed<'a>(
        &'a self,
        cx: &'a mut Subscription,
    ) -> BoxFuture<'a, Result<(), ChannelError>>;

    fn unsubscribed<'a>(&'a self, cx: &'a mut Subscription) -> BoxFuture<'a, ()>;

    fn perform<'a>(
        &'a self,
        cx: &'a mut Subscription,
        action: &'a str,
        data: &'a RawValue,
    ) -> BoxFuture<'a, Result<(), ChannelError>>;

    fn receive<'a>(
        &'a self,
        cx: &'a mut Subscription,
        data: &'a RawValue,
    ) -> BoxFuture<'a, Result<(), ChannelError>>;
}

impl<C: Channel> ErasedChannel for C {
    fn cares_about_unsubscribed(&self) -> bool {
        C::CARES_ABOUT_UNSUBSCRIBED
    }

    fn is_in_place(&self) -> bool {
        C::IN_PLACE
    }

    fn subscribed<'a>(
        &'a self,
        cx: &'a mut Subscription,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        Box::pin(Channel::subscribed(self, cx))
    }

    fn unsubscribed<'a>(&'a self, cx: &'a mut Subscription) -> BoxFuture<'a, ()> {
        Box::pin(Channel::unsubscribed(self, cx))
    }

    fn perform<'a>(
        &'a self,
        cx: &'a mut Subscription,
        action: &'a str,
        data: &'a RawValue,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        Box::pin(Channel::perform(self, cx, action, data))
    }

    fn receive<'a>(
        &'a self,
        cx: &'a mut Subscription,
        data: &'a RawValue,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        Box::pin(Channel::receive(self, cx, data))
    }
}
