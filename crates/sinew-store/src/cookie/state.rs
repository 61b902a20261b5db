//! What a session's cookie says, and its bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::version::{LINEAGE_MAX, Lineage, Version};
use crate::session::SessionId;

/// The named values of a session, each a JSON text.
pub(super) type Fields = BTreeMap<String, Bytes>;

/// The most bytes that the fields of a state may have when they are not compressed. What a cookie holds is far less; it
/// bounds what a compressed one can become.
const UNPACKED_BYTES_MAX: usize = 512 * 1024;

/// The fields follow as they are.
const PLAIN: u8 = 1;
/// The fields follow compressed by DEFLATE.
const DEFLATED: u8 = 2;

/// One version of a session, as a cookie, a [`Ticket`](super::Ticket) or a message between nodes holds it.
///
/// Its bytes are not secret and not signed by themselves: whoever takes them out of the process seals them.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::Sessions;
/// use sinew_store::cookie::{CookieState, CookieStore, CookieStoreConfig};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// let store = Arc::new(CookieStore::new(CookieStoreConfig::default()));
/// let session = Sessions::new(store.clone()).create();
/// session.set("theme", "dark").await?;
/// session.commit().await?;
///
/// let state = store.state(session.id()).expect("it was just written");
/// let bytes = state.pack(512);
/// let read = CookieState::unpack(&bytes).expect("they are its bytes");
/// assert_eq!(read, state);
/// assert_eq!(read.id(), session.id());
/// assert_eq!(read.keys().collect::<Vec<_>>(), ["theme"]);
/// assert_eq!(read.fields()["theme"], r#""dark""#);
/// assert_eq!(read.version().number(), 1);
/// assert!(read.issued_at() <= std::time::SystemTime::now());
/// assert!(CookieState::unpack(b"guess").is_none());
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CookieState {
    pub(super) id: SessionId,
    pub(super) version: Version,
    pub(super) lineage: Lineage,
    /// Seconds since 1970.
    pub(super) issued: u64,
    pub(super) fields: Fields,
    /// Whether another program has written it, which shares the cookie and knows nothing of versions.
    pub(super) is_foreign: bool,
}

impl CookieState {
    /// Whose session it is.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Which version of it.
    pub fn version(&self) -> Version {
        self.version
    }

    /// When its life was renewed last.
    pub fn issued_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.issued)
    }

    /// The names of its fields, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Its fields, each a JSON text.
    pub fn fields(&self) -> &BTreeMap<String, Bytes> {
        &self.fields
    }

    /// Its bytes, with the fields compressed when they have more than `compress_over` bytes and become fewer by it.
    pub fn pack(&self, compress_over: usize) -> Vec<u8> {
        let fields = self.fields.iter();
        let fields = pack_fields(fields.map(|(name, value)| (name.as_str(), value)));
        let (format, fields) = compress(fields, compress_over);
        let mut out = Vec::with_capacity(head_bytes(self.lineage.len()) + fields.len());
        out.push(format);
        out.extend_from_slice(&self.id.to_bytes());
        self.version.write(&mut out);
        out.extend_from_slice(&self.issued.to_le_bytes());
        self.lineage.write(&mut out);
        out.extend_from_slice(&fields);
        out
    }

    /// Reads what [`pack`](Self::pack) wrote; nothing when these bytes are something else.
    pub fn unpack(bytes: &[u8]) -> Option<CookieState> {
        let mut reader = Reader(bytes);
        let format = reader.byte()?;
        let id = SessionId::from_bytes(reader.array()?);
        let version = Version::read(&mut reader)?;
        let issued = u64::from_le_bytes(reader.array()?);
        let lineage = Lineage::read(&mut reader)?;
        let fields = match format {
            PLAIN => unpack_fields(reader.0)?,
            DEFLATED => unpack_fields(&inflate(reader.0)?)?,
            _ => return None,
        };
        // A time that no clock can show is not one of ours, and would overflow in what follows.
        (issued <= u64::from(u32::MAX) * 16).then_some(CookieState {
            id,
            version,
            lineage,
            issued,
            fields,
            is_foreign: false,
        })
    }

    /// Whether it is this version or one that was made from it.
    pub(super) fn descends_from(&self, version: Version) -> bool {
        self.version == version || self.lineage.contains(version)
    }
}

/// The bytes of a state with these fields, once the session is as old as it gets.
pub(super) fn packed_bytes<'a>(
    fields: impl Iterator<Item = (&'a str, &'a Bytes)>,
    compress_over: usize,
) -> usize {
    let fields = pack_fields(fields);
    if fields.len() > UNPACKED_BYTES_MAX {
        return fields.len();
    }
    head_bytes(LINEAGE_MAX) + compress(fields, compress_over).1.len()
}

fn head_bytes(lineage: usize) -> usize {
    1 + 16 + Version::BYTES + 8 + 1 + lineage * 4
}

fn pack_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a Bytes)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    for (name, value) in fields {
        write_text(&mut out, name.as_bytes());
        write_text(&mut out, value);
    }
    out
}

fn unpack_fields(bytes: &[u8]) -> Option<Fields> {
    let mut reader = Reader(bytes);
    let mut fields = Fields::new();
    while !reader.0.is_empty() {
        let name = std::str::from_utf8(reader.text()?).ok()?;
        let value = Bytes::copy_from_slice(reader.text()?);
        fields.insert(name.to_owned(), value);
    }
    Some(fields)
}

fn compress(fields: Vec<u8>, compress_over: usize) -> (u8, Vec<u8>) {
    if fields.len() <= compress_over {
        return (PLAIN, fields);
    }
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(1024), Compression::default());
    let compressed = encoder.write_all(&fields).and_then(|()| encoder.finish());
    match compressed {
        Ok(compressed) if compressed.len() < fields.len() => (DEFLATED, compressed),
        _ => (PLAIN, fields),
    }
}

fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let bound = UNPACKED_BYTES_MAX as u64 + 1;
    DeflateDecoder::new(bytes)
        .take(bound)
        .read_to_end(&mut out)
        .ok()?;
    (out.len() <= UNPACKED_BYTES_MAX).then_some(out)
}

/// A text with its length before it: seven bits a byte, the lowest first.
pub(super) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text.len();
    while rest > 127 {
        out.push((rest & 127) as u8 | 128);
        rest >>= 7;
    }
    out.push(rest as u8);
    out.extend_from_slice(text);
}

/// Takes bytes from the front; nothing when there are too few.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    pub(super) fn array<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        self.take(COUNT)?.try_into().ok()
    }

    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let mut length = 0_usize;
        // Three groups of seven bits are more than any field may have.
        for group in 0..3 {
            let byte = self.byte()?;
            length |= usize::from(byte & 127) << (group * 7);
            if byte & 128 == 0 {
                return self.take(length);
            }
        }
        None
    }
}

impl fmt::Debug for CookieState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What visitors keep in a session is nobody's business in a log.
        formatter
            .debug_struct("CookieState")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}
