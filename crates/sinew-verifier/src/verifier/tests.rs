use super::*;
use crate::{Digest, SecretKeyBase};

const SALT: &str = "cable_ready/verifier_key";

#[track_caller]
fn check(verifier: &MessageVerifier, name: &str, signed: &str) {
    assert_eq!(verifier.sign(name), signed);
    assert_eq!(verifier.verify(signed).expect("verifies"), name);
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writes");
        hex
    })
}

#[test]
fn key_derived_with_sha256_as_newer_rails_does() {
    let key = SecretKeyBase::new("0123456789abcdef".repeat(8)).derive(SALT, Digest::Sha256);
    assert_eq!(
        to_hex(key.as_bytes()),
        "043954542e0ab6bf2f36ccc5b51e99f4acd2c5757816d4b3e495aa86ead89402\
         f21cb39aa1dc87992b74bd4c3baef66b67ed7eb98665a7b926625cf0c77fd436"
    );
    let verifier = MessageVerifier::new(key);
    check(
        &verifier,
        "visitors",
        "InZpc2l0b3JzIg==--e3835b7e066e1c2ae602533b16de08851bd21ffa4642798615cb019fb0dfe6c7",
    );
    check(
        &verifier,
        "gid://dummy/User/1:posts",
        "ImdpZDovL2R1bW15L1VzZXIvMTpwb3N0cyI=--ab8553fb940c9de7368fe927f8b4e7125f72d313d022b6da792384c5afeb7656",
    );
}

#[test]
fn key_derived_with_sha1_as_older_rails_does() {
    let key =
        SecretKeyBase::new("reference-peer-not-a-secret-".repeat(4)).derive(SALT, Digest::Sha1);
    assert_eq!(
        to_hex(key.as_bytes()),
        "14d5eaeb2fd148dfb65a3a6deb1da7c09ccb1cb56841a8d53c264af12b966415\
         25713c5809ac08b8fc6cb102407d2ac727bd5740918711c94694699d4854db3a"
    );
    let verifier = MessageVerifier::new(key);
    check(
        &verifier,
        "news",
        "Im5ld3Mi--66001d15205940caee7c96779d2047d6982dd58486591df0f06cbd32056b3700",
    );
    check(
        &verifier,
        "other",
        "Im90aGVyIg==--27289da9d14356930bfc89f6effc8a652b343988fa6796864ac85ee682ae16fd",
    );
}

#[test]
fn both_alphabets_with_and_without_padding() {
    let verifier = MessageVerifier::new(Key::from_bytes("key"));
    // Encodes to a text with `+` and `/`, and ends in padding.
    let name = "a~~?>>>ÿ?";
    let standard = STANDARD_LENIENT.encode(serde_json::to_string(name).expect("serializes"));
    assert!(standard.contains('/') || standard.contains('+'));
    let url_safe = standard.replace('+', "-").replace('/', "_");
    for message in [&standard, &url_safe] {
        for message in [message.as_str(), message.trim_end_matches('=')] {
            let signed = format!("{message}--{}", to_hex(&verifier.signature(message)));
            assert_eq!(verifier.verify(&signed).expect("verifies"), name);
        }
    }
}

#[test]
fn what_is_refused() {
    let verifier = MessageVerifier::new(Key::from_bytes("key"));
    let sign = |message: &str| format!("{message}--{}", to_hex(&verifier.signature(message)));
    let refused = |signed: &str| verifier.verify(signed).expect_err("refused");

    assert!(matches!(refused(""), VerifyError::NoSignature));
    assert!(matches!(refused("--"), VerifyError::NoSignature));
    assert!(matches!(refused("Im5ld3Mi"), VerifyError::NoSignature));
    assert!(matches!(refused(&"ü".repeat(40)), VerifyError::NoSignature));
    let upper = verifier.sign("news").to_uppercase();
    assert!(matches!(refused(&upper), VerifyError::NoSignature));
    assert!(matches!(refused(&sign("!!!")), VerifyError::NotBase64(_)));
    let with_purpose = STANDARD_LENIENT.encode(r#"{"_rails":{"message":"Im5ld3Mi","pur":"x"}}"#);
    assert!(matches!(
        refused(&sign(&with_purpose)),
        VerifyError::NotString(_)
    ));
    let another = MessageVerifier::new(Key::from_bytes("another")).sign("news");
    assert!(matches!(refused(&another), VerifyError::WrongSignature));
}

#[test]
fn no_flipped_bit_verifies() {
    let verifier = MessageVerifier::new(Key::from_bytes("key"));
    for name in ["", "news", "gid://dummy/User/1:posts", "größe--1"] {
        let signed = verifier.sign(name);
        for at in 0..signed.len() {
            for bit in 0..8 {
                let mut bytes = signed.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(verifier.verify(&changed).is_err(), "{changed}");
                }
            }
        }
    }
}

#[test]
fn vector_of_the_original_test_suite() {
    // The published secret of CableReady's dummy application.
    let secret = "de18f6e23ad12ece054e527864c6337d9ef69fced78ae883d6de7d3bd5abde4b\
                  ee39abad822f9f25db86453e8d3a47f8bb2dc7e5cf5d255e02820444b17b4e57";
    let key = SecretKeyBase::new(secret).derive(SALT, Digest::Sha1);
    check(
        &MessageVerifier::new(key),
        "key",
        "ImtleSI=--e3efcba75b971eb15fa7fcc579a16c2b7a3734081bf7dbbace7240ebfbda078d",
    );
}
