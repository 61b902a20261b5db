use thiserror::Error;

/// Why a signed text was refused.
///
/// The one who presented it is told nothing of this; it is for the log.
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
