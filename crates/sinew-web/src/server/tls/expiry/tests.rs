use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{days_since_1970, not_after};

fn certificate(year: i32, month: u8, day: u8) -> Vec<u8> {
    let mut params = CertificateParams::new(["example.com".to_owned()]).expect("a name");
    params.not_before = date_time_ymd(1975, 1, 1);
    params.not_after = date_time_ymd(year, month, day);
    let key = KeyPair::generate().expect("random");
    let made = params.self_signed(&key).expect("made");
    made.der().to_vec()
}

#[test]
fn dates_in_both_forms_are_read() {
    // In seconds as `date -u -d 2031-02-28 +%s` prints them.
    for ((year, month, day), seconds) in [
        ((1999, 12, 31), 946_598_400),
        ((2031, 2, 28), 1_930_003_200),
        ((2048, 2, 29), 2_466_547_200),
        // From 2050 on they have four digits.
        ((2050, 1, 1), 2_524_608_000),
        ((2100, 3, 1), 4_107_542_400),
    ] {
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let read = not_after(&certificate(year, month, day));
        assert_eq!(read, Some(expected), "{year}-{month}-{day}");
    }
    assert_eq!(days_since_1970(1970, 1, 1), Some(0));
    assert_eq!(days_since_1970(1969, 12, 31), None);
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>) {
        not_after(&bytes);
    }

    /// Wherever it is changed or cut off, it is read or it is not: nothing is looked for beyond its end.
    #[test]
    fn no_certificate_is_too_strange(at: prop::sample::Index, byte: u8, end: prop::sample::Index) {
        let mut bytes = certificate(2031, 2, 28);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        not_after(&bytes);
        bytes.truncate(end.index(bytes.len()));
        prop_assert_eq!(not_after(&bytes), None);
    }
}
