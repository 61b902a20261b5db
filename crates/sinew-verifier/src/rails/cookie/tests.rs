use std::time::Duration;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::EncryptionKey;

#[derive(Deserialize)]
struct Vectors {
    secret_key_base: String,
    cookies: Vec<Vector>,
}

/// A cookie that real Rails has written: see `spec/rails/vectors.rb`.
#[derive(Deserialize)]
struct Vector {
    digest: String,
    metadata: bool,
    expires: bool,
    serializer: String,
    name: String,
    value: String,
    fields: String,
}

impl Vector {
    fn digest(&self) -> Digest {
        match self.digest.as_str() {
            "SHA1" => Digest::Sha1,
            "SHA256" => Digest::Sha256,
            other => panic!("{other}"),
        }
    }
}

fn vectors() -> Vectors {
    let text = include_str!("../../../../../spec/rails/vectors.json");
    serde_json::from_str(text).expect("the vectors are JSON")
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn cookie() -> SessionCookie {
    SessionCookie::new("_app", &SecretKeyBase::new("secret"), Digest::Sha256)
}

#[test]
fn what_rails_has_written() {
    let vectors = vectors();
    assert_eq!(vectors.cookies.len(), 16);
    let secret = SecretKeyBase::new(vectors.secret_key_base);
    for vector in &vectors.cookies {
        let metadata = match vector.metadata {
            true => CookieMetadata::Required,
            false => CookieMetadata::Absent,
        };
        let cookie = SessionCookie::new(&vector.name, &secret, vector.digest()).metadata(metadata);
        let opened = cookie.open(&vector.value, now());
        if vector.serializer == "marshal" {
            let error = opened.expect_err("Marshal is not read");
            let named = SessionCookieError::Session(RailsSessionError::Marshal);
            assert_eq!(format!("{error:?}"), format!("{named:?}"));
            continue;
        }
        let opened = opened.expect("opens");
        assert_eq!(opened.session.to_json(), vector.fields);
        assert_eq!(opened.expires_at.is_some(), vector.expires);
        assert!(opened.session.session_id().is_some_and(|id| id.len() == 32));
        assert!(opened.session.get("_csrf_token").is_some());

        // What we write differs from it by the random vector alone.
        let again = cookie
            .seal(&opened.session, opened.expires_at)
            .expect("seals");
        let decoded = |value: &str| percent_decode_str(value).count();
        assert_eq!(decoded(&again), decoded(&vector.value));
        assert_eq!(cookie.open(&again, now()).expect("opens"), opened);
    }
}

#[test]
fn a_wrong_secret_or_digest_opens_nothing() {
    let vectors = vectors();
    let vector = &vectors.cookies[0];
    let right = SecretKeyBase::new(vectors.secret_key_base.clone());
    let wrong = SecretKeyBase::new("another");
    for (secret, digest) in [(&wrong, Digest::Sha1), (&right, Digest::Sha256)] {
        let cookie = SessionCookie::new(&vector.name, secret, digest);
        let error = cookie.open(&vector.value, now()).expect_err("refused");
        let named = SessionCookieError::Sealed(DecryptError::NotAuthentic);
        assert_eq!(format!("{error:?}"), format!("{named:?}"));
        // After a rotation it is read, and what is written needs the new one.
        let rotated = cookie.with_older(&right, Digest::Sha1);
        let opened = rotated.open(&vector.value, now()).expect("opens");
        assert!(opened.with_older_key);
        let again = rotated.seal(&opened.session, None).expect("seals");
        assert!(!rotated.open(&again, now()).expect("opens").with_older_key);
    }
}

#[test]
fn a_cookie_is_read_with_the_purpose_it_was_written_for() {
    let bare = cookie().metadata(CookieMetadata::Absent);
    let session = RailsSession::new("0f");
    let without = bare.seal(&session, None).expect("seals");
    let with = cookie().seal(&session, None).expect("seals");
    for (metadata, reads_bare) in [
        (CookieMetadata::Required, false),
        (CookieMetadata::Optional, true),
        (CookieMetadata::Absent, true),
    ] {
        let cookie = cookie().metadata(metadata);
        assert!(cookie.open(&with, now()).is_ok());
        assert_eq!(
            cookie.open(&without, now()).is_ok(),
            reads_bare,
            "{metadata:?}"
        );
    }
    let secret = SecretKeyBase::new("secret");
    let other = SessionCookie::new("_other", &secret, Digest::Sha256);
    for metadata in [
        CookieMetadata::Required,
        CookieMetadata::Optional,
        CookieMetadata::Absent,
    ] {
        let error = other.clone().metadata(metadata).open(&with, now());
        assert!(matches!(error, Err(SessionCookieError::WrongPurpose)));
    }
}

#[test]
fn an_expired_cookie_is_refused() {
    let value = cookie()
        .seal(&RailsSession::new("0f"), Some(now()))
        .expect("seals");
    assert!(
        cookie()
            .open(&value, now() - Duration::from_millis(1))
            .is_ok()
    );
    let error = cookie().open(&value, now());
    assert!(matches!(
        error,
        Err(SessionCookieError::Metadata(MetadataError::Expired))
    ));
}

#[test]
fn a_sealed_text_that_is_no_session() {
    let key = SecretKeyBase::new("secret").derive_encryption_key(SALT, Digest::Sha256);
    let metadata = Metadata {
        purpose: Some("cookie._app".to_owned()),
        expires_at: None,
    };
    for text in ["[]", "", "null"] {
        let wrapped = metadata
            .wrap(text.as_bytes(), Envelope::Message)
            .expect("wraps");
        let value = percent_encode(&MessageEncryptor::new(&key).encrypt(wrapped.as_bytes()));
        let error = cookie().open(&value, now());
        let named = SessionCookieError::Session(RailsSessionError::NotObject);
        assert_eq!(
            format!("{:?}", error.expect_err("refused")),
            format!("{named:?}")
        );
    }
}

#[test]
fn the_limit_is_that_of_browsers() {
    let fits = |bytes: usize| {
        let mut session = RailsSession::default();
        session
            .set("a", &format!("\"{}\"", "x".repeat(bytes)))
            .expect("JSON");
        cookie().seal(&session, None)
    };
    assert!(fits(1000).is_ok());
    assert!(
        matches!(fits(4000), Err(SessionCookieError::TooLarge { bytes }) if bytes > COOKIE_BYTES_MAX)
    );
    let long = "x".repeat(COOKIE_BYTES_MAX);
    assert!(matches!(
        cookie().open(&long, now()),
        Err(SessionCookieError::TooLarge { .. })
    ));
}

#[test]
fn nothing_of_key_or_session_is_printed() {
    let opened = cookie().open(
        &cookie().seal(&RailsSession::new("0f"), None).unwrap(),
        now(),
    );
    let printed = format!("{:?} {:?}", cookie(), opened);
    assert!(
        !printed.contains("secret") && !printed.contains("0f"),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        prop_assert!(cookie().open(&text, now()).is_err());
    }

    #[test]
    fn arbitrary_plaintext_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let key = EncryptionKey::from_bytes([7; 32]);
        let encryptor = MessageEncryptor::new(&key);
        let cookie = SessionCookie {
            name: "_app".to_owned(),
            encryptor: encryptor.clone(),
            metadata: CookieMetadata::Absent,
        };
        let opened = cookie.open(&percent_encode(&encryptor.encrypt(&bytes)), now());
        prop_assert_eq!(opened.is_ok(), RailsSession::parse(&bytes).is_ok());
    }

    #[test]
    fn every_changed_character_is_refused(at: prop::sample::Index, to in "[-A-Za-z0-9%+/= ]") {
        let value = cookie().seal(&RailsSession::new("0f"), None).unwrap();
        let at = at.index(value.len());
        let changed = format!("{}{to}{}", &value[..at], &value[at + 1..]);
        let same = |text: &str| percent_decode_str(text).collect::<Vec<_>>();
        prop_assume!(same(&changed) != same(&value));
        prop_assert!(cookie().open(&changed, now()).is_err());
    }
}
