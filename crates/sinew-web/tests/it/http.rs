//! A browser that speaks HTTP by hand.

use axum::Router;
use axum::routing::get;
use sinew_web::{Server, ServerConfig};
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n";

pub(crate) fn peer() -> SocketAddr {
    "192.0.2.7:5000".parse().expect("an address")
}

pub(crate) fn server(config: ServerConfig) -> Server {
    Server::new(Router::new().route("/", get(async || "Hello"))).config(config)
}

/// Sends a request and reads its answer, up to the body.
pub(crate) async fn ask(browser: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    browser.write_all(REQUEST).await.expect("open");
    let mut answer = Vec::new();
    while !answer.ends_with(b"Hello") {
        let byte = browser.read_u8().await.expect("the rest of the answer");
        answer.push(byte);
    }
    String::from_utf8(answer).expect("text")
}

/// Sends this and reads all that comes until the connection is closed.
pub(crate) async fn answer_to(
    browser: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
) -> String {
    browser.write_all(request).await.expect("open");
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.expect("closed");
    answer
}

/// Nothing more comes.
pub(crate) async fn expect_closed(browser: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    browser.read_to_end(&mut rest).await.expect("closed");
    assert_eq!(rest, b"");
}
