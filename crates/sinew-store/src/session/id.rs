//! The secret that names a session.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::record::Key;

/// Names a session: 128 random bits, written as 32 lower-case hexadecimal digits.
///
/// Whoever knows it has the session, so it is shown whole only by [`Display`](fmt::Display),
/// which the cookie needs. `Debug` shows the first eight digits, and the store sees a digest
/// ([`store_key`](SessionId::store_key)): neither a log nor a copy of the store's file lets
/// anybody take over a session.
///
/// ```
/// use sinew_store::SessionId;
///
/// let id: SessionId = "00112233445566778899aabbccddeeff".parse().unwrap();
/// assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
/// assert_eq!(format!("{id:?}"), "SessionId(00112233…)");
///
/// let new = SessionId::generate();
/// assert_ne!(new, id);
/// assert_eq!(new.to_string().parse(), Ok(new));
/// assert!(!new.store_key().as_str().contains(&new.to_string()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A new id that nobody can guess.
    ///
    /// # Panics
    ///
    /// When the operating system has no random bytes to give.
    pub fn generate() -> SessionId {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        SessionId(bytes)
    }

    /// The key of this session's record: `session:` and the SHA-256 of the id's text, in
    /// hexadecimal.
    pub fn store_key(&self) -> Key {
        let digest = Sha256::digest(self.digits());
        let mut name = String::with_capacity(8 + 64);
        name.push_str("session:");
        for byte in digest {
            name.push(char::from(DIGITS[usize::from(byte >> 4)]));
            name.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        Key::new(name)
    }

    /// A name for the session where the id itself must not stand, such as in the name of a stream
    /// or in a log: the first 128 bits of the id's SHA-256, in hexadecimal.
    ///
    /// ```
    /// let id = sinew_store::SessionId::generate();
    /// assert_eq!(id.label().len(), 32);
    /// assert!(id.store_key().as_str().contains(&id.label()));
    /// assert_ne!(id.label(), id.to_string());
    /// ```
    pub fn label(&self) -> String {
        let digest = Sha256::digest(self.digits());
        let mut label = String::with_capacity(32);
        for byte in &digest[..16] {
            label.push(char::from(DIGITS[usize::from(byte >> 4)]));
            label.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        label
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> SessionId {
        SessionId(bytes)
    }

    fn digits(&self) -> [u8; 32] {
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        digits
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for digit in self.digits() {
            fmt::Write::write_char(formatter, char::from(digit))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionId(")?;
        for byte in &self.0[..4] {
            write!(formatter, "{byte:02x}")?;
        }
        write!(formatter, "…)")
    }
}

/// The text is not a session id: not 32 lower-case hexadecimal digits.
///
/// ```
/// use sinew_store::{SessionId, SessionIdError};
///
/// let upper_case = "00112233445566778899AABBCCDDEEFF".parse::<SessionId>();
/// assert_eq!(upper_case, Err(SessionIdError));
/// assert_eq!(SessionIdError.to_string(), "a session id is 32 lower-case hexadecimal digits");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 32 lower-case hexadecimal digits")]
pub struct SessionIdError;

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<SessionId, SessionIdError> {
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| SessionIdError)?;
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(SessionIdError),
        };
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Ok(SessionId(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_survive_their_text() {
        let first = SessionId::generate();
        let second = SessionId::generate();
        assert_ne!(first, second);
        assert_eq!(first.to_string().parse(), Ok(first));
    }

    #[test]
    fn the_key_is_a_digest_of_the_text() {
        let id: SessionId = "00000000000000000000000000000000".parse().unwrap();
        // printf '00000000000000000000000000000000' | sha256sum
        assert_eq!(
            id.store_key().as_str(),
            "session:84e0c0eafaa95a34c293f278ac52e45ce537bab5e752a00e6959a13ae103b65a"
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "0",
            "zz112233445566778899aabbccddeeff",
            "é0112233445566778899aabbccddeef",
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(SessionIdError), "{text}");
        }
    }
}
