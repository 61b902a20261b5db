use std::sync::Arc;

use sinew_protocol::Identifier;

use crate::application::state_of;
use crate::controller::{Answer, SubscriptionState};
use crate::{ConnectionContext, ConnectionIdentifiers};

/// A channel called in place, on the thread that drives connections: no task, no waiting.
///
/// For channels that only pass on what they get, as the reflexes' does: every method **must return quickly and never
/// block**, since other connections wait for it. A panic is caught, logged and counted.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering::Relaxed}};
/// use sinew_cable::{
///     Answer, Application, Cable, Confirmation, ConnectionIdentifiers, DirectChannel, DirectSubscription,
/// };
/// use sinew_streams::InProcessStreams;
///
/// /// Adds up the numbers that a client sends.
/// #[derive(Default)]
/// struct SumChannel {
///     subscriptions: AtomicU64,
/// }
///
/// impl DirectChannel for SumChannel {
///     fn name(&self) -> &str {
///         "SumChannel"
///     }
///
///     fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
///         self.subscriptions.fetch_add(1, Relaxed);
///         Confirmation::new().with_state(Arc::new(AtomicU64::new(0))).into()
///     }
///
///     fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
///         let (Some(sum), Ok(number)) = (subscription.state::<AtomicU64>(), data.parse::<u64>()) else {
///             return;
///         };
///         let sum = sum.fetch_add(number, Relaxed) + number;
///         subscription.transmit_json(&sum.to_string());
///     }
///
///     fn unsubscribed(&self, _: DirectSubscription<'_>) {
///         self.subscriptions.fetch_sub(1, Relaxed);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Arc::new(SumChannel::default());
/// let application =
///     Application::new(async |_| Ok(ConnectionIdentifiers::new())).direct_channel(channel.clone());
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
///
/// let sum = r#"{"channel":"SumChannel"}"#;
/// client.subscribe(sum);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.perform(sum, "40");
/// client.perform(sum, "2");
/// assert_eq!(client.receive().await["message"], 40);
/// assert_eq!(client.receive().await["message"], 42);
/// client.unsubscribe(sum);
/// assert_eq!(channel.subscriptions.load(Relaxed), 0);
/// # Ok(()) }
/// ```
pub trait DirectChannel: Send + Sync + 'static {
    /// The name clients subscribe by.
    fn name(&self) -> &str;

    /// A client asks to subscribe: [`Confirmation`](crate::Confirmation)`.into()`, [`Answer::Rejected`] or
    /// [`Answer::Ignored`].
    fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer;

    /// A message. `data` is the client's text, usually JSON, not checked. The next command may be handled at once.
    fn perform(&self, subscription: DirectSubscription<'_>, data: &str);

    /// Whether something that the client asked for with a message is still on its way to it: then a
    /// [drain](crate::Cable::drain_over) does not tell it to leave. Must not block. No by default.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// use sinew_cable::{Answer, Confirmation, DirectChannel, DirectSubscription};
    ///
    /// /// Jobs that were begun and have not reported.
    /// #[derive(Default)]
    /// struct Jobs(AtomicUsize);
    ///
    /// struct JobsChannel;
    ///
    /// impl DirectChannel for JobsChannel {
    ///     fn name(&self) -> &str {
    ///         "JobsChannel"
    ///     }
    ///
    ///     fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
    ///         Confirmation::new().with_state(Arc::new(Jobs::default())).into()
    ///     }
    ///
    ///     fn perform(&self, subscription: DirectSubscription<'_>, _: &str) {
    ///         if let Some(jobs) = subscription.state::<Jobs>() {
    ///             jobs.0.fetch_add(1, Relaxed);
    ///         }
    ///     }
    ///
    ///     fn is_busy(&self, subscription: DirectSubscription<'_>) -> bool {
    ///         subscription.state::<Jobs>().is_some_and(|jobs| jobs.0.load(Relaxed) > 0)
    ///     }
    /// }
    ///
    /// assert_eq!(JobsChannel.name(), "JobsChannel");
    /// ```
    fn is_busy(&self, subscription: DirectSubscription<'_>) -> bool {
        let _ = subscription;
        false
    }

    /// The client left, or its connection ended.
    fn unsubscribed(&self, subscription: DirectSubscription<'_>) {
        let _ = subscription;
    }
}

/// The subscription a [`DirectChannel`] is called for.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::Arc;
/// use sinew_cable::{
///     Answer, Application, Cable, Confirmation, ConnectionIdentifiers, DirectChannel, DirectSubscription,
/// };
/// use sinew_streams::InProcessStreams;
///
/// struct WhoChannel;
///
/// impl DirectChannel for WhoChannel {
///     fn name(&self) -> &str {
///         "WhoChannel"
///     }
///
///     fn subscribed(&self, subscription: DirectSubscription<'_>) -> Answer {
///         assert_eq!(subscription.identifier().as_str(), r#"{"channel":"WhoChannel"}"#);
///         assert!(subscription.state::<String>().is_none(), "nothing is kept yet");
///         let user = subscription.identifiers().get("user").unwrap_or_default();
///         let number = subscription.connection().id().get();
///         Confirmation::new().with_state(Arc::new(format!("{user} by connection {number}"))).into()
///     }
///
///     fn perform(&self, subscription: DirectSubscription<'_>, _: &str) {
///         let who = subscription.state::<String>().expect("kept since the start");
///         subscription.transmit_json(&serde_json::json!(*who).to_string());
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new().with("user", "ann")))
///     .direct_channel(Arc::new(WhoChannel));
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// let who = r#"{"channel":"WhoChannel"}"#;
/// client.subscribe(who);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
/// client.perform(who, "{}");
/// assert_eq!(client.receive().await["message"], "ann by connection 1");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct DirectSubscription<'a> {
    connection: &'a ConnectionContext,
    identifier: &'a Identifier,
    state: Option<&'a SubscriptionState>,
}

impl<'a> DirectSubscription<'a> {
    pub(super) fn new(
        connection: &'a ConnectionContext,
        identifier: &'a Identifier,
        state: Option<&'a SubscriptionState>,
    ) -> Self {
        Self {
            connection,
            identifier,
            state,
        }
    }

    /// The connection it belongs to.
    pub fn connection(&self) -> &'a ConnectionContext {
        self.connection
    }

    /// Who that is.
    pub fn identifiers(&self) -> &'a ConnectionIdentifiers {
        self.connection.identifiers()
    }

    /// Its name, as the client wrote it.
    pub fn identifier(&self) -> &'a Identifier {
        self.identifier
    }

    /// What [`Confirmation::with_state`](crate::Confirmation::with_state) kept, if it is of that type.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        state_of(self.state)
    }

    /// Sends text that is known to be one JSON value, unchanged. False when the connection is gone or ending.
    pub fn transmit_json(&self, message: &str) -> bool {
        self.connection.transmit_json(self.identifier, message)
    }
}
