use proptest::prelude::*;

use super::*;

#[test]
fn nothing_is_written_again() {
    let text =
        r#"{"z":1.10,"large":12345678901234567890123,"a":"\u003cb\u003e","é":{"x" : [ ]},"e":1E5}"#;
    let session = RailsSession::parse(text.as_bytes()).expect("parses");
    assert_eq!(session.to_json(), text);
}

#[test]
fn the_last_of_two_fields_counts() {
    let session = RailsSession::parse(br#"{"a":1,"b":2,"a":3}"#).expect("parses");
    assert_eq!(session.to_json(), r#"{"a":3,"b":2}"#);
}

#[test]
fn what_is_not_a_session_of_json() {
    for (text, error) in [
        (b"\x04\x08{\x00".as_slice(), RailsSessionError::Marshal),
        (b"\xcc\x80\x80", RailsSessionError::MessagePack),
        (b"", RailsSessionError::NotObject),
        (b"null", RailsSessionError::NotObject),
        (b"{\"a\":}", RailsSessionError::NotObject),
        (b"{\"a\":1}}", RailsSessionError::NotObject),
        (b"{\"a\":\"\xff\"}", RailsSessionError::NotObject),
    ] {
        assert_eq!(RailsSession::parse(text), Err(error), "{text:?}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(SESSION_BYTES_MAX));
    let refused = RailsSession::parse(long.as_bytes());
    assert_eq!(
        refused,
        Err(RailsSessionError::TooLong { bytes: long.len() })
    );
}

#[test]
fn deep_values_are_passed_on() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let session = RailsSession::parse(deep.as_bytes()).expect("parses");
    assert_eq!(session.to_json(), deep);
}

#[test]
fn values_are_not_printed() {
    let session = RailsSession::parse(br#"{"user":"ada"}"#).expect("parses");
    assert_eq!(format!("{session:?}"), r#"{"user"}"#);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(session) = RailsSession::parse(&bytes) {
            prop_assert_eq!(RailsSession::parse(session.to_json().as_bytes()), Ok(session));
        }
    }

    #[test]
    fn fields_of_any_name_come_back(
        fields in prop::collection::vec((any::<String>(), any::<String>()), 0..10),
    ) {
        let mut session = RailsSession::default();
        for (name, value) in &fields {
            session.set(name, &serde_json::to_string(value).unwrap()).expect("JSON");
        }
        let again = RailsSession::parse(session.to_json().as_bytes()).expect("parses");
        prop_assert_eq!(&again, &session);
        for (name, value) in fields.iter().rev().take(1) {
            let found: String = serde_json::from_str(again.get(name).expect("there")).unwrap();
            prop_assert_eq!(&found, value);
        }
    }
}
