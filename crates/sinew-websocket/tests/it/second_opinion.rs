//! DEFLATE as another implementation does it, to compress what we read and to judge what we judge.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
const EMPTY_LAST_BLOCK: [u8; 5] = [0x01, 0x00, 0x00, 0xff, 0xff];

/// A message as a peer puts it on the wire: compressed by itself, its tail left out.
pub(crate) fn compressed(message: &[u8], level: i32) -> Vec<u8> {
    let mut bytes = run(message, level, TDEFLFlush::Sync);
    assert!(bytes.ends_with(&TAIL), "{bytes:02x?}");
    bytes.truncate(bytes.len() - TAIL.len());
    bytes
}

/// The same from a peer that marks its last block as the last: RFC 7692, 7.2.3.4.
pub(crate) fn compressed_to_the_end(message: &[u8], level: i32) -> Vec<u8> {
    let mut bytes = run(message, level, TDEFLFlush::Finish);
    bytes.push(0);
    bytes
}

fn run(message: &[u8], level: i32, flush: TDEFLFlush) -> Vec<u8> {
    // A negative number of window bits asks for DEFLATE without a wrapper.
    let flags = create_comp_flags_from_zip_params(level, -15, 0);
    let mut codec = CompressorOxide::new(flags);
    let mut out = vec![0; message.len() * 2 + 1024];
    let (status, used, written) = compress(&mut codec, message, &mut out, flush);
    assert_eq!(used, message.len());
    assert!(written < out.len() && matches!(status, TDEFLStatus::Okay | TDEFLStatus::Done));
    out.truncate(written);
    out
}

/// What a payload should inflate to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Message(Vec<u8>),
    TooBig,
    Invalid,
}

/// Their verdict on a payload from the wire, for messages of up to `limit` bytes.
pub(crate) fn judge(payload: &[u8], limit: usize) -> Verdict {
    let input = [payload, &TAIL, &EMPTY_LAST_BLOCK].concat();
    let mut out = vec![0; limit + 1];
    let mut codec = Box::new(DecompressorOxide::new());
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, used, written) = decompress(&mut codec, &input, &mut out, 0, flags);
    out.truncate(written);
    match status {
        _ if written > limit => Verdict::TooBig,
        TINFLStatus::Done => {
            let is_whole = used == input.len()
                || payload
                    .get(used..)
                    .is_some_and(|rest| matches!(rest, [] | [0]));
            if is_whole {
                Verdict::Message(out)
            } else {
                Verdict::Invalid
            }
        }
        _ => Verdict::Invalid,
    }
}
