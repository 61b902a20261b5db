//! What a message looks like on its way: one notification, or several that are put together again.
//!
//! A notification is text without NUL of less than 8000 bytes. Ours is a line of numbers and a
//! part of the message, each divided by a space: the position, which the server writes; the node
//! that publishes, as 16 hexadecimal digits; which of that node's messages it is; which part of
//! how many; `t` for text or `b` for base64; and the part. The message is the bytes of the
//! stream's name, `:`, the name, and the payload.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

/// Bytes of a stream's name and a payload, at most: 8 MiB. A larger message is refused with
/// [`StreamsError::TooLarge`](sinew_streams::StreamsError::TooLarge).
pub const STREAM_MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of a message in one notification. What a notification has besides is at most 71: five
/// numbers of 20, 16, 20, 4 and 4 characters, a letter, and six separators.
const PART_BYTES_MAX: usize = 7_900;

/// Parts of one message, at most: base64 is a third longer than what it stands for, and text is
/// cut up to three bytes early.
const PARTS_MAX: u32 = (STREAM_MESSAGE_BYTES_MAX / 3 * 4 / (PART_BYTES_MAX - 3)) as u32 + 2;

/// Nodes whose last message is remembered. Of more, the one is forgotten that was heard of longest
/// ago.
const NODES_MAX: usize = 1_024;

/// What the notifications of one message say, but for the position, which the server puts in
/// front.
pub(super) fn write(node: u64, count: u64, name: &str, payload: &[u8]) -> Vec<String> {
    let (kind, message) = match std::str::from_utf8(payload) {
        Ok(payload) if !payload.contains('\0') && !name.contains('\0') => {
            ('t', format!("{}:{name}{payload}", name.len()))
        }
        _ => {
            let mut message = format!("{}:{name}", name.len()).into_bytes();
            message.extend_from_slice(payload);
            ('b', BASE64_STANDARD.encode(message))
        }
    };
    let parts = cut(&message);
    let of = parts.len();
    let written = parts.into_iter().enumerate();
    written
        .map(|(index, part)| format!("{node:016x} {count} {index}/{of} {kind} {part}"))
        .collect()
}

/// Cuts between characters.
fn cut(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(text.len() / PART_BYTES_MAX + 1);
    let mut rest = text;
    while rest.len() > PART_BYTES_MAX {
        // A character has up to four bytes.
        let ends = PART_BYTES_MAX - 3..=PART_BYTES_MAX;
        let end = ends.rev().find(|it| rest.is_char_boundary(*it));
        let (part, after) = rest.split_at(end.expect("one of four is a boundary"));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// One notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    position: u64,
    node: u64,
    count: u64,
    index: u32,
    of: u32,
    is_base64: bool,
    text: &'a str,
}

impl<'a> Part<'a> {
    /// `None` when somebody else wrote it.
    fn read(notification: &'a str) -> Option<Self> {
        let mut fields = notification.splitn(6, ' ');
        let position = number(fields.next()?)?;
        let node = fields.next().filter(|it| it.len() == 16)?;
        let node = u64::from_str_radix(node, 16).ok()?;
        let count = number(fields.next()?)?;
        let (index, of) = fields.next()?.split_once('/')?;
        let (index, of) = (number(index)?, number(of)?);
        let is_base64 = match fields.next()? {
            "t" => false,
            "b" => true,
            _ => return None,
        };
        let (index, of) = (u32::try_from(index).ok()?, u32::try_from(of).ok()?);
        (index < of && of <= PARTS_MAX).then_some(Self {
            position,
            node,
            count,
            index,
            of,
            is_base64,
            text: fields.next()?,
        })
    }
}

/// Decimal digits and nothing else.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) position: u64,
    pub(super) name: String,
    pub(super) payload: Bytes,
    /// Messages of the same node before it that did not come.
    pub(super) lost: u64,
}

/// What a notification was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    Message(Message),
    /// A part of a message that is not whole yet.
    Part,
    /// Somebody else's, or a part of which others are missing.
    Unreadable,
}

/// Puts messages together. The parts of one come one after another: they are notifications of one
/// transaction, and the server does not mix those of several.
#[derive(Debug, Default)]
pub(super) struct Reader {
    begun: Option<Begun>,
    nodes: HashMap<u64, Heard>,
    /// Counts messages, to know who was heard of last.
    heard: u64,
}

#[derive(Debug)]
struct Begun {
    position: u64,
    node: u64,
    count: u64,
    next: u32,
    of: u32,
    is_base64: bool,
    text: String,
}

/// The last message of a node.
#[derive(Debug)]
struct Heard {
    count: u64,
    at: u64,
}

impl Reader {
    /// What began on a connection that is lost will not be ended.
    pub(super) fn forget_begun(&mut self) {
        self.begun = None;
    }

    pub(super) fn read(&mut self, notification: &str) -> Read {
        let Some(part) = Part::read(notification) else {
            return Read::Unreadable;
        };
        let begun = self.begun.take();
        if part.of == 1 {
            return self.whole(&part, part.text);
        }
        let mut begun = match begun {
            None if part.index == 0 => Begun::new(&part),
            Some(begun) if begun.continues_with(&part) => begun,
            // A message that another one breaks off is lost; so is this, but where it begins.
            Some(_) if part.index == 0 => Begun::new(&part),
            _ => return Read::Unreadable,
        };
        begun.text.push_str(part.text);
        begun.next += 1;
        if begun.next < begun.of {
            self.begun = Some(begun);
            return Read::Part;
        }
        self.whole(&part, &begun.text)
    }

    fn whole(&mut self, part: &Part<'_>, text: &str) -> Read {
        let message = match part.is_base64 {
            true => match BASE64_STANDARD.decode(text) {
                Ok(bytes) => divide(&bytes),
                Err(_) => None,
            },
            false => divide(text.as_bytes()),
        };
        let Some((name, payload)) = message else {
            return Read::Unreadable;
        };
        Read::Message(Message {
            position: part.position,
            name,
            payload,
            lost: self.gap(part.node, part.count),
        })
    }

    /// How many messages of this node did not come before this one.
    fn gap(&mut self, node: u64, count: u64) -> u64 {
        self.heard += 1;
        let at = self.heard;
        if self.nodes.len() >= NODES_MAX
            && !self.nodes.contains_key(&node)
            && let Some((&longest_ago, _)) = self.nodes.iter().min_by_key(|(_, heard)| heard.at)
        {
            self.nodes.remove(&longest_ago);
        }
        let before = self.nodes.insert(node, Heard { count, at });
        before.map_or(0, |before| {
            count.saturating_sub(before.count.saturating_add(1))
        })
    }
}

impl Begun {
    fn new(part: &Part<'_>) -> Self {
        Self {
            position: part.position,
            node: part.node,
            count: part.count,
            next: 0,
            of: part.of,
            is_base64: part.is_base64,
            text: String::new(),
        }
    }

    fn continues_with(&self, part: &Part<'_>) -> bool {
        (self.position, self.node, self.count) == (part.position, part.node, part.count)
            && (self.next, self.of, self.is_base64) == (part.index, part.of, part.is_base64)
    }
}

/// The stream's name, and the payload.
fn divide(message: &[u8]) -> Option<(String, Bytes)> {
    let colon = message.iter().position(|byte| *byte == b':')?;
    let (length, rest) = (message.get(..colon)?, message.get(colon + 1..)?);
    let length = number(std::str::from_utf8(length).ok()?)?;
    let (name, payload) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let name = std::str::from_utf8(name).ok()?.to_owned();
    Some((name, Bytes::copy_from_slice(payload)))
}

#[cfg(test)]
mod tests;
