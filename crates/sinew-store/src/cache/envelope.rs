//! What is stored around a value.
//!
//! ```text
//! 0xC1   flags   [expiry: 8]   [version: 1 + n]   [inflated length: 4]   payload
//! ```
//!
//! The numbers are little-endian. The first byte stands in no JSON text and in no UTF-8, so a
//! counter, which has no envelope, is told apart.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;

use super::coding::Form;
use super::config::ENVELOPE_BYTES_MAX;

const MAGIC: u8 = 0xC1;

const DEFLATED: u8 = 1;
const RAW: u8 = 1 << 1;
const EXPIRES: u8 = 1 << 2;
const VERSIONED: u8 = 1 << 3;
const KNOWN: u8 = DEFLATED | RAW | EXPIRES | VERSIONED;

/// A value with what has to be known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) form: Form,
    /// When it is no longer fresh, in milliseconds since 1970. The store may keep it longer.
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) version: Option<Box<str>>,
    pub(crate) payload: Bytes,
}

/// The bytes are nothing that this version has written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cached value cannot be read")]
pub(crate) struct Unreadable;

impl Envelope {
    /// Compresses payloads from `compress_over_bytes` on, when that makes them smaller.
    pub(crate) fn encode(&self, compress_over_bytes: Option<usize>) -> Bytes {
        let deflated = compress_over_bytes
            .filter(|over| self.payload.len() > *over)
            .and_then(|_| deflated(&self.payload));
        let payload = deflated.as_deref().unwrap_or(&self.payload);
        let mut bytes = Vec::with_capacity(ENVELOPE_BYTES_MAX.min(64) + payload.len());
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        bytes.push(MAGIC);
        bytes.push(
            flag(deflated.is_some(), DEFLATED)
                | flag(self.form == Form::Raw, RAW)
                | flag(self.expires_at_ms.is_some(), EXPIRES)
                | flag(self.version.is_some(), VERSIONED),
        );
        if let Some(expiry) = self.expires_at_ms {
            bytes.extend_from_slice(&expiry.to_le_bytes());
        }
        if let Some(version) = &self.version {
            let length = u8::try_from(version.len()).expect("a long version is a digest");
            bytes.push(length);
            bytes.extend_from_slice(version.as_bytes());
        }
        if deflated.is_some() {
            let length = u32::try_from(self.payload.len()).expect("only so much is compressed");
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        bytes.extend_from_slice(payload);
        bytes.into()
    }

    /// Reads what a store gave back. A payload that would unpack to more than
    /// `serialized_bytes_max` is not unpacked.
    pub(crate) fn decode(
        mut bytes: Bytes,
        serialized_bytes_max: usize,
    ) -> Result<Envelope, Unreadable> {
        match take::<2>(&mut bytes)? {
            [MAGIC, flags] if flags & !KNOWN == 0 => {
                let expires_at_ms = match flags & EXPIRES {
                    0 => None,
                    _ => Some(u64::from_le_bytes(take(&mut bytes)?)),
                };
                let version = match flags & VERSIONED {
                    0 => None,
                    _ => Some(take_version(&mut bytes)?),
                };
                if flags & DEFLATED != 0 {
                    let length = u32::from_le_bytes(take(&mut bytes)?) as usize;
                    bytes = inflated(&bytes, length, serialized_bytes_max)?;
                }
                Ok(Envelope {
                    form: match flags & RAW {
                        0 => Form::Json,
                        _ => Form::Raw,
                    },
                    expires_at_ms,
                    version,
                    payload: bytes,
                })
            }
            _ => Err(Unreadable),
        }
    }
}

/// Whether these bytes have no envelope because they are a counter.
pub(crate) fn is_counter(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    (1..=19).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

fn take<const LENGTH: usize>(bytes: &mut Bytes) -> Result<[u8; LENGTH], Unreadable> {
    let taken = *bytes.first_chunk().ok_or(Unreadable)?;
    bytes::Buf::advance(bytes, LENGTH);
    Ok(taken)
}

fn take_version(bytes: &mut Bytes) -> Result<Box<str>, Unreadable> {
    let [length] = take(bytes)?;
    if bytes.len() < usize::from(length) {
        return Err(Unreadable);
    }
    let version = bytes.split_to(usize::from(length));
    let version = std::str::from_utf8(&version).map_err(|_| Unreadable)?;
    Ok(version.into())
}

fn deflated(payload: &[u8]) -> Option<Vec<u8>> {
    let out = Vec::with_capacity(payload.len() / 4);
    let mut encoder = flate2::write::DeflateEncoder::new(out, Compression::fast());
    // Writing into memory cannot fail; what is not smaller is better stored as it is.
    encoder.write_all(payload).ok()?;
    let deflated = encoder.finish().ok()?;
    (deflated.len() + size_of::<u32>() < payload.len()).then_some(deflated)
}

fn inflated(deflated: &[u8], length: usize, bytes_max: usize) -> Result<Bytes, Unreadable> {
    if length > bytes_max {
        return Err(Unreadable);
    }
    // The length is a claim: room is made for what DEFLATE can make of these bytes at most.
    let mut inflated = Vec::with_capacity(length.min(deflated.len().saturating_mul(1_032)));
    let more_than_claimed = length as u64 + 1;
    flate2::read::DeflateDecoder::new(deflated)
        .take(more_than_claimed)
        .read_to_end(&mut inflated)
        .map_err(|_| Unreadable)?;
    match inflated.len() == length {
        true => Ok(inflated.into()),
        false => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn envelope() -> impl Strategy<Value = Envelope> {
        let payload = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "[ab]{0,400}".prop_map(String::into_bytes),
        ];
        let form = prop_oneof![Just(Form::Json), Just(Form::Raw)];
        let version = proptest::option::of("[a-zé/]{0,20}");
        (form, any::<Option<u64>>(), version, payload).prop_map(
            |(form, expires_at_ms, version, payload)| Envelope {
                form,
                expires_at_ms,
                version: version.map(Box::from),
                payload: payload.into(),
            },
        )
    }

    proptest! {
        #[test]
        fn it_comes_back_as_it_was(envelope in envelope(), over in any::<Option<u8>>()) {
            let bytes = envelope.encode(over.map(usize::from));
            prop_assert!(bytes.len() <= envelope.payload.len() + ENVELOPE_BYTES_MAX);
            prop_assert!(!is_counter(&bytes));
            prop_assert_eq!(Envelope::decode(bytes, 1_000), Ok(envelope));
        }

        #[test]
        fn any_bytes_are_read_within_the_bound(
            envelope in envelope(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
            length in any::<proptest::sample::Index>(),
            bytes_max in 0..400_usize,
        ) {
            let mut bytes = envelope.encode(Some(0)).to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(length.index(bytes.len() + 1));
            let length = bytes.len();
            if let Ok(read) = Envelope::decode(bytes.into(), bytes_max) {
                prop_assert!(read.payload.len() <= bytes_max.max(length));
            }
        }

        #[test]
        fn strange_bytes_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let counted = std::str::from_utf8(&bytes).is_ok_and(|text| {
                text.bytes().all(|it| b"-0123456789".contains(&it)) && text.parse::<i128>().is_ok()
            });
            prop_assert!(!is_counter(&bytes) || counted);
            let _ = Envelope::decode(bytes.into(), 1_000);
        }
    }

    #[test]
    fn a_claim_is_not_believed() {
        let envelope = Envelope {
            form: Form::Raw,
            expires_at_ms: None,
            version: None,
            payload: vec![b'a'; 10_000].into(),
        };
        let bytes = envelope.encode(Some(0));
        assert!(bytes.len() < 200);
        assert_eq!(Envelope::decode(bytes.clone(), 9_999), Err(Unreadable));
        for claim in [0_u32, 9_999, 10_001, u32::MAX] {
            let mut lying = bytes.to_vec();
            lying[2..6].copy_from_slice(&claim.to_le_bytes());
            assert_eq!(Envelope::decode(lying.into(), usize::MAX), Err(Unreadable));
        }
    }
}
