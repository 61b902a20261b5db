//! Frames for the wire.

use bytes::Bytes;

use crate::header::{self, CONTROL_BYTES_MAX};
use crate::{Opcode, mask};

/// A server's frame, complete with its header: made once, sent to as many as you like.
///
/// Cloning it counts a reference.
///
/// ```
/// use sinew_websocket::SharedFrame;
///
/// let frame = SharedFrame::text(b"hello");
/// let another = frame.clone();
/// assert_eq!(frame.as_bytes(), b"\x81\x05hello");
/// assert_eq!(frame.as_bytes().as_ptr(), another.as_bytes().as_ptr(), "shared, not copied");
/// assert_eq!(frame.payload(), b"hello");
///
/// assert_eq!(SharedFrame::binary(&[7]).as_bytes(), b"\x82\x01\x07");
/// let mut queue = Vec::new();
/// queue.push(SharedFrame::ping(b"").into_bytes());
/// assert_eq!(queue[0], &b"\x89\x00"[..]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFrame(Bytes);

impl SharedFrame {
    /// A text message in one frame.
    ///
    /// `payload` must be UTF-8: receivers end the connection over anything else.
    /// Only debug builds check it.
    #[must_use]
    pub fn text(payload: &[u8]) -> Self {
        Self::text_from_parts(&[payload])
    }

    /// A text message whose payload stands in several places, without joining them first.
    ///
    /// ```
    /// use sinew_websocket::SharedFrame;
    ///
    /// let parts = SharedFrame::text_from_parts(&[b"{\"message\":", b"1", b"}"]);
    /// assert_eq!(parts, SharedFrame::text(b"{\"message\":1}"));
    /// ```
    #[must_use]
    pub fn text_from_parts(parts: &[&[u8]]) -> Self {
        debug_assert!(
            str::from_utf8(&parts.concat()).is_ok(),
            "a text frame must be UTF-8"
        );
        Self::new(Opcode::Text, parts)
    }

    /// A binary message in one frame.
    #[must_use]
    pub fn binary(payload: &[u8]) -> Self {
        Self::new(Opcode::Binary, &[payload])
    }

    /// A ping.
    ///
    /// # Panics
    ///
    /// When `payload` is over 125 bytes.
    #[must_use]
    pub fn ping(payload: &[u8]) -> Self {
        Self::new(Opcode::Ping, &[payload])
    }

    fn new(opcode: Opcode, parts: &[&[u8]]) -> Self {
        let payload_bytes = parts.iter().map(|part| part.len()).sum();
        check(opcode, payload_bytes);
        let mut out =
            Vec::with_capacity(header::written_bytes(payload_bytes, false) + payload_bytes);
        header::write(&mut out, opcode, payload_bytes, None);
        for part in parts {
            out.extend_from_slice(part);
        }
        Self(Bytes::from(out))
    }

    /// A frame that is written already.
    pub(crate) fn from_wire(frame: Vec<u8>) -> Self {
        Self(Bytes::from(frame))
    }

    /// The frame as it goes over the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The frame as it goes over the wire, to be queued.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The payload alone, in a [compressed](crate::deflate) frame the compressed one.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        let header = match self.0[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        &self.0[header..]
    }
}

impl From<SharedFrame> for Bytes {
    fn from(frame: SharedFrame) -> Self {
        frame.0
    }
}

/// Appends a server's frame, unfragmented and unmasked.
///
/// Text must be UTF-8, and a close payload must begin with an allowed code.
///
/// # Panics
///
/// When a control frame's payload is over 125 bytes.
///
/// ```
/// use sinew_websocket::{Opcode, frame_into};
///
/// let mut out = Vec::new();
/// frame_into(&mut out, Opcode::Text, b"a");
/// frame_into(&mut out, Opcode::Ping, b"");
/// assert_eq!(out, b"\x81\x01a\x89\x00");
/// ```
pub fn frame_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    check(opcode, payload.len());
    out.reserve(header::written_bytes(payload.len(), false) + payload.len());
    header::write(out, opcode, payload.len(), None);
    out.extend_from_slice(payload);
}

/// Appends a client's frame, unfragmented and masked with `key`.
///
/// The key should be new for each frame and not to be foreseen: see
/// [`random_mask_key`](crate::random_mask_key).
///
/// # Panics
///
/// When a control frame's payload is over 125 bytes.
///
/// ```
/// use sinew_websocket::{Opcode, masked_frame_into};
///
/// let mut out = Vec::new();
/// masked_frame_into(&mut out, Opcode::Text, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
/// assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// ```
pub fn masked_frame_into(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], key: [u8; 4]) {
    check(opcode, payload.len());
    out.reserve(header::written_bytes(payload.len(), true) + payload.len());
    header::write(out, opcode, payload.len(), Some(key));
    let payload_at = out.len();
    out.extend_from_slice(payload);
    mask::apply(&mut out[payload_at..], key, 0);
}

fn check(opcode: Opcode, payload_bytes: usize) {
    assert!(
        !opcode.is_control() || payload_bytes <= usize::from(CONTROL_BYTES_MAX),
        "a control frame holds at most 125 bytes, not {payload_bytes}"
    );
}
