//! Which version of a session it is, and which came before it.

use std::fmt;

use super::state::Reader;

/// How many versions before its own a state remembers.
pub(super) const LINEAGE_MAX: usize = 12;

/// Names one version of a session: how many were before it, and a random tag that tells it from others of that number,
/// which somebody else made from the same version.
///
/// ```
/// # use std::sync::Arc;
/// # use sinew_store::{Sessions, cookie::{CookieStore, CookieStoreConfig, Version}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), sinew_store::SessionError> {
/// # let store = Arc::new(CookieStore::new(CookieStoreConfig::default()));
/// # let session = Sessions::new(store.clone()).create();
/// session.set("step", &1).await?;
/// session.commit().await?;
/// let first: Version = store.state(session.id()).unwrap().version();
/// session.set("step", &2).await?;
/// session.commit().await?;
/// let second = store.state(session.id()).unwrap().version();
/// assert_eq!((first.number(), second.number()), (1, 2));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    pub(super) number: u64,
    tag: u32,
}

impl Version {
    pub(super) const BYTES: usize = 12;

    /// The version number `number`, made here and now.
    pub(super) fn new(number: u64) -> Version {
        let mut tag = [0; 4];
        getrandom::fill(&mut tag).expect("the operating system gives random bytes");
        Version {
            number,
            tag: u32::from_le_bytes(tag),
        }
    }

    /// The version number `number` of what somebody else made: the same wherever it is met.
    pub(super) fn of(number: u64, digest: &[u8; 8]) -> Version {
        let [a, b, c, d, ..] = *digest;
        Version {
            number,
            tag: u32::from_le_bytes([a, b, c, d]),
        }
    }

    /// How many versions there were before, and this one.
    pub fn number(self) -> u64 {
        self.number
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.tag.to_le_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Version> {
        let number = u64::from_le_bytes(reader.array()?);
        let tag = u32::from_le_bytes(reader.array()?);
        // One more is always a number, too.
        (number < u64::MAX / 2).then_some(Version { number, tag })
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{:08x}", self.number, self.tag)
    }
}

/// The tags of the versions that a state was made from, the latest first. Only so many are kept: what is older than
/// all of them is not known to be an ancestor.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Lineage(Vec<u32>);

impl Lineage {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, version: Version) -> bool {
        self.0.contains(&version.tag)
    }

    /// The lineage of what is made from one version.
    pub(super) fn after(version: Version, lineage: &Lineage) -> Lineage {
        let tags = std::iter::once(version.tag).chain(lineage.0.iter().copied());
        Lineage(tags.take(LINEAGE_MAX).collect())
    }

    /// The lineage of what is made from two versions: of both in turn, so that neither pushes the other out.
    pub(super) fn joined(one: (Version, &Lineage), other: (Version, &Lineage)) -> Lineage {
        let one = Lineage::after(one.0, one.1).0;
        let other = Lineage::after(other.0, other.1).0;
        let mut tags = Vec::with_capacity(LINEAGE_MAX);
        for at in 0..LINEAGE_MAX {
            for tag in [one.get(at), other.get(at)].into_iter().flatten() {
                if tags.len() < LINEAGE_MAX && !tags.contains(tag) {
                    tags.push(*tag);
                }
            }
        }
        Lineage(tags)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.0.len() as u8);
        for tag in &self.0 {
            out.extend_from_slice(&tag.to_le_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Lineage> {
        let count = usize::from(reader.byte()?);
        if count > LINEAGE_MAX {
            return None;
        }
        let mut tags = Vec::with_capacity(count);
        for _ in 0..count {
            tags.push(u32::from_le_bytes(reader.array()?));
        }
        Some(Lineage(tags))
    }
}
