use http::header::{CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::server::Server;

#[tokio::test]
async fn usual_offer_selects_v1_json() {
    let server = Server::start().await;
    let mut client = server.connect("").await;
    assert_eq!(
        client.handshake[SEC_WEBSOCKET_PROTOCOL],
        "actioncable-v1-json"
    );
    assert!(!client.handshake.contains_key("sec-websocket-extensions"));
    assert!(!client.handshake.contains_key(CONTENT_TYPE));
    client.expect(r#"{"type":"welcome"}"#).await;
}

#[tokio::test]
async fn only_unsupported_is_selected_and_works() {
    let server = Server::start().await;
    let mut client = Client::connect(server.address, "", &["actioncable-unsupported"]).await;
    assert_eq!(
        client.handshake[SEC_WEBSOCKET_PROTOCOL],
        "actioncable-unsupported"
    );
    client.expect(r#"{"type":"welcome"}"#).await;
}

#[tokio::test]
async fn without_an_offer_there_is_no_header() {
    let server = Server::start().await;
    let mut client = Client::connect(server.address, "", &[]).await;
    assert!(!client.handshake.contains_key(SEC_WEBSOCKET_PROTOCOL));
    client.expect(r#"{"type":"welcome"}"#).await;
}

#[tokio::test]
async fn unknown_offer_is_let_in_without_a_header() {
    let server = Server::start().await;
    let text = raw_request(
        &server,
        "GET /cable HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: actioncable-v1-msgpack\r\n\r\n",
    )
    .await;
    assert!(text.starts_with("HTTP/1.1 101 "), "{text}");
    assert!(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
    assert!(!text.contains("sec-websocket-protocol"), "{text}");
}

#[tokio::test]
async fn plain_request_is_not_found() {
    let server = Server::start().await;
    let text = raw_request(
        &server,
        "GET /cable HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(text.starts_with("HTTP/1.1 404 "), "{text}");
    assert!(text.contains("content-type: text/plain\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\nPage not found"), "{text}");
}

#[tokio::test]
async fn broken_websocket_requests_say_what_is_wrong() {
    let server = Server::start().await;
    let old = "GET /cable HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
               sec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let text = raw_request(&server, old).await;
    assert!(text.starts_with("HTTP/1.1 426 "), "{text}");
    assert!(text.contains("sec-websocket-version: 13\r\n"), "{text}");

    let keyless = "GET /cable HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\n\r\n";
    assert!(
        raw_request(&server, keyless)
            .await
            .starts_with("HTTP/1.1 400 ")
    );
    assert_eq!(server.cable.statistics().connections_opened, 0);
}

/// The first of what the server answers, to where its head and a known body end.
async fn raw_request(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 1024];
        let count = stream.read(&mut part).await.expect("reads");
        answer.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                return text.into_owned();
            }
        }
        assert_ne!(count, 0, "more than {text}");
    }
}

#[tokio::test]
async fn refused_client_is_told_and_closed() {
    let server = Server::start().await;
    let mut client = server.connect("refused").await;
    client
        .expect(r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#)
        .await;
    client.expect_close(1000, "").await;
    assert_eq!(server.cable.statistics().connections_refused, 1);
}

#[tokio::test]
async fn panic_in_the_connect_hook_closes_without_a_word() {
    let server = Server::start().await;
    let mut client = server.connect("panic").await;
    client.expect_close(1011, "").await;
}
