//! The ticket by which a page takes over an id that a reflex has renewed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sinew_store::SessionId;

/// How long a ticket is good. A page presents it at once; the old session is remembered as ended for much longer, so
/// that no ticket is good twice.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);

/// Digits of a session's id.
const ID_DIGITS: usize = 32;

/// The most bytes of a connection's name.
const SOCKET_BYTES_MAX: usize = 64;

/// What lets a visitor's cookie, which names the session `from`, name `to` from now on: a reflex has renewed the id of a
/// session that is in a store. It leaves the server [sealed](super::SessionSealer::seal_move).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinew_store::SessionId;
/// use sinew_verifier::SecretKeyBase;
/// use sinew_web::SessionSealer;
/// use sinew_web::sealed::MoveTicket;
///
/// let now = SystemTime::now();
/// let ticket = MoveTicket::new(SessionId::generate(), SessionId::generate(), "the page's", now);
/// assert!(!ticket.has_expired(now));
/// assert!(ticket.has_expired(now + Duration::from_secs(60 * 60)));
///
/// let sealer = SessionSealer::new(&SecretKeyBase::new("secret"), &[]);
/// let sealed = sealer.seal_move(&ticket);
/// assert_eq!(sealer.open_move(&sealed), Some(ticket));
/// assert!(sealer.open_ticket(&sealed).is_none(), "one for another purpose");
/// assert_eq!(sealer.open_move("made up"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveTicket {
    /// The session that the visitor's cookie has to name.
    pub from: SessionId,
    /// The session that it names afterwards.
    pub to: SessionId,
    /// The name of the connection whose reflex has renewed the id.
    pub socket: String,
    /// Until when it is good, in seconds since 1970.
    expires_at: u64,
}

impl MoveTicket {
    /// A ticket that is good for an hour from `now`. A name of more than 64 bytes is nobody's.
    pub fn new(from: SessionId, to: SessionId, socket: impl Into<String>, now: SystemTime) -> Self {
        let mut socket = socket.into();
        if socket.len() > SOCKET_BYTES_MAX {
            socket.clear();
        }
        Self {
            from,
            to,
            socket,
            expires_at: seconds(now + GOOD_FOR),
        }
    }

    /// Whether it is too old.
    pub fn has_expired(&self, now: SystemTime) -> bool {
        seconds(now) >= self.expires_at
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.expires_at.to_le_bytes().to_vec();
        out.extend(self.from.to_string().into_bytes());
        out.extend(self.to.to_string().into_bytes());
        out.extend(self.socket.as_bytes());
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (expires_at, rest) = bytes.split_first_chunk()?;
        let (from, rest) = rest.split_at_checked(ID_DIGITS)?;
        let (to, socket) = rest.split_at_checked(ID_DIGITS)?;
        if socket.len() > SOCKET_BYTES_MAX {
            return None;
        }
        Some(Self {
            from: id(from)?,
            to: id(to)?,
            socket: std::str::from_utf8(socket).ok()?.to_owned(),
            expires_at: u64::from_le_bytes(*expires_at),
        })
    }
}

fn id(digits: &[u8]) -> Option<SessionId> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A clock from before 1970 is a wrong one: what it made expires at once.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_of_a_connection_is_short() {
        let (from, to) = (SessionId::generate(), SessionId::generate());
        let ticket = |socket: &str| MoveTicket::new(from, to, socket, SystemTime::now());
        assert_eq!(ticket(&"a".repeat(65)).socket, "");
        let mut bytes = ticket(&"a".repeat(64)).to_bytes();
        assert_eq!(
            MoveTicket::from_bytes(&bytes),
            Some(ticket(&"a".repeat(64)))
        );
        bytes.push(b'a');
        assert_eq!(MoveTicket::from_bytes(&bytes), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(ticket) = MoveTicket::from_bytes(&bytes) {
                prop_assert_eq!(ticket.to_bytes(), bytes);
            }
        }

        #[test]
        fn what_is_written_is_read(socket in "[0-9a-z]{0,64}", at in 0..u64::MAX / 2) {
            let now = UNIX_EPOCH + Duration::from_secs(at % (1 << 40));
            let ticket = MoveTicket::new(SessionId::generate(), SessionId::generate(), socket, now);
            prop_assert_eq!(MoveTicket::from_bytes(&ticket.to_bytes()), Some(ticket));
        }
    }
}
