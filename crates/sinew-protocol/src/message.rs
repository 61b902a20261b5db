use std::io::Write;

use crate::json::write_string;
use crate::{DisconnectReason, Identifier};

/// What the server says, in one frame.
///
/// Keys are written in the order Rails writes them.
///
/// ```
/// use sinew_protocol::{Identifier, ServerMessage};
///
/// let mut out = Vec::new();
/// let identifier = Identifier::from(r#"{"channel":"ChatChannel"}"#);
/// ServerMessage::Data { identifier: &identifier, message: r#"{"text":"hi"}"# }.write(&mut out);
/// assert_eq!(out, br#"{"identifier":"{\"channel\":\"ChatChannel\"}","message":{"text":"hi"}}"#);
///
/// out.clear();
/// ServerMessage::Ping { timestamp: 1_700_000_000 }.write(&mut out);
/// assert_eq!(out, br#"{"type":"ping","message":1700000000}"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerMessage<'a> {
    /// The connection is open.
    Welcome,
    /// A sign of life, sent on a timer. Some clients count nothing else as life.
    Ping {
        /// Unix time: in whole seconds, unless the client asked for milliseconds or nanoseconds.
        timestamp: u64,
    },
    /// The answer to a client's `ping` command.
    Pong,
    /// The subscription stands. Clients compare it whole: it has exactly two keys.
    Confirm {
        /// The identifier as the client wrote it.
        identifier: &'a str,
    },
    /// The channel refused the subscription; the connection lives on.
    Reject {
        /// The identifier as the client wrote it.
        identifier: &'a str,
    },
    /// Data for a subscription.
    Data {
        /// The identifier as the client wrote it.
        identifier: &'a Identifier,
        /// JSON text, spliced in unchanged: the caller vouches that it is one JSON value
        /// (see [`is_json`](crate::is_json)).
        message: &'a str,
    },
    /// The server is about to close the connection.
    Disconnect {
        /// Why.
        reason: DisconnectReason,
        /// Whether the client should come back; usually [`DisconnectReason::reconnect`].
        reconnect: bool,
    },
}

impl ServerMessage<'_> {
    /// Appends the message's JSON text.
    ///
    /// ```
    /// use sinew_protocol::{DisconnectReason, ServerMessage};
    ///
    /// let mut out = Vec::new();
    /// let reason = DisconnectReason::Unauthorized;
    /// ServerMessage::Disconnect { reason, reconnect: reason.reconnect() }.write(&mut out);
    /// assert_eq!(out, br#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#);
    /// ```
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Welcome => out.extend_from_slice(br#"{"type":"welcome"}"#),
            Self::Ping { timestamp } => {
                write!(out, r#"{{"type":"ping","message":{timestamp}}}"#)
                    .expect("writing into a Vec cannot fail");
            }
            Self::Pong => out.extend_from_slice(br#"{"type":"pong"}"#),
            Self::Confirm { identifier } => {
                write_typed(out, identifier, br#","type":"confirm_subscription"}"#);
            }
            Self::Reject { identifier } => {
                write_typed(out, identifier, br#","type":"reject_subscription"}"#);
            }
            Self::Data {
                identifier,
                message,
            } => {
                out.reserve(identifier.as_str().len() + message.len() + 48);
                out.extend_from_slice(br#"{"identifier":"#);
                write_string(out, identifier.as_str());
                out.extend_from_slice(br#","message":"#);
                out.extend_from_slice(message.as_bytes());
                out.push(b'}');
            }
            Self::Disconnect { reason, reconnect } => {
                write!(
                    out,
                    r#"{{"type":"disconnect","reason":"{}","reconnect":{reconnect}}}"#,
                    reason.as_str()
                )
                .expect("writing into a Vec cannot fail");
            }
        }
    }
}

fn write_typed(out: &mut Vec<u8>, identifier: &str, rest: &[u8]) {
    out.extend_from_slice(br#"{"identifier":"#);
    write_string(out, identifier);
    out.extend_from_slice(rest);
}
