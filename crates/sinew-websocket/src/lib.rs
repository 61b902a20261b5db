//! RFC 6455 frames, both sides: bytes in, frames and effects out.
//!
//! For a server, a load tool or a test that owns its socket and wants to say
//! itself when to read, when to write and what a connection may cost.
//! It knows no socket, no runtime, no HTTP library and no extension: reading,
//! writing, time limits and the upgrade's answer belong to the caller.

mod close;
mod config;
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
