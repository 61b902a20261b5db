use std::time::Duration;

use futures_util::SinkExt;
use sinew_cable::ConnectionIdentifiers;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::server::Server;

const ECHO: &str = r#"{"channel":"EchoChannel"}"#;

#[tokio::test]
async fn restart_tells_everyone_and_takes_them_back() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(ECHO).await;
    server.cable.restart();
    client
        .expect(r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#)
        .await;
    client.expect_close(1001, "Server restart").await;
    server.client().await;
}

#[tokio::test]
async fn drain_flushes_and_refuses_newcomers() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let news = r#"{"channel":"NewsChannel"}"#;
    client.subscribed(news).await;
    server
        .cable
        .broadcaster()
        .broadcast("news", &1)
        .await
        .expect("broadcasts");
    let endpoint = server.endpoint.clone();
    let drain = tokio::spawn(async move { endpoint.drain(Duration::from_secs(20)).await });
    client.expect_data(news, "1").await;
    client
        .expect(r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#)
        .await;
    client.expect_close(1001, "Server restart").await;
    drain.await.expect("no panic").expect("in time");
    let mut late = server.connect("").await;
    late.expect(r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#)
        .await;
}

#[tokio::test]
async fn remote_disconnect_ends_the_connections_of_one_identity() {
    let server = Server::start().await;
    let mut ann = server.connect("ann").await;
    let mut bob = server.connect("bob").await;
    ann.expect(r#"{"type":"welcome"}"#).await;
    bob.expect(r#"{"type":"welcome"}"#).await;
    server
        .cable
        .disconnect(&ConnectionIdentifiers::new().with("user", "ann"), false);
    ann.expect(r#"{"type":"disconnect","reason":"remote","reconnect":false}"#)
        .await;
    ann.expect_close(1000, "Closed remotely").await;
    bob.expect_nothing().await;
}

#[tokio::test]
async fn close_of_the_client_is_echoed() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let frame = CloseFrame {
        code: 4001.into(),
        reason: "bye".into(),
    };
    client
        .socket
        .send(Message::Close(Some(frame)))
        .await
        .expect("sends");
    client.expect_close(4001, "bye").await;
    server.cable.drain().await;
}
