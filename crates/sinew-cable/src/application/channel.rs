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
pub trait Channel: Send + Sync + 'static {
    /// The name clients subscribe by, such as `ChatChannel`.
    const NAME: &'static str;

    /// Whether [`unsubscribed`](Self::unsubscribed) does anything. `false` saves a task per ending subscription.
    const CARES_ABOUT_UNSUBSCRIBED: bool = true;

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
