//! permessage-deflate (RFC 7692) without context takeover: offers and answers, messages compressed and inflated.
//!
//! Every message is compressed by itself, in both directions. So a connection has one bit of state, whether the extension
//! was agreed on; what a codec needs belongs to whoever drives many connections, and is used for one message at a time.
//!
//! A server whose client [offered](answer) it, and that client:
//!
//! ```
//! use sinew_websocket::deflate::{self, Compressed, Deflater, Inflater};
//! use sinew_websocket::{Effect, Endpoint, Limits, Role};
//!
//! let answered = deflate::answer(["permessage-deflate; client_max_window_bits"]);
//! assert_eq!(answered, Some(deflate::ANSWER));
//!
//! // The server says the same to many, each under a name of its own: compressed once.
//! let news = "the news, ".repeat(100);
//! let mut deflater = Deflater::default();
//! let compressed: Compressed = deflater.compress(&[news.as_bytes()]).expect("it is repetitive");
//! let frame = compressed.text_frame(&[b"Ann: "]).expect("still shorter");
//! assert!(frame.as_bytes().len() < 60);
//!
//! let mut inflater = Inflater::default();
//! let mut ann = Endpoint::new(Role::Client, &Limits::default()).with_deflate();
//! let mut heard = String::new();
//! ann.receive_with(&mut inflater, &mut frame.as_bytes().to_vec(), |effect| {
//!     if let Effect::Text(text) = effect {
//!         heard = text.to_owned();
//!     }
//! });
//! assert_eq!(heard, format!("Ann: {news}"));
//! ```
//!
//! # What is agreed on
//!
//! The [answer] asks both sides to forget each message, whether or not the client offered that: a client has to be
//! able to. Windows are of 32 KiB. An offer that asks the server for a smaller one (`server_max_window_bits` below 15)
//! is declined, since each size would be one more form of every message; the client's own window may be as small as it
//! likes.

mod deflater;
mod inflater;
mod offer;

pub use deflater::{Compressed, Deflater};
pub use inflater::Inflater;
pub use offer::{ANSWER, OFFER, answer, is_answer};

/// What a message's compressed form ends with, and what is left out on the wire.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// Memory of a buffer that is kept from one message to the next; what a larger message needed is given back.
const KEPT_BYTES_MAX: usize = 64 * 1024;
