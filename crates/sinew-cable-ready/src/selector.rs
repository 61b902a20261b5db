//! What an operation is aimed at.

use std::borrow::Cow;
use std::fmt;

/// The element or elements an operation is aimed at.
///
/// Usually written as a string, a CSS selector: `operations.remove("#gone")`. [`xpath`], [`previous`] and
/// [`document`] make the others; your own types join in with [`ToSelector`].
///
/// ```
/// use sinew_cable_ready::{DomId, Target, document, previous, xpath};
/// assert_eq!(Target::from("#gone"), Target::Css("#gone".into()));
/// assert_eq!(Target::from(DomId::record("User", 42)), Target::Css("#user_42".into()));
/// assert_eq!(xpath("//main"), Target::XPath("//main".into()));
/// assert_eq!(previous(), Target::Previous);
/// assert_eq!(document(), Target::Document);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A CSS selector: its first match, or all with `select_all`.
    Css(Cow<'static, str>),
    /// An XPath expression: its first match, or all with `select_all`.
    XPath(Cow<'static, str>),
    /// Whatever the operation before this one was aimed at; no selector at all if there is none.
    Previous,
    /// The document, said aloud (`"selector":null`), so that nothing is inherited.
    Document,
}

/// Aims at the first element that an XPath expression finds.
///
/// ```
/// use sinew_cable_ready::{Operations, xpath};
/// let mut operations = Operations::new();
/// operations.remove(xpath("//*[@id='x']"));
/// assert_eq!(operations.to_json(), r#"[{"selector":"//*[@id='x']","xpath":true,"operation":"remove"}]"#);
/// ```
pub fn xpath(expression: impl Into<Cow<'static, str>>) -> Target {
    Target::XPath(expression.into())
}

/// Aims at whatever the operation before was aimed at.
///
/// ```
/// use sinew_cable_ready::{Operations, previous};
/// let mut operations = Operations::new();
/// operations.inner_html("#a", "x").append(previous(), "y");
/// assert!(operations.to_json().contains(r##"{"html":"y","selector":"#a","operation":"append"}"##));
/// ```
pub fn previous() -> Target {
    Target::Previous
}

/// Aims at the document itself.
///
/// Needed where an element could be meant: an event for the document after an operation on an element.
///
/// ```
/// use sinew_cable_ready::{Operations, document};
/// let mut operations = Operations::new();
/// operations.inner_html("#a", "x").dispatch_event(document(), "saved");
/// assert!(operations.to_json().contains(r#"{"selector":null,"name":"saved","operation":"dispatchEvent"}"#));
/// ```
pub fn document() -> Target {
    Target::Document
}

/// Something that has a place on the page and can name it with a CSS selector.
///
/// ```
/// use std::borrow::Cow;
/// use sinew_cable_ready::{DomId, Operations, ToSelector};
///
/// struct User { id: u64 }
/// impl ToSelector for User {
///     fn to_selector(&self) -> Cow<'_, str> {
///         Cow::Owned(DomId::record("User", self.id).to_string())
///     }
/// }
/// let mut operations = Operations::new();
/// operations.remove(&User { id: 42 });
/// assert_eq!(operations.to_json(), r##"[{"selector":"#user_42","operation":"remove"}]"##);
/// ```
pub trait ToSelector {
    /// The CSS selector that finds it.
    fn to_selector(&self) -> Cow<'_, str>;
}

impl ToSelector for str {
    fn to_selector(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl ToSelector for String {
    fn to_selector(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl ToSelector for DomId {
    fn to_selector(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl<T: ToSelector + ?Sized> From<&T> for Target {
    fn from(place: &T) -> Self {
        Target::Css(Cow::Owned(place.to_selector().into_owned()))
    }
}

impl From<String> for Target {
    fn from(selector: String) -> Self {
        Target::Css(Cow::Owned(selector))
    }
}

impl From<DomId> for Target {
    fn from(id: DomId) -> Self {
        Target::Css(Cow::Owned(id.0))
    }
}

/// The id selector of a named place or of a record, made the way CableReady's `dom_id` does.
///
/// Always lower case, without surrounding white space, with exactly one `#` in front.
///
/// ```
/// use sinew_cable_ready::DomId;
/// assert_eq!(DomId::named("users").to_string(), "#users");
/// assert_eq!(DomId::named("#Users ").to_string(), "#users");
/// assert_eq!(DomId::record("User", 42).to_string(), "#user_42");
/// assert_eq!(DomId::new_record("Admin::User").to_string(), "#new_admin_user");
/// assert_eq!(DomId::record("LineItem", 7).prefixed("edit").to_string(), "#edit_line_item_7");
/// assert_eq!(DomId::named("users").prefixed("active").to_string(), "#active_users");
/// // In the HTML: `<li id="user_42">`.
/// assert_eq!(DomId::record("User", 42).without_hash(), "user_42");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomId(String);

impl DomId {
    /// The id of a place with a name of its own, `users` → `#users`. An empty name gives `#`.
    pub fn named(name: &str) -> Self {
        let mut id = String::with_capacity(name.len() + 1);
        id.push('#');
        for character in name.trim().chars() {
            if character == '#' && id.ends_with('#') {
                continue;
            }
            id.extend(character.to_lowercase());
        }
        DomId(id)
    }

    /// The id of a stored record: model name and key, `User`, 42 → `#user_42`.
    pub fn record(model: &str, key: impl fmt::Display) -> Self {
        Self::named(&format!("{}_{key}", underscore(model)))
    }

    /// The id of a record that is not stored yet, `User` → `#new_user`.
    pub fn new_record(model: &str) -> Self {
        Self::named(&format!("new_{}", underscore(model)))
    }

    /// The same id with `prefix` and an underscore in front.
    pub fn prefixed(&self, prefix: &str) -> Self {
        Self::named(&format!("{}_{}", prefix.trim(), self.without_hash()))
    }

    /// The id as an HTML attribute has it, without the `#`.
    pub fn without_hash(&self) -> &str {
        &self.0[1..]
    }
}

impl fmt::Display for DomId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `Admin::LineItem` → `admin_line_item`.
pub(crate) fn underscore(model: &str) -> String {
    let characters: Vec<char> = model.replace("::", "_").chars().collect();
    let mut out = String::with_capacity(model.len() + 4);
    for (index, &character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(index + 1);
        let starts_word = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            out.push('_');
        }
        out.extend(character.to_lowercase());
    }
    out
}
