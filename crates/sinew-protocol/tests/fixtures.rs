//! The wire fixtures in `spec/action-cable`, which the browser client's tests read too.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sinew_protocol::{
    ClientCommand, CommandError, DisconnectReason, Identifier, ServerMessage, Subprotocol,
};

fn read<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!(
        "{}/../../spec/action-cable/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect("the fixture is there");
    serde_json::from_str(&text).expect("the fixture is JSON of this shape")
}

fn written(message: ServerMessage<'_>) -> String {
    let mut out = Vec::new();
    message.write(&mut out);
    String::from_utf8(out).expect("messages are UTF-8")
}

#[test]
fn client_commands() {
    #[derive(Deserialize)]
    struct Case {
        note: String,
        frame: String,
        command: Option<String>,
        identifier: Option<String>,
        data: Option<String>,
        error: Option<String>,
    }
    for case in read::<Case>("client-commands") {
        let parsed = ClientCommand::parse(&case.frame);
        let identifier = case.identifier.unwrap_or_default().into();
        let expected = match case.command.as_deref() {
            Some("subscribe") => ClientCommand::Subscribe { identifier },
            Some("unsubscribe") => ClientCommand::Unsubscribe { identifier },
            Some("message") => ClientCommand::Message {
                identifier,
                data: case.data.expect("a message has data").into(),
            },
            Some("ping") => ClientCommand::Ping,
            Some("pong") => ClientCommand::Pong,
            Some(other) => panic!("{other}: no such command"),
            None => {
                let error = match parsed.expect_err(&case.note) {
                    CommandError::NotJson(_) => "not-json",
                    CommandError::NotObject => "not-object",
                    CommandError::NoCommand => "no-command",
                    CommandError::UnknownCommand(_) => "unknown-command",
                    CommandError::IdentifierNotString => "identifier-not-string",
                    CommandError::DataNotString => "data-not-string",
                    _ => "another error",
                };
                assert_eq!(Some(error), case.error.as_deref(), "{}", case.note);
                assert!(ClientCommand::parse_bytes(case.frame.as_bytes()).is_err());
                continue;
            }
        };
        assert_eq!(parsed.expect(&case.note), expected, "{}", case.note);
        let from_bytes = ClientCommand::parse_bytes(case.frame.as_bytes());
        assert_eq!(from_bytes.expect(&case.note), expected, "{}", case.note);
    }
}

#[test]
fn server_messages() {
    #[derive(Deserialize)]
    struct Case {
        message: String,
        timestamp: Option<u64>,
        #[serde(default)]
        identifier: String,
        value: Option<String>,
        text: String,
    }
    for case in read::<Case>("server-messages") {
        let identifier = Identifier::from(case.identifier.as_str());
        let message = match case.message.as_str() {
            "welcome" => ServerMessage::Welcome,
            "ping" => ServerMessage::Ping {
                timestamp: case.timestamp.expect("a ping has a time"),
            },
            "pong" => ServerMessage::Pong,
            "confirm" => ServerMessage::Confirm {
                identifier: &case.identifier,
            },
            "reject" => ServerMessage::Reject {
                identifier: &case.identifier,
            },
            "data" => ServerMessage::Data {
                identifier: &identifier,
                message: case.value.as_deref().expect("data has a value"),
            },
            other => panic!("{other}: no such message"),
        };
        assert_eq!(written(message), case.text);
    }
}

#[test]
fn disconnect_reasons() {
    #[derive(Deserialize)]
    struct Case {
        reason: String,
        reconnect: bool,
        close_code: u16,
        close_text: String,
        text: String,
    }
    let cases = read::<Case>("disconnect-reasons");
    assert_eq!(cases.len(), DisconnectReason::ALL.len());
    for (case, reason) in cases.iter().zip(DisconnectReason::ALL) {
        assert_eq!(reason.as_str(), case.reason);
        assert_eq!(reason.reconnect(), case.reconnect);
        assert_eq!(reason.close_code(), case.close_code);
        assert_eq!(reason.close_text(), case.close_text);
        let message = ServerMessage::Disconnect {
            reason,
            reconnect: reason.reconnect(),
        };
        assert_eq!(written(message), case.text);
    }
}

#[test]
fn subprotocols() {
    #[derive(Deserialize)]
    struct Case {
        note: String,
        offers: Vec<String>,
        answer: Option<String>,
    }
    for case in read::<Case>("subprotocols") {
        let chosen = Subprotocol::negotiate(case.offers.iter().map(String::as_str));
        let answer = chosen.map(Subprotocol::as_str);
        assert_eq!(answer, case.answer.as_deref(), "{}", case.note);
    }
}

#[test]
fn strings_without_escapes_are_borrowed_from_the_frame() {
    use std::borrow::Cow;
    let command = ClientCommand::parse(r#"{"command":"message","identifier":"i","data":"d"}"#);
    let Ok(ClientCommand::Message { identifier, data }) = command else {
        panic!("a message");
    };
    assert!(matches!(identifier, Cow::Borrowed("i")));
    assert!(matches!(data, Cow::Borrowed("d")));
}

#[test]
fn only_an_object_with_a_string_names_a_channel() {
    let channel = |text: &str| Identifier::from(text).channel();
    assert_eq!(
        channel(r#"{"channel":"A","room":[1]}"#).as_deref(),
        Some("A")
    );
    assert_eq!(
        channel(r#" {"room":1,"channel":"A"}"#).as_deref(),
        Some("A")
    );
    for none in [
        "",
        "A",
        r#""A""#,
        r#"["A"]"#,
        r#"{"channel":1}"#,
        "{}",
        "null",
    ] {
        assert_eq!(channel(none), None, "{none}");
    }
}
