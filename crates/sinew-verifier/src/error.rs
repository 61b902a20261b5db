use thiserror::Error;

/// Why a signed text was refused.
///
/// The one who presented it is told nothing of this; it is for the log.
///
/// ```
/// use sinew_verifier::{Key, MessageVerifier, VerifyError};
///
/// let (ours, theirs) = (Key::from_bytes("ours"), Key::from_bytes("theirs"));
/// let verifier = MessageVerifier::new(ours);
/// let foreign = MessageVerifier::new(theirs).sign("news");
/// assert!(matches!(verifier.verify(&foreign), Err(VerifyError::WrongSignature)));
/// assert!(matches!(verifier.verify("news"), Err(VerifyError::NoSignature)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Too short, or without the `--` and 64 hexadecimal digits at its end.
    #[error("text has no signature")]
    NoSignature,
    /// Signed with another key, or changed on the way.
    #[error("signature does not match")]
    WrongSignature,
    /// Properly signed, but the message is not base64.
    #[error("signed message is not base64")]
    NotBase64(#[source] base64::DecodeError),
    /// Properly signed, but the message is not the JSON of a string, for instance because it carries an expiry.
    #[error("signed message is not a JSON string")]
    NotString(#[source] serde_json::Error),
}

/// Why a sealed message was not opened.
///
/// The one who presented it is told nothing of this; it is for the log. Nothing of the message or of a key is in it.
///
/// ```
/// use sinew_verifier::{DecryptError, EncryptionKey, MessageEncryptor};
///
/// let encryptor = |byte| MessageEncryptor::new(&EncryptionKey::from_bytes([byte; 32]));
/// let foreign = encryptor(1).encrypt(b"theirs");
/// assert!(matches!(encryptor(2).decrypt(&foreign), Err(DecryptError::NotAuthentic)));
/// assert!(matches!(encryptor(2).decrypt("no message"), Err(DecryptError::NotSealed)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// Longer than what is opened; no work was done for it.
    #[error("message of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// Length of the message, in bytes.
        bytes: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// Not three parts of base64, the vector of 12 bytes and the tag of 16.
    #[error("text is not a sealed message")]
    NotSealed,
    /// Sealed with another key, or changed on the way.
    #[error("message was sealed with another key or was changed")]
    NotAuthentic,
}
