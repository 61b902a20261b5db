use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;

/// An entry as `ActiveSupport::Cache::Coder` of Rails 7.1 writes it.
fn entry(kind: u8, expires_at: f64, version: Option<&str>, payload: &[u8]) -> Vec<u8> {
    let length = version.map_or(-1, |version| version.len() as i32);
    [
        b"\x00\x11",
        &[kind][..],
        &expires_at.to_le_bytes(),
        &length.to_le_bytes(),
        version.unwrap_or_default().as_bytes(),
        payload,
    ]
    .concat()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("writes");
    encoder.finish().expect("finishes")
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

#[test]
fn json_alone() {
    let text = br#"{"b":1.0,"a":"x"}"#;
    let blob = Blob::decode(text).expect("decodes");
    assert_eq!(blob.encode(Some(Duration::from_secs(60)), now()), text);
}

#[test]
fn entries_of_a_cache_keep_their_header() {
    let json = br#"{"user_id":1}"#;
    for version in [None, Some(""), Some("v1")] {
        let text = entry(1, 1_700_000_000.25, version, json);
        let blob = Blob::decode(&text).expect("decodes");
        assert_eq!(blob.session.get("user_id"), Some("1"));
        assert_eq!(blob.encode(None, now()), text);
        // A life that begins now ends later.
        let renewed = blob.encode(Some(Duration::from_millis(1500)), now());
        assert_eq!(renewed, entry(1, 1_800_000_001.5, version, json));
    }
    let new = Blob::new(RailsBlob::CacheEntry);
    assert_eq!(new.encode(None, now()), entry(1, -1.0, None, b"{}"));
}

#[test]
fn a_compressed_entry_is_read_and_written_as_it_is() {
    let json = format!(r#"{{"a":"{}"}}"#, "x".repeat(2000));
    let text = entry(0x81, -1.0, None, &deflate(json.as_bytes()));
    let blob = Blob::decode(&text).expect("decodes");
    assert_eq!(
        blob.encode(None, now()),
        entry(1, -1.0, None, json.as_bytes())
    );
}

#[test]
fn what_is_refused_and_why() {
    let marshal = RailsBlobError::Session(RailsSessionError::Marshal);
    let object = RailsBlobError::Session(RailsSessionError::NotObject);
    let bomb = deflate(&vec![b' '; SESSION_BYTES_MAX * 2]);
    for (text, error) in [
        (b"\x04\x08{\x00".to_vec(), marshal),
        // Rails 7.0: a byte before Marshal, or before compressed Marshal.
        (b"\x00\x04\x08[\x07".to_vec(), marshal),
        ([b"\x01", deflate(b"\x04\x08").as_slice()].concat(), marshal),
        (entry(1, -1.0, None, b"\x04\x08{\x00"), marshal),
        (entry(0x81, -1.0, None, &deflate(b"\x04\x08{\x00")), marshal),
        (
            entry(1, -1.0, None, b"\xcc\x80\x80"),
            RailsSessionError::MessagePack.into(),
        ),
        (b"[]".to_vec(), object),
        (b"".to_vec(), object),
        (entry(1, -1.0, None, b"7"), object),
        // A text, not an object that went through the serializer.
        (entry(2, -1.0, None, b"{}"), RailsBlobError::NotEntry),
        (b"\x00\x11\x01".to_vec(), RailsBlobError::NotEntry),
        (
            [
                &entry(1, -1.0, None, b"")[..11],
                &[0xff, 0xff, 0xff, 0x7f],
                b"{}",
            ]
            .concat(),
            RailsBlobError::NotEntry,
        ),
        (
            entry(0x81, -1.0, None, b"{}"),
            RailsBlobError::NotCompressed,
        ),
        (
            entry(0x81, -1.0, None, &bomb),
            RailsBlobError::NotCompressed,
        ),
    ] {
        assert_eq!(Blob::decode(&text), Err(error), "{text:?}");
    }
}

#[test]
fn fields_are_replaced_in_their_places() {
    let blob = Blob::decode(br#"{"z":1.0,"y":2}"#).expect("decodes");
    let mut fields = blob.fields();
    fields.insert("a".to_owned(), " [1] ".into());
    fields.remove("y");
    let changed = blob.with_fields(&fields).expect("JSON");
    assert_eq!(changed.encode(None, now()), br#"{"z":1.0,"a":[1]}"#);

    for value in [&b"{"[..], b"", b"1 2", b"\"\xff\""] {
        fields.insert("a".to_owned(), Bytes::copy_from_slice(value));
        assert_eq!(blob.with_fields(&fields), Err(RailsSessionError::NotJson));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        kind in any::<u8>(),
        expires_at in any::<f64>(),
        tail in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        for text in [tail.clone(), entry(kind, expires_at, None, &tail), [b"\x00\x11", &tail[..]].concat()] {
            if let Ok(blob) = Blob::decode(&text) {
                let again = blob.encode(None, now());
                prop_assert_eq!(Blob::decode(&again), Ok(blob));
            }
        }
    }
}
