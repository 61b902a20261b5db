//! RFC 6455 frames, both sides: bytes in, frames and effects out
