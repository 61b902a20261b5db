use std::borrow::Cow;
use std::fmt;

use http::Extensions;

/// Who a connection belongs to: named values, such as a session id or a user's, and the application's own state.
///
/// Connections with the same values are the same identity: they share streams and are disconnected together.
///
/// ```
/// use sinew_cable::ConnectionIdentifiers;
///
/// let identifiers = ConnectionIdentifiers::new().with("session_id", "s1").with("current_user", "7");
/// assert_eq!(identifiers.get("current_user"), Some("7"));
/// assert_eq!(identifiers.key(), "7:s1", "values alone, sorted");
/// assert_eq!(identifiers.iter().next(), Some(("current_user", "7")));
/// assert!(!identifiers.is_empty() && ConnectionIdentifiers::new().is_empty());
///
/// // What the application keeps with the connection is no part of who it is.
/// #[derive(Clone, Debug, PartialEq)]
/// struct Language(&'static str);
///
/// let mut with_language = identifiers.clone().with_extension(Language("en"));
/// with_language.extensions_mut().insert(Language("de"));
/// assert_eq!(with_language.extensions().get(), Some(&Language("de")));
/// assert!(with_language.same_as(&identifiers));
/// ```
#[derive(Clone, Default)]
pub struct ConnectionIdentifiers {
    /// Sorted by name.
    values: Vec<(Cow<'static, str>, Box<str>)>,
    extensions: Extensions,
}

impl ConnectionIdentifiers {
    /// No identity: an anonymous connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value, or replaces the one of that name.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into().into_boxed_str());
        match self.values.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => self.values[at].1 = value,
            Err(at) => {
                self.values.reserve_exact(1);
                self.values.insert(at, (name, value));
            }
        }
        self
    }

    /// Adds a value of the application's own, found again by its type. It takes no part in [`key`](Self::key).
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self
            .values
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        Some(&self.values[at].1)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is no value: the connection is anonymous.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The identity as one text: the values, sorted, joined by `:`. Empty for an anonymous connection.
    pub fn key(&self) -> String {
        let mut values: Vec<&str> = self.values.iter().map(|(_, value)| &**value).collect();
        values.sort_unstable();
        values.join(":")
    }

    /// The application's own values.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The application's own values, to change before the connection opens.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Whether both have the same names and values.
    pub fn same_as(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl fmt::Debug for ConnectionIdentifiers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}
