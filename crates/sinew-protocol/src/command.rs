mod fast;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::CommandError;

/// What a client asks for, in one frame.
///
/// Strings are borrowed from the frame wherever JSON did not escape them.
/// Keys the protocol does not know are passed over; a key given twice counts as its last value.
///
/// ```
/// use sinew_protocol::{ClientCommand, Identifier};
///
/// let frame = br#"{"command":"message","identifier":"{}","data":"{\"action\":\"say\"}"}"#;
/// let command = ClientCommand::parse_bytes(frame)?;
/// // The frame's buffer can go: the command has its own text now.
/// let command: ClientCommand<'static> = command.into_owned();
/// assert_eq!(command.len_bytes(), r#"{}{"action":"say"}"#.len());
/// let ClientCommand::Message { identifier, data } = command else { panic!("a message") };
/// assert_eq!(Identifier::from(&*identifier).channel(), None);
/// assert_eq!(data, r#"{"action":"say"}"#);
///
/// assert_eq!(ClientCommand::parse(r#"{"command":"pong"}"#)?, ClientCommand::Pong);
/// # Ok::<(), sinew_protocol::CommandError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCommand<'a> {
    /// Become a subscriber of the channel that the identifier names.
    Subscribe {
        /// The identifier as the client wrote it, to be echoed byte for byte.
        identifier: Cow<'a, str>,
    },
    /// Leave a subscription. Never answered.
    Unsubscribe {
        /// The identifier of the subscription.
        identifier: Cow<'a, str>,
    },
    /// Data for a subscription's channel.
    Message {
        /// The identifier of the subscription.
        identifier: Cow<'a, str>,
        /// The text the client sent, itself JSON if the client is a usual one; not checked here.
        data: Cow<'a, str>,
    },
    /// Asks for a [`ServerMessage::Pong`](crate::ServerMessage::Pong).
    Ping,
    /// A sign of life. Never answered.
    Pong,
}

impl<'a> ClientCommand<'a> {
    /// Reads one frame's text.
    ///
    /// # Errors
    ///
    /// A [`CommandError`] that says what is wrong; the connection lives on.
    ///
    /// # Example: data must be a string of JSON, not JSON
    ///
    /// ```
    /// use sinew_protocol::{ClientCommand, CommandError};
    ///
    /// let frame = r#"{"command":"message","identifier":"{}","data":{"action":"say"}}"#;
    /// assert!(matches!(ClientCommand::parse(frame), Err(CommandError::DataNotString)));
    /// ```
    pub fn parse(frame: &'a str) -> Result<Self, CommandError> {
        match fast::read(frame) {
            Some(fields) => Self::from_fields(fields),
            None => Self::from_envelope(serde_json::from_str(frame)),
        }
    }

    /// Reads one binary frame that carries the same JSON as a text frame would.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); bytes that are not UTF-8 are not JSON.
    pub fn parse_bytes(frame: &'a [u8]) -> Result<Self, CommandError> {
        match std::str::from_utf8(frame) {
            Ok(text) => Self::parse(text),
            Err(_) => Self::from_envelope(serde_json::from_slice(frame)),
        }
    }

    fn from_envelope(envelope: serde_json::Result<Envelope<'a>>) -> Result<Self, CommandError> {
        match envelope {
            Ok(Envelope::Object(fields)) => Self::from_fields(fields),
            Ok(Envelope::Other) => Err(CommandError::NotObject),
            Err(error) => Err(CommandError::NotJson(error)),
        }
    }

    fn from_fields(fields: Fields<'a>) -> Result<Self, CommandError> {
        let Field::String(command) = fields.command else {
            return Err(CommandError::NoCommand);
        };
        let identifier = match fields.identifier {
            Field::String(identifier) => Ok(identifier),
            _ => Err(CommandError::IdentifierNotString),
        };
        match &*command {
            "subscribe" => Ok(Self::Subscribe {
                identifier: identifier?,
            }),
            "unsubscribe" => Ok(Self::Unsubscribe {
                identifier: identifier?,
            }),
            "message" => match fields.data {
                Field::String(data) => Ok(Self::Message {
                    identifier: identifier?,
                    data,
                }),
                _ => {
                    identifier?;
                    Err(CommandError::DataNotString)
                }
            },
            "ping" => Ok(Self::Ping),
            "pong" => Ok(Self::Pong),
            _ => Err(CommandError::UnknownCommand(command.into_owned())),
        }
    }

    /// Copies what is borrowed, so that the command can wait.
    pub fn into_owned(self) -> ClientCommand<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        match self {
            Self::Subscribe { identifier } => ClientCommand::Subscribe {
                identifier: own(identifier),
            },
            Self::Unsubscribe { identifier } => ClientCommand::Unsubscribe {
                identifier: own(identifier),
            },
            Self::Message { identifier, data } => ClientCommand::Message {
                identifier: own(identifier),
                data: own(data),
            },
            Self::Ping => ClientCommand::Ping,
            Self::Pong => ClientCommand::Pong,
        }
    }

    /// Length of the text it carries, in bytes: what it weighs while it waits.
    pub fn len_bytes(&self) -> usize {
        match self {
            Self::Subscribe { identifier } | Self::Unsubscribe { identifier } => identifier.len(),
            Self::Message { identifier, data } => identifier.len() + data.len(),
            Self::Ping | Self::Pong => 0,
        }
    }
}

/// A frame's JSON, as far as the protocol looks at it.
enum Envelope<'a> {
    Object(Fields<'a>),
    Other,
}

#[derive(Default, PartialEq, Debug)]
struct Fields<'a> {
    command: Field<'a>,
    identifier: Field<'a>,
    data: Field<'a>,
}

/// One field: a string, or anything else, which is told apart but not kept.
#[derive(Default, PartialEq, Debug)]
enum Field<'a> {
    #[default]
    Missing,
    String(Cow<'a, str>),
    Other,
}

/// Implements the visits of values that are neither strings nor what the type is after.
macro_rules! other_values {
    ($other:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($other)
        }
    };
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvelopeVisitor;
        impl<'de> Visitor<'de> for EnvelopeVisitor {
            type Value = Envelope<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any JSON value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(key) = map.next_key::<Field<'de>>()? {
                    match key.as_str() {
                        "command" => fields.command = map.next_value()?,
                        "identifier" => fields.identifier = map.next_value()?,
                        "data" => fields.data = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Envelope::Object(fields))
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Envelope::Other)
            }

            other_values!(Envelope::Other);
        }
        deserializer.deserialize_any(EnvelopeVisitor)
    }
}

impl Field<'_> {
    fn as_str(&self) -> &str {
        match self {
            Field::String(text) => text,
            Field::Missing | Field::Other => "",
        }
    }
}

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;
        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = Field<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any JSON value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field::String(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field::String(Cow::Owned(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }

            other_values!(Field::Other);
        }
        deserializer.deserialize_any(FieldVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// What the quick reader reads, the general one reads too, and the same.
    fn check(frame: &str) -> bool {
        let Some(fields) = fast::read(frame) else {
            return false;
        };
        match serde_json::from_str(frame) {
            Ok(Envelope::Object(general)) => assert_eq!(fields, general, "{frame:?}"),
            _ => panic!("read {frame:?}, which is no object of JSON"),
        }
        true
    }

    #[test]
    fn stock_clients_frames_are_read_quickly() {
        for frame in [
            r#"{"command":"subscribe","identifier":"{\"channel\":\"StimulusReflex::Channel\"}"}"#,
            r#"{"command":"message","identifier":"{\"channel\":\"A\"}","data":"{\"text\":\"a\\\"b\\n größe 😀\"}"}"#,
            " { \"command\" :\t\"ping\" }\r\n",
        ] {
            assert!(check(frame), "{frame}");
        }
    }

    proptest! {
        #[test]
        fn any_strings_come_out_as_they_went_in(identifier: String, data: String) {
            let (identifier, data) = (Value::from(identifier), Value::from(data));
            check(&format!(r#"{{"command":"message","identifier":{identifier},"data":{data}}}"#));
        }

        #[test]
        fn quick_reader_agrees_with_the_general_one(
            pieces in proptest::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "\"", "\\", ":", ",", " ", "\n", "n", "u0041", "command", "identifier", "data",
                    "\"command\":\"ping\"", "\"data\":\"", "\\\"", "\\\\", "ö", "1", "null", "\u{1}", "/",
                ]),
                0..14,
            )
        ) {
            check(&pieces.concat());
            check(&format!("{{{}}}", pieces.concat()));
            check(&format!(r#"{{"data":"{}"}}"#, pieces.concat()));
        }
    }
}
