//! Sessions in cookies that another program writes as well, which knows nothing of versions.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::state::{CookieState, Fields, Reader};
use super::version::{Lineage, Version};
use crate::session::SessionId;

/// The field that says which version the others are, as long as they are what they were.
const MARK: &str = "_sinew:cookie";
/// Bytes of the digest by which that is seen.
const DIGEST_BYTES: usize = 8;

impl CookieState {
    /// Its fields for a cookie that another program reads and writes too, such as Rails: beside the session's own
    /// there is one, `_sinew:cookie`, which the other program keeps as it is.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::time::SystemTime;
    /// use sinew_store::SessionId;
    /// use sinew_store::cookie::CookieState;
    ///
    /// let fields = BTreeMap::from([("user_id".to_owned(), "42".into())]);
    /// let state = CookieState::from_shared_fields(SessionId::generate(), fields, SystemTime::now());
    /// let shared = state.to_shared_fields();
    /// assert_eq!(shared.keys().collect::<Vec<_>>(), ["_sinew:cookie", "user_id"]);
    /// ```
    pub fn to_shared_fields(&self) -> Fields {
        let mut mark = Vec::with_capacity(96);
        mark.extend_from_slice(&digest(&self.fields));
        self.version.write(&mut mark);
        mark.extend_from_slice(&self.issued.to_le_bytes());
        self.lineage.write(&mut mark);
        let mut fields = self.fields.clone();
        let mark = format!("\"{}\"", STANDARD_NO_PAD.encode(mark));
        fields.insert(MARK.to_owned(), Bytes::from(mark));
        fields
    }

    /// The version that such a cookie holds: the one that was written here, or one that the other program made of it,
    /// or of nothing. Of the latter the browser's word counts, whatever is known of others: the other program neither
    /// numbers what it writes nor merges it.
    ///
    /// `issued_at` is when its life began, as far as is known; a later time than what the fields themselves say counts.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::SystemTime;
    /// use sinew_store::Sessions;
    /// use sinew_store::cookie::{CookieState, CookieStore, CookieStoreConfig};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
    /// let store = CookieStore::new(CookieStoreConfig::default());
    /// let session = Sessions::new(Arc::new(store.clone())).create();
    /// session.set("theme", "dark").await?;
    /// session.commit().await?;
    /// let state = store.state(session.id()).expect("it was just written");
    ///
    /// let mut fields = state.to_shared_fields();
    /// let same = CookieState::from_shared_fields(state.id(), fields.clone(), state.issued_at());
    /// assert_eq!(same, state);
    ///
    /// // The other program adds a field.
    /// fields.insert("user_id".to_owned(), "42".into());
    /// let theirs = CookieState::from_shared_fields(state.id(), fields, state.issued_at());
    /// assert_ne!(theirs.version(), state.version());
    /// store.learn(theirs);
    /// assert_eq!(session.get::<u32>("user_id").await?, None, "it was read before");
    /// let next = Sessions::new(Arc::new(store)).open(session.id());
    /// assert_eq!(next.get("user_id").await?, Some(42));
    /// # Ok(()) }
    /// ```
    pub fn from_shared_fields(
        id: SessionId,
        mut fields: Fields,
        issued_at: SystemTime,
    ) -> CookieState {
        let mark = fields.remove(MARK).and_then(|mark| Mark::read(&mark));
        let issued = issued_at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        let digest = digest(&fields);
        let (version, lineage, is_foreign) = match &mark {
            Some(mark) if mark.digest == digest => (mark.version, mark.lineage.clone(), false),
            Some(mark) => (
                Version::of(mark.version.number + 1, &digest),
                Lineage::after(mark.version, &mark.lineage),
                true,
            ),
            None => (Version::of(1, &digest), Lineage::default(), true),
        };
        CookieState {
            id,
            version,
            lineage,
            issued: issued.max(mark.map_or(0, |mark| mark.issued)),
            fields,
            is_foreign,
        }
    }
}

struct Mark {
    digest: [u8; DIGEST_BYTES],
    version: Version,
    issued: u64,
    lineage: Lineage,
}

impl Mark {
    fn read(json: &[u8]) -> Option<Mark> {
        let text = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        // Rails writes a slash as it is; others escape it.
        let text = String::from_utf8(text.to_vec()).ok()?.replace("\\/", "/");
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let mut reader = Reader(&bytes);
        let digest = reader.array()?;
        let version = Version::read(&mut reader)?;
        let issued = u64::from_le_bytes(reader.array()?);
        let lineage = Lineage::read(&mut reader)?;
        // A time that no clock can show is not one of ours, and would overflow in what follows.
        (issued <= u64::from(u32::MAX) * 16).then_some(Mark {
            digest,
            version,
            issued,
            lineage,
        })
    }
}

/// Tells fields from other fields: of each its name and its text, with their lengths.
fn digest(fields: &Fields) -> [u8; DIGEST_BYTES] {
    let mut hasher = Sha256::new();
    for (name, value) in fields {
        for text in [name.as_bytes(), value] {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
    }
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&hasher.finalize()[..DIGEST_BYTES]);
    digest
}

/// How many bytes the fields take as one JSON object, with the longest mark there can be.
pub(super) fn shared_bytes<'a>(fields: impl Iterator<Item = (&'a str, &'a Bytes)>) -> usize {
    // The id, and the mark with its digest, version, time and lineage.
    let own = r#"{"session_id":"00112233445566778899aabbccddeeff"}"#.len()
        + MARK.len()
        + r#","":"""#.len()
        + (DIGEST_BYTES + Version::BYTES + 8 + 1 + super::version::LINEAGE_MAX * 4).div_ceil(3) * 4;
    let field = |(name, value): (&str, &Bytes)| {
        let name = serde_json::to_string(name).map_or(name.len(), |name| name.len());
        name + value.len() + 2
    };
    own + fields.map(field).sum::<usize>()
}

#[cfg(test)]
mod tests;
