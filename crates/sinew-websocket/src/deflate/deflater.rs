//! Messages, compressed.

use std::fmt;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::{KEPT_BYTES_MAX, TAIL};
use crate::header;
use crate::{Opcode, SharedFrame};

/// Bytes that a block without compression can hold.
const STORED_BYTES_MAX: usize = u16::MAX as usize;
/// Its header: three bits and the rest of their byte, the length twice.
const STORED_HEADER_BYTES: usize = 5;
/// What headers of blocks and the tail may add to a compressed form, and room that is left over.
const WORST_EXTRA_BYTES: usize = 64;

/// Compresses messages, one at a time, for any number of connections.
///
/// It holds nothing before the first message; from then on about 320 KiB.
///
/// ```
/// use sinew_websocket::deflate::Deflater;
///
/// let mut deflater = Deflater::new(9);
/// let text = "<li>one</li><li>two</li><li>three</li>".repeat(20);
/// let frame = deflater.compress(&[text.as_bytes()]).unwrap().text_frame(&[]).unwrap();
/// assert_eq!(frame.as_bytes()[0], 0xc1, "text, compressed, in one frame");
/// assert!(frame.payload().len() < text.len() / 10);
/// ```
pub struct Deflater {
    level: Compression,
    codec: Option<Compress>,
    out: Vec<u8>,
}

impl Default for Deflater {
    /// At level 1.
    fn default() -> Self {
        Self::new(1)
    }
}

impl Deflater {
    /// With a level from 1, the fastest, to 9, the smallest; what is beyond counts as the nearest of them.
    #[must_use]
    pub fn new(level: u32) -> Self {
        Self {
            level: Compression::new(level.clamp(1, 9)),
            codec: None,
            out: Vec::new(),
        }
    }

    /// Compresses a text, or the end of one, that stands in several places; nothing when it would not become shorter.
    ///
    /// Together with what [goes before it](Compressed::text_frame) it must be UTF-8.
    ///
    /// ```
    /// use sinew_websocket::deflate::Deflater;
    ///
    /// let mut deflater = Deflater::default();
    /// assert!(deflater.compress(&[b"0123456789"]).is_none());
    /// let in_parts = deflater.compress(&[&[b'a'; 50], &[b'a'; 50]]).unwrap();
    /// let in_one = deflater.compress(&[&[b'a'; 100]]).unwrap();
    /// assert_eq!(in_parts.text_frame(&[]), in_one.text_frame(&[]));
    /// ```
    pub fn compress(&mut self, parts: &[&[u8]]) -> Option<Compressed> {
        let text_bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        let level = self.level;
        let codec = self
            .codec
            .get_or_insert_with(|| Compress::new(level, false));
        codec.reset();
        self.out.clear();
        // Room for the worst: a codec that is left with something to write does not forget all of it when it is reset.
        // Without any match, a byte of text becomes nine bits at most.
        self.out
            .reserve(text_bytes + text_bytes / 8 + WORST_EXTRA_BYTES);
        let mut parts = parts.iter().filter(|part| !part.is_empty());
        let is_whole = parts.all(|part| write(codec, &mut self.out, part, FlushCompress::None))
            && write(codec, &mut self.out, &[], FlushCompress::Sync);
        if !is_whole {
            self.codec = None;
        }
        let bytes = self.out.strip_suffix(&TAIL).filter(|_| is_whole);
        let compressed = bytes
            .filter(|bytes| bytes.len() < text_bytes)
            .map(|bytes| Compressed {
                bytes: bytes.into(),
                text_bytes,
            });
        if self.out.capacity() > KEPT_BYTES_MAX {
            self.out = Vec::new();
        }
        compressed
    }
}

/// Compresses `input`. False when there was not enough room.
fn write(codec: &mut Compress, out: &mut Vec<u8>, input: &[u8], flush: FlushCompress) -> bool {
    let before = codec.total_in();
    let status = codec.compress_vec(input, out, flush);
    let is_read = codec.total_in() - before == input.len() as u64;
    // With room left over, a flush is complete.
    matches!(status, Ok(Status::Ok)) && is_read && out.len() < out.capacity()
}

impl fmt::Debug for Deflater {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Deflater")
            .field("level", &self.level.level())
            .finish_non_exhaustive()
    }
}

/// A text, or the end of one, compressed: made once for messages that begin differently.
///
/// ```
/// use sinew_websocket::deflate::Deflater;
///
/// let message = br#""message":{"html":"<p></p><p></p><p></p><p></p><p></p><p></p><p></p><p></p>"}}"#;
/// let compressed = Deflater::default().compress(&[message]).unwrap();
/// let one = compressed.text_frame(&[br#"{"identifier":"one","#]).unwrap();
/// let two = compressed.text_frame(&[br#"{"identifier":"two","#]).unwrap();
/// assert!(one.payload().len() < message.len());
/// assert_eq!(one.payload()[25..], two.payload()[25..], "the same bytes after what is different");
/// ```
#[derive(Debug, Clone)]
pub struct Compressed {
    bytes: Box<[u8]>,
    text_bytes: usize,
}

impl Compressed {
    /// A text message in one compressed frame that begins with `beginning`, which is not compressed; nothing when a plain
    /// frame would be as short.
    #[must_use]
    pub fn text_frame(&self, beginning: &[&[u8]]) -> Option<SharedFrame> {
        let beginning_bytes = beginning.iter().map(|part| part.len()).sum::<usize>();
        let stored = |part: &&[u8]| part.chunks(STORED_BYTES_MAX).len() * STORED_HEADER_BYTES;
        let headers_bytes = beginning.iter().map(stored).sum::<usize>();
        let payload_bytes = headers_bytes + beginning_bytes + self.bytes.len();
        if payload_bytes >= beginning_bytes + self.text_bytes {
            return None;
        }
        let mut out =
            Vec::with_capacity(header::written_bytes(payload_bytes, false) + payload_bytes);
        header::write(&mut out, Opcode::Text, payload_bytes, None);
        out[0] |= header::COMPRESSED;
        for chunk in beginning
            .iter()
            .flat_map(|part| part.chunks(STORED_BYTES_MAX))
        {
            let length = chunk.len() as u16;
            out.push(0);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&(!length).to_le_bytes());
            out.extend_from_slice(chunk);
        }
        out.extend_from_slice(&self.bytes);
        Some(SharedFrame::from_wire(out))
    }
}
