use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The name of a broadcasting that subscriptions follow, such as `chat:1`.
///
/// Cloning shares the text.
///
/// ```
/// use std::collections::HashSet;
/// use sinew_streams::StreamName;
///
/// let chat = StreamName::from("chat:1");
/// assert_eq!(chat.as_str(), "chat:1");
/// assert_eq!(chat.to_string(), "chat:1");
/// assert_eq!(chat.as_str().as_ptr(), chat.clone().as_str().as_ptr(), "shared");
///
/// // A set of names is asked with plain text.
/// assert!(HashSet::from([chat]).contains("chat:1"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for StreamName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<&StreamName> for StreamName {
    fn from(name: &StreamName) -> Self {
        name.clone()
    }
}

impl Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
