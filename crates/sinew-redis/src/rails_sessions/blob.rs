//! A session as it stands in one value of Redis: a JSON object, bare or within an entry of Rails' cache.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::read::ZlibDecoder;
use sinew_verifier::rails::{RailsSession, RailsSessionError, SESSION_BYTES_MAX};
use thiserror::Error;

/// What an entry of Rails' cache begins with, since 7.1.
const SIGNATURE: &[u8] = b"\x00\x11";
/// The signature, a byte for the type, a double for the expiry, and a 32 bit number for the version's length.
const HEADER_BYTES: usize = 2 + 1 + 8 + 4;
/// The type of an entry whose value went through the cache's serializer.
const OBJECT: u8 = 1;
/// The type has this bit when the value was compressed with zlib.
const COMPRESSED: u8 = 0x80;
/// Rails 7.0 writes a byte before Marshal: 0, or 1 and compressed.
const MARSHAL_OF_7_0: [&[u8]; 2] = [b"\x00\x04\x08", b"\x01\x78"];

/// What stands around the JSON.
///
/// ```
/// use sinew_redis::RailsBlob;
///
/// assert_eq!(RailsBlob::default(), RailsBlob::Json);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RailsBlob {
    /// Nothing: `redis-session-store` with its JSON serializer, and caches whose `coder:` writes the value as JSON
    /// (possible since Rails 6.1).
    #[default]
    Json,
    /// The header of a cache entry: caches of Rails 7.1 and later with a `serializer:` that writes JSON.
    CacheEntry,
}

/// Why a value is not a session that can be read. Nothing of the session is in it.
///
/// A store answers with [`StoreErrorKind::Corrupt`](sinew_store::StoreErrorKind::Corrupt), and this is its source.
///
/// ```
/// use sinew_redis::RailsBlobError;
///
/// let error = RailsBlobError::NotEntry;
/// assert_eq!(error.to_string(), "cache entry does not hold a session");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RailsBlobError {
    /// Written by another serializer, too long, or not a JSON object.
    #[error(transparent)]
    Session(#[from] RailsSessionError),
    /// The header of a cache entry is cut short, or is of a kind that holds no session.
    #[error("cache entry does not hold a session")]
    NotEntry,
    /// Compressed, and not with zlib, or longer than a session may be when it is not.
    #[error("cache entry cannot be decompressed")]
    NotCompressed,
}

/// A session, and how it stood in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) session: RailsSession,
    wrapping: Wrapping,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrapping {
    Json,
    CacheEntry {
        /// A double, as its eight bytes.
        expires_at: [u8; 8],
        version: Option<Vec<u8>>,
    },
}

impl Blob {
    /// An empty session, to be stored as `form`.
    pub(super) fn new(form: RailsBlob) -> Self {
        let wrapping = match form {
            RailsBlob::Json => Wrapping::Json,
            RailsBlob::CacheEntry => Wrapping::CacheEntry {
                expires_at: NEVER.to_le_bytes(),
                version: None,
            },
        };
        Self {
            session: RailsSession::default(),
            wrapping,
        }
    }

    pub(super) fn decode(text: &[u8]) -> Result<Self, RailsBlobError> {
        if MARSHAL_OF_7_0.iter().any(|head| text.starts_with(head)) {
            return Err(RailsSessionError::Marshal.into());
        }
        if !text.starts_with(SIGNATURE) {
            return Ok(Self {
                session: RailsSession::parse(text)?,
                wrapping: Wrapping::Json,
            });
        }
        let entry = Entry::decode(text).ok_or(RailsBlobError::NotEntry)?;
        if entry.kind & !COMPRESSED != OBJECT {
            return Err(RailsBlobError::NotEntry);
        }
        let session = if entry.kind & COMPRESSED == 0 {
            RailsSession::parse(entry.payload)?
        } else {
            RailsSession::parse(&inflate(entry.payload)?)?
        };
        Ok(Self {
            session,
            wrapping: Wrapping::CacheEntry {
                expires_at: entry.expires_at,
                version: entry.version.map(<[u8]>::to_vec),
            },
        })
    }

    /// The value to store. `renewed` is the life that begins now, when one does: an entry of a cache has its end
    /// written on it.
    pub(super) fn encode(&self, renewed: Option<Duration>, now: SystemTime) -> Vec<u8> {
        let json = self.session.to_json().into_bytes();
        let (expires_at, version) = match &self.wrapping {
            Wrapping::Json => return json,
            Wrapping::CacheEntry {
                expires_at,
                version,
            } => (expires_at, version),
        };
        let end = renewed.and_then(|life| now.checked_add(life));
        let end = end.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
        let expires_at = end.map_or(*expires_at, |end| end.as_secs_f64().to_le_bytes());
        let version_bytes = version
            .as_ref()
            .map_or(-1, |version| i32::try_from(version.len()).unwrap_or(-1));
        let mut entry = Vec::with_capacity(HEADER_BYTES + json.len());
        entry.extend_from_slice(SIGNATURE);
        entry.push(OBJECT);
        entry.extend_from_slice(&expires_at);
        entry.extend_from_slice(&version_bytes.to_le_bytes());
        entry.extend_from_slice(version.as_deref().unwrap_or_default());
        entry.extend_from_slice(&json);
        entry
    }

    pub(super) fn fields(&self) -> BTreeMap<String, Bytes> {
        let fields = self.session.iter();
        fields
            .map(|(name, value)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes())))
            .collect()
    }

    /// The same blob with exactly these fields.
    pub(super) fn with_fields(
        &self,
        fields: &BTreeMap<String, Bytes>,
    ) -> Result<Self, RailsSessionError> {
        let texts: Result<Vec<_>, _> = fields
            .iter()
            .map(|(name, value)| match std::str::from_utf8(value) {
                Ok(value) => Ok((name.as_str(), value)),
                Err(_) => Err(RailsSessionError::NotJson),
            })
            .collect();
        Ok(Self {
            session: self.session.with_exactly(texts?)?,
            wrapping: self.wrapping.clone(),
        })
    }
}

/// The expiry of an entry that has none.
const NEVER: f64 = -1.0;

/// The parts of an entry of Rails' cache.
struct Entry<'a> {
    kind: u8,
    expires_at: [u8; 8],
    version: Option<&'a [u8]>,
    payload: &'a [u8],
}

impl<'a> Entry<'a> {
    fn decode(text: &'a [u8]) -> Option<Self> {
        let (header, rest) = text.split_first_chunk::<HEADER_BYTES>()?;
        let header = header.strip_prefix(SIGNATURE)?;
        let (&kind, header) = header.split_first()?;
        let (expires_at, length) = header.split_first_chunk::<8>()?;
        let length = i32::from_le_bytes(length.try_into().ok()?);
        let (version, payload) = match usize::try_from(length) {
            Ok(length) => {
                let (version, payload) = rest.split_at_checked(length)?;
                (Some(version), payload)
            }
            Err(_) => (None, rest),
        };
        Some(Self {
            kind,
            expires_at: *expires_at,
            version,
            payload,
        })
    }
}

fn inflate(compressed: &[u8]) -> Result<Vec<u8>, RailsBlobError> {
    let mut text = Vec::new();
    // One byte more than a session may have, so that a longer one is told from one that fits.
    let most = SESSION_BYTES_MAX as u64 + 1;
    let read = ZlibDecoder::new(compressed)
        .take(most)
        .read_to_end(&mut text);
    match read {
        Ok(_) if text.len() <= SESSION_BYTES_MAX => Ok(text),
        _ => Err(RailsBlobError::NotCompressed),
    }
}

#[cfg(test)]
mod tests;
