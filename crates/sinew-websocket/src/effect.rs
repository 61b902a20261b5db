//! What an endpoint asks of its caller.

use bytes::Bytes;

use crate::{CloseCode, ProtocolError};

/// One thing that came of the bytes received, in the order of the bytes.
///
/// Borrowed payloads live in the caller's input or in the endpoint's buffer, and only until the
/// callback returns.
///
/// ```
/// use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, frame_into};
///
/// let mut input = Vec::new();
/// frame_into(&mut input, Opcode::Binary, &[1, 2]);
/// frame_into(&mut input, Opcode::Ping, b"?");
/// frame_into(&mut input, Opcode::Close, &[]);
///
/// let mut effects = Vec::new();
/// let mut client = Endpoint::new(Role::Client, &Limits::default());
/// client.receive(&mut input, |effect| {
///     effects.push(match effect {
///         Effect::Binary(bytes) => format!("{} bytes", bytes.len()),
///         Effect::Send(frame) => format!("send {:#x}", frame[0]),
///         Effect::Closed { code: None, .. } => "closed".to_owned(),
///         other => panic!("{other:?}"),
///     });
/// });
/// // The ping is answered with a pong (0x8a), the close with a close (0x88).
/// assert_eq!(effects, ["2 bytes", "send 0x8a", "send 0x88", "closed"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// The payload of a pong, whether or not a ping asked for it.
    Pong(&'a [u8]),
    /// Bytes to write to the peer, complete frames: a pong or a close.
    Send(Bytes),
    /// The peer closed: its code, unless it gave none, and its reason.
    ///
    /// The answer, if one was due, came before as [`Effect::Send`]: write it, then end the
    /// transport (the server first). Nothing follows.
    Closed {
        /// The peer's close code; `None` when its close frame was empty.
        code: Option<CloseCode>,
        /// The peer's reason, often empty.
        reason: &'a str,
    },
    /// The peer broke the protocol or a limit.
    ///
    /// The close frame that says so came before as [`Effect::Send`], unless this side had already
    /// sent one. Nothing follows.
    Failed {
        /// The code that was sent to the peer.
        code: CloseCode,
        /// What the peer did wrong.
        error: ProtocolError,
    },
}
