//! The shape every stock client sends, read in one pass: an object of the known keys, all of them strings.
//!
//! Whatever is unusual (another key, another type, a `\u` escape, anything malformed) is left to the general reader, so
//! this one never has to decide what is wrong. On a reflex's frame it takes less than half of the general reader's time,
//! most of which goes into the escaped quotes of `data`.

use std::borrow::Cow;

use super::{Field, Fields};

/// Bytes that end a run of plain text in a JSON string: the quote, the backslash, and what must not stand there.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special
};

/// The fields, or nothing when the frame has not that shape.
pub(super) fn read(frame: &str) -> Option<Fields<'_>> {
    let mut reader = Reader { text: frame, at: 0 };
    let mut fields = Fields::default();
    reader.expect(b'{')?;
    loop {
        reader.expect(b'"')?;
        let key = reader.string()?;
        reader.expect(b':')?;
        reader.expect(b'"')?;
        let value = Field::String(reader.string()?);
        match &*key {
            "command" => fields.command = value,
            "identifier" => fields.identifier = value,
            "data" => fields.data = value,
            _ => return None,
        }
        match reader.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    // A whole frame is one value: nothing but space may follow.
    reader.next().is_none().then_some(fields)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is not space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// The rest of a string whose opening quote was read, its closing quote too.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let (run, end) = self.run()?;
        if end == b'"' {
            return Some(Cow::Borrowed(run));
        }
        // What is left of the frame is the most it can become; `data` stands last and is nearly all of it.
        let mut text = String::with_capacity(run.len() + self.text.len() - self.at);
        text.push_str(run);
        loop {
            let escaped = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            text.push(match escaped {
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                _ => return None,
            });
            let (run, end) = self.run()?;
            text.push_str(run);
            if end == b'"' {
                return Some(Cow::Owned(text));
            }
        }
    }

    /// Plain text, and the quote or backslash that ends it.
    fn run(&mut self) -> Option<(&'a str, u8)> {
        let text = self.text;
        let rest = &text.as_bytes()[self.at..];
        let length = rest.iter().position(|byte| SPECIAL[usize::from(*byte)])?;
        let end = rest[length];
        let run = &text[self.at..self.at + length];
        self.at += length + 1;
        (end >= 0x20).then_some((run, end))
    }
}
