//! A session as Rails serializes it with JSON.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

/// The longest text that is read as a session, in bytes. A longer one is refused before it is parsed.
pub const SESSION_BYTES_MAX: usize = 1024 * 1024;

/// What Ruby's Marshal begins with: its version, 4.8.
const MARSHAL: &[u8] = &[4, 8];
/// What `ActiveSupport::MessagePack` begins with.
const MESSAGE_PACK: &[u8] = &[0xcc, 0x80];

/// The fields of a Rails session, in the order they were written, each the JSON text it was written as.
///
/// A value that nobody sets comes out byte for byte as it went in: numbers are not read and written again,
/// escapes stay escapes. Of two fields of one name the last counts, as in Ruby.
///
/// ```
/// use sinew_verifier::rails::RailsSession;
///
/// let text = r#"{"session_id":"0f","_csrf_token":"x\u003d","total":1.10,"user_id":1}"#;
/// let mut session = RailsSession::parse(text.as_bytes())?;
/// assert_eq!(session.session_id().as_deref(), Some("0f"));
/// assert_eq!(session.get("total"), Some("1.10"));
///
/// session.set("user_id", "2")?;
/// session.set("theme", r#""dark""#)?;
/// assert!(session.remove("_csrf_token"));
/// assert_eq!(
///     session.to_json(),
///     r#"{"session_id":"0f","total":1.10,"user_id":2,"theme":"dark"}"#
/// );
/// # Ok::<(), sinew_verifier::rails::RailsSessionError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RailsSession {
    fields: Vec<(String, Box<str>)>,
}

impl RailsSession {
    /// A session of this id (32 hexadecimal digits in Rails' own) and without further fields.
    ///
    /// ```
    /// let session = sinew_verifier::rails::RailsSession::new("0f");
    /// assert_eq!(session.to_json(), r#"{"session_id":"0f"}"#);
    /// ```
    pub fn new(session_id: &str) -> Self {
        let json = serde_json::to_string(session_id).expect("a string always serializes");
        Self {
            fields: vec![(SESSION_ID.to_owned(), json.into())],
        }
    }

    /// Reads what Rails has serialized.
    ///
    /// # Errors
    ///
    /// A [`RailsSessionError`]: too long, written by another serializer, or not a JSON object.
    pub fn parse(text: &[u8]) -> Result<Self, RailsSessionError> {
        if text.len() > SESSION_BYTES_MAX {
            return Err(RailsSessionError::TooLong { bytes: text.len() });
        }
        if text.starts_with(MARSHAL) {
            return Err(RailsSessionError::Marshal);
        }
        if text.starts_with(MESSAGE_PACK) {
            return Err(RailsSessionError::MessagePack);
        }
        serde_json::from_slice(text).map_err(|_| RailsSessionError::NotObject)
    }

    /// The session as one JSON object, without spaces between its fields.
    pub fn to_json(&self) -> String {
        let bytes: usize = self
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        let mut json = String::with_capacity(bytes + 2);
        json.push('{');
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(&serde_json::to_string(name).expect("a string always serializes"));
            json.push(':');
            json.push_str(value);
        }
        json.push('}');
        json
    }

    /// The field `session_id`, which the cookie store keeps within the session.
    pub fn session_id(&self) -> Option<String> {
        serde_json::from_str(self.get(SESSION_ID)?).ok()
    }

    /// The JSON text of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.iter();
        fields.find_map(|(field, value)| (field == name).then_some(value))
    }

    /// Writes a field: a new one at the end, a known one where it stands.
    ///
    /// # Errors
    ///
    /// [`RailsSessionError::NotJson`] when the value is not one JSON text; the session is then as it was.
    ///
    /// ```
    /// use sinew_verifier::rails::{RailsSession, RailsSessionError};
    ///
    /// let mut session = RailsSession::default();
    /// assert_eq!(session.set("a", "1, \"b\": 2"), Err(RailsSessionError::NotJson));
    /// assert!(session.is_empty(), "nothing was written");
    /// ```
    pub fn set(&mut self, name: &str, json: &str) -> Result<(), RailsSessionError> {
        let value = checked(json)?;
        match self.fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, place)) => *place = value,
            None => self.fields.push((name.to_owned(), value)),
        }
        Ok(())
    }

    /// The session with exactly these fields, of different names: known ones where they stand, new ones at the end in
    /// the order given.
    ///
    /// # Errors
    ///
    /// [`RailsSessionError::NotJson`] when a value that is new is not one JSON text.
    ///
    /// ```
    /// use sinew_verifier::rails::RailsSession;
    ///
    /// let session = RailsSession::parse(br#"{"z":1.0,"y":2,"x":3}"#)?;
    /// let changed = session.with_exactly([("a", "5"), ("x", "4"), ("z", "1.0")])?;
    /// assert_eq!(changed.to_json(), r#"{"z":1.0,"x":4,"a":5}"#);
    /// # Ok::<(), sinew_verifier::rails::RailsSessionError>(())
    /// ```
    pub fn with_exactly<'a>(
        &self,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, RailsSessionError> {
        let fields: Vec<_> = fields.into_iter().collect();
        let mut wanted: HashMap<&str, &str> = fields.iter().copied().collect();
        let mut kept = Self::default();
        for (name, present) in &self.fields {
            let value = match wanted.remove(name.as_str()) {
                Some(value) if *value == **present => present.clone(),
                Some(value) => checked(value)?,
                None => continue,
            };
            kept.fields.push((name.clone(), value));
        }
        for (name, value) in fields {
            if wanted.remove(name).is_some() {
                kept.fields.push((name.to_owned(), checked(value)?));
            }
        }
        Ok(kept)
    }

    /// Drops a field, and says whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        self.fields.retain(|(field, _)| field != name);
        self.fields.len() != before
    }

    /// The fields in their order: name and JSON text.
    ///
    /// ```
    /// use sinew_verifier::rails::RailsSession;
    ///
    /// let session = RailsSession::parse(br#"{"b":1,"a":[]}"#)?;
    /// assert_eq!(session.iter().collect::<Vec<_>>(), [("b", "1"), ("a", "[]")]);
    /// # Ok::<(), sinew_verifier::rails::RailsSessionError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_str(), &**value))
    }

    /// How many fields there are.
    ///
    /// ```
    /// use sinew_verifier::rails::RailsSession;
    ///
    /// assert_eq!(RailsSession::new("0f").len(), 1);
    /// assert!(RailsSession::default().is_empty());
    /// ```
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    ///
    /// ```
    /// assert!(!sinew_verifier::rails::RailsSession::new("0f").is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

const SESSION_ID: &str = "session_id";

/// One JSON text, without the spaces around it: what stands in a session is what `parse` gives back.
fn checked(json: &str) -> Result<Box<str>, RailsSessionError> {
    let value: Result<&RawValue, _> = serde_json::from_str(json);
    let value = value.map_err(|_| RailsSessionError::NotJson)?;
    Ok(value.get().into())
}

/// Names only: values belong to a visitor.
impl fmt::Debug for RailsSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|(name, _)| name);
        formatter.debug_set().entries(names).finish()
    }
}

impl<'de> Deserialize<'de> for RailsSession {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = RailsSession;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RailsSession, A::Error> {
        let mut places = HashMap::new();
        let mut fields: Vec<(String, Box<str>)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<&RawValue>()?.get().into();
            match places.get(&name) {
                Some(&place) => fields[place] = (name, value),
                None => {
                    places.insert(name.clone(), fields.len());
                    fields.push((name, value));
                }
            }
        }
        Ok(RailsSession { fields })
    }
}

/// Why something is not the session of Rails that can be read. Nothing of the session is in it.
///
/// ```
/// use sinew_verifier::rails::{RailsSession, RailsSessionError};
///
/// let marshal = RailsSession::parse(b"\x04\x08{\x06I\"\x09user\x06:\x06ETi\x06");
/// assert_eq!(marshal, Err(RailsSessionError::Marshal));
/// assert_eq!(RailsSession::parse(b"[]"), Err(RailsSessionError::NotObject));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RailsSessionError {
    /// Longer than [`SESSION_BYTES_MAX`].
    #[error("session of {bytes} bytes is longer than {SESSION_BYTES_MAX}")]
    TooLong {
        /// Its length, in bytes.
        bytes: usize,
    },
    /// Written with Ruby's Marshal, which is never parsed. In Rails: `config.action_dispatch.cookies_serializer = :json`,
    /// or `serializer: :json` of the session store.
    #[error("session was written with Marshal; set the serializer to JSON in Rails")]
    Marshal,
    /// Written with MessagePack. The remedy is the same.
    #[error("session was written with MessagePack; set the serializer to JSON in Rails")]
    MessagePack,
    /// Not a JSON object in UTF-8.
    #[error("session is not a JSON object")]
    NotObject,
    /// A value that is to be set is not JSON.
    #[error("value is not JSON")]
    NotJson,
}

#[cfg(test)]
mod tests;
