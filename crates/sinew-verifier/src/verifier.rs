use std::fmt::Write;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{Key, VerifyError};

/// Length of the signature's text: 32 bytes in hexadecimal.
const SIGNATURE_CHARS: usize = 64;
/// What stands between the message and its signature.
const SEPARATOR: &str = "--";

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_LENIENT: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL_SAFE_LENIENT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Signs texts and finds out whether a text that comes back is the one it signed.
///
/// The format is that of Rails' `MessageVerifier` with SHA-256, the JSON serializer, no purpose and no expiry:
/// base64 of the text as a JSON string, `--`, HMAC-SHA256 of that base64 text in hexadecimal.
/// The text stays readable to anyone: it is signed, not sealed.
///
/// It signs with the standard alphabet, as Rails and CableReady do.
/// It verifies either alphabet, with or without padding, since the HMAC is over the text as it was received.
///
/// ```
/// use sinew_verifier::{Digest, MessageVerifier, SecretKeyBase};
///
/// let secret = SecretKeyBase::new("a secret of the application");
/// let verifier = MessageVerifier::new(secret.derive("signed streams", Digest::Sha256));
/// let signed = verifier.sign("chat:1");
/// assert_eq!(verifier.verify(&signed).unwrap(), "chat:1");
///
/// // Anyone can read it: base64 of the JSON string.
/// assert!(signed.starts_with("ImNoYXQ6MSI=--"));
/// ```
#[derive(Clone, Debug)]
pub struct MessageVerifier {
    key: Key,
}

impl MessageVerifier {
    /// Signs and verifies with this key.
    pub fn new(key: Key) -> Self {
        Self { key }
    }

    /// Signs a text, for instance the name of a stream.
    pub fn sign(&self, text: &str) -> String {
        let json = serde_json::to_string(text).expect("a string always serializes");
        let mut signed = STANDARD_LENIENT.encode(json);
        let signature = self.signature(&signed);
        signed.reserve(SEPARATOR.len() + SIGNATURE_CHARS);
        signed.push_str(SEPARATOR);
        for byte in signature {
            write!(signed, "{byte:02x}").expect("writing into a String cannot fail");
        }
        signed
    }

    /// Gives back the text that was signed.
    ///
    /// # Errors
    ///
    /// A [`VerifyError`] when the text was not signed with this key, was changed in any bit, or is not a plain string
    /// (a Rails message with purpose or expiry is refused).
    ///
    /// # Example: a changed name is refused
    ///
    /// ```
    /// use sinew_verifier::{Key, MessageVerifier};
    ///
    /// let verifier = MessageVerifier::new(Key::from_bytes("key"));
    /// let signed = verifier.sign("visitors");
    /// assert!(verifier.verify(&signed.replacen("InZ", "InY", 1)).is_err());
    /// ```
    pub fn verify(&self, signed: &str) -> Result<String, VerifyError> {
        let (message, signature) = split(signed).ok_or(VerifyError::NoSignature)?;
        if !bool::from(self.signature(message).ct_eq(&signature)) {
            return Err(VerifyError::WrongSignature);
        }
        let engine = if message.contains(['-', '_']) {
            &URL_SAFE_LENIENT
        } else {
            &STANDARD_LENIENT
        };
        let json = engine.decode(message).map_err(VerifyError::NotBase64)?;
        serde_json::from_slice(&json).map_err(VerifyError::NotString)
    }

    fn signature(&self, message: &str) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes())
            .expect("HMAC takes a key of any length");
        hmac.update(message.as_bytes());
        hmac.finalize().into_bytes().into()
    }
}

/// Splits at the last 66 characters, as Rails does: the message itself may contain the separator.
fn split(signed: &str) -> Option<(&str, [u8; 32])> {
    let at = signed
        .len()
        .checked_sub(SEPARATOR.len() + SIGNATURE_CHARS)?;
    let (message, tail) = signed.split_at_checked(at)?;
    let digits = tail.strip_prefix(SEPARATOR)?.as_bytes();
    let mut signature = [0; 32];
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex(pair[0])? << 4 | hex(pair[1])?;
    }
    Some((message, signature))
}

/// Lower-case digits only: a signature has one spelling.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
