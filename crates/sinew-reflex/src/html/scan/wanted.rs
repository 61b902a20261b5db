//! Selectors simple enough to be tested on a start tag alone.

use std::ops::Range;

/// A compound of a tag name, an id and classes: `body`, `#list`, `li.open`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::html) struct Wanted<'s> {
    tag: Option<&'s [u8]>,
    id: Option<&'s [u8]>,
    classes: Vec<&'s [u8]>,
}

/// Whether an element is wanted.
pub(super) enum Found {
    Yes,
    No,
    /// A value holds a character reference that could spell anything.
    Unsure,
}

/// The attributes of a start tag that selectors ask about.
#[derive(Default)]
pub(super) struct Attributes {
    id: Option<Range<usize>>,
    class: Option<Range<usize>>,
}

impl Attributes {
    /// Notes an attribute. Of two with one name the first counts.
    pub(super) fn see(&mut self, name: &[u8], value: Range<usize>) {
        let slot = match name.len() {
            2 if name.eq_ignore_ascii_case(b"id") => &mut self.id,
            5 if name.eq_ignore_ascii_case(b"class") => &mut self.class,
            _ => return,
        };
        slot.get_or_insert(value);
    }
}

impl<'s> Wanted<'s> {
    /// Reads a simple selector; `None` for all others.
    pub(in crate::html) fn parse(selector: &'s str) -> Option<Self> {
        let bytes = selector.as_bytes();
        let mut wanted = Wanted {
            tag: None,
            id: None,
            classes: Vec::new(),
        };
        let mut at = 0;
        while at < bytes.len() {
            let mark = bytes[at];
            let start = if matches!(mark, b'#' | b'.') {
                at + 1
            } else {
                at
            };
            let mut end = start;
            while bytes
                .get(end)
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            {
                end += 1;
            }
            let name = &bytes[start..end];
            // A CSS name starts with a letter or an underscore; other starts are rare and have rules.
            if !name
                .first()
                .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
            {
                return None;
            }
            match mark {
                b'#' if wanted.id.is_none() => wanted.id = Some(name),
                b'.' => wanted.classes.push(name),
                _ if at == 0 && start == at && !name.iter().any(u8::is_ascii_uppercase) => {
                    wanted.tag = Some(name);
                }
                _ => return None,
            }
            at = end;
        }
        (!bytes.is_empty()).then_some(wanted)
    }

    /// Whether it could be a `tbody` that nobody wrote.
    pub(super) fn wants_table_body(&self) -> bool {
        self.tag == Some(b"tbody")
    }

    pub(super) fn matches(&self, name: &[u8], attributes: &Attributes, source: &[u8]) -> Found {
        if self.tag.is_some_and(|tag| !tag.eq_ignore_ascii_case(name)) {
            return Found::No;
        }
        if let Some(id) = self.id {
            let Some(value) = &attributes.id else {
                return Found::No;
            };
            let value = &source[value.clone()];
            if hides_characters(value) {
                return Found::Unsure;
            }
            if value != id {
                return Found::No;
            }
        }
        if self.classes.is_empty() {
            return Found::Yes;
        }
        let Some(value) = &attributes.class else {
            return Found::No;
        };
        let value = &source[value.clone()];
        if hides_characters(value) {
            return Found::Unsure;
        }
        let has = |class: &&[u8]| {
            value
                .split(u8::is_ascii_whitespace)
                .any(|there| there == *class)
        };
        if self.classes.iter().all(has) {
            Found::Yes
        } else {
            Found::No
        }
    }
}

/// Whether a character reference in the value could stand for a letter of a name, or for white space.
fn hides_characters(value: &[u8]) -> bool {
    value
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'&')
        .any(|(index, _)| {
            let after = &value[index + 1..];
            ![
                &b"amp;"[..],
                b"lt;",
                b"gt;",
                b"quot;",
                b"apos;",
                b"#39;",
                b"#x27;",
                b"#34;",
            ]
            .iter()
            .any(|known| after.starts_with(known))
        })
}
