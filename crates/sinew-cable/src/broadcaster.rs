use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use sinew_protocol::write_json_or_string;
use sinew_streams::{Position, StreamName, Streams};

use crate::BroadcastError;

/// Sends to everyone on a stream, from anywhere. Cloning is cheap.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// use std::sync::Arc;
/// use sinew_cable::{Application, Cable, Channel, ChannelError, ConnectionIdentifiers, Subscription};
/// use sinew_streams::InProcessStreams;
///
/// struct NewsChannel;
///
/// impl Channel for NewsChannel {
///     const NAME: &'static str = "NewsChannel";
///
///     async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
///         cx.stream_from("news");
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let application = Application::new(async |_| Ok(ConnectionIdentifiers::new())).channel(NewsChannel);
/// let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// # assert_eq!(client.receive().await["type"], "welcome");
/// client.subscribe(r#"{"channel":"NewsChannel"}"#);
/// assert_eq!(client.receive().await["type"], "confirm_subscription");
///
/// let broadcaster = cable.broadcaster();
/// let first = broadcaster.broadcast("news", &["one", "two"]).await?;
/// assert_eq!(client.receive().await["message"][1], "two");
///
/// // Text that is JSON stays what it is; any other becomes a JSON string.
/// let second = broadcaster.broadcast_text("news", r#"{"three":3}"#).await?;
/// broadcaster.broadcast_text("news", "four").await?;
/// assert_eq!(client.receive().await["message"]["three"], 3);
/// assert_eq!(client.receive().await["message"], "four");
/// assert!(second > first);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Broadcaster {
    streams: Arc<dyn Streams>,
}

impl Broadcaster {
    /// Broadcasts through these streams: where no [`Cable`](crate::Cable) is, such as in a process beside the server.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_cable::Broadcaster;
    /// use sinew_streams::InProcessStreams;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_cable::BroadcastError> {
    /// let broadcaster = Broadcaster::new(Arc::new(InProcessStreams::new()));
    /// let position = broadcaster.broadcast("news", "nobody listens").await?;
    /// assert_eq!(position.offset(), 1);
    /// # Ok(()) }
    /// ```
    pub fn new(streams: Arc<dyn Streams>) -> Self {
        Self { streams }
    }

    /// Broadcasts a value as JSON. The answer is where it stands in its stream.
    ///
    /// # Errors
    ///
    /// [`BroadcastError`] when it cannot be written as JSON or is not taken.
    pub async fn broadcast(
        &self,
        stream: impl Into<StreamName>,
        message: &(impl Serialize + ?Sized),
    ) -> Result<Position, BroadcastError> {
        let payload = serde_json::to_vec(message).map_err(BroadcastError::Encode)?;
        self.publish(&stream.into(), payload.into()).await
    }

    /// Broadcasts text: unchanged when it is JSON, as a JSON string otherwise.
    ///
    /// # Errors
    ///
    /// [`BroadcastError`] when it is not taken.
    pub async fn broadcast_text(
        &self,
        stream: impl Into<StreamName>,
        text: &str,
    ) -> Result<Position, BroadcastError> {
        let mut payload = Vec::with_capacity(text.len());
        write_json_or_string(&mut payload, text);
        self.publish(&stream.into(), payload.into()).await
    }

    async fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> Result<Position, BroadcastError> {
        self.streams
            .publish(stream, payload)
            .await
            .map_err(BroadcastError::Publish)
    }
}
