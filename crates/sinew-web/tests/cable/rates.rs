use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use sinew_web::WebSocketConfig;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, slow_pings};

const MESSAGES: usize = 600;

/// A message of a kilobyte that is answered.
fn message() -> Message {
    let padding = "x".repeat(1024);
    Message::text(format!(r#"{{"command":"ping","padding":"{padding}"}}"#))
}

/// Sends as fast as it can while answers are read, and expects all of them.
async fn answered(server: &Server) {
    let client = server.client().await;
    let (mut sink, mut source) = client.socket.split();
    let write = async {
        for _ in 0..MESSAGES {
            sink.feed(message()).await.expect("sends");
        }
        sink.flush().await.expect("sends");
    };
    let read = async {
        for _ in 0..MESSAGES {
            let answer = source.next().await.expect("lives").expect("lives");
            assert_eq!(answer, Message::text(r#"{"type":"pong"}"#));
        }
    };
    tokio::join!(write, read);
}

#[tokio::test]
async fn client_that_sends_too_fast_is_paced_and_nothing_is_lost() {
    let mut by_messages = slow_pings();
    by_messages.incoming_messages_per_second = 1000;
    by_messages.incoming_burst = Duration::from_millis(10);
    let mut by_bytes = slow_pings();
    by_bytes.incoming_bytes_per_second = 1_000_000;
    by_bytes.incoming_burst = Duration::from_millis(10);
    for config in [by_messages, by_bytes] {
        let server = Server::with(config, WebSocketConfig::default()).await;
        let mut other = server.client().await;
        let paced = answered(&server);
        let served = async {
            for _ in 0..10 {
                other.expect_nothing().await;
            }
        };
        tokio::join!(paced, served);
        let statistics = server.cable.statistics();
        assert!(statistics.incoming_pauses > 0);
        assert_eq!(statistics.flooding_connections, 0);
    }
}

#[tokio::test]
async fn defaults_do_not_pace_a_page() {
    let server = Server::start().await;
    answered(&server).await;
    assert_eq!(server.cable.statistics().incoming_pauses, 0);
}

#[tokio::test]
async fn client_that_floods_is_closed_with_1008() {
    let mut config = slow_pings();
    config.incoming_messages_per_second = 1;
    config.incoming_burst = Duration::from_secs(1);
    config.incoming_pause_max = Duration::from_secs(5);
    let server = Server::with(config, WebSocketConfig::default()).await;
    let mut client = server.client().await;
    // In one write: a pause between two messages would let the server wait for the rest.
    for _ in 0..50 {
        client.socket.feed(message()).await.expect("sends");
    }
    // It may be closed before all of it is out.
    let _ = client.socket.flush().await;
    let close = loop {
        match client.next().await {
            Some(Ok(Message::Text(text))) => assert_eq!(text, r#"{"type":"pong"}"#),
            Some(Ok(Message::Close(Some(frame)))) => break frame,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(close.code), 1008);
    assert_eq!(close.reason, "Too many messages");
    assert_eq!(server.cable.statistics().flooding_connections, 1);
}
