//! What an endpoint keeps between two reads, and only then.

use crate::header::{HEADER_BYTES_MAX, Header};
use crate::{Opcode, ProtocolError};

/// The unfinished part of the input.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    /// The beginning of a header.
    pub(crate) header: [u8; HEADER_BYTES_MAX],
    /// How much of `header` is there.
    pub(crate) header_bytes: usize,
    /// The frame whose payload is still arriving.
    pub(crate) frame: Option<Arriving>,
    /// The data message that has begun: fragmented, or in a frame still arriving.
    pub(crate) message: Option<Message>,
    /// The payload so far of a control frame still arriving.
    pub(crate) control: Vec<u8>,
}

impl Partial {
    pub(crate) fn is_empty(&self) -> bool {
        self.header_bytes == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Heap bytes held, this struct included.
    pub(crate) fn heap_bytes(&self) -> usize {
        let message = self
            .message
            .as_ref()
            .map_or(0, |message| message.bytes.capacity());
        size_of::<Self>() + message + self.control.capacity()
    }
}

/// A frame of which the header has come, and not yet all of the payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arriving {
    pub(crate) header: Header,
    /// Payload bytes that have come, at least one short of `header.payload_bytes`.
    pub(crate) received: usize,
}

/// The payload of a message, unmasked, as far as it has come.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) text: bool,
    pub(crate) compressed: bool,
    pub(crate) bytes: Vec<u8>,
    /// Bytes known to be whole UTF-8 characters.
    checked: usize,
}

impl Message {
    /// The message that this header, the first of its frames, begins.
    pub(crate) fn begun_by(header: &Header) -> Self {
        Self {
            text: header.opcode == Opcode::Text,
            compressed: header.compressed,
            bytes: Vec::new(),
            checked: 0,
        }
    }

    /// Appends unmasked bytes, and refuses at the first byte that no UTF-8 text can continue with.
    ///
    /// Of a compressed message that shows only in the end. `known_end` is the length of the whole message, where the final frame has told it.
    pub(crate) fn append(
        &mut self,
        chunk: &[u8],
        known_end: Option<usize>,
    ) -> Result<(), ProtocolError> {
        self.make_room(chunk.len(), known_end);
        self.bytes.extend_from_slice(chunk);
        if self.text && !self.compressed {
            match str::from_utf8(&self.bytes[self.checked..]) {
                Ok(_) => self.checked = self.bytes.len(),
                Err(error) if error.error_len().is_some() => {
                    return Err(ProtocolError::InvalidUtf8);
                }
                // The beginning of a character: the rest may come.
                Err(error) => self.checked += error.valid_up_to(),
            }
        }
        Ok(())
    }

    /// Grows by doubling what has really come, never to what a header merely promises, and never
    /// beyond the end once that is known.
    fn make_room(&mut self, more: usize, known_end: Option<usize>) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let doubled = needed.max(self.bytes.capacity() * 2);
            let wanted = known_end.map_or(doubled, |end| doubled.min(end).max(needed));
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_checked_once_and_up_to_its_last_whole_character() {
        let mut message = Message::begun_by(&Header {
            fin: false,
            compressed: false,
            opcode: Opcode::Text,
            mask: None,
            payload_bytes: 0,
        });
        let mut checked = |chunk: &[u8]| {
            message.append(chunk, None).expect("valid so far");
            message.checked
        };
        assert_eq!(checked(b"ab"), 2);
        assert_eq!(checked(b"c\xf0\x9f"), 3);
        assert_eq!(checked(b"\x98"), 3);
        assert_eq!(checked(b"\x80d"), 8);
    }
}
