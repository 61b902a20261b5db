use futures_util::SinkExt;
use sinew_web::WebSocketConfig;
use sinew_websocket::{Opcode, frame_into, masked_frame_into};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, slow_pings};

const ECHO: &str = r#"{"channel":"EchoChannel"}"#;

#[tokio::test]
async fn frames_that_are_no_commands_are_counted_and_ignored() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let bad = [
        "",
        "not json",
        "null",
        "1",
        r#""x""#,
        "[]",
        r#"["subscribe","{}"]"#,
        "{}",
        r#"{"command":null}"#,
        r#"{"command":7,"identifier":"{}"}"#,
        r#"{"command":"no_such_command","identifier":"{}"}"#,
        r#"{"command":"subscribe"}"#,
        r#"{"command":"subscribe","identifier":{"channel":"EchoChannel"}}"#,
        r#"{"command":"subscribe","identifier":["EchoChannel"]}"#,
        r#"{"command":"message","identifier":"{\"channel\":\"EchoChannel\"}"}"#,
        r#"{"command":"message","identifier":"{\"channel\":\"EchoChannel\"}","data":{"action":"say"}}"#,
        r#"{"command":"message","identifier":"{\"channel\":\"EchoChannel\"}","data":"{}"}"#,
        r#"{"command":"unsubscribe","identifier":"{\"channel\":\"EchoChannel\"}"}"#,
    ];
    for frame in bad {
        client.send(frame).await;
        client.expect_nothing().await;
    }
    assert_eq!(server.cable.statistics().commands_failed, bad.len() as u64);
    client.subscribed(ECHO).await;
}

#[tokio::test]
async fn frame_over_the_limit_is_closed_with_1009() {
    let mut socket = WebSocketConfig::default();
    socket.message_bytes_max = 1000;
    let server = Server::with(slow_pings(), socket).await;
    let mut client = server.client().await;
    client.send(&"x".repeat(1000)).await;
    client.expect_nothing().await;
    client.send(&"x".repeat(1001)).await;
    expect_close_code(&mut client, 1009).await;
}

#[tokio::test]
async fn limit_is_a_mebibyte_by_default() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send(&"x".repeat(1024 * 1024)).await;
    client.expect_nothing().await;
    client.send(&"x".repeat(1024 * 1024 + 1)).await;
    expect_close_code(&mut client, 1009).await;
}

#[tokio::test]
async fn invalid_utf8_is_closed_with_1007() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut frame = Vec::new();
    masked_frame_into(&mut frame, Opcode::Text, &[b'a', 0xff], [1, 2, 3, 4]);
    client
        .socket
        .get_mut()
        .write_all(&frame)
        .await
        .expect("writes");
    expect_close_code(&mut client, 1007).await;
}

#[tokio::test]
async fn broken_frames_are_closed_with_1002() {
    let server = Server::start().await;
    let mut unmasked = Vec::new();
    frame_into(&mut unmasked, Opcode::Text, b"{}");
    let reserved_bits = vec![0xf1, 0x80, 0, 0, 0, 0];
    let fragmented_ping = vec![0x09, 0x80, 0, 0, 0, 0];
    for frame in [unmasked, reserved_bits, fragmented_ping] {
        let mut client = server.client().await;
        client
            .socket
            .get_mut()
            .write_all(&frame)
            .await
            .expect("writes");
        expect_close_code(&mut client, 1002).await;
    }
    // Nothing leaks: each connection is gone.
    server.cable.drain().await;
    assert_eq!(server.cable.statistics().connections, 0);
}

#[tokio::test]
async fn ping_frame_of_the_client_is_answered() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .socket
        .send(Message::Ping("are you there".into()))
        .await
        .expect("sends");
    match client.next().await {
        Some(Ok(Message::Pong(payload))) => assert_eq!(&payload[..], b"are you there"),
        other => panic!("a pong, not {other:?}"),
    }
}

async fn expect_close_code(client: &mut crate::client::Client, code: u16) {
    match client.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), code),
        other => panic!("a close frame, not {other:?}"),
    }
}
