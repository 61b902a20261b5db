//! Frame headers: the two to fourteen bytes before a payload.

use crate::{ProtocolError, Role};

/// The longest header: two bytes, a 64-bit length, a mask key.
pub(crate) const HEADER_BYTES_MAX: usize = 14;

/// What a control frame's payload may hold.
pub(crate) const CONTROL_BYTES_MAX: u8 = 125;

/// The reserved bit that says of a message's first frame that the message is compressed.
pub(crate) const COMPRESSED: u8 = 0x40;

/// The kind of a frame.
///
/// ```
/// use sinew_websocket::{Opcode, frame_into};
///
/// let mut out = Vec::new();
/// frame_into(&mut out, Opcode::Pong, b"");
/// assert_eq!(out, [0x80 | Opcode::Pong as u8, 0]);
/// assert!(Opcode::Pong.is_control() && !Opcode::Text.is_control());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// More of a fragmented message.
    Continuation = 0x0,
    /// UTF-8 text.
    Text = 0x1,
    /// Bytes.
    Binary = 0x2,
    /// The last frame of a side.
    Close = 0x8,
    /// To be answered with a pong of the same payload.
    Ping = 0x9,
    /// The answer to a ping, or a sign of life.
    Pong = 0xa,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    /// Whether this is a close, ping or pong, which may stand between fragments.
    #[must_use]
    pub fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// What may come next, as far as the header shows it.
pub(crate) struct Expected {
    /// The role of the reading side.
    pub(crate) role: Role,
    /// Bytes of the fragmented message that has begun.
    pub(crate) message_bytes: Option<usize>,
    /// Bytes that a message may have.
    pub(crate) message_bytes_max: u32,
    /// Whether messages may be compressed.
    pub(crate) deflate: bool,
}

/// A header that was read and found in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    /// Told by the first frame of a message.
    pub(crate) compressed: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: Option<[u8; 4]>,
    /// At most `message_bytes_max`, or 125 for control frames.
    pub(crate) payload_bytes: usize,
}

impl Header {
    /// Reads the header at the start of `bytes`: it and its length, or `None` while more is needed.
    ///
    /// Each check runs as soon as the bytes it looks at are there and in their order, so that the
    /// verdict on a header does not depend on how it was cut.
    pub(crate) fn parse(
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&first) = bytes.first() else {
            return Ok(None);
        };
        let fin = first & 0x80 != 0;
        let compressed = first & COMPRESSED != 0;
        let bits = first & 0x0f;
        let begins_message = matches!(bits, 0x1 | 0x2);
        if first & 0x30 != 0 || (compressed && !(expected.deflate && begins_message)) {
            return Err(ProtocolError::ReservedBits);
        }
        let opcode = Opcode::from_bits(bits).ok_or(ProtocolError::ReservedOpcode(bits))?;
        match (opcode, expected.message_bytes) {
            (Opcode::Continuation, None) => return Err(ProtocolError::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(ProtocolError::MessageInterrupted);
            }
            _ if opcode.is_control() && !fin => return Err(ProtocolError::FragmentedControl),
            _ => {}
        }

        let Some(&second) = bytes.get(1) else {
            return Ok(None);
        };
        let masked = second & 0x80 != 0;
        match (expected.role, masked) {
            (Role::Server, false) => return Err(ProtocolError::MaskMissing),
            (Role::Client, true) => return Err(ProtocolError::MaskForbidden),
            _ => {}
        }
        let short = second & 0x7f;
        if opcode.is_control() && short > CONTROL_BYTES_MAX {
            return Err(ProtocolError::OversizedControl);
        }

        let (length, mask_at) = match short {
            126 => {
                let Some(long) = bytes[2..].first_chunk::<2>() else {
                    return Ok(None);
                };
                let length = u16::from_be_bytes(*long);
                if length < 126 {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (u64::from(length), 4)
            }
            127 => {
                let Some(long) = bytes[2..].first_chunk::<8>() else {
                    return Ok(None);
                };
                let length = u64::from_be_bytes(*long);
                if length >> 63 != 0 {
                    return Err(ProtocolError::LengthOverflow);
                }
                if length <= u64::from(u16::MAX) {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (length, 10)
            }
            short => (u64::from(short), 2),
        };
        // Control frames count against no message, and 125 bytes need no limit of their own.
        let limit = expected.message_bytes_max;
        let before = expected.message_bytes.unwrap_or(0) as u64;
        if !opcode.is_control() && before + length > u64::from(limit) {
            return Err(ProtocolError::MessageTooBig { limit });
        }

        let (mask, payload_at) = if masked {
            let Some(key) = bytes[mask_at..].first_chunk::<4>() else {
                return Ok(None);
            };
            (Some(*key), mask_at + 4)
        } else {
            (None, mask_at)
        };
        let header = Self {
            fin,
            compressed,
            opcode,
            mask,
            payload_bytes: usize::try_from(length).expect("within a 32-bit limit"),
        };
        Ok(Some((header, payload_at)))
    }
}

/// Appends the header of an unfragmented frame.
pub(crate) fn write(
    out: &mut Vec<u8>,
    opcode: Opcode,
    payload_bytes: usize,
    mask: Option<[u8; 4]>,
) {
    out.push(0x80 | opcode as u8);
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match payload_bytes {
        0..=125 => out.push(masked | payload_bytes as u8),
        126..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(payload_bytes as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(payload_bytes as u64).to_be_bytes());
        }
    }
    if let Some(key) = mask {
        out.extend_from_slice(&key);
    }
}

/// How long the header of such a frame is.
pub(crate) fn written_bytes(payload_bytes: usize, masked: bool) -> usize {
    let length = match payload_bytes {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    length + if masked { 4 } else { 0 }
}
