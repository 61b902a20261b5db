use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn unwrap(message: &str) -> Result<(Vec<u8>, Metadata), MetadataError> {
    Metadata::unwrap(message.as_bytes(), SystemTime::UNIX_EPOCH)
}

#[test]
fn both_envelopes_are_read() {
    for (text, message, purpose) in [
        (
            r#"{"_rails":{"message":"e30=","exp":null,"pur":"a"}}"#,
            "{}",
            Some("a"),
        ),
        (
            r#"{"_rails":{"message":"e30=","pur":null,"exp":null}}"#,
            "{}",
            None,
        ),
        (
            r#"{"_rails":{"data":{"b": 1.0},"pur":"a"}}"#,
            r#"{"b": 1.0}"#,
            Some("a"),
        ),
        (
            r#"{"_rails":{"data":"x","exp":"2100-01-01T00:00:00Z"}}"#,
            r#""x""#,
            None,
        ),
        (r#"{"user":1}"#, r#"{"user":1}"#, None),
        ("no JSON", "no JSON", None),
        ("", "", None),
    ] {
        let (found, metadata) = unwrap(text).expect(text);
        assert_eq!(found, message.as_bytes(), "{text}");
        assert_eq!(metadata.purpose.as_deref(), purpose, "{text}");
    }
}

#[test]
fn envelopes_that_cannot_be_read() {
    for text in [
        r#"{"_rails":"#,
        r#"{"_rails":{}}"#,
        r#"{"_rails":[]}"#,
        r#"{"_rails":{"message":"not base64!"}}"#,
        r#"{"_rails":{"message":7}}"#,
        r#"{"_rails":{"message":"e30=","data":{}}}"#,
        r#"{"_rails":{"message":"e30=","exp":"tomorrow"}}"#,
        r#"{"_rails":{"message":"e30=","exp":5}}"#,
        r#"{"_rails":{"message":"e30=","pur":{}}}"#,
        r#"{"_rails":{"message":"e30="}} {}"#,
    ] {
        assert_eq!(unwrap(text), Err(MetadataError::Malformed), "{text}");
    }
}

#[test]
fn dates_with_another_offset_are_the_same_moment() {
    let at = |text: &str| {
        let text = format!(r#"{{"_rails":{{"message":"","exp":"{text}"}}}}"#);
        unwrap(&text).expect("reads").1.expires_at.expect("a date")
    };
    let hour = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
    for text in [
        "1970-01-01T01:00:00Z",
        "1970-01-01T01:00:00.000Z",
        "1970-01-01T03:30:00+02:30",
    ] {
        assert_eq!(at(text), hour, "{text}");
    }
}

proptest! {
    #[test]
    fn what_was_wrapped_is_unwrapped(
        message in prop::collection::vec(any::<u8>(), 0..60),
        purpose in "[a-z.]{1,10}",
        seconds in 1_u64..4_000_000_000,
    ) {
        let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let metadata = Metadata { purpose: Some(purpose), expires_at: Some(expires_at) };
        let wrapped = metadata.wrap(&message, Envelope::Message).expect("wraps");
        prop_assert_eq!(unwrap(&wrapped), Ok((message, metadata)));
        let later = Metadata::unwrap(wrapped.as_bytes(), expires_at);
        prop_assert_eq!(later, Err(MetadataError::Expired));
    }

    #[test]
    fn arbitrary_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..60)) {
        for head in ["", r#"{"_rails":"#, r#"{"_rails":{"message":""#, r#"{"_rails":{"data":{},"exp":""#] {
            let message = [head.as_bytes(), &tail].concat();
            let unwrapped = Metadata::unwrap(&message, SystemTime::UNIX_EPOCH);
            let is_plain = head.is_empty() && !tail.starts_with(b"{");
            prop_assert!(unwrapped.is_ok() || !is_plain);
        }
    }
}
