use serde::de::IgnoredAny;

/// Whether the text is one whole JSON value.
///
/// ```
/// assert!(sinew_protocol::is_json(r#" {"a": 9007199254740993} "#));
/// assert!(!sinew_protocol::is_json("hello"));
/// assert!(!sinew_protocol::is_json(""));
/// ```
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Appends the text as a JSON string, with quotes.
///
/// ```
/// let mut out = Vec::new();
/// sinew_protocol::write_string(&mut out, "a \"b\"\n");
/// assert_eq!(out, br#""a \"b\"\n""#);
/// ```
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing a string into a Vec cannot fail");
}

/// Appends text that is JSON unchanged, and any other text as a JSON string.
///
/// Nothing is decoded and encoded again: key order, large integers and spacing stay as they were.
///
/// ```
/// let mut out = Vec::new();
/// sinew_protocol::write_json_or_string(&mut out, r#"{"z":1,"a":9007199254740993}"#);
/// sinew_protocol::write_json_or_string(&mut out, "plain");
/// assert_eq!(out, br#"{"z":1,"a":9007199254740993}"plain""#);
/// ```
pub fn write_json_or_string(out: &mut Vec<u8>, text: &str) {
    if is_json(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_string(out, text);
    }
}
