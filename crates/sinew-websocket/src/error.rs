//! What a peer can do wrong.

use crate::CloseCode;

/// A breach of RFC 6455, or of a limit, by the peer. It ends the connection.
///
/// ```
/// use sinew_websocket::{CloseCode, Effect, Endpoint, Limits, ProtocolError, Role};
///
/// let mut server = Endpoint::new(Role::Server, &Limits::default().with_message_bytes_max(100));
/// let mut failed = None;
/// // A text frame without a mask; then nothing is read any more.
/// server.receive(&mut *b"\x81\x02hi".to_vec(), |effect| {
///     if let Effect::Failed { code, error } = effect {
///         failed = Some((code, error));
///     }
/// });
/// assert_eq!(failed, Some((CloseCode::PROTOCOL_ERROR, ProtocolError::MaskMissing)));
/// assert_eq!(ProtocolError::MessageTooBig { limit: 100 }.close_code(), CloseCode::TOO_BIG);
/// assert_eq!(ProtocolError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// One of the three reserved bits was set though no extension was negotiated that gives it a meaning there.
    #[error("reserved bits set without an extension")]
    ReservedBits,
    /// An opcode that RFC 6455 keeps for later.
    #[error("reserved opcode {0:#x}")]
    ReservedOpcode(u8),
    /// A close, ping or pong without its final bit.
    #[error("fragmented control frame")]
    FragmentedControl,
    /// A close, ping or pong that announced more than 125 bytes.
    #[error("control frame over 125 bytes")]
    OversizedControl,
    /// A client sent a frame without a mask.
    #[error("frame from a client without a mask")]
    MaskMissing,
    /// A server sent a frame with a mask.
    #[error("frame from a server with a mask")]
    MaskForbidden,
    /// A length in more bytes than it needs.
    #[error("length not in its shortest form")]
    LengthNotMinimal,
    /// A 64-bit length with its most significant bit set.
    #[error("length over 63 bits")]
    LengthOverflow,
    /// A message, all fragments together, compressed or inflated, over
    /// [`Limits::message_bytes_max`](crate::Limits).
    #[error("message over {limit} bytes")]
    MessageTooBig {
        /// Bytes allowed.
        limit: u32,
    },
    /// A continuation frame with no message to continue.
    #[error("continuation without a message")]
    UnexpectedContinuation,
    /// A new message began before the fragmented one had ended.
    #[error("new message inside a fragmented one")]
    MessageInterrupted,
    /// Text, or a close reason, that is not UTF-8.
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A compressed message that is no DEFLATE data, or only the beginning of it.
    #[error("compressed message cannot be inflated")]
    InvalidDeflate,
    /// A close payload of one byte, too short for a code.
    #[error("close payload of one byte")]
    ClosePayload,
    /// A close code that must not be sent.
    #[error("close code {0} must not be sent")]
    InvalidCloseCode(u16),
}

impl ProtocolError {
    /// The close code for this error: 1009 for size, 1007 for UTF-8 and compressed data, else 1002.
    #[must_use]
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::MessageTooBig { .. } => CloseCode::TOO_BIG,
            Self::InvalidUtf8 | Self::InvalidDeflate => CloseCode::INVALID_PAYLOAD,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// Why an opening handshake failed.
///
/// ```
/// use sinew_websocket::HandshakeError;
/// use sinew_websocket::handshake::check_request;
///
/// let ordinary = check_request("GET", [("accept", "text/html")]);
/// assert_eq!(ordinary, Err(HandshakeError::NotAnUpgrade));
///
/// let headers = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "8")];
/// let error = check_request("GET", headers).unwrap_err();
/// assert_eq!(error, HandshakeError::Version);
/// assert_eq!(error.status(), 426);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// An ordinary request: it does not ask for a WebSocket.
    #[error("not a WebSocket upgrade")]
    NotAnUpgrade,
    /// A WebSocket is asked for with another method than GET.
    #[error("a WebSocket upgrade must be a GET")]
    Method,
    /// `Sec-WebSocket-Version` is missing or not 13.
    #[error("Sec-WebSocket-Version must be 13")]
    Version,
    /// `Sec-WebSocket-Key` is missing, repeated or not 16 bytes in base64.
    #[error("Sec-WebSocket-Key must be 16 bytes in base64, once")]
    Key,
    /// The server's answer is not HTTP.
    #[error("malformed handshake response")]
    Malformed,
    /// The server's header section is longer than this side reads.
    #[error("handshake response over {limit} bytes")]
    TooBig {
        /// Bytes allowed.
        limit: usize,
    },
    /// The server answered with another status than 101.
    #[error("the server answered {0} instead of 101")]
    Status(u16),
    /// The server's 101 lacks `Upgrade: websocket` or `Connection: Upgrade`.
    #[error("the server's answer does not upgrade")]
    ResponseNotAnUpgrade,
    /// `Sec-WebSocket-Accept` does not answer the key sent.
    #[error("Sec-WebSocket-Accept does not answer the key")]
    Accept,
    /// The server chose an extension that this side did not offer, or not so.
    #[error("the server chose an extension that was not offered")]
    Extension,
}

impl HandshakeError {
    /// The HTTP status a server answers with: 405, 426 (with `Sec-WebSocket-Version: 13`) or 400.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Version | Self::NotAnUpgrade => 426,
            _ => 400,
        }
    }
}
