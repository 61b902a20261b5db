//! What a message looks like on its way.

/// One message as it comes from a channel: the position in decimal digits, `!` or `:`, and the
/// payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) position: u64,
    /// Whether the stream's counter began with this message, so that nothing can be said of those
    /// before it.
    pub(super) begins: bool,
    pub(super) payload: &'a [u8],
}

/// Digits of the largest position that a script can count to, 2 to the power of 53, and some to
/// spare.
const DIGITS_MAX: usize = 19;

impl<'a> Envelope<'a> {
    /// `None` when somebody else wrote it.
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        let digits = message.iter().take_while(|it| it.is_ascii_digit()).count();
        let (position, rest) = message.split_at(digits);
        if digits == 0 || digits > DIGITS_MAX {
            return None;
        }
        let begins = match rest.first()? {
            b'!' => true,
            b':' => false,
            _ => return None,
        };
        let position = position
            .iter()
            .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        Some(Self {
            position,
            begins,
            payload: &rest[1..],
        })
    }
}

/// A position as the script answers it.
pub(super) fn position(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            position in 0..1u64 << 53,
            begins: bool,
            payload in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut message = position.to_string().into_bytes();
            message.push(if begins { b'!' } else { b':' });
            message.extend_from_slice(&payload);
            let expected = Envelope { position, begins, payload: &payload };
            prop_assert_eq!(Envelope::read(&message), Some(expected));
        }

        #[test]
        fn whatever_comes_is_read_or_left(message in "[0-9]{0,30}[!:x]?[ -~]{0,9}") {
            if let Some(envelope) = Envelope::read(message.as_bytes()) {
                let sign = if envelope.begins { '!' } else { ':' };
                let payload = std::str::from_utf8(envelope.payload).expect("as it was");
                let again = format!("{}{sign}{payload}", envelope.position);
                prop_assert_eq!(message.trim_start_matches('0'), again.trim_start_matches('0'));
            }
        }

        #[test]
        fn any_bytes_are_read_or_left(message in proptest::collection::vec(any::<u8>(), 0..40)) {
            let digits = message.first().is_some_and(u8::is_ascii_digit);
            prop_assert!(digits || Envelope::read(&message).is_none());
        }
    }
}
