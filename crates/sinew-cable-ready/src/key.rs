//! Key rewriting: every key of an operation travels in lower camel case.

use std::borrow::Cow;

use serde_json::Value;

/// Rewrites one key the way CableReady servers do.
///
/// The first letter is lower-cased. `_` is dropped and the run of ASCII letters and digits after it is capitalised
/// (first raised, the rest lowered); the same after `/`, which becomes `::`. Everything else stays, hyphens too.
/// Borrows when nothing changes, which is the common case.
///
/// ```
/// use sinew_cable_ready::camelize_key;
/// assert_eq!(camelize_key("inner_html"), "innerHtml");
/// assert_eq!(camelize_key("data-post_id"), "data-postId");
/// assert_eq!(camelize_key("URL"), "uRL"); // only the first letter is lowered
/// assert_eq!(camelize_key("base_URL"), "baseUrl"); // but after an underscore the rest of the word is
/// assert_eq!(camelize_key("a/b_c"), "a::BC");
/// ```
pub fn camelize_key(key: &str) -> Cow<'_, str> {
    let starts_upper = key.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
    if !starts_upper && !key.bytes().any(|byte| byte == b'_' || byte == b'/') {
        return Cow::Borrowed(key);
    }
    let mut out = String::with_capacity(key.len() + 2);
    let mut rest = key.chars().peekable();
    if let Some(first) = rest.next_if(char::is_ascii_uppercase) {
        out.push(first.to_ascii_lowercase());
    }
    while let Some(character) = rest.next() {
        if character != '_' && character != '/' {
            out.push(character);
            continue;
        }
        if character == '/' {
            out.push_str("::");
        }
        if let Some(first) = rest.next_if(char::is_ascii_alphanumeric) {
            out.push(first.to_ascii_uppercase());
            while let Some(next) = rest.next_if(char::is_ascii_alphanumeric) {
                out.push(next.to_ascii_lowercase());
            }
        }
    }
    Cow::Owned(out)
}

/// Rewrites every key of `value` with [`camelize_key`], at any depth and inside arrays; values stay untouched.
///
/// ```
/// use serde_json::json;
/// let value = sinew_cable_ready::camelize_keys(json!({"some_key": [{"inner_key": "a_b"}]}));
/// assert_eq!(value, json!({"someKey": [{"innerKey": "a_b"}]}));
/// ```
pub fn camelize_keys(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| {
                    let rewritten = match camelize_key(&key) {
                        Cow::Borrowed(_) => None,
                        Cow::Owned(rewritten) => Some(rewritten),
                    };
                    (rewritten.unwrap_or(key), camelize_keys(value))
                })
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(camelize_keys).collect()),
        other => other,
    }
}
