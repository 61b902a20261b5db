use std::error::Error;
use std::fmt;

use sinew_streams::StreamsError;

/// What a channel's method failed with. It is logged; the client is told nothing and the connection lives.
///
/// Made by `?` from any error and from any text, or from a sentence.
///
/// ```
/// use sinew_cable::ChannelError;
///
/// fn parse(text: &str) -> Result<u32, ChannelError> {
///     Ok(text.parse()?)
/// }
/// let error = parse("x").unwrap_err();
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// assert!(error.into_inner().is::<std::num::ParseIntError>());
///
/// fn admit(count: usize) -> Result<(), ChannelError> {
///     if count < 10 { Ok(()) } else { Err("the room is full")? }
/// }
/// assert_eq!(admit(10).unwrap_err().to_string(), "the room is full");
///
/// assert_eq!(ChannelError::msg("the room is full").to_string(), "the room is full");
/// assert_eq!(ChannelError::unknown_action("fly").to_string(), r#"unknown action "fly""#);
/// ```
// Not an `Error` itself: that is what lets `?` turn every error into one.
pub struct ChannelError(Box<dyn Error + Send + Sync>);

impl ChannelError {
    /// An error from a sentence.
    pub fn msg(sentence: impl Into<String>) -> Self {
        Self(sentence.into().into())
    }

    /// The channel has no such action.
    pub fn unknown_action(action: &str) -> Self {
        Self(format!("unknown action {action:?}").into())
    }

    /// The error inside.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for ChannelError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for ChannelError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// Why a broadcast did not go out.
///
/// ```
/// use std::sync::Arc;
/// use sinew_cable::{BroadcastError, Broadcaster};
/// use sinew_streams::InProcessStreams;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let broadcaster = Broadcaster::new(Arc::new(InProcessStreams::new()));
/// // A map whose keys are no strings is not JSON.
/// let message = std::collections::BTreeMap::from([((1, 2), 3)]);
/// let error = broadcaster.broadcast("news", &message).await.unwrap_err();
/// assert!(matches!(error, BroadcastError::Encode(_)));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// The message cannot be written as JSON.
    #[error("message cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The streams did not take it.
    #[error("message was not published")]
    Publish(#[source] StreamsError),
}
