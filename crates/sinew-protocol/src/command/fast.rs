//! The shape every stock client sends, read in one pass: an object of the known keys, all of them strings.
//!
//! Whatever is unusual (another key, another type, a `\u` escape, anything malformed) is left to the general reader, so
//! this one never has to decide what is wrong. On a reflex's frame it takes less than half of the general reader's time,
//! most of which goes into the escaped quotes of `data`.

use std::borrow::Cow;

use super::{Field, Fields};

/// What stands for a character behind a backslash; zero for what must not stand there, or has digits after it.
const UNESCAPED: [u8; 256] = {
    let pairs = *b"\"\"\\\\//n\nt\tr\rb\x08f\x0c";
    let mut unescaped = [0; 256];
    let mut at = 0;
    while at < pairs.len() {
        unescaped[pairs[at] as usize] = pairs[at + 1];
        at += 2;
    }
    unescaped
};

/// Looked at together.
const WORD: usize = size_of::<u64>();

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
        let text = self.text;
        let rest = &text.as_bytes()[self.at..];
        let plain = plain_bytes(rest);
        match *rest.get(plain)? {
            b'"' => {
                let run = &text[self.at..self.at + plain];
                self.at += plain + 1;
                Some(Cow::Borrowed(run))
            }
            b'\\' => {
                let (text, used) = unescape(rest, plain)?;
                self.at += used;
                Some(Cow::Owned(text))
            }
            _ => None,
        }
    }
}

/// The text of a string with escapes, the first of which stands after so many plain bytes; and how many bytes of
/// `input` that took, the closing quote included.
fn unescape(input: &[u8], plain: usize) -> Option<(String, usize)> {
    // What is left of the frame is the most it can become; `data` stands last and is nearly all of it.
    let mut text = vec![0; input.len()];
    text[..plain].copy_from_slice(&input[..plain]);
    let (mut from, mut to) = (plain, plain);
    loop {
        // Eight bytes at a time, plain or not: what is not is written over by what comes next.
        while let Some(word) = input.get(from..from + WORD).and_then(word) {
            text.get_mut(to..to + WORD)?
                .copy_from_slice(&word.to_le_bytes());
            let plain = plain_in(word);
            from += plain;
            to += plain;
            if plain < WORD {
                break;
            }
        }
        match *input.get(from)? {
            b'"' => break,
            b'\\' => {
                let plain = UNESCAPED[usize::from(*input.get(from + 1)?)];
                if plain == 0 {
                    return None;
                }
                text[to] = plain;
                from += 2;
            }
            control if control < 0x20 => return None,
            plain => {
                text[to] = plain;
                from += 1;
            }
        }
        to += 1;
    }
    text.truncate(to);
    // It is: only whole characters were left out of what was a string, and others put in.
    let text = String::from_utf8(text).ok()?;
    Some((text, from + 1))
}

/// How many bytes there are before a quote, a backslash, or what must not stand in a string.
fn plain_bytes(input: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = input.get(at..at + WORD).and_then(word) {
        let plain = plain_in(word);
        at += plain;
        if plain < WORD {
            return at;
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let rest = &input[at..];
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

fn word(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().map(u64::from_le_bytes).ok()
}

/// The same for eight bytes, the first of them the lowest.
fn plain_in(word: u64) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; WORD]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; WORD]);
    // Subtracting borrows from a byte that is below: its highest bit is set then, unless it was set before. A borrow may
    // mark bytes above it as well, which does not matter for the lowest.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGHS;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let special = below(word, 0x20) | is(b'"') | is(b'\\');
    (special.trailing_zeros() / u8::BITS) as usize
}
