use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// The string that names a subscription: JSON text made by the client, with a channel and its params.
///
/// It is opaque: compared and echoed byte for byte, so that the same keys in another order are another subscription.
/// Only the routing layer looks inside, by [`channel`](Self::channel).
///
/// ```
/// use sinew_protocol::Identifier;
///
/// let one = Identifier::from(r#"{"channel":"ChatChannel","room":1}"#);
/// let two = Identifier::from(r#"{"room":1,"channel":"ChatChannel"}"#);
/// assert_eq!(one.as_str(), r#"{"channel":"ChatChannel","room":1}"#);
/// assert_eq!(one.channel().as_deref(), Some("ChatChannel"));
/// assert_ne!(one, two);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(Arc<str>);

impl Identifier {
    /// The text, exactly as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody else holds a clone of it: the text itself is kept once for all of them.
    ///
    /// ```
    /// use sinew_protocol::Identifier;
    ///
    /// let one = Identifier::from("news");
    /// assert!(!one.is_shared());
    /// let clone = one.clone();
    /// assert!(one.is_shared() && clone.is_shared());
    /// drop(clone);
    /// assert!(!one.is_shared());
    /// ```
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The `channel` inside, or nothing when the text is not a JSON object with such a string.
    pub fn channel(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            channel: String,
        }
        // An array would fill the struct by position: only an object is an identifier.
        if !self.0.trim_start().starts_with('{') {
            return None;
        }
        serde_json::from_str::<Named>(&self.0)
            .ok()
            .map(|named| named.channel)
    }
}

impl From<&str> for Identifier {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Identifier {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for Identifier {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
