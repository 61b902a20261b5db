//! The call a client sends: one JSON object, kept as text and read where it is needed.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};

/// What the client sent.
///
/// The text is scanned once, when the call arrives, and only remembers where each value stands.
/// Nothing is decoded before someone asks, so a form of 200 KiB costs a reflex that ignores it one scan.
/// Unknown keys are tolerated; of a key given twice the last one counts.
///
/// ```
/// use sinew_reflex::ReflexData;
///
/// let data = ReflexData::parse(r##"{
///     "target": "Counter#increment", "args": [2], "id": "1", "tabId": "a1", "version": "3.5.5",
///     "url": "http://app.test/counter#top", "selectors": ["#count", " "], "formData": "step=2",
///     "inner_html": "<b>+</b>", "text_content": "+",
///     "reflexController": "counter", "xpathController": "//main", "xpathElement": "//button",
///     "permanentAttributeName": "data-reflex-permanent", "suppressLogging": false
/// }"##)?;
/// assert_eq!(data.target(), "Counter#increment");
/// assert_eq!(data.id().as_deref(), Some("1"));
/// assert_eq!(data.tab_id().as_deref(), Some("a1"));
/// assert_eq!(data.version(), "3.5.5");
/// assert_eq!(data.url(), "http://app.test/counter#top");
/// assert_eq!(data.selectors().ok(), Some(vec!["#count".into()]));
/// assert_eq!(data.form_data(), "step=2");
/// assert_eq!((&*data.inner_html(), &*data.text_content()), ("<b>+</b>", "+"));
/// assert_eq!(data.reflex_controller().as_deref(), Some("counter"));
/// assert_eq!(data.xpath_controller().as_deref(), Some("//main"));
/// assert_eq!(data.xpath_element().as_deref(), Some("//button"));
/// assert_eq!(data.permanent_attribute_name().as_deref(), Some("data-reflex-permanent"));
/// assert!(!data.suppress_logging());
///
/// assert!(ReflexData::parse("[]").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct ReflexData {
    text: Box<str>,
    spans: [Span; FIELDS],
}

/// Where a value stands in the text; empty when the call has no such key.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

macro_rules! fields {
    ($($name:ident = $key:literal),* $(,)?) => {
        /// The keys of a call that mean something here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Field { $($name,)* }

        const FIELDS: usize = [$(Field::$name),*].len();

        impl Field {
            fn from_key(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$name),)* _ => None }
            }

            pub(crate) fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }
        }
    };
}

fields!(
    Attrs = "attrs",
    Dataset = "dataset",
    Selectors = "selectors",
    Id = "id",
    ResolveLate = "resolveLate",
    SuppressLogging = "suppressLogging",
    XpathController = "xpathController",
    XpathElement = "xpathElement",
    InnerHtml = "inner_html",
    TextContent = "text_content",
    FormSelector = "formSelector",
    ReflexController = "reflexController",
    PermanentAttributeName = "permanentAttributeName",
    Target = "target",
    Args = "args",
    Url = "url",
    TabId = "tabId",
    Version = "version",
    Params = "params",
    FormData = "formData",
);

/// The keys the reply repeats, as the client needs them to go on; in the order in which a client sends them.
const ECHOED: [Field; 8] = [
    Field::Id,
    Field::ResolveLate,
    Field::SuppressLogging,
    Field::XpathController,
    Field::XpathElement,
    Field::ReflexController,
    Field::Target,
    Field::Url,
];

impl ReflexData {
    /// Scans a call.
    ///
    /// # Errors
    /// When the text is not one JSON object. Such a call cannot be answered, since it has no id.
    pub fn parse(text: &str) -> std::result::Result<Self, serde_json::Error> {
        let spans = {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let spans = deserializer.deserialize_map(Scan { text })?;
            deserializer.end()?;
            spans
        };
        Ok(Self {
            text: text.into(),
            spans,
        })
    }

    /// The raw JSON of a value, or nothing when the call has no such key.
    pub(crate) fn raw(&self, field: Field) -> Option<&str> {
        let span = self.spans[field as usize];
        (span.end != 0).then(|| &self.text[span.start as usize..span.end as usize])
    }

    /// A value that is a text; nothing when it is missing or something else.
    pub(crate) fn string(&self, field: Field) -> Option<Cow<'_, str>> {
        string(self.raw(field)?)
    }

    /// `Class#method`, as the client sent it.
    pub fn target(&self) -> Cow<'_, str> {
        self.string(Field::Target).unwrap_or_default()
    }

    /// The reflex's id; nothing when the call has none.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.string(Field::Id)
    }

    /// The id as JSON, `null` when the call has none.
    pub(crate) fn id_json(&self) -> &str {
        match self.raw(Field::Id) {
            Some(raw) if raw.starts_with('"') => raw,
            _ => "null",
        }
    }

    /// The address of the page when the reflex was called, with its fragment; empty when the call has none.
    pub fn url(&self) -> Cow<'_, str> {
        self.string(Field::Url).unwrap_or_default()
    }

    /// The client's version; empty when the call has none.
    pub fn version(&self) -> Cow<'_, str> {
        self.string(Field::Version).unwrap_or_default()
    }

    /// The browser tab, as its script named itself.
    pub fn tab_id(&self) -> Option<Cow<'_, str>> {
        self.string(Field::TabId)
    }

    /// The urlencoded form around the element; empty when there is none.
    pub fn form_data(&self) -> Cow<'_, str> {
        self.string(Field::FormData).unwrap_or_default()
    }

    /// What the client put into `inner_html`; empty unless the element asked for it.
    pub fn inner_html(&self) -> Cow<'_, str> {
        self.string(Field::InnerHtml).unwrap_or_default()
    }

    /// What the client put into `text_content`; empty unless the element asked for it.
    pub fn text_content(&self) -> Cow<'_, str> {
        self.string(Field::TextContent).unwrap_or_default()
    }

    /// The Stimulus identifier of the controller that called.
    pub fn reflex_controller(&self) -> Option<Cow<'_, str>> {
        self.string(Field::ReflexController)
    }

    /// The XPath of the controller's element.
    pub fn xpath_controller(&self) -> Option<Cow<'_, str>> {
        self.string(Field::XpathController)
    }

    /// The XPath of the reflex element.
    pub fn xpath_element(&self) -> Option<Cow<'_, str>> {
        self.string(Field::XpathElement)
    }

    /// The attribute that keeps an element from being morphed.
    pub fn permanent_attribute_name(&self) -> Option<Cow<'_, str>> {
        self.string(Field::PermanentAttributeName)
    }

    /// Whether the element asks for no log lines. Anything but `false` and `null` does: the client sends `{}` for a bare attribute.
    pub fn suppress_logging(&self) -> bool {
        !matches!(
            self.raw(Field::SuppressLogging),
            None | Some("false" | "null")
        )
    }

    /// The page morph's roots: the client's list without blanks, or `body`.
    ///
    /// # Errors
    /// When the list is something other than texts.
    pub fn selectors(&self) -> Result<Vec<Cow<'_, str>>> {
        let mut selectors: Vec<Cow<'_, str>> = match self.raw(Field::Selectors) {
            None | Some("[]" | "null") => Vec::new(),
            Some(raw) if raw.starts_with('"') => string(raw).into_iter().collect(),
            Some(raw) => serde_json::from_str::<Vec<Text<'_>>>(raw)
                .map_err(|error| {
                    Error::of(ErrorKind::Params, "selectors are not a list of texts")
                        .with_source(error)
                })?
                .into_iter()
                .map(|text| text.0)
                .collect(),
        };
        selectors.retain(|selector| !selector.trim().is_empty());
        if selectors.is_empty() {
            selectors.push(Cow::Borrowed("body"));
        }
        Ok(selectors)
    }

    /// The arguments, each as it was sent.
    pub(crate) fn arguments(&self) -> Result<Vec<&RawValue>> {
        match self.raw(Field::Args) {
            None | Some("[]" | "null") => Ok(Vec::new()),
            Some(raw) => serde_json::from_str(raw).map_err(|error| {
                Error::of(ErrorKind::Argument, "the arguments are not a list").with_source(error)
            }),
        }
    }

    /// Writes what the reply repeats, without its closing brace: values as they were sent, byte for byte.
    pub(crate) fn write_echo(&self, out: &mut String) {
        out.push('{');
        for field in ECHOED {
            if let Some(raw) = self.raw(field) {
                out.push('"');
                out.push_str(field.key());
                out.push_str("\":");
                out.push_str(raw);
                out.push(',');
            }
        }
    }
}

impl fmt::Debug for ReflexData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Forms and arguments may be private: only what the log line says anyway.
        f.debug_struct("ReflexData")
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

/// Decodes a JSON string, borrowing when it has no escapes.
fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Scan<'a> {
    text: &'a str,
}

impl<'de> Visitor<'de> for Scan<'de> {
    type Value = [Span; FIELDS];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reflex call")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut spans = [Span::default(); FIELDS];
        let base = self.text.as_ptr() as usize;
        while let Some(Key(field)) = map.next_key()? {
            match field {
                Some(field) => {
                    let raw = map.next_value::<&'de RawValue>()?.get();
                    let start = raw.as_ptr() as usize - base;
                    let bound = |offset: usize| {
                        u32::try_from(offset)
                            .map_err(|_| serde::de::Error::custom("the call is over 4 GiB"))
                    };
                    spans[field as usize] = Span {
                        start: bound(start)?,
                        end: bound(start + raw.len())?,
                    };
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(spans)
    }
}

struct Key(Option<Field>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> std::result::Result<Key, E> {
                Ok(Key(Field::from_key(key)))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ReflexData {
        ReflexData::parse(text).expect("a call")
    }

    #[test]
    fn a_call_needs_only_target_and_version() {
        let data = parse(r#"{"target":"Counter#increment","version":"3.5.5"}"#);
        assert_eq!(data.target(), "Counter#increment");
        assert_eq!(data.id(), None);
        assert_eq!(data.id_json(), "null");
        assert_eq!(data.url(), "");
        assert!(!data.suppress_logging());
        assert_eq!(data.selectors().unwrap(), ["body"]);
        assert!(data.arguments().unwrap().is_empty());
    }

    #[test]
    fn values_are_where_they_were() {
        let data = parse(
            r##" {"unknown":{"target":"no"}, "args" : [1, {"a":2}],"id":"a\"b","selectors":["#a"," #b",""," "],"suppressLogging":{}} "##,
        );
        assert_eq!(data.id().unwrap(), "a\"b");
        assert_eq!(data.id_json(), r#""a\"b""#);
        assert_eq!(data.selectors().unwrap(), ["#a", " #b"]);
        assert!(data.suppress_logging());
        let arguments = data.arguments().unwrap();
        assert_eq!(arguments[1].get(), r#"{"a":2}"#);
    }

    #[test]
    fn suppress_logging_is_anything_but_false_and_null() {
        for (raw, expected) in [
            ("false", false),
            ("null", false),
            ("true", true),
            ("{}", true),
        ] {
            let data = parse(&format!(r#"{{"suppressLogging":{raw}}}"#));
            assert_eq!(data.suppress_logging(), expected, "{raw}");
        }
    }

    #[test]
    fn the_echo_repeats_values_byte_for_byte() {
        let data = parse(
            r#"{"attrs":{"x":1},"id":"\u0041","resolveLate": false,"url":"http:\/\/x","target":"A#b","formData":"secret"}"#,
        );
        let mut echo = String::new();
        data.write_echo(&mut echo);
        assert_eq!(
            echo,
            r#"{"id":"\u0041","resolveLate":false,"target":"A#b","url":"http:\/\/x","#
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", r#"{"a":}"#, r#"{} {}"#, "null"] {
            assert!(ReflexData::parse(text).is_err(), "{text}");
        }
    }
}
