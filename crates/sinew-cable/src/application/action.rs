//! The action of a message: one field of its data, found without reading the others.
//!
//! That the data is JSON has been seen already, by [`RawValue`]; so a string is passed over by looking for its closing
//! quote, and nothing is checked twice.

use std::ops::Range;

use memchr::memchr2;
use serde_json::value::RawValue;

const ACTION: &[u8] = b"action";

/// An action's name, without a copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// It stands in the data as it is, there.
    Plain(Range<usize>),
    /// It has escapes.
    Unescaped(String),
}

impl Action {
    /// The name, in the data that it was found in.
    pub(super) fn in_data<'a>(&'a self, data: &'a RawValue) -> &'a str {
        match self {
            Self::Plain(range) => data.get().get(range.clone()).unwrap_or_default(),
            Self::Unescaped(name) => name,
        }
    }
}

/// The `action` of a message: `Some(None)` when there is none, `None` when data is no object or the action no string.
/// Of several, the last counts, as in the original.
pub(super) fn read_action(data: &RawValue) -> Option<Option<Action>> {
    let text = data.get();
    let mut fields = Fields {
        bytes: text.as_bytes(),
        at: 0,
    };
    if fields.next()? != b'{' {
        return None;
    }
    let mut action = None;
    while let Some(b'"') = fields.next() {
        let key = fields.string()?;
        // The colon.
        fields.next()?;
        let from = fields.at;
        fields.value()?;
        if is_action(&text[key.0..key.1]) {
            action = Some(from..fields.at);
        }
        if fields.next() != Some(b',') {
            break;
        }
    }
    let Some(value) = action else {
        return Some(None);
    };
    // Space may stand before it; what is behind a plain name's quotes is not.
    let from = value.start + text[value.clone()].find('"')?;
    let (inside, until) = (from + 1, value.end - 1);
    if text[value.start..from].trim_ascii().is_empty() && !text[inside..until].contains('\\') {
        return Some(Some(Action::Plain(inside..until)));
    }
    let name = serde_json::from_str(&text[value]).ok()?;
    Some(Some(Action::Unescaped(name)))
}

/// Whether a key, its quotes not included, is the action's.
fn is_action(key: &str) -> bool {
    if key.as_bytes() == ACTION {
        return true;
    }
    // Escapes make it longer, and are not expected.
    key.contains('\\')
        && serde_json::from_str::<String>(&format!("\"{key}\""))
            .is_ok_and(|key| key.as_bytes() == ACTION)
}

/// JSON that is known to be well-formed, from left to right.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    /// The next byte that is not space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
        }
    }

    /// Passes a string whose opening quote was read; where its text begins and ends.
    fn string(&mut self) -> Option<(usize, usize)> {
        let from = self.at;
        loop {
            self.at += memchr2(b'"', b'\\', self.bytes.get(self.at..)?)?;
            if self.bytes[self.at] == b'"' {
                self.at += 1;
                return Some((from, self.at - 1));
            }
            self.at += 2;
        }
    }

    /// Passes a value.
    fn value(&mut self) -> Option<()> {
        match self.next()? {
            b'"' => drop(self.string()?),
            b'{' | b'[' => {
                let mut depth = 1_usize;
                while depth > 0 {
                    match self.next()? {
                        b'"' => drop(self.string()?),
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                }
            }
            _ => {
                let rest = self.bytes.get(self.at..)?;
                let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']');
                self.at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
