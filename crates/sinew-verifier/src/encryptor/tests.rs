use proptest::prelude::*;

use super::*;
use crate::{Digest, SecretKeyBase};

fn encryptor() -> MessageEncryptor {
    MessageEncryptor::new(&EncryptionKey::from_bytes([7; 32]))
}

#[test]
fn the_published_vector_of_aes_256_gcm() {
    // Test case 14 of "The Galois/Counter Mode of Operation": key, vector and plaintext are all zero.
    let encryptor = MessageEncryptor::new(&EncryptionKey::from_bytes([0; 32]));
    let message = encryptor.encrypt_with_vector(&[0; 16], [0; 12]);
    let hex = |text: &str| {
        let bytes = STANDARD.decode(text).expect("base64");
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let parts: Vec<_> = message.split("--").map(hex).collect();
    assert_eq!(
        parts,
        [
            "cea7403d4d606b6e074ec5d3baf39d18",
            "000000000000000000000000",
            "d0d1c8a799996bf0265b98b5d48ab919"
        ]
    );
}

#[test]
fn two_messages_of_the_same_bytes_differ() {
    let encryptor = encryptor();
    assert_ne!(encryptor.encrypt(b"same"), encryptor.encrypt(b"same"));
}

#[test]
fn what_has_not_the_form_of_a_message() {
    let encryptor = encryptor();
    let sealed = encryptor.encrypt(b"bytes of some length");
    let parts: Vec<_> = sealed.split("--").collect();
    let (text, vector, tag) = (parts[0], parts[1], parts[2]);
    let short_tag = STANDARD.encode(&STANDARD.decode(tag).expect("base64")[..12]);
    for refused in [
        String::new(),
        "--".to_owned(),
        "----".to_owned(),
        text.to_owned(),
        format!("{text}--{vector}"),
        format!("{text}--{vector}--"),
        format!("{text}--{vector}--{short_tag}"),
        format!("{text}--{tag}--{tag}"),
        format!("{text}--{vector}--{tag}--"),
        format!("{text}--{vector}--{tag}--{tag}"),
        format!(" {text}--{vector}--{tag}"),
        format!("{}--{vector}--{tag}", text.trim_end_matches('=')),
        format!("{text}--{vector}--{}", tag.trim_end_matches('=')),
        format!("ü{text}--{vector}--{tag}"),
    ] {
        let error = encryptor.decrypt(&refused).expect_err(&refused);
        assert!(matches!(error, DecryptError::NotSealed), "{refused}");
    }
}

#[test]
fn each_digest_and_each_salt_has_a_key_of_its_own() {
    let secret = SecretKeyBase::new("a secret");
    let key = |salt: &str, digest| secret.derive_encryption_key(salt, digest);
    let sealed = MessageEncryptor::new(&key("one", Digest::Sha1)).encrypt(b"text");
    for (salt, digest) in [("one", Digest::Sha256), ("two", Digest::Sha1)] {
        let error = MessageEncryptor::new(&key(salt, digest)).decrypt(&sealed);
        assert!(matches!(error, Err(DecryptError::NotAuthentic)));
    }
    let both = MessageEncryptor::new(&key("one", Digest::Sha256))
        .with_older_key(&key("two", Digest::Sha256))
        .with_older_key(&key("one", Digest::Sha1));
    let (plaintext, index) = both
        .decrypt_noting_key(&sealed)
        .expect("an older key opens");
    assert_eq!((plaintext.as_slice(), index), (b"text".as_slice(), 2));
}

#[test]
fn nothing_of_a_key_is_printed() {
    let key = EncryptionKey::from_bytes([77; 32]);
    let printed = format!("{key:?} {:?}", MessageEncryptor::new(&key));
    assert_eq!(
        printed,
        "EncryptionKey(hidden) MessageEncryptor(1 keys, hidden)"
    );
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened(plaintext in prop::collection::vec(any::<u8>(), 0..300)) {
        let sealed = encryptor().encrypt(&plaintext);
        prop_assert_eq!(sealed.len(), MessageEncryptor::sealed_bytes(plaintext.len()));
        prop_assert_eq!(encryptor().decrypt(&sealed).expect("opens"), plaintext);
    }

    #[test]
    fn every_changed_bit_is_refused(plaintext in prop::collection::vec(any::<u8>(), 0..40)) {
        let encryptor = encryptor();
        let sealed = encryptor.encrypt(&plaintext);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut bytes = sealed.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    prop_assert!(encryptor.decrypt(&changed).is_err(), "{}", changed);
                }
            }
        }
    }

    #[test]
    fn every_changed_character_is_refused(at: prop::sample::Index, character in "[-A-Za-z0-9+/=_]") {
        let sealed = encryptor().encrypt(b"of some length");
        let at = at.index(sealed.len());
        let changed = format!("{}{character}{}", &sealed[..at], &sealed[at + 1..]);
        prop_assume!(changed != sealed);
        prop_assert!(encryptor().decrypt(&changed).is_err());
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        prop_assert!(encryptor().decrypt(&text).is_err());
    }

    #[test]
    fn three_arbitrary_parts_never_panic(
        parts in prop::array::uniform3(prop::collection::vec(any::<u8>(), 0..40)),
    ) {
        let message = parts.map(|part| STANDARD.encode(part)).join("--");
        prop_assert!(encryptor().decrypt(&message).is_err());
    }
}
