//! Writing JSON text straight into a string.

use serde_json::Value;

use crate::key::camelize_key;

/// Bytes that JSON strings must escape: the controls, the quote and the backslash.
const fn escapes(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends `text` as a JSON string, quotes included.
///
/// Only what JSON asks for is escaped: `<`, `>` and `&` stay as they are.
///
/// ```
/// let mut out = String::new();
/// sinew_cable_ready::write_string(&mut out, "<b title=\"é\">\n");
/// assert_eq!(out, r#""<b title=\"é\">\n""#);
/// ```
pub fn write_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if !escapes(byte) {
            continue;
        }
        out.push_str(&text[start..index]);
        start = index + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            other => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(HEX[usize::from(other >> 4)] as char);
                out.push(HEX[usize::from(other & 15)] as char);
            }
        }
    }
    out.push_str(&text[start..]);
    out.push('"');
}

/// Appends `value` with every key in lower camel case.
pub(crate) fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            use std::fmt::Write;
            // Writing to a string cannot fail.
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_string(out, text),
        Value::Array(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, &camelize_key(key));
                out.push(':');
                write_value(out, item);
            }
            out.push('}');
        }
    }
}

/// Appends `json` with every key in lower camel case, without building a tree.
///
/// `json` must be valid JSON text, such as what `serde_json` wrote or a `RawValue` holds; of text that is not, the
/// result is as wrong as the input, but nothing panics. Values, numbers included, are copied byte for byte.
///
/// ```
/// let mut out = String::new();
/// sinew_cable_ready::write_camelized_json(&mut out, r#"{"some_key":[{"a_b":"c_d"}],"n":1.50}"#);
/// assert_eq!(out, r#"{"someKey":[{"aB":"c_d"}],"n":1.50}"#);
/// ```
pub fn write_camelized_json(out: &mut String, json: &str) {
    out.reserve(json.len());
    let bytes = json.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        while at < bytes.len() && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        at = (at + 1).min(bytes.len());
        // A string is a key exactly when a colon follows.
        let mut after = at;
        while after < bytes.len() && bytes[after].is_ascii_whitespace() {
            after += 1;
        }
        if bytes.get(after) != Some(&b':') {
            continue;
        }
        let Some(quoted) = json.get(start..at) else {
            continue;
        };
        out.push_str(&json[copied..start]);
        copied = at;
        if quoted.contains('\\') {
            let key: String = serde_json::from_str(quoted).unwrap_or_default();
            write_string(out, &camelize_key(&key));
        } else {
            out.push('"');
            out.push_str(&camelize_key(&quoted[1..quoted.len() - 1]));
            out.push('"');
        }
    }
    out.push_str(&json[copied..]);
}
