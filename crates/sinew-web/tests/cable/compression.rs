//! permessage-deflate, negotiated and not, with a client of this project's own frames: the other one has no extension.

use http::header::SEC_WEBSOCKET_EXTENSIONS;
use serde_json::json;
use sinew_web::WebSocketConfig;
use sinew_websocket::deflate::{self, Deflater};
use sinew_websocket::handshake::{client_key, client_request, read_response_to_offer};
use sinew_websocket::{Effect, Endpoint, Limits, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::server::{Server, slow_pings};

const ECHO: &str = r#"{"channel":"EchoChannel"}"#;
const NEWS: &str = r#"{"channel":"NewsChannel"}"#;
const COMPRESSED: u8 = 0xc1;
const PLAIN: u8 = 0x81;

async fn compressing() -> Server {
    let mut config = WebSocketConfig::default();
    config.compression = true;
    Server::with(slow_pings(), config).await
}

/// A client that offered the extension.
struct Browser {
    stream: TcpStream,
    endpoint: Endpoint,
    /// What came and was not looked at, a whole number of frames or less.
    input: Vec<u8>,
}

impl Browser {
    async fn connect(server: &Server, offer: &str) -> (Self, bool) {
        let mut stream = TcpStream::connect(server.address).await.expect("connects");
        let key = client_key();
        let headers = [
            ("Sec-WebSocket-Protocol", "actioncable-v1-json"),
            ("Sec-WebSocket-Extensions", offer),
        ];
        let request = client_request("127.0.0.1", "/cable", &key, &headers);
        stream.write_all(request.as_bytes()).await.expect("sends");
        let mut input = Vec::new();
        let (length, has_deflate) = loop {
            if let Some(answer) = read_response_to_offer(&input, &key).expect("a good answer") {
                break (answer.header_bytes, answer.deflate);
            }
            assert!(stream.read_buf(&mut input).await.expect("reads") > 0);
        };
        input.drain(..length);
        let mut endpoint = Endpoint::new(Role::Client, &Limits::default());
        if has_deflate {
            endpoint = endpoint.with_deflate();
        }
        let browser = Self {
            stream,
            endpoint,
            input,
        };
        (browser, has_deflate)
    }

    async fn welcomed(server: &Server) -> Self {
        let (mut browser, has_deflate) = Self::connect(server, deflate::OFFER).await;
        assert!(has_deflate);
        assert_eq!(browser.next().await.1, r#"{"type":"welcome"}"#);
        browser
    }

    /// A command, compressed, in a frame whose mask is zeros.
    async fn send(&mut self, command: &str, identifier: &str, data: &str) {
        let command = json!({"command": command, "identifier": identifier, "data": data});
        self.send_text(&command.to_string()).await;
    }

    async fn send_text(&mut self, text: &str) {
        let compressed = Deflater::default().compress(&[text.as_bytes()]);
        let frame = compressed
            .and_then(|it| it.text_frame(&[]))
            .expect("shorter");
        self.write(&masked(frame.as_bytes())).await;
    }

    async fn write(&mut self, frames: &[u8]) {
        self.stream.write_all(frames).await.expect("sends");
    }

    /// The next message: the first byte of its frame, and its text.
    async fn next(&mut self) -> (u8, String) {
        loop {
            if let Some(length) = frame_bytes(&self.input) {
                let mut frame: Vec<u8> = self.input.drain(..length).collect();
                let first = frame[0];
                let mut texts = Vec::new();
                self.endpoint.receive(&mut frame, |effect| match effect {
                    Effect::Text(text) => texts.push(text.to_owned()),
                    Effect::Closed { code, .. } => {
                        texts.push(format!("closed {}", code.expect("one")))
                    }
                    Effect::Send(_) => {}
                    other => panic!("a server sends text, not {other:?}"),
                });
                return (first, texts.concat());
            }
            let read = self.stream.read_buf(&mut self.input).await.expect("reads");
            assert!(read > 0, "the server is gone");
        }
    }
}

/// How long the first frame is, a server's; `None` while it is not all there.
fn frame_bytes(input: &[u8]) -> Option<usize> {
    let length = match *input.get(1)? {
        126 => 4 + usize::from(u16::from_be_bytes(*input.get(2..)?.first_chunk()?)),
        127 => 10 + u64::from_be_bytes(*input.get(2..)?.first_chunk()?) as usize,
        short => 2 + usize::from(short),
    };
    (input.len() >= length).then_some(length)
}

/// A server's frame as a client sends it.
fn masked(frame: &[u8]) -> Vec<u8> {
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mut out = frame[..header].to_vec();
    out[1] |= 0x80;
    out.extend([0; 4]);
    out.extend(&frame[header..]);
    out
}

#[tokio::test]
async fn it_is_off_unless_it_is_turned_on() {
    let server = Server::start().await;
    let (mut browser, has_deflate) = Browser::connect(&server, deflate::OFFER).await;
    assert!(!has_deflate);
    assert_eq!(browser.next().await.1, r#"{"type":"welcome"}"#);
    let hello = b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\x00";
    browser.write(hello).await;
    assert_eq!(browser.next().await.1, "closed 1002");
}

#[tokio::test]
async fn only_an_offer_that_can_be_served_is_accepted() {
    let server = compressing().await;
    let table = [
        ("permessage-deflate; client_max_window_bits", true),
        ("permessage-deflate; server_max_window_bits=15", true),
        ("permessage-deflate; server_max_window_bits=10", false),
        (
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            true,
        ),
        ("permessage-bzip2", false),
    ];
    for (offer, expected) in table {
        let (mut browser, has_deflate) = Browser::connect(&server, offer).await;
        assert_eq!(has_deflate, expected, "{offer}");
        assert_eq!(
            browser.next().await,
            (PLAIN, r#"{"type":"welcome"}"#.to_owned())
        );
    }
    let other = server.client().await;
    assert!(
        !other.handshake.contains_key(SEC_WEBSOCKET_EXTENSIONS),
        "not offered"
    );
}

#[tokio::test]
async fn long_messages_are_compressed_both_ways_and_short_ones_are_not() {
    let server = compressing().await;
    let mut browser = Browser::welcomed(&server).await;
    browser.send("subscribe", ECHO, "").await;
    let confirmed = json!({"identifier": ECHO, "type": "confirm_subscription"});
    assert_eq!(browser.next().await, (PLAIN, confirmed.to_string()));

    for (text, form) in [
        ("short".to_owned(), PLAIN),
        ("<li>long</li>".repeat(500), COMPRESSED),
    ] {
        let data = json!({"action": "say", "text": text}).to_string();
        browser.send("message", ECHO, &data).await;
        let (first, heard) = browser.next().await;
        assert_eq!(first, form);
        assert_eq!(
            heard,
            format!(r#"{{"identifier":{},"message":{data}}}"#, json!(ECHO))
        );
    }
}

#[tokio::test]
async fn a_broadcast_reaches_everybody_in_the_form_they_read() {
    let server = compressing().await;
    let mut browsers = [
        Browser::welcomed(&server).await,
        Browser::welcomed(&server).await,
    ];
    let mut other: Client = server.client().await;
    for browser in &mut browsers {
        browser.send("subscribe", NEWS, "").await;
        assert!(
            browser
                .next()
                .await
                .1
                .ends_with(r#""type":"confirm_subscription"}"#)
        );
    }
    other.subscribed(NEWS).await;
    let text = "<li>news</li>".repeat(300);
    let broadcaster = server.cable.broadcaster();
    broadcaster
        .broadcast("news", &text)
        .await
        .expect("broadcasts");
    let expected = json!({"identifier": NEWS, "message": text}).to_string();
    for browser in &mut browsers {
        assert_eq!(browser.next().await, (COMPRESSED, expected.clone()));
    }
    other.expect(&expected).await;
}

#[tokio::test]
async fn a_bomb_ends_its_own_connection_with_1009() {
    let server = compressing().await;
    let mut browser = Browser::welcomed(&server).await;
    let mut other = Browser::welcomed(&server).await;
    browser.send_text(&"a".repeat((1 << 20) + 1)).await;
    assert_eq!(browser.next().await.1, "closed 1009");
    other.send("subscribe", ECHO, "").await;
    assert!(
        other
            .next()
            .await
            .1
            .ends_with(r#""type":"confirm_subscription"}"#)
    );
}

#[tokio::test]
async fn what_cannot_be_inflated_ends_its_own_connection_with_1007() {
    let server = compressing().await;
    let mut browser = Browser::welcomed(&server).await;
    browser.write(b"\xc1\x83\0\0\0\0\x07\x07\x07").await;
    assert_eq!(browser.next().await.1, "closed 1007");
}
