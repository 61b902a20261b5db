//! Action Cable wire words: commands, messages, identifiers, disconnect reasons, sub-protocols.
//!
//! For whoever speaks `actioncable-v1-json`: the cable engine, a load tool, a test kit.
//! It does not know sockets, WebSocket frames, channels, or what a message means to the application; text goes in, words come out, and the other way round.
//!
//! ```
//! use sinew_protocol::{ClientCommand, ServerMessage};
//!
//! let command = ClientCommand::parse(r#"{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\"}"}"#)?;
//! let ClientCommand::Subscribe { identifier } = command else { panic!("a subscribe") };
//!
//! let mut text = Vec::new();
//! ServerMessage::Confirm { identifier: &identifier }.write(&mut text);
//! assert_eq!(text, br#"{"identifier":"{\"channel\":\"ChatChannel\"}","type":"confirm_subscription"}"#);
//! # Ok::<(), sinew_protocol::CommandError>(())
//! ```

mod command;
mod disconnect;
mod error;
mod identifier;
mod json;
mod message;
mod subprotocol;

pub use command::ClientCommand;
pub use disconnect::DisconnectReason;
pub use error::CommandError;
pub use identifier::Identifier;
pub use json::{is_json, write_json_or_string, write_string};
pub use message::ServerMessage;
pub use subprotocol::Subprotocol;
