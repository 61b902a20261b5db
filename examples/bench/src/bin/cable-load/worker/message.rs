//! What clients say, and what they make of what they hear.

use memchr::memmem;
use sinew_websocket::{Opcode, masked_frame_into, random_mask_key};

/// The nonce of every upgrade: a bare loop answers it with a fixed line.
pub(crate) const CLIENT_KEY: &str = "c2luZXcgbG9hZCB0b29sIQ==";

/// Numbers of messages have ten digits, so that they can be written over each other.
const NUMBER_FIRST: u32 = 1_000_000_000;

/// What a text from the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    Ping,
    Welcome,
    Confirmed,
    Rejected,
    Disconnect { reason: &'a str },
    Echo { number: u32 },
    Broadcast(Broadcast),
    Other,
}

/// What a broadcast says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broadcast {
    pub(crate) number: u32,
    /// The one before it in its room; none was before the first.
    pub(crate) previous: Option<u32>,
    /// When it was sent.
    pub(crate) at_us: u64,
}

impl<'a> Heard<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        if text.starts_with(r#"{"type":"ping""#) {
            return Self::Ping;
        }
        match string(text, "type") {
            Some("welcome") => return Self::Welcome,
            Some("confirm_subscription") => return Self::Confirmed,
            Some("reject_subscription") => return Self::Rejected,
            Some("ping") => return Self::Ping,
            Some("disconnect") => {
                let reason = string(text, "reason").unwrap_or_default();
                return Self::Disconnect { reason };
            }
            _ => {}
        }
        match string(text, "action") {
            Some("echo") => number(text, "number")
                .and_then(|number| u32::try_from(number).ok())
                .map_or(Self::Other, |number| Self::Echo { number }),
            Some("broadcast") => Broadcast::of(text).map_or(Self::Other, Self::Broadcast),
            _ => Self::Other,
        }
    }
}

impl Broadcast {
    fn of(text: &str) -> Option<Self> {
        Some(Self {
            number: number(text, "number")?.try_into().ok()?,
            previous: number(text, "previous")?.try_into().ok(),
            at_us: number(text, "at")?.try_into().ok()?,
        })
    }

    /// The data of the message that asks for it, about so many bytes.
    pub(crate) fn data(&self, room: u32, bytes: usize) -> String {
        let previous = self.previous.map_or(-1, i64::from);
        let Self { number, at_us, .. } = self;
        padded(bytes, |padding| {
            format!(
                r#"{{"action":"broadcast","room":"{room}","number":{number},"previous":{previous},"at":{at_us},"padding":"{padding}"}}"#
            )
        })
    }
}

fn padded(bytes: usize, with: impl Fn(&str) -> String) -> String {
    let bare = with("").len();
    with(&"x".repeat(bytes.saturating_sub(bare)))
}

/// The text after `"name":"`, up to the next quote; ours hold no escapes.
fn string<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = value(text, name)?.strip_prefix('"')?;
    rest.split('"').next()
}

fn number(text: &str, name: &str) -> Option<i64> {
    let rest = value(text, name)?;
    let ends = rest
        .bytes()
        .position(|byte| byte != b'-' && !byte.is_ascii_digit())?;
    rest[..ends].parse().ok()
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(found) = memmem::find(&text.as_bytes()[from..], name.as_bytes()) {
        let (begins, ends) = (from + found, from + found + name.len());
        if text[..begins].ends_with('"') && text[ends..].starts_with("\":") {
            return Some(text[ends + 2..].trim_start());
        }
        from = ends;
    }
    None
}

/// The text of a client's command.
pub(crate) fn command(command: &str, identifier: &str, data: Option<&str>) -> String {
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let identifier = string(identifier);
    match data {
        None => format!(r#"{{"command":"{command}","identifier":{identifier}}}"#),
        Some(data) => {
            let data = string(data);
            format!(r#"{{"command":"{command}","identifier":{identifier},"data":{data}}}"#)
        }
    }
}

/// A frame as clients send them.
pub(crate) fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(text.len() + 14);
    masked_frame_into(&mut frame, Opcode::Text, text, random_mask_key());
    frame
}

/// The message that is to be echoed, numbered anew each time it is sent.
pub(crate) struct Echo {
    text: Vec<u8>,
    number_at: usize,
    number: u32,
    frame: Vec<u8>,
}

impl Echo {
    /// With data of about so many bytes.
    pub(crate) fn new(identifier: &str, bytes: usize) -> Self {
        let data = padded(bytes, |padding| {
            format!(r#"{{"action":"echo","number":{NUMBER_FIRST},"padding":"{padding}"}}"#)
        });
        let text = command("message", identifier, Some(&data));
        let digits = NUMBER_FIRST.to_string();
        let number_at = text.find(&digits).expect("the number was written above");
        Self {
            text: text.into_bytes(),
            number_at,
            number: NUMBER_FIRST,
            frame: Vec::new(),
        }
    }

    /// The next message's number and frame.
    pub(crate) fn next(&mut self) -> (u32, &[u8]) {
        self.number = match self.number {
            u32::MAX => NUMBER_FIRST,
            number => number + 1,
        };
        let digits = self.number.to_string();
        self.text[self.number_at..self.number_at + digits.len()].copy_from_slice(digits.as_bytes());
        self.frame.clear();
        masked_frame_into(&mut self.frame, Opcode::Text, &self.text, random_mask_key());
        (self.number, &self.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, heard: Heard<'_>) {
        assert_eq!(Heard::of(text), heard, "{text}");
    }

    #[test]
    fn messages_are_told_apart_however_their_keys_are_ordered() {
        check(r#"{"type":"ping","message":17}"#, Heard::Ping);
        check(r#"{"type":"welcome","sid":"x"}"#, Heard::Welcome);
        let confirmed = r#"{"identifier":"{\"channel\":\"A\"}","type":"confirm_subscription"}"#;
        check(confirmed, Heard::Confirmed);
        check(
            r#"{"type":"reject_subscription","identifier":"x"}"#,
            Heard::Rejected,
        );
        let disconnect = r#"{"type":"disconnect","reason":"too_slow","reconnect":true}"#;
        check(disconnect, Heard::Disconnect { reason: "too_slow" });
        check(r#"{"identifier":"x","message":{}}"#, Heard::Other);
    }

    #[test]
    fn a_broadcast_is_read_as_it_was_written() {
        for previous in [None, Some(6)] {
            let broadcast = Broadcast {
                number: 7,
                previous,
                at_us: 123_456_789_012,
            };
            let data = broadcast.data(3, 200);
            assert_eq!(data.len(), 200);
            let text = format!(r#"{{"identifier":"x","message":{data}}}"#);
            check(&text, Heard::Broadcast(broadcast));
        }
        let sorted =
            r#"{"message":{"action":"broadcast","at":5,"number":1,"previous":0,"room":"0"}}"#;
        let broadcast = Broadcast {
            number: 1,
            previous: Some(0),
            at_us: 5,
        };
        check(sorted, Heard::Broadcast(broadcast));
    }

    #[test]
    fn every_echo_has_its_number() {
        let mut echo = Echo::new(r#"{"channel":"A"}"#, 64);
        let (first, _) = echo.next();
        let (second, _) = echo.next();
        assert_eq!(second, first + 1);
        let text = String::from_utf8(echo.text.clone()).unwrap();
        let command: serde_json::Value = serde_json::from_str(&text).unwrap();
        let data = command["data"].as_str().unwrap();
        assert_eq!(data.len(), 64);
        assert_eq!(Heard::of(data), Heard::Echo { number: second });
    }
}
