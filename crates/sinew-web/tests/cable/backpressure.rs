use std::time::Duration;

use sinew_web::WebSocketConfig;
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::server::{Server, slow_pings};

const NEWS: &str = r#"{"channel":"NewsChannel"}"#;

/// A subscriber that does not read is cut off and told why; it costs the others nothing.
#[tokio::test]
async fn stalled_reader_is_cut_off_and_others_get_everything() {
    const BROADCASTS: usize = 400;
    let mut socket = WebSocketConfig::default();
    // The reader begins to read again when it has been cut off: it must be found alive.
    socket.write_timeout = Duration::from_secs(60);
    let server = Server::with(slow_pings(), socket).await;
    let mut healthy = server.client().await;
    healthy.subscribed(NEWS).await;
    let mut stalled = small_client(&server).await;
    stalled.expect(r#"{"type":"welcome"}"#).await;
    stalled.subscribed(NEWS).await;

    let broadcaster = server.cable.broadcaster();
    let message = "x".repeat(50_000);
    for number in 0..BROADCASTS {
        broadcaster
            .broadcast("news", &(number, &message))
            .await
            .expect("broadcasts");
        let text = healthy.text().await;
        assert!(
            text.contains(&format!("[{number},")),
            "in order and none missing"
        );
    }
    assert_eq!(server.cable.statistics().slow_connections, 1);

    // What the socket had taken arrives, then the reason: the queue was dropped.
    let mut frames = 0;
    let last = loop {
        let text = stalled.text().await;
        if text.contains("disconnect") {
            break text;
        }
        frames += 1;
    };
    assert_eq!(
        last,
        r#"{"type":"disconnect","reason":"too_slow","reconnect":true}"#
    );
    assert!(frames < BROADCASTS, "{frames} frames came through");
    stalled.expect_close(1000, "").await;
    healthy.expect_nothing().await;
}

/// One that never reads again is dropped when a write has taken too long.
#[tokio::test]
async fn write_that_takes_too_long_ends_the_connection() {
    let mut socket = WebSocketConfig::default();
    socket.write_timeout = Duration::from_millis(50);
    let server = Server::with(slow_pings(), socket).await;
    let mut stalled = small_client(&server).await;
    stalled.expect(r#"{"type":"welcome"}"#).await;
    stalled.subscribed(NEWS).await;
    let broadcaster = server.cable.broadcaster();
    let message = "x".repeat(900_000);
    // Until the socket's buffers are full; the connection then ends by itself.
    while server.cable.statistics().connections > 0 {
        broadcaster
            .broadcast("news", &message)
            .await
            .expect("broadcasts");
        tokio::task::yield_now().await;
    }
    let ended = loop {
        match stalled.next().await {
            Some(Ok(Message::Text(_))) => {}
            other => break other,
        }
    };
    assert!(
        !matches!(ended, Some(Ok(_))),
        "cut off without a word: {ended:?}"
    );
}

/// A client whose kernel buffers hold little.
async fn small_client(server: &Server) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_recv_buffer_size(8 * 1024)
        .expect("a small buffer");
    let stream = socket.connect(server.address).await.expect("connects");
    Client::on(stream, "", &["actioncable-v1-json"])
        .await
        .expect("upgrades")
}
