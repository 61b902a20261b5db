//! Writing JSON text straight into a string.

use serde_json::Value;

use crate::key::camelize_key;

/// Bytes that JSON strings must escape: the controls, the quote and the backslash.
static ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escaped[byte] = true;
        byte += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped
};

/// The place of the first byte from `at` on that must be escaped, or the length.
///
/// Eight bytes at a time: HTML has few of them, and this is the longest loop between a handler and its browser.
fn next_escaped(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("it is eight bytes"));
        // The high bit of a byte is set if the byte is below 0x20, a quote or a backslash; borrows may set more
        // of them above the lowest, which alone is looked at.
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = word ^ (ONES * 0x22);
        let backslash = word ^ (ONES * 0x5c);
        let found = (controls
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash))
            & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && !ESCAPED[usize::from(bytes[at])] {
        at += 1;
    }
    at
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
    loop {
        let index = next_escaped(bytes, start);
        out.push_str(&text[start..index]);
        let Some(&byte) = bytes.get(index) else {
            break;
        };
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
