//! What an endpoint asks of its caller.

use bytes::Bytes;

use crate::{CloseCode, ProtocolError};

/// One thing that came of the bytes received, in the order of the bytes.
///
/// Borrowed payloads live in the caller's input or in the endpoint's buffer, and only until the
/// callback returns.
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
