//! RFC 6455 frames, both sides: bytes in, frames and effects out.
//!
//! For a server, a load tool or a test that owns its sockets and wants to decide itself when to
//! read, when to write and what an idle connection may cost: here that is the 16 bytes of an
//! [`Endpoint`].
//! It deliberately knows no socket, no runtime, no clock and no HTTP library. Reading, writing, time limits and the answer to the upgrade belong to the
//! caller.
//!
//! # The smallest server and client
//!
//! The bytes between them are carried by hand, where yours would go over a socket:
//!
//! ```
//! use sinew_websocket::{CloseCode, Effect, Endpoint, Limits, Opcode, Role};
//! use sinew_websocket::{frame_into, masked_frame_into, random_mask_key};
//!
//! let mut server = Endpoint::new(Role::Server, &Limits::default());
//! let mut client = Endpoint::new(Role::Client, &Limits::default());
//!
//! // The client says something, and that it is done.
//! let mut to_server = Vec::new();
//! masked_frame_into(&mut to_server, Opcode::Text, b"hello", random_mask_key());
//! to_server.extend(client.close(CloseCode::NORMAL, "bye"));
//!
//! // The server echoes messages, and writes what the protocol asks it to write.
//! let mut to_client = Vec::new();
//! server.receive(&mut to_server, |effect| match effect {
//!     Effect::Text(text) => frame_into(&mut to_client, Opcode::Text, text.as_bytes()),
//!     Effect::Binary(bytes) => frame_into(&mut to_client, Opcode::Binary, bytes),
//!     Effect::Send(frame) => to_client.extend(frame),
//!     Effect::Closed { reason, .. } => assert_eq!(reason, "bye"),
//!     Effect::Failed { error, .. } => panic!("{error}"),
//!     _ => {}
//! });
//! assert!(server.is_closed(), "write what there is, then end the transport");
//! assert_eq!(to_client, b"\x81\x05hello\x88\x05\x03\xe8bye");
//!
//! client.receive(&mut to_client, |_| {});
//! assert!(client.is_closed());
//! ```
//!
//! The [opening handshake](handshake) comes before, on header values as plain text.
//!
//! # What the caller owes
//!
//! - Feed everything that was read, in order, to [`Endpoint::receive`]; one read buffer per thread
//!   is enough, since nothing borrowed outlives the call.
//! - Write each [`Effect::Send`], in order and not inside of another frame.
//! - After [`Effect::Closed`] or [`Effect::Failed`]: write what is left, then end the transport.
//! - Send nothing after [`Endpoint::close`], and decide how long to wait for the peer's answer.
//! - Text that is sent must be UTF-8. Messages are sent unfragmented.
//!
//! # Cost
//!
//! A frame that is whole in the input is unmasked in place and delivered from there: no copy and no
//! allocation. A part of a frame or of a fragmented message is kept in one box, grown by doubling
//! with what has really come, and dropped as soon as it is complete.
//! A [compressed](deflate) message is inflated from there too, into a buffer that connections share.
//! A [`SharedFrame`] is encoded once and sent to as many connections as wanted.
//!
//! # Limits and refusals
//!
//! | what the peer sends | close code |
//! |---|---|
//! | a message over [`Limits::message_bytes_max`] (1 MiB), told by the header alone | 1009 |
//! | a compressed message that inflates to more, told as soon as it does | 1009 |
//! | a compressed message that cannot be inflated | 1007 |
//! | text, or a close reason, that is not UTF-8, told at its first impossible byte | 1007 |
//! | any other breach, see [`ProtocolError`] | 1002 |
//!
//! Two rules are applied that other implementations leave out: a length must be in its shortest
//! form (RFC 6455, 5.2), and a reading side that has closed no longer delivers or answers.
//! The close codes 1012 to 1014, registered after the RFC, are accepted.

mod close;
mod config;
pub mod deflate;
mod effect;
mod encode;
mod endpoint;
mod error;
pub mod handshake;
mod header;
mod mask;
mod partial;

pub use close::CloseCode;
pub use config::Limits;
pub use effect::Effect;
pub use encode::{SharedFrame, frame_into, masked_frame_into};
pub use endpoint::{Endpoint, Role};
pub use error::{HandshakeError, ProtocolError};
pub use header::Opcode;
pub use mask::random_mask_key;
