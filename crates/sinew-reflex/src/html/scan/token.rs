//! Tags, comments and raw text, read only in their plainest spelling.

use memchr::{memchr, memmem};

use super::Scanner;
use super::wanted::Attributes;

/// A start tag in the plainest spelling.
pub(super) struct StartTag {
    pub(super) name_start: usize,
    pub(super) name_end: usize,
    pub(super) self_closing: bool,
    pub(super) attributes: Attributes,
}

impl<'a> Scanner<'a, '_> {
    /// A comment without anything odd in it. Every other `<!` is refused.
    pub(super) fn comment(&mut self) -> Option<()> {
        let start = self.at + 4;
        if self.bytes.get(self.at..start)? != b"<!--" {
            return None;
        }
        let length = memmem::find(self.bytes.get(start..)?, b"-->")?;
        let inside = &self.bytes[start..start + length];
        // `<!-->`, `<!--->`, `--!>` and `<!--` inside end or nest in ways of their own.
        let odd = inside.starts_with(b">")
            || inside.starts_with(b"-")
            || inside.ends_with(b"-")
            || memmem::find(inside, b"--").is_some();
        self.at = start + length + 3;
        (!odd).then_some(())
    }

    pub(super) fn space_and_comments(&mut self) -> Option<()> {
        loop {
            self.white_space();
            if !self.bytes[self.at..].starts_with(b"<!") {
                return Some(());
            }
            self.comment()?;
        }
    }

    pub(super) fn white_space(&mut self) -> &'a str {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        &self.html[start..self.at]
    }

    /// Reads `<name attributes>` or `<name attributes/>` in the plainest spelling.
    pub(super) fn start_tag(&mut self) -> Option<StartTag> {
        if *self.bytes.get(self.at)? != b'<' {
            return None;
        }
        let name_start = self.at + 1;
        let mut at = name_start;
        while self
            .bytes
            .get(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        {
            at += 1;
        }
        let name_end = at;
        if !self.bytes.get(name_start)?.is_ascii_alphabetic() {
            return None;
        }
        let mut attributes = Attributes::default();
        let self_closing = loop {
            let space_start = at;
            while self.bytes.get(at)?.is_ascii_whitespace() {
                at += 1;
            }
            match self.bytes[at] {
                b'>' => {
                    at += 1;
                    break false;
                }
                b'/' => {
                    if *self.bytes.get(at + 1)? != b'>' {
                        return None;
                    }
                    at += 2;
                    break true;
                }
                // Attributes must be apart.
                _ if space_start == at => return None,
                _ => at = self.attribute(at, &mut attributes)?,
            }
        };
        self.at = at;
        Some(StartTag {
            name_start,
            name_end,
            self_closing,
            attributes,
        })
    }

    /// Reads one attribute and gives the place behind it.
    fn attribute(&self, start: usize, attributes: &mut Attributes) -> Option<usize> {
        let mut at = start;
        loop {
            match *self.bytes.get(at)? {
                b'=' | b'>' | b'/' | b' ' | b'\n' | b'\t' | b'\r' | 0x0c => break,
                b'"' | b'\'' | b'<' => return None,
                _ => at += 1,
            }
        }
        let name = start..at;
        if name.is_empty() {
            return None;
        }
        if self.bytes[at] != b'=' {
            attributes.see(&self.bytes[name], at..at);
            return Some(at);
        }
        at += 1;
        let value = match *self.bytes.get(at)? {
            quote @ (b'"' | b'\'') => {
                let length = memchr(quote, &self.bytes[at + 1..])?;
                let value = at + 1..at + 1 + length;
                at = value.end + 1;
                value
            }
            _ => {
                let value_start = at;
                loop {
                    match *self.bytes.get(at)? {
                        b'>' | b' ' | b'\n' | b'\t' | b'\r' | 0x0c => break,
                        b'"' | b'\'' | b'<' | b'`' => return None,
                        _ => at += 1,
                    }
                }
                if value_start == at {
                    return None;
                }
                value_start..at
            }
        };
        attributes.see(&self.bytes[name], value);
        Some(at)
    }

    pub(super) fn expect_end_tag(&mut self, name: &[u8]) -> Option<()> {
        let end = self.at + 2 + name.len();
        let tag = self.bytes.get(self.at..end)?;
        if !tag.starts_with(b"</") || &tag[2..] != name {
            return None;
        }
        self.at = end;
        self.white_space();
        if *self.bytes.get(self.at)? != b'>' {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// The text of a script, style, title or the like, whose start tag was just read, and its end tag.
    pub(super) fn raw_text(&mut self, tag: &StartTag) -> Option<()> {
        let name = &self.bytes[tag.name_start..tag.name_end];
        let start = self.at;
        let mut from = start;
        let end = loop {
            let end = from + memmem::find(&self.bytes[from..], b"</")?;
            let after = end + 2 + name.len();
            let there = self.bytes.get(end + 2..after)?;
            if there.eq_ignore_ascii_case(name)
                && matches!(
                    self.bytes.get(after),
                    Some(b'>' | b'/' | b' ' | b'\n' | b'\t' | b'\r' | 0x0c)
                )
            {
                break end;
            }
            from = end + 2;
        };
        // In a script, `<!--` may hide an end tag.
        if name == b"script" && memmem::find(&self.bytes[start..end], b"<!--").is_some() {
            return None;
        }
        self.at = end;
        self.expect_end_tag(name)
    }
}
