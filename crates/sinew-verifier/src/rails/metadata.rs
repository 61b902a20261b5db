//! Purpose and expiry around a message.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How the message stands in its envelope.
///
/// ```
/// use sinew_verifier::rails::{Envelope, Metadata};
///
/// let metadata = Metadata { purpose: Some("login".to_owned()), expires_at: None };
/// let legacy = metadata.wrap(b"7", Envelope::Message)?;
/// assert_eq!(legacy, r#"{"_rails":{"message":"Nw==","exp":null,"pur":"login"}}"#);
/// let data = metadata.wrap(b"7", Envelope::Data)?;
/// assert_eq!(data, r#"{"_rails":{"data":7,"pur":"login"}}"#);
/// # Ok::<(), sinew_verifier::rails::MetadataError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// Base64 of the serialized message, beside `exp` and `pur`: every message of Rails 5.2 to 7.0,
    /// and cookies of every version, since the cookie jar serializes its value itself.
    #[default]
    Message,
    /// The message as JSON within the JSON of the envelope: messages of Rails 7.1 and later whose serializer is JSON.
    Data,
}

/// What a message is for, and until when it counts.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinew_verifier::rails::{Envelope, Metadata, MetadataError};
///
/// let expires_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
/// let metadata = Metadata { purpose: Some("login".to_owned()), expires_at: Some(expires_at) };
/// let wrapped = metadata.wrap(b"{}", Envelope::Message)?;
/// assert_eq!(
///     wrapped,
///     r#"{"_rails":{"message":"e30=","exp":"2023-11-14T22:13:20.500Z","pur":"login"}}"#
/// );
///
/// let before = expires_at - Duration::from_millis(1);
/// let (message, found) = Metadata::unwrap(wrapped.as_bytes(), before)?;
/// assert_eq!((message.as_slice(), &found), (b"{}".as_slice(), &metadata));
/// assert!(matches!(
///     Metadata::unwrap(wrapped.as_bytes(), expires_at),
///     Err(MetadataError::Expired)
/// ));
/// # Ok::<(), MetadataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Whoever opens the message must expect this purpose. Rails' cookies have `cookie.` and their name.
    pub purpose: Option<String>,
    /// From this moment on the message counts no more. Written to the millisecond.
    pub expires_at: Option<SystemTime>,
}

impl Metadata {
    /// Puts the message into an envelope; without purpose and expiry it stays as it is.
    ///
    /// # Errors
    ///
    /// [`MetadataError::NotText`] when the message is not UTF-8 and would have to stay as it is, or is not JSON and
    /// [`Envelope::Data`] is asked for.
    pub fn wrap(&self, message: &[u8], envelope: Envelope) -> Result<String, MetadataError> {
        let text = || std::str::from_utf8(message).map_err(|_| MetadataError::NotText);
        if self.purpose.is_none() && self.expires_at.is_none() {
            return Ok(text()?.to_owned());
        }
        let expires_at = self.expires_at.map(iso8601);
        let rails = match envelope {
            Envelope::Message => Written::Message {
                message: STANDARD.encode(message),
                exp: expires_at,
                pur: self.purpose.as_deref(),
            },
            Envelope::Data => Written::Data {
                data: serde_json::from_str(text()?).map_err(|_| MetadataError::NotText)?,
                exp: expires_at,
                pur: self.purpose.as_deref(),
            },
        };
        Ok(serde_json::to_string(&Outer { rails }).expect("strings and JSON always serialize"))
    }

    /// Takes the message out of its envelope, in either form, and says what stood on it. What is no envelope is
    /// the message itself, with neither purpose nor expiry.
    ///
    /// The purpose is the caller's to compare: see [`Self::purpose`].
    ///
    /// # Errors
    ///
    /// [`MetadataError::Expired`] at `now`, and [`MetadataError::Malformed`] when an envelope has no message or a
    /// date that is none.
    pub fn unwrap(message: &[u8], now: SystemTime) -> Result<(Vec<u8>, Self), MetadataError> {
        // Most messages are no envelope; looking for the word spares parsing them.
        if !is_envelope(message) {
            return Ok((message.to_vec(), Self::default()));
        }
        let Ok(Outer { rails }) = serde_json::from_slice::<Outer<Read<'_>>>(message) else {
            return Err(MetadataError::Malformed);
        };
        let expires_at = match rails.exp {
            Some(text) => Some(moment(&text).ok_or(MetadataError::Malformed)?),
            None => None,
        };
        if expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err(MetadataError::Expired);
        }
        let message = match (rails.message, rails.data) {
            (Some(text), None) => STANDARD
                .decode(text)
                .map_err(|_| MetadataError::Malformed)?,
            (None, Some(json)) => json.get().as_bytes().to_vec(),
            _ => return Err(MetadataError::Malformed),
        };
        let purpose = rails.pur.filter(|purpose| !purpose.is_empty());
        let metadata = Self {
            purpose,
            expires_at,
        };
        Ok((message, metadata))
    }
}

/// Why a message did not come out of its envelope. Nothing of the message is in it.
///
/// ```
/// use std::time::SystemTime;
/// use sinew_verifier::rails::{Metadata, MetadataError};
///
/// let past = br#"{"_rails":{"message":"Nw==","exp":"2001-01-01T00:00:00.000Z"}}"#;
/// assert!(matches!(Metadata::unwrap(past, SystemTime::now()), Err(MetadataError::Expired)));
/// let empty = br#"{"_rails":{}}"#;
/// assert!(matches!(Metadata::unwrap(empty, SystemTime::now()), Err(MetadataError::Malformed)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The message was good until a moment that has passed.
    #[error("message has expired")]
    Expired,
    /// There is an envelope, without a message or with a date that is none.
    #[error("message has an envelope that cannot be read")]
    Malformed,
    /// What is to be wrapped is not UTF-8, or not the JSON that its envelope needs.
    #[error("message is not text of the kind its envelope needs")]
    NotText,
}

#[derive(Serialize, Deserialize)]
struct Outer<T> {
    #[serde(rename = "_rails")]
    rails: T,
}

/// The order of the keys is Rails': since 7.1 it tells an envelope by its first bytes.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Message {
        message: String,
        exp: Option<String>,
        pur: Option<&'a str>,
    },
    Data {
        data: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        exp: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pur: Option<&'a str>,
    },
}

#[derive(Deserialize)]
struct Read<'a> {
    message: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    exp: Option<String>,
    pur: Option<String>,
}

/// Rails writes the envelope without spaces, and nothing else in the object. A session's own field of this
/// name could not be told from it, for Rails as for us.
fn is_envelope(message: &[u8]) -> bool {
    message.starts_with(br#"{"_rails":"#)
}

/// As `Time#iso8601(3)` of a time in UTC.
fn iso8601(moment: SystemTime) -> String {
    let moment = OffsetDateTime::from(moment);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
        moment.millisecond()
    )
}

fn moment(text: &str) -> Option<SystemTime> {
    // A date has some thirty characters.
    let text = text.get(..text.len().min(40))?;
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.into())
}

#[cfg(test)]
mod tests;
