//! Until when a certificate is valid: the one date of X.509 that an operator has to know.

use std::time::{Duration, SystemTime};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// The version, which the oldest certificates leave out.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const SECONDS_OF_DAY: u64 = 24 * 60 * 60;

/// The `notAfter` of a certificate in DER (RFC 5280, section 4.1); nothing when it has another form.
pub(super) fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let mut certificate = Elements(Elements(certificate).of(SEQUENCE)?);
    let mut signed = Elements(certificate.of(SEQUENCE)?);
    let (tag, _) = signed.next()?;
    if tag == VERSION {
        signed.of(INTEGER)?;
    }
    let _signature_algorithm = signed.of(SEQUENCE)?;
    let _issuer = signed.of(SEQUENCE)?;
    let mut validity = Elements(signed.of(SEQUENCE)?);
    let _not_before = validity.next()?;
    let (tag, text) = validity.next()?;
    let text = std::str::from_utf8(text).ok()?;
    match tag {
        UTC_TIME => {
            let year: u64 = digits(text.get(..2)?)?;
            time(
                if year < 50 { 2000 + year } else { 1900 + year },
                text.get(2..)?,
            )
        }
        GENERALIZED_TIME => time(digits(text.get(..4)?)?, text.get(4..)?),
        _ => None,
    }
}

/// What follows the year: `MMDDHHMMSSZ`.
fn time(year: u64, rest: &str) -> Option<SystemTime> {
    let part = |from: usize| digits(rest.get(from..from + 2)?);
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    let is_good = rest.get(10..) == Some("Z")
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_good {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    let seconds = days * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// In the calendar that has been in force since 1582. Years begin in March here, so that the odd day comes last.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = match month {
        1 | 2 => (year.checked_sub(1)?, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1;
    // The first of March of the year 0 is so long before 1970.
    days.checked_sub(719_468)
}

fn digits(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// The elements of DER that are left in these bytes.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next one, if it is of this kind.
    fn of(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|next| next.0 == tag).map(|next| next.1)
    }
}

impl<'a> Iterator for Elements<'a> {
    /// Tag and content.
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // So many bytes of a length; a certificate that we read has 1 MiB at most.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                let length = bytes
                    .iter()
                    .fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests;
