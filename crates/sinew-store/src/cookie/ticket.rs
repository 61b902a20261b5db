//! What a reflex has written, on its way to the browser.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::state::{CookieState, Fields, Reader, write_text};
use super::version::Version;
use crate::session::SessionId;

/// The next version of a session, to be taken over into the visitor's cookie: the whole state, which version it was
/// made from, and what it changed, for the case that somebody else has written meanwhile.
///
/// Its bytes are to be sealed. It is good once: a cookie that holds its version, or one made from it, is not changed
/// by it any more. See [`CookieStore::redeem`](super::CookieStore::redeem).
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{Sessions, cookie::{CookieStore, CookieStoreConfig, Ticket}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// # let store = Arc::new(CookieStore::new(CookieStoreConfig::default()));
/// # let session = Sessions::new(store.clone()).create();
/// # session.ensure();
/// # session.commit().await?;
/// let cookie = store.handed_out(session.id()).unwrap();
/// session.set("theme", "dark").await?;
/// session.commit().await?;
/// let offer = store.offer(session.id()).expect("something was written");
/// let bytes = offer.ticket().pack(512);
/// let ticket = Ticket::unpack(&bytes).unwrap();
/// assert_eq!(&ticket, offer.ticket());
/// assert_eq!(ticket.from(), cookie.id());
/// assert_eq!(ticket.state().version().number(), cookie.version().number() + 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) from: SessionId,
    pub(super) base: Version,
    pub(super) changed: Vec<Changed>,
    pub(super) state: CookieState,
}

/// A field that was changed, and what it held before, as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    name: String,
    before: Option<[u8; 8]>,
}

impl Ticket {
    /// The session that the visitor's cookie has to hold.
    pub fn from(&self) -> SessionId {
        self.from
    }

    /// What the cookie shall hold afterwards.
    pub fn state(&self) -> &CookieState {
        &self.state
    }

    /// Its bytes; `compress_over` as in [`CookieState::pack`].
    pub fn pack(&self, compress_over: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&self.from.to_bytes());
        self.base.write(&mut out);
        out.extend_from_slice(&(self.changed.len() as u16).to_le_bytes());
        for changed in &self.changed {
            write_text(&mut out, changed.name.as_bytes());
            write_text(&mut out, changed.before.as_ref().map_or(&[], |it| &it[..]));
        }
        out.extend_from_slice(&self.state.pack(compress_over));
        out
    }

    /// Reads what [`pack`](Self::pack) wrote; nothing when these bytes are something else.
    pub fn unpack(bytes: &[u8]) -> Option<Ticket> {
        let mut reader = Reader(bytes);
        let from = SessionId::from_bytes(reader.array()?);
        let base = Version::read(&mut reader)?;
        let count = u16::from_le_bytes(reader.array()?);
        let mut changed = Vec::new();
        for _ in 0..count {
            let name = std::str::from_utf8(reader.text()?).ok()?.to_owned();
            let before = match reader.text()? {
                [] => None,
                digest => Some(digest.try_into().ok()?),
            };
            changed.push(Changed { name, before });
        }
        let state = CookieState::unpack(reader.0)?;
        Some(Ticket {
            from,
            base,
            changed,
            state,
        })
    }
}

/// What has to be done to `before` to get `after`.
pub(super) fn changes(before: &Fields, after: &Fields) -> Vec<Changed> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let written = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, _)| name);
    gone.chain(written)
        .map(|name| Changed {
            name: name.clone(),
            before: before.get(name).map(digest),
        })
        .collect()
}

/// What became of fields that two have changed.
pub(super) struct Merged {
    pub(super) fields: Fields,
    /// Fields that both have changed, and that stayed as they were in the cookie.
    pub(super) conflicts: usize,
}

/// Makes the changes that led to `after` to `onto` as well. A field that `onto` no longer has as it was before the
/// change stays as it is there: what the browser's cookie holds already has won.
pub(super) fn merge(onto: &Fields, changed: &[Changed], after: &Fields) -> Merged {
    let mut fields = onto.clone();
    let mut conflicts = 0;
    for Changed { name, before } in changed {
        let (present, next) = (onto.get(name), after.get(name));
        if present == next {
            continue;
        }
        if present.map(digest) != *before {
            conflicts += 1;
            continue;
        }
        match next {
            Some(value) => fields.insert(name.clone(), value.clone()),
            None => fields.remove(name),
        };
    }
    Merged { fields, conflicts }
}

fn digest(value: &Bytes) -> [u8; 8] {
    let digest = Sha256::digest(value);
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}
