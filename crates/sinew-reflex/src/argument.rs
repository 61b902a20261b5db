//! Arguments: JSON values of the call become the types an action names.

mod keys;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};

/// What an action may take: everything that serde reads without borrowing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from what the browser sends",
    label = "arrives as JSON",
    note = "write `#[derive(serde::Deserialize)]` on the type that the action takes"
)]
#[doc(hidden)]
pub trait Argument: DeserializeOwned {}

// The trait is what the compiler names, since its message says what to write.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Argument for T {}

/// The arguments of one call, in order, each as it was sent.
///
/// Objects are read with underscored keys, at any depth, because a browser writes `someKey` where Rust writes `some_key`:
///
/// - a struct takes the key as sent when it has such a field, else the underscored one;
/// - maps and [`serde_json::Value`] see the underscored key only, as in the original;
/// - `Box<RawValue>` is the untouched text.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::json;
/// use sinew_reflex::{Action, Definition, Reflexes};
///
/// #[derive(serde::Deserialize)]
/// struct Address {
///     street_name: String,
/// }
///
/// struct Letters;
///
/// impl Reflexes for Letters {
///     fn definition() -> Definition<Self> {
///         Definition::new("Letters").action(
///             Action::new("send", |_letters, cx, arguments| {
///                 Box::pin(async move {
///                     assert_eq!((arguments.len(), arguments.is_empty()), (1, false));
///                     assert_eq!(
///                         arguments.raw(0).map(|raw| raw.get()),
///                         Some(r#"{"streetName":"Elm"}"#)
///                     );
///                     let address: Address = arguments.required(0, "address")?;
///                     let copies: Option<u32> = arguments.optional(1, "copies")?;
///                     assert_eq!(copies, None);
///                     // As text, since a visitor wrote it.
///                     cx.morph_nothing().cable_ready().text_content("#to", address.street_name);
///                     Ok(())
///                 })
///             })
///             .arguments(&["address"], &["copies"]),
///         )
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Letters)).await;
/// let reply = server.call_with("Letters#send", json!({"args": [{"streetName": "Elm"}]})).await;
/// assert_eq!(reply["operations"][0]["text"], "Elm");
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    values: &'a [&'a RawValue],
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(values: &'a [&'a RawValue]) -> Self {
        Self { values }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The argument at `index`, counted from 0, as it was sent: JSON text.
    pub fn raw(&self, index: usize) -> Option<&'a RawValue> {
        self.values.get(index).copied()
    }

    /// The argument at `index`, counted from 0, as a `T`. `name` is the parameter's, for the error.
    ///
    /// # Errors
    /// When it is missing or is no `T`; the error names the argument and the reason.
    pub fn required<T: Argument>(&self, index: usize, name: &str) -> Result<T> {
        match self.values.get(index) {
            Some(raw) => read(raw, index, name),
            None => Err(Error::of(
                ErrorKind::Arity,
                format!("argument {} (`{name}`) is missing", index + 1),
            )),
        }
    }

    /// The argument at `index`, counted from 0, as a `T` that may be absent: an `Option`, which is nothing for `null` and for a missing argument.
    ///
    /// # Errors
    /// When it is there and is no `T`.
    pub fn optional<T: Argument + Default>(&self, index: usize, name: &str) -> Result<T> {
        match self.values.get(index) {
            Some(raw) => read(raw, index, name),
            None => Ok(T::default()),
        }
    }
}

fn read<T: DeserializeOwned>(raw: &RawValue, index: usize, name: &str) -> Result<T> {
    let text = raw.get();
    // Only objects have keys to rewrite; a brace inside of a text takes the same, slower way to the same value.
    let value = if memchr::memchr(b'{', text.as_bytes()).is_some() {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        T::deserialize(keys::Underscored(&mut deserializer))
    } else {
        serde_json::from_str(text)
    };
    value.map_err(|error| {
        Error::of(
            ErrorKind::Argument,
            format!("argument {} (`{name}`) does not fit", index + 1),
        )
        .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    fn one<T: DeserializeOwned>(json: &str) -> Result<T> {
        let raw: &RawValue = serde_json::from_str(json).expect("json");
        Arguments::new(&[raw]).required(0, "a")
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Address {
        street_name: String,
        #[serde(default)]
        house_number: Option<u32>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Camel {
        street_name: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Box { side_length: u32 },
    }

    #[test]
    fn structs_take_either_spelling_of_a_key() {
        let expected = Address {
            street_name: "Elm".into(),
            house_number: Some(5),
        };
        assert_eq!(
            one::<Address>(r#"{"streetName":"Elm","houseNumber":5}"#).unwrap(),
            expected
        );
        assert_eq!(
            one::<Address>(r#"{"street_name":"Elm","house_number":5}"#).unwrap(),
            expected
        );
        assert_eq!(
            one::<Camel>(r#"{"streetName":"Elm"}"#).unwrap(),
            Camel {
                street_name: "Elm".into()
            }
        );
        assert_eq!(
            one::<Vec<Option<Address>>>(r#"[{"streetName":"Elm"},null]"#)
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn maps_have_underscored_keys_at_any_depth() {
        assert_eq!(
            one::<Value>(r#"{"someKey":[{"innerKey":1.5,"data-x":"{"}],"HTMLId":null}"#).unwrap(),
            json!({"some_key": [{"inner_key": 1.5, "data_x": "{"}], "html_id": null})
        );
        assert_eq!(
            one::<BTreeMap<String, u8>>(r#"{"someKey":1}"#).unwrap(),
            BTreeMap::from([("some_key".to_owned(), 1)])
        );
        assert_eq!(
            one::<Box<RawValue>>(r#"{"someKey":1}"#).unwrap().get(),
            r#"{"someKey":1}"#
        );
        assert_eq!(
            one::<BTreeMap<String, Box<RawValue>>>(r#"{"aB":{"cD":1}}"#).unwrap()["a_b"].get(),
            r#"{"cD":1}"#
        );
    }

    #[test]
    fn enums_of_all_forms_are_read() {
        assert_eq!(one::<Shape>(r#""Dot""#).unwrap(), Shape::Dot);
        assert_eq!(one::<Shape>(r#"{"Circle":2}"#).unwrap(), Shape::Circle(2.0));
        assert_eq!(
            one::<Shape>(r#"{"Box":{"sideLength":2}}"#).unwrap(),
            Shape::Box { side_length: 2 }
        );
    }

    #[test]
    fn an_error_names_the_argument_and_the_reason() {
        let error = one::<i64>(r#""ten""#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        let text = error.chain();
        assert!(
            text.starts_with("argument 1 (`a`) does not fit: invalid type: string"),
            "{text}"
        );
        assert_eq!(
            error.sentence(),
            "The server did not understand what this action was given."
        );
    }

    #[test]
    fn null_and_missing_are_nothing_for_an_option() {
        assert_eq!(one::<Option<i64>>("null").unwrap(), None);
        assert_eq!(
            Arguments::new(&[]).optional::<Option<i64>>(0, "a").unwrap(),
            None
        );
        assert!(Arguments::new(&[]).required::<i64>(0, "a").is_err());
    }
}
