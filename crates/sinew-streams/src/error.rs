use std::error::Error;

/// Why a stream could not be published to or followed.
///
/// ```
/// use std::error::Error;
/// use sinew_streams::StreamsError;
///
/// let cause = std::io::Error::other("connection refused");
/// let error = StreamsError::Unavailable(cause.into());
/// assert!(error.is_retryable() && error.source().is_some());
/// assert!(!StreamsError::AlreadyAttached.is_retryable());
/// assert!(!StreamsError::Reserved.is_retryable());
/// let too_large = StreamsError::TooLarge { bytes: 9, bytes_max: 8 };
/// assert!(!too_large.is_retryable());
/// assert_eq!(too_large.to_string(), "the message has 9 bytes, and the streams carry at most 8");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamsError {
    /// This node's sink was attached before; a node has one.
    #[error("a sink is already attached")]
    AlreadyAttached,
    /// What carries the streams between nodes cannot be reached or refused.
    #[error("the streams' carrier is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The stream's name belongs to Sinew, and nobody else may publish to it.
    #[error("the name of the stream is reserved")]
    Reserved,
    /// The message is larger than the carrier takes. Nobody sees anything of it.
    #[error("the message has {bytes} bytes, and the streams carry at most {bytes_max}")]
    TooLarge {
        /// Bytes of the stream's name and the payload.
        bytes: usize,
        /// How many they may be.
        bytes_max: usize,
    },
}

impl StreamsError {
    /// Whether the same call may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
