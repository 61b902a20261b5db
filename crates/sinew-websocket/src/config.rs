//! What an endpoint accepts before it refuses.

/// The limits of one endpoint.
///
/// ```
/// use sinew_websocket::Limits;
///
/// assert_eq!(Limits::default().message_bytes_max, 1024 * 1024);
/// let small = Limits::default().with_message_bytes_max(4096);
/// assert_eq!(small.message_bytes_max, 4096);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message's payload, all its fragments together: 1 MiB by default.
    ///
    /// A header that promises more fails the connection with close code 1009
    /// before any of its payload is kept.
    /// A [compressed](crate::deflate) message is held to it twice: as it comes, and inflated.
    /// Values above 4 GiB - 1 count as 4 GiB - 1.
    pub message_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 1024 * 1024,
        }
    }
}

impl Limits {
    /// The same limits with another [`message_bytes_max`](Self::message_bytes_max).
    #[must_use]
    pub fn with_message_bytes_max(mut self, bytes: usize) -> Self {
        self.message_bytes_max = bytes;
        self
    }
}
