//! The element that called a reflex, as the browser described it.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::inflection::{pluralize, underscore};

/// A snapshot of the DOM element that called the reflex: its attributes, its data attributes, its state.
///
/// Everything in it was sent by the browser and may be forged. Nothing is read before it is asked for.
///
/// ```
/// # use serde_json::value::RawValue;
/// # use sinew_reflex::element::Element;
/// let attrs = RawValue::from_string(r#"{"id":"b","data-post-id":"7","tag_name":"BUTTON"}"#.into())?;
/// let dataset = RawValue::from_string(
///     r#"{"dataset":{"data-post-id":"7"},"datasetAll":{"data-post-id":["7","8"]}}"#.into(),
/// )?;
/// let element = Element::from_call(Some(&attrs), Some(&dataset));
///
/// assert_eq!(element.id(), Some("b"));
/// assert_eq!(element.get("data_post_id"), Some("7"));           // dash or underscore
/// assert_eq!(element.dataset().get("post_id"), Some("7"));      // without the prefix
/// assert_eq!(element.numeric("post-id"), Ok(7.0));
/// assert_eq!(element.dataset().all("post_ids"), ["7", "8"]);    // pluralised
/// assert_eq!(element.to_dom_id().as_deref(), Ok("#b"));         // what to morph
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Of form fields, what they say:
///
/// ```
/// # use serde_json::value::RawValue;
/// # use sinew_reflex::element::{Element, ElementError};
/// # fn element(attrs: &str, dataset: &str) -> Element {
/// #     let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
/// #     Element::from_call(Some(&raw(attrs)), Some(&raw(dataset)))
/// # }
/// let agree = element(
///     r#"{"tag_name": "INPUT", "type": "checkbox", "checked": true, "value": "yes"}"#,
///     r#"{"dataset": {"data-price": "12.50", "data-draft": "false"}}"#,
/// );
/// assert_eq!(agree.tag_name(), Some("INPUT"));
/// assert_eq!((agree.checked(), agree.selected()), (true, false));
/// assert_eq!((agree.value(), agree.values()), (Some("yes"), None));
/// assert_eq!(agree.attributes().get("type"), Some(&"checkbox".into()));
///
/// assert_eq!(agree.numeric("price"), Ok(12.5));
/// assert_eq!(agree.numeric("tax"), Err(ElementError::Missing("tax".to_owned())));
/// assert!(!agree.boolean("draft"));
/// assert!(agree.boolean("public"), "missing means yes");
///
/// let sizes = element(r#"{"tag_name": "SELECT", "values": ["s", "xl"], "value": "s,xl"}"#, "{}");
/// assert_eq!(sizes.values(), Some(vec!["s", "xl"]));
/// ```
#[derive(Debug, Default)]
pub struct Element {
    attrs: Option<Box<RawValue>>,
    dataset: Option<Box<RawValue>>,
    attributes: OnceLock<Attributes>,
    data_attributes: OnceLock<Dataset>,
}

/// Something asked of an element that it cannot give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElementError {
    /// A data attribute that should be a number is none.
    #[error("invalid value for Float(): {0:?}")]
    NotANumber(String),
    /// A data attribute that should be a number is not there; its name without `data-`.
    #[error("the element has no data attribute {0:?}")]
    Missing(String),
    /// The element has no id, so nothing on the page can be aimed at by it.
    #[error("the element has no id")]
    WithoutId,
}

impl Element {
    /// Takes the raw `attrs` and `dataset` of a reflex call.
    ///
    /// What is not there, or not an object, counts as empty: a call need not have either.
    pub fn from_call(attrs: Option<&RawValue>, dataset: Option<&RawValue>) -> Self {
        Element {
            attrs: attrs.map(ToOwned::to_owned),
            dataset: dataset.map(ToOwned::to_owned),
            ..Element::default()
        }
    }

    /// The attributes and the properties that the client adds to them: `checked`, `selected`, `tag_name`, `value`,
    /// `values`.
    pub fn attributes(&self) -> &Attributes {
        self.attributes.get_or_init(|| {
            let mut attributes = read::<Map<String, Value>>(self.attrs.as_deref());
            add_underscored(&mut attributes);
            Attributes(attributes)
        })
    }

    /// The data attributes, without their prefix, together with what `data-reflex-dataset` and
    /// `data-reflex-dataset-all` gathered from elsewhere on the page.
    pub fn dataset(&self) -> &Dataset {
        self.data_attributes
            .get_or_init(|| Dataset::new(read(self.dataset.as_deref())))
    }

    /// The text of an attribute, by its name with dashes or underscores.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes().get(name).and_then(Value::as_str)
    }

    /// The id of the element.
    pub fn id(&self) -> Option<&str> {
        self.get("id")
    }

    /// The name of the tag, upper case: `"BUTTON"`.
    pub fn tag_name(&self) -> Option<&str> {
        self.get("tag_name")
    }

    /// The value of a form field. Of a select and of grouped checkboxes, the values joined by commas:
    /// see [`values`](Self::values).
    pub fn value(&self) -> Option<&str> {
        self.get("value")
    }

    /// The chosen values of a select, and those of grouped checkboxes and radio buttons; `None` for other elements.
    pub fn values(&self) -> Option<Vec<&str>> {
        let list = self.attributes().get("values")?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    /// Whether a checkbox or radio button is checked.
    pub fn checked(&self) -> bool {
        self.attributes().get("checked") == Some(&Value::Bool(true))
    }

    /// Whether an option is selected.
    pub fn selected(&self) -> bool {
        self.attributes().get("selected") == Some(&Value::Bool(true))
    }

    /// A data attribute as a number; `name` is without `data-`.
    ///
    /// Reads what Ruby's `Float()` reads: surrounding white space, an exponent and `_` between digits are fine.
    ///
    /// # Errors
    ///
    /// [`ElementError::Missing`] and [`ElementError::NotANumber`].
    pub fn numeric(&self, name: &str) -> Result<f64, ElementError> {
        match self.dataset().value(name) {
            Some(Value::String(text)) => {
                parse_float(text).ok_or_else(|| ElementError::NotANumber(text.clone()))
            }
            Some(Value::Number(number)) => number
                .as_f64()
                .ok_or_else(|| ElementError::NotANumber(number.to_string())),
            Some(other) => Err(ElementError::NotANumber(other.to_string())),
            None => Err(ElementError::Missing(name.to_owned())),
        }
    }

    /// A data attribute as yes or no; `name` is without `data-`.
    ///
    /// No for `false`, `FALSE`, `f`, `F`, `0`, `off`, `OFF`. **Yes for everything else, the empty and the missing
    /// attribute included**, as in the original: ask [`Dataset::get`] where that matters.
    pub fn boolean(&self, name: &str) -> bool {
        match self.dataset().value(name) {
            Some(Value::String(text)) => !matches!(
                text.as_str(),
                "false" | "FALSE" | "f" | "F" | "0" | "off" | "OFF"
            ),
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => true,
        }
    }

    /// The selector of the element, `#id`, to morph it.
    ///
    /// # Errors
    ///
    /// [`ElementError::WithoutId`] if it has no id.
    pub fn to_dom_id(&self) -> Result<String, ElementError> {
        match self.id() {
            Some(id) if !id.trim().is_empty() => Ok(format!("#{id}")),
            _ => Err(ElementError::WithoutId),
        }
    }
}

/// The attributes of an [`Element`]. Serialises to an object.
///
/// ```
/// # use serde_json::value::RawValue;
/// # use sinew_reflex::element::Element;
/// let attrs = RawValue::from_string(r#"{"aria-label": "Add", "checked": false}"#.into())?;
/// let element = Element::from_call(Some(&attrs), None);
///
/// let attributes = element.attributes();
/// assert_eq!(attributes.get("aria_label"), Some(&"Add".into()));
/// assert_eq!(attributes.get("checked"), Some(&false.into()));
/// let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["aria-label", "checked", "aria_label"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// An attribute by its name with dashes or underscores. Text, but for `checked` and `selected` (booleans) and
    /// `values` (an array of texts).
    pub fn get(&self, name: &str) -> Option<&Value> {
        lookup(&self.0, name)
    }

    /// All names and values: first as the browser sent them, then once more in snake case where that differs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// The data attributes of an [`Element`]. Serialises to an object.
///
/// ```
/// # use serde_json::value::RawValue;
/// # use sinew_reflex::element::Element;
/// let dataset = RawValue::from_string(
///     r#"{"dataset": {"data-user-id": "7"}, "datasetAll": {"data-row": ["1", "2"]}}"#.into(),
/// )?;
/// let element = Element::from_call(None, Some(&dataset));
///
/// let dataset = element.dataset();
/// assert_eq!(dataset.get("user-id"), Some("7"));
/// assert_eq!(dataset.get("user_id"), Some("7"));
/// assert_eq!(dataset.all("rows"), ["1", "2"]);
/// assert_eq!(dataset.all("user-id"), ["7"]);
/// assert_eq!(dataset.value("rows"), Some(&serde_json::json!(["1", "2"])));
///
/// let names: Vec<_> = dataset.attributes().map(|(name, _)| name).collect();
/// assert_eq!(names, ["user-id", "data_user_id", "rows"]);
/// assert_eq!(dataset.iter().last(), Some(("user_id", &"7".into())));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Dataset {
    values: Map<String, Value>,
    /// How many of the values come before those repeated in snake case.
    #[serde(skip)]
    own: usize,
}

#[derive(Default, Deserialize)]
struct RawDataset {
    #[serde(default)]
    dataset: Map<String, Value>,
    #[serde(default, rename = "datasetAll")]
    dataset_all: Map<String, Value>,
}

impl Dataset {
    fn new(raw: RawDataset) -> Self {
        let mut values = Map::with_capacity(raw.dataset.len() * 2);
        for (name, value) in &raw.dataset {
            values.insert(without_prefix(name).to_owned(), value.clone());
        }
        // The original keeps a copy of every attribute under its whole name in snake case.
        for (name, value) in raw.dataset {
            if let Some(snake) = underscore(&name) {
                values.entry(snake).or_insert(value);
            }
        }
        for (name, all) in raw.dataset_all {
            let plural = pluralize(without_prefix(&name));
            let all = match all {
                Value::Array(list) => list,
                single => vec![single],
            };
            let value = match values.get(&plural) {
                // A data attribute that has the plural name itself goes first.
                Some(Value::Array(list)) => list.iter().cloned().chain(all).collect(),
                Some(plain) => std::iter::once(plain.clone()).chain(all).collect(),
                None => all,
            };
            values.insert(plural, Value::Array(value));
        }
        let own = values.len();
        add_underscored(&mut values);
        Dataset { values, own }
    }

    /// The text of a data attribute, by its name without `data-`, with dashes or underscores.
    ///
    /// `None` for one that holds several values: see [`all`](Self::all).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The values gathered by `data-reflex-dataset-all` under the plural of a name: `post_ids` for `data-post-id`.
    /// A plain attribute is a list of one, a missing one an empty list.
    pub fn all(&self, name: &str) -> Vec<&str> {
        match self.value(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// A value as it is: a text, or an array of texts under a plural name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        lookup(&self.values, name)
    }

    /// All names and values: those of [`attributes`](Self::attributes), then once more in snake case where that
    /// differs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Names and values with dashes as on the page.
    ///
    /// Also in it, as in the original: each attribute under its whole name in snake case (`data_post_id`).
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter().take(self.own)
    }
}

fn read<T: Default + serde::de::DeserializeOwned>(raw: Option<&RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

fn without_prefix(name: &str) -> &str {
    name.strip_prefix("data-").unwrap_or(name)
}

fn lookup<'a>(values: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    values
        .get(name)
        .or_else(|| values.get(&name.replace('-', "_")))
}

fn add_underscored(values: &mut Map<String, Value>) {
    let snake: Vec<(String, Value)> = values
        .iter()
        .filter_map(|(name, value)| Some((underscore(name)?, value.clone())))
        .collect();
    for (name, value) in snake {
        values.entry(name).or_insert(value);
    }
}

/// Reads a number as Ruby's `Float()` does.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(hex) = unsigned
        .strip_prefix("0x")
        .or_else(|| unsigned.strip_prefix("0X"))
    {
        let digits = digits(hex, |c| c.is_ascii_hexdigit())?;
        let number = u64::from_str_radix(&digits, 16).ok()? as f64;
        return Some(if text.starts_with('-') {
            -number
        } else {
            number
        });
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let mut plain = String::with_capacity(text.len());
    if text.starts_with('-') {
        plain.push('-');
    }
    if whole.is_empty() && fraction.is_some() {
        plain.push('0');
    } else {
        plain.push_str(&digits(whole, |c| c.is_ascii_digit())?);
    }
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(&digits(fraction, |c| c.is_ascii_digit())?);
    }
    if let Some(exponent) = exponent {
        plain.push('e');
        if exponent.starts_with('-') {
            plain.push('-');
        }
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        plain.push_str(&digits(exponent, |c| c.is_ascii_digit())?);
    }
    plain.parse().ok()
}

/// Digits with single underscores between them, without the underscores.
fn digits(text: &str, is_digit: impl Fn(char) -> bool) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut digit_before = false;
    for character in text.chars() {
        if is_digit(character) {
            out.push(character);
            digit_before = true;
        } else if character == '_' && digit_before {
            digit_before = false;
        } else {
            return None;
        }
    }
    (digit_before && !out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests;
