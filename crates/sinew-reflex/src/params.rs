//! Parameters of a reflex: what the page's address, its form and its JavaScript say.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

mod lenient;
mod nest;

/// Longest urlencoded text that is read, in bytes: a form of 256 KiB. Longer is [`ParamsError::TooLong`].
pub const PARAMS_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting, in levels of names: `a[b][c]` has three. Deeper is [`ParamsError::TooDeep`].
///
/// Rack allows 100; no form needs that, and the nesting is walked by recursion.
pub const PARAMS_DEPTH_MAX: usize = 32;
/// Most pairs of a name and a value in one text. More is [`ParamsError::TooMany`].
pub const PARAMS_PAIRS_MAX: usize = 4096;

/// A tree of parameters, in the order they came: texts, objects and arrays as their names say.
///
/// Names nest as in Rack: `user[name]=Ada` is an object, `tags[]=x` an array, `items[0][n]=a` an object with the key
/// `"0"`. A name without `=` is null, one with nothing after it the empty text.
///
/// ```
/// use sinew_reflex::params::Params;
/// use serde_json::json;
///
/// let params = Params::from_urlencoded("user[name]=Ada%20L&tags[]=x&tags[]=y&items[0][n]=a&c=&d")?;
/// assert_eq!(params.get("user[name]"), Some("Ada L"));
/// assert_eq!(
///     serde_json::to_value(&params).unwrap(),
///     json!({"user": {"name": "Ada L"}, "tags": ["x", "y"], "items": {"0": {"n": "a"}}, "c": "", "d": null})
/// );
///
/// assert_eq!(params.value("tags[1]"), Some(&json!("y")));
/// assert_eq!(params.parse_at::<Vec<String>>("tags")?, ["x", "y"]);
/// assert!(params.parse_at::<u32>("user[name]").is_err());
/// assert_eq!(params.as_map().len(), 5);
/// assert!(!params.is_empty());
/// assert!(params.into_map().contains_key("items"));
/// # Ok::<(), sinew_reflex::params::ParamsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Params(Map<String, Value>);

/// Parameters that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The text is longer than [`PARAMS_BYTES_MAX`].
    #[error("the parameters have {bytes} bytes, more than {PARAMS_BYTES_MAX}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// More pairs than [`PARAMS_PAIRS_MAX`].
    #[error("more than {PARAMS_PAIRS_MAX} parameters")]
    TooMany,
    /// A name nests deeper than [`PARAMS_DEPTH_MAX`].
    #[error("a parameter is nested deeper than {PARAMS_DEPTH_MAX} levels")]
    TooDeep,
    /// A `%` that two hexadecimal digits do not follow.
    #[error("invalid %-encoding ({0})")]
    BadPercentEncoding(String),
    /// The bytes behind the percent encoding are not UTF-8.
    #[error("invalid encoding for parameter: {0}")]
    NotUtf8(String),
    /// One name is used in two ways, such as `a=1&a[b]=2`.
    #[error("expected {expected} (got {found}) for param `{name}'")]
    Conflict {
        /// The name, without what is in brackets.
        name: String,
        /// What the later use takes it for: `Hash` or `Array`.
        expected: &'static str,
        /// What it already is.
        found: &'static str,
    },
    /// The parameters do not fit the type they were to be read as.
    #[error("{0}")]
    Mismatch(String),
}

/// What a reflex's parameters are gathered from: see [`Params::merge`].
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// The query of the page's address, without `?`.
    pub query: &'a str,
    /// What routing found in the path, by name.
    pub path: &'a [(String, String)],
    /// The form around the element, urlencoded.
    pub form: &'a str,
    /// What the page's JavaScript put into the call as `params`.
    pub params: Option<&'a Map<String, Value>>,
}

impl Params {
    /// Reads an urlencoded text: a query without its `?`, or a form.
    ///
    /// # Errors
    ///
    /// A limit is passed, the encoding is wrong, or one name is used in two ways: see [`ParamsError`].
    pub fn from_urlencoded(text: &str) -> Result<Self, ParamsError> {
        if text.len() > PARAMS_BYTES_MAX {
            return Err(ParamsError::TooLong { bytes: text.len() });
        }
        let mut params = Map::new();
        let pairs = text
            .split('&')
            .map(str::trim_start)
            .filter(|pair| !pair.is_empty());
        for (index, pair) in pairs.enumerate() {
            if index == PARAMS_PAIRS_MAX {
                return Err(ParamsError::TooMany);
            }
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Value::String(decode(value)?.into_owned())),
                None => (pair, Value::Null),
            };
            nest::insert(&mut params, &decode(name)?, value)?;
        }
        Ok(Params(params))
    }

    /// The parameters of a reflex, gathered from everywhere.
    ///
    /// From weak to strong: the form, the JavaScript's `params`, the query of the page's address; objects are merged
    /// key by key, everything else is replaced. What routing found in the path stands above all and cannot be
    /// overridden by a client.
    ///
    /// ```
    /// use sinew_reflex::params::{Params, Sources};
    ///
    /// let params = Params::merge(&Sources {
    ///     query: "user[name]=from-url&id=9",
    ///     path: &[("id".into(), "42".into())],
    ///     form: "user[name]=from-form&user[news]=1",
    ///     params: None,
    /// })?;
    /// assert_eq!(params.get("user[name]"), Some("from-url"));
    /// assert_eq!(params.get("user[news]"), Some("1"));
    /// assert_eq!(params.get("id"), Some("42"));
    /// # Ok::<(), sinew_reflex::params::ParamsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_urlencoded`](Self::from_urlencoded), for the query and for the form.
    pub fn merge(sources: &Sources<'_>) -> Result<Self, ParamsError> {
        let query = Self::from_urlencoded(sources.query)?.0;
        let mut client = Self::from_urlencoded(sources.form)?.0;
        if let Some(params) = sources.params {
            if depth_of(params) > PARAMS_DEPTH_MAX {
                return Err(ParamsError::TooDeep);
            }
            deep_merge(&mut client, params.clone());
        }
        // Keys stand in the order of the original: query, path, then what the client added.
        let order: Vec<String> = query.keys().cloned().collect();
        deep_merge(&mut client, query);
        let mut merged = Map::with_capacity(client.len() + sources.path.len());
        for name in order {
            if let Some(value) = client.get_mut(&name) {
                merged.insert(name, value.take());
            }
        }
        for (name, value) in sources.path {
            merged.insert(name.clone(), Value::String(value.clone()));
        }
        for (name, value) in client {
            merged.entry(name).or_insert(value);
        }
        Ok(Params(merged))
    }

    /// The text at `path`, written as a form field's name is: `user[name]`, `items[0][n]`.
    ///
    /// `None` if nothing is there, or something other than a text.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.value(path).and_then(Value::as_str)
    }

    /// Whatever is at `path`: text, object, array, null; from JavaScript also numbers and booleans.
    ///
    /// A number in brackets is a key of an object or a place in an array.
    pub fn value(&self, path: &str) -> Option<&Value> {
        let (first, mut rest) = match path.find('[') {
            Some(bracket) => path.split_at(bracket),
            None => (path, ""),
        };
        let mut value = self.0.get(first)?;
        while let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = inside.split_once(']')?;
            value = match value {
                Value::Object(map) => map.get(key)?,
                Value::Array(list) => list.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
            rest = after;
        }
        rest.is_empty().then_some(value)
    }

    /// Reads the parameters into a type of your own.
    ///
    /// As everything from a form is text, texts are taken for what the type asks: numbers, booleans (`1 true t on
    /// yes` and `0 false f off no`, upper or lower case), an empty text is `None` for an `Option`, an object such as
    /// `items[0][n]` is also a list of its values. Unknown parameters are ignored.
    ///
    /// ```
    /// # use sinew_reflex::params::Params;
    /// #[derive(serde::Deserialize)]
    /// struct Search { page: u32, exact: bool, author: Option<String> }
    ///
    /// let search: Search = Params::from_urlencoded("page=2&exact=1&author=&utf8=x")?.parse()?;
    /// assert_eq!((search.page, search.exact, search.author), (2, true, None));
    /// # Ok::<(), sinew_reflex::params::ParamsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ParamsError::Mismatch`], saying what was expected, if something is missing or of another kind.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ParamsError> {
        lenient::from_map(&self.0)
    }

    /// Reads what is at `path` into a type of your own, as [`parse`](Self::parse) does.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); also if nothing is there.
    pub fn parse_at<T: DeserializeOwned>(&self, path: &str) -> Result<T, ParamsError> {
        match self.value(path) {
            Some(value) => lenient::from_value(value),
            None => Err(ParamsError::Mismatch(format!("missing param `{path}'"))),
        }
    }

    /// The tree itself.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The tree itself, to keep.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map<String, Value>> for Params {
    fn from(map: Map<String, Value>) -> Self {
        Params(map)
    }
}

/// Puts `stronger` over `weaker`: objects key by key, everything else replaced.
fn deep_merge(weaker: &mut Map<String, Value>, stronger: Map<String, Value>) {
    for (key, value) in stronger {
        match (weaker.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(over)) => deep_merge(inner, over),
            (_, value) => {
                weaker.insert(key, value);
            }
        }
    }
}

/// Levels of nesting. JSON text is limited to 128 by its reader, so the recursion is bounded.
fn depth_of(map: &Map<String, Value>) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(map) => 1 + map.values().map(of).max().unwrap_or(0),
            Value::Array(list) => 1 + list.iter().map(of).max().unwrap_or(0),
            _ => 0,
        }
    }
    1 + map.values().map(of).max().unwrap_or(0)
}

/// Undoes the encoding of one name or value: `+` is a space, `%41` an `A`.
fn decode(text: &str) -> Result<Cow<'_, str>, ParamsError> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    for (index, _) in text.match_indices('%') {
        let digits = bytes.get(index + 1..index + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(ParamsError::BadPercentEncoding(text.to_owned()));
        }
    }
    let spaced = text.replace('+', " ");
    let decoded: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    String::from_utf8(decoded).map(Cow::Owned).map_err(|error| {
        ParamsError::NotUtf8(String::from_utf8_lossy(error.as_bytes()).into_owned())
    })
}

#[cfg(test)]
mod tests;
