//! Compressed messages, inflated one at a time.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::KEPT_BYTES_MAX;
use crate::ProtocolError;

/// What was left out on the wire, and an empty last block: who reads that to its end has read whole blocks before.
const END: [u8; 9] = [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];

/// Inflates the messages of any number of connections, one at a time; see
/// [`Endpoint::receive_with`](crate::Endpoint::receive_with).
///
/// It holds nothing before the first compressed message; from then on about 50 KiB, and of the messages themselves at most
/// 64 KiB between two of them.
///
/// ```
/// use sinew_websocket::deflate::{Deflater, Inflater};
/// use sinew_websocket::{Effect, Endpoint, Limits, ProtocolError, Role};
///
/// // A megabyte of zeros in a kilobyte, for a client that takes messages of up to 10,000 bytes.
/// let bomb = Deflater::new(9).compress(&[&[0; 1 << 20]]).unwrap().text_frame(&[]).unwrap();
/// assert!(bomb.as_bytes().len() < 5000);
///
/// let mut inflater = Inflater::default();
/// assert_eq!(inflater.buffer_bytes(), 0);
/// let limits = Limits::default().with_message_bytes_max(10_000);
/// let mut client = Endpoint::new(Role::Client, &limits).with_deflate();
/// client.receive_with(&mut inflater, &mut bomb.as_bytes().to_vec(), |effect| match effect {
///     Effect::Send(_close) => {}
///     Effect::Failed { error, .. } => assert_eq!(error, ProtocolError::MessageTooBig { limit: 10_000 }),
///     other => panic!("{other:?}"),
/// });
/// assert!(client.is_closed());
/// assert!(inflater.buffer_bytes() <= 10_001);
/// ```
#[derive(Default)]
pub struct Inflater {
    codec: Option<Decompress>,
    out: Vec<u8>,
}

impl Inflater {
    /// Bytes of the buffer that messages are inflated into: never more than one over the limit of the largest message.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        self.out.capacity()
    }

    /// The message behind a compressed payload.
    pub(crate) fn inflate(&mut self, payload: &[u8], limit: u32) -> Result<&[u8], ProtocolError> {
        let codec = self.codec.get_or_insert_with(|| Decompress::new(false));
        codec.reset(false);
        self.out.clear();
        let rest = inflate_part(codec, &mut self.out, payload, limit)?;
        let is_whole = match rest {
            None => inflate_part(codec, &mut self.out, &END, limit)? == Some(&[]),
            // The sender marked its last block as the last. It has put an empty block behind it, of which one byte is
            // left on the wire, unless there was room for its three bits in the byte before.
            Some([] | [0]) => true,
            Some(_) => false,
        };
        if is_whole {
            Ok(&self.out)
        } else {
            Err(ProtocolError::InvalidDeflate)
        }
    }

    /// Gives back what a large message needed.
    pub(crate) fn trim(&mut self) {
        if self.out.capacity() > KEPT_BYTES_MAX {
            self.out = Vec::new();
        }
    }
}

/// Inflates all of `input`. What is left of it, where a last block ended before.
fn inflate_part<'a>(
    codec: &mut Decompress,
    out: &mut Vec<u8>,
    mut input: &'a [u8],
    limit: u32,
) -> Result<Option<&'a [u8]>, ProtocolError> {
    // One byte more than allowed tells a message that is too long from one that fits exactly.
    let room = (limit as usize).saturating_add(1);
    loop {
        if out.len() == out.capacity() {
            // By doubling what has come, whatever it may become.
            let wanted = (out.capacity() * 2)
                .max(input.len() * 4)
                .clamp(256, room.max(256));
            out.reserve_exact(wanted.min(room) - out.len());
        }
        let (in_before, out_before) = (codec.total_in(), out.len());
        let status = codec
            .decompress_vec(input, out, FlushDecompress::None)
            .map_err(|_| ProtocolError::InvalidDeflate)?;
        let used = (codec.total_in() - in_before) as usize;
        input = &input[used..];
        if out.len() > limit as usize {
            return Err(ProtocolError::MessageTooBig { limit });
        }
        if status == Status::StreamEnd {
            return Ok(Some(input));
        }
        if out.len() < out.capacity() {
            if input.is_empty() {
                return Ok(None);
            }
            if used == 0 && out.len() == out_before {
                return Err(ProtocolError::InvalidDeflate);
            }
        }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Inflater")
            .field("buffer_bytes", &self.buffer_bytes())
            .finish_non_exhaustive()
    }
}
