//! A record as bytes in the file.
//!
//! One byte of version, eight of expiry (milliseconds since 1970, all ones for never), then for
//! each field the length of its name (four bytes), the name, the length of its value (four
//! bytes), the value. Numbers are little-endian.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use sinew_store::Record;

const VERSION: u8 = 1;
const NEVER: u64 = u64::MAX;

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) fn from_system(time: SystemTime) -> Moment {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Moment(u64::try_from(since.as_millis()).unwrap_or(NEVER - 1))
    }

    pub(crate) fn after(self, life: Duration) -> Moment {
        let life = u64::try_from(life.as_millis()).unwrap_or(NEVER);
        Moment(self.0.saturating_add(life).min(NEVER - 1))
    }

    /// A moment that may never come, as it stands in the file of the cache.
    pub(crate) fn to_bytes(moment: Option<Moment>) -> [u8; 8] {
        moment.map_or(NEVER, |it| it.0).to_le_bytes()
    }

    /// Read from there.
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Option<Moment> {
        let moment = u64::from_le_bytes(bytes);
        (moment != NEVER).then_some(Moment(moment))
    }

    /// The hour by whose beginning this moment has passed. The index of expiries is kept by
    /// the hour, so that a session's rolling life does not rewrite it with every commit.
    pub(crate) fn hour_after(self) -> u64 {
        self.0 / HOUR_MS + 1
    }

    /// Whether everything filed under this hour is over.
    pub(crate) fn has_reached(self, hour: u64) -> bool {
        hour.saturating_mul(HOUR_MS) <= self.0
    }
}

const HOUR_MS: u64 = 60 * 60 * 1000;

/// The bytes are no record that this version can read.
#[derive(Debug, thiserror::Error)]
#[error("the stored record cannot be read")]
pub(crate) struct CodecError;

pub(crate) fn encode(fields: &BTreeMap<String, Bytes>, expires_at: Option<Moment>) -> Vec<u8> {
    let length: usize = fields
        .iter()
        .map(|(name, it)| 8 + name.len() + it.len())
        .sum();
    let mut bytes = Vec::with_capacity(9 + length);
    bytes.push(VERSION);
    bytes.extend_from_slice(&expires_at.map_or(NEVER, |it| it.0).to_le_bytes());
    for (name, value) in fields {
        for part in [name.as_bytes(), value] {
            let length = u32::try_from(part.len()).expect("a record's parts are below 4 GiB");
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// When the record expires; reads no further.
pub(crate) fn expiry(bytes: &[u8]) -> Result<Option<Moment>, CodecError> {
    let (version, rest) = bytes.split_first().ok_or(CodecError)?;
    let expiry = rest.first_chunk().ok_or(CodecError)?;
    if *version != VERSION {
        return Err(CodecError);
    }
    let expiry = u64::from_le_bytes(*expiry);
    Ok((expiry != NEVER).then_some(Moment(expiry)))
}

/// The record, or `None` when its life is over.
pub(crate) fn decode(bytes: &[u8], now: Moment) -> Result<Option<Record>, CodecError> {
    let expires_in = match expiry(bytes)? {
        Some(at) if at <= now => return Ok(None),
        Some(at) => Some(Duration::from_millis(at.0 - now.0)),
        None => None,
    };
    let mut rest = &bytes[9..];
    let mut fields = BTreeMap::new();
    while !rest.is_empty() {
        let name = take(&mut rest)?;
        let value = take(&mut rest)?;
        let name = std::str::from_utf8(name).map_err(|_| CodecError)?;
        fields.insert(name.to_owned(), Bytes::copy_from_slice(value));
    }
    Ok(Some(Record::new(fields, expires_in)))
}

fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let (length, after) = rest.split_first_chunk().ok_or(CodecError)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (part, after) = after.split_at_checked(length).ok_or(CodecError)?;
    *rest = after;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_bytes_and_truncated_ones_are_refused() {
        let fields: BTreeMap<_, _> = [("a".into(), "1".into()), ("é".into(), Bytes::new())].into();
        let now = Moment(1_000);
        let bytes = encode(&fields, Some(now.after(Duration::from_secs(1))));
        let record = decode(&bytes, now).unwrap().unwrap();
        assert_eq!(
            record,
            Record::new(fields.clone(), Some(Duration::from_secs(1)))
        );
        assert_eq!(decode(&bytes, Moment(2_000)).unwrap(), None);
        for length in (0..bytes.len()).filter(|length| ![9, 19].contains(length)) {
            assert!(decode(&bytes[..length], now).is_err(), "{length}");
        }
        let never = encode(&fields, None);
        assert_eq!(expiry(&never).unwrap(), None);
    }

    #[test]
    fn an_hour_is_reached_when_all_of_it_has_expired() {
        let last = Moment(2 * HOUR_MS - 1);
        assert_eq!(last.hour_after(), 2);
        assert!(!last.has_reached(2));
        assert!(Moment(2 * HOUR_MS).has_reached(2));
    }
}
