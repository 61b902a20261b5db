use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sinew_protocol::Identifier;
use sinew_streams::StreamName;

use super::state_of;
use crate::controller::{Answer, Changes, Confirmation, SubscriptionState};
use crate::{ChannelError, ConnectionContext, ConnectionIdentifiers};

/// What a [`Channel`](super::Channel)'s method is called with: one connection's membership in the channel.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// use serde_json::value::RawValue;
/// use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
/// use sinew_streams::InProcessStreams;
///
/// /// Counts what each of its subscriptions says, and lets it change rooms.
/// struct ChatChannel;
///
/// impl Channel for ChatChannel {
///     const NAME: &'static str = "ChatChannel";
///
///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
///         if cx.identifiers().get("user").is_none() {
///             cx.reject();
///         }
///         cx.set_state(AtomicU32::new(0));
///         let room = cx.params().str("room").unwrap_or("lobby").to_owned();
///         cx.stream_from(room);
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
///             "say" => {
///                 let count = cx.state::<AtomicU32>().expect("set in subscribed");
///                 cx.transmit(&(count.fetch_add(1, Ordering::Relaxed) + 1))
///             }
///             "to_lobby" => {
///                 cx.stop_all_streams();
///                 cx.stream_from("lobby");
///                 cx.transmit("in the lobby")
///             }
///             "leave_lobby" => {
///                 cx.stop_stream_from("lobby");
///                 cx.transmit("outside")
///             }
///             "name" => cx.transmit(cx.identifier().as_str()),
///             "shout" => cx.broadcast("lobby", "to everybody in the lobby").await,
///             _ => Err(ChannelError::unknown_action(action)),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new().with("user", "ann")))
///     .channel(ChatChannel);
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
///
/// let attic = r#"{"channel":"ChatChannel","room":"attic"}"#;
/// client.subscribe(attic);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.perform(attic, r#"{"action":"say"}"#);
/// client.perform(attic, r#"{"action":"say"}"#);
/// assert_eq!(client.receive().await["message"], 1);
/// assert_eq!(client.receive().await["message"], 2);
///
/// client.perform(attic, r#"{"action":"name"}"#);
/// assert_eq!(client.receive().await["message"], attic);
///
/// client.perform(attic, r#"{"action":"to_lobby"}"#);
/// assert_eq!(client.receive().await["message"], "in the lobby");
/// cable.broadcaster().broadcast("attic", "not heard any more").await?;
/// cable.broadcaster().broadcast("lobby", "hello").await?;
/// assert_eq!(client.receive().await["message"], "hello");
/// client.perform(attic, r#"{"action":"shout"}"#);
/// assert_eq!(client.receive().await["message"], "to everybody in the lobby");
///
/// client.perform(attic, r#"{"action":"leave_lobby"}"#);
/// assert_eq!(client.receive().await["message"], "outside");
/// cable.broadcaster().broadcast("lobby", "not heard either").await?;
/// assert_eq!(cable.statistics().broadcast_deliveries, 2);
/// # Ok(()) }
/// ```
pub struct Subscription {
    connection: ConnectionContext,
    identifier: Identifier,
    params: Option<Params>,
    state: Option<SubscriptionState>,
    changes: Changes,
    rejected: bool,
}

impl Subscription {
    pub(super) fn new(
        connection: ConnectionContext,
        identifier: Identifier,
        state: Option<SubscriptionState>,
    ) -> Self {
        Self {
            connection,
            identifier,
            params: None,
            state,
            changes: Changes::default(),
            rejected: false,
        }
    }

    /// Its name, as the client wrote it.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// What the client gave with the channel's name. Read from the identifier at the first call.
    pub fn params(&mut self) -> &Params {
        self.params
            .get_or_insert_with(|| Params::read(&self.identifier))
    }

    /// The connection it belongs to: a handle to keep, for sending later.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
    /// use std::sync::{Arc, OnceLock};
    /// use sinew_cable::{
    ///     Application, Cable, Channel, ChannelError, ConnectionContext, ConnectionIdentifiers, Subscription,
    /// };
    /// use sinew_protocol::Identifier;
    /// use sinew_streams::InProcessStreams;
    ///
    /// #[derive(Clone, Default)]
    /// struct LastChannel(Arc<OnceLock<(ConnectionContext, Identifier)>>);
    ///
    /// impl Channel for LastChannel {
    ///     const NAME: &'static str = "LastChannel";
    ///
    ///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
    ///         let _ = self.0.set((cx.connection().clone(), cx.identifier().clone()));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let last = LastChannel::default();
    /// let application =
    ///     Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(last.clone());
    /// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
    /// # let mut client = Client::open(&cable);
    /// # assert_eq!(client.receive().await["type"], "welcome");
    /// client.subscribe(r#"{"channel":"LastChannel"}"#);
    /// assert_eq!(client.receive().await["type"], "confirm_subscription");
    ///
    /// // Later, from anywhere:
    /// let (connection, identifier) = last.0.get().expect("somebody has subscribed");
    /// assert!(connection.transmit(identifier, "still there?")?);
    /// assert_eq!(client.receive().await["message"], "still there?");
    /// # Ok(()) }
    /// ```
    pub fn connection(&self) -> &ConnectionContext {
        &self.connection
    }

    /// Who that is.
    pub fn identifiers(&self) -> &ConnectionIdentifiers {
        self.connection.identifiers()
    }

    /// Follows a stream: what is broadcast to it reaches this subscription's client.
    ///
    /// In `subscribed` it stands before the client sees the confirmation, elsewhere when the method has returned.
    /// A stream followed already is followed once.
    pub fn stream_from(&mut self, stream: impl Into<StreamName>) {
        self.changes.follow.push(stream.into());
    }

    /// Follows a stream no more.
    pub fn stop_stream_from(&mut self, stream: impl Into<StreamName>) {
        let stream = stream.into();
        self.changes.follow.retain(|follow| *follow != stream);
        self.changes.unfollow.push(stream);
    }

    /// Follows nothing any more.
    pub fn stop_all_streams(&mut self) {
        self.changes = Changes {
            unfollow_all: true,
            ..Changes::default()
        };
    }

    /// Sends a value to this subscription's client, at once and in order. Nothing happens when the client is gone.
    ///
    /// # Errors
    ///
    /// When the value cannot be written as JSON.
    pub fn transmit(&self, message: &(impl Serialize + ?Sized)) -> Result<(), ChannelError> {
        self.connection.transmit(&self.identifier, message)?;
        Ok(())
    }

    /// Sends a value to everyone on a stream, this subscription among them if it follows the stream.
    ///
    /// # Errors
    ///
    /// When the value cannot be written as JSON, or the streams do not take it.
    pub async fn broadcast(
        &self,
        stream: impl Into<StreamName>,
        message: &(impl Serialize + ?Sized),
    ) -> Result<(), ChannelError> {
        let broadcaster = self.connection.broadcaster();
        broadcaster.broadcast(stream, message).await?;
        Ok(())
    }

    /// Refuses the subscription. Only `subscribed` can; elsewhere it does nothing.
    pub fn reject(&mut self) {
        self.rejected = true;
    }

    /// Keeps a value with this subscription, for later calls. Only what `subscribed` sets is kept; keep something that
    /// can change inside, such as a mutex, to change it later.
    pub fn set_state<T: Send + Sync + 'static>(&mut self, state: T) {
        self.state = Some(Arc::new(state));
    }

    /// What was kept, if it is of that type.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        state_of(self.state.as_ref())
    }

    pub(super) fn take_confirmation(&mut self, route: u32) -> Answer {
        if self.rejected {
            return Answer::Rejected;
        }
        Confirmation {
            streams: std::mem::take(&mut self.changes.follow).into(),
            state: self.state.clone(),
            route,
        }
        .into()
    }

    pub(super) fn take_changes(&mut self) -> Answer {
        std::mem::take(&mut self.changes).into()
    }
}

/// What a client gives with a channel's name in its identifier.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::Arc;
/// use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
/// use sinew_streams::InProcessStreams;
///
/// struct FeedChannel;
///
/// impl Channel for FeedChannel {
///     const NAME: &'static str = "FeedChannel";
///
///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
///         let params = cx.params();
///         assert_eq!(params.str("language"), Some("de"));
///         assert_eq!(params.get::<Vec<u32>>("topics"), Some(vec![1, 2]));
///         assert_eq!(params.get::<u32>("language"), None, "not a number");
///         assert_eq!(params.value("language"), Some(&"de".into()));
///         assert!(params.is_truthy("images") && !params.is_truthy("sound"));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(FeedChannel);
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe(
///     r#"{"channel":"FeedChannel","language":"de","topics":[1,2],"images":1,"sound":false}"#,
/// );
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(Map<String, Value>);

impl Params {
    fn read(identifier: &Identifier) -> Self {
        Self(serde_json::from_str(identifier.as_str()).unwrap_or_default())
    }

    /// A param as JSON.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A param that is a string.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A param as any type that serde reads; nothing when it is missing, `null` or something else.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        match self.0.get(name)? {
            Value::Null => None,
            value => T::deserialize(value).ok(),
        }
    }

    /// Whether there is such a param that is neither `null` nor `false`.
    pub fn is_truthy(&self, name: &str) -> bool {
        !matches!(
            self.0.get(name),
            None | Some(Value::Null | Value::Bool(false))
        )
    }
}
