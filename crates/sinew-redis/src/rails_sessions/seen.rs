//! Where a session stands, and what was found there.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use sinew_store::{Key, Record, SessionId};

use super::blob::Blob;

/// Marks a session that has ended; see [`sinew_store::Session::destroy`].
pub(super) const ENDED: &str = "_sinew:ended";
/// What a key begins with that carries the session's id itself.
const BY_ID: &str = "session-id:";
/// What a key begins with that carries the digest of the session's id: [`SessionId::store_key`].
const BY_DIGEST: &str = "session:";

/// Under which name Rails keeps a session.
///
/// Rack calls them the private id, `2::` and the SHA-256 of the id, and the public one, which is the id itself
/// as it stands in the cookie.
///
/// ```
/// use sinew_redis::{RailsIds, RailsSessions, Redis, RedisSettings};
/// use sinew_store::{SessionId, Sessions};
///
/// # use std::sync::Arc;
/// # use test_servers::RedisServer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RedisServer::start();
/// # let redis = Redis::connect_lazily(RedisSettings::from_url(&server.url())?)?;
/// assert_eq!(RailsIds::default(), RailsIds::Private);
///
/// let store = RailsSessions::new(redis, "app:").ids(RailsIds::Public);
/// let session = Sessions::new(Arc::new(store)).create();
/// session.set("a", &1).await?;
/// session.commit().await?;
/// assert_eq!(server.command(&["KEYS", "*"]), format!("app:{}", session.id()));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RailsIds {
    /// By the private id: `redis-session-store` 0.11.6 and later, and Rails' cache store since 5.2.4.1 and 6.0.2.1.
    #[default]
    Private,
    /// As before, and a session that is there by its public id alone is read as well, and stored by its private
    /// one: for the time after an update, when sessions of before are still about.
    PrivateOrPublic,
    /// By the public id: `redis-session-store` before 0.11.6.
    Public,
}

/// The names of everything that is stored of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) blob: String,
    pub(super) mark: String,
    /// The blob's name of before, or its name again.
    pub(super) older: String,
}

impl Place {
    /// Keys that are no session's are kept under their own name.
    pub(super) fn of(key: &Key, prefix: &str, ids: RailsIds) -> Self {
        let key = key.as_str();
        let private = |digest: &str| format!("{prefix}2::{digest}");
        let (blob, older) = match (key.strip_prefix(BY_ID), key.strip_prefix(BY_DIGEST)) {
            (Some(id), _) => match ids {
                RailsIds::Public => (format!("{prefix}{id}"), None),
                RailsIds::Private => (private(&digest(id)), None),
                RailsIds::PrivateOrPublic => (private(&digest(id)), Some(format!("{prefix}{id}"))),
            },
            (None, Some(digest)) => (private(digest), None),
            (None, None) => (format!("{prefix}{key}"), None),
        };
        Self {
            mark: format!("sinew-ended:{blob}"),
            older: older.unwrap_or_else(|| blob.clone()),
            blob,
        }
    }

    pub(super) fn keys(&self) -> [&str; 3] {
        [&self.blob, &self.mark, &self.older]
    }
}

/// The key of a session whose id the store has to know, since Rails keeps it by that.
pub(super) fn key_by_id(id: &SessionId) -> Key {
    Key::new(format!("{BY_ID}{id}"))
}

fn digest(id: &str) -> String {
    hex(&Sha256::digest(id))
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// What is stored of a session, as the scripts name it: `n`, or a kind and the SHA-1 of the text.
pub(super) fn state(kind: char, text: &[u8]) -> String {
    format!("{kind}{}", hex(&Sha1::digest(text)))
}

/// What was found when somebody looked.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) state: String,
    pub(super) found: Found,
    /// What was left of its life then.
    pub(super) life: Option<Duration>,
    /// Bytes of the text.
    pub(super) bytes: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Found {
    Nothing,
    Ended,
    Blob(Blob),
}

impl Seen {
    pub(super) fn nothing() -> Self {
        Self {
            state: "n".to_owned(),
            found: Found::Nothing,
            life: None,
            bytes: 0,
        }
    }

    pub(super) fn record(&self) -> Option<Record> {
        let fields = match &self.found {
            Found::Nothing => return None,
            Found::Ended => [(ENDED.to_owned(), Bytes::from_static(b"true"))].into(),
            Found::Blob(blob) => blob.fields(),
        };
        Some(Record::new(fields, self.life))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_rails() {
        let id: SessionId = "00112233445566778899aabbccddeeff".parse().expect("an id");
        // printf 00112233445566778899aabbccddeeff | sha256sum
        let private = "a:2::5947d7c33d783f94b3b4c1a96ebc8991ed28f1b069b71e03376cba8caa98a720";
        let public = "a:00112233445566778899aabbccddeeff";
        for (key, ids, blob, older) in [
            (id.store_key(), RailsIds::Private, private, private),
            (key_by_id(&id), RailsIds::Private, private, private),
            (key_by_id(&id), RailsIds::PrivateOrPublic, private, public),
            (key_by_id(&id), RailsIds::Public, public, public),
            (Key::new("other"), RailsIds::Public, "a:other", "a:other"),
        ] {
            let place = Place::of(&key, "a:", ids);
            let mark = format!("sinew-ended:{blob}");
            assert_eq!(place.keys(), [blob, mark.as_str(), older], "{ids:?}");
        }
    }
}
