//! How values become bytes.

use std::marker::PhantomData;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a payload is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// Bytes as they are.
    Raw,
}

/// A way to write a value.
pub(crate) trait Coding {
    type Value;
    const FORM: Form;

    fn encode(value: &Self::Value) -> Result<Bytes, serde_json::Error>;
    /// `None` when the bytes are no such value.
    fn decode(payload: &Bytes) -> Option<Self::Value>;
}

/// As JSON.
pub(crate) struct Json<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Coding for Json<T> {
    type Value = T;
    const FORM: Form = Form::Json;

    fn encode(value: &T) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(value).map(Bytes::from)
    }

    fn decode(payload: &Bytes) -> Option<T> {
        serde_json::from_slice(payload).ok()
    }
}

/// Bytes as they are.
pub(crate) struct Raw;

impl Coding for Raw {
    type Value = Bytes;
    const FORM: Form = Form::Raw;

    fn encode(value: &Bytes) -> Result<Bytes, serde_json::Error> {
        Ok(value.clone())
    }

    fn decode(payload: &Bytes) -> Option<Bytes> {
        Some(payload.clone())
    }
}

/// Text as it is.
pub(crate) struct Text;

impl Coding for Text {
    type Value = String;
    const FORM: Form = Form::Raw;

    fn encode(value: &String) -> Result<Bytes, serde_json::Error> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }

    fn decode(payload: &Bytes) -> Option<String> {
        std::str::from_utf8(payload).ok().map(str::to_owned)
    }
}
