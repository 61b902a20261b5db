//! A client that speaks Action Cable by hand, on another WebSocket implementation than ours.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A guard against waiting for ever for what will not come; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) handshake: HeaderMap,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, cookie: &str, protocols: &[&str]) -> Self {
        Self::on(
            TcpStream::connect(address).await.expect("connects"),
            cookie,
            protocols,
        )
        .await
        .expect("upgrades")
    }

    pub(crate) async fn on(
        stream: TcpStream,
        cookie: &str,
        protocols: &[&str],
    ) -> Result<Self, Error> {
        Self::at(stream, "/cable", cookie, protocols).await
    }

    /// With another path and query than `/cable`.
    pub(crate) async fn at(
        stream: TcpStream,
        path: &str,
        cookie: &str,
        protocols: &[&str],
    ) -> Result<Self, Error> {
        let address = stream.peer_addr().expect("connected");
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        let headers = request.headers_mut();
        if !cookie.is_empty() {
            headers.insert(COOKIE, HeaderValue::from_str(cookie)?);
        }
        if !protocols.is_empty() {
            let offers = HeaderValue::from_str(&protocols.join(", "))?;
            headers.insert(SEC_WEBSOCKET_PROTOCOL, offers);
        }
        // There may be thousands of clients.
        let config = WebSocketConfig::default().read_buffer_size(4096);
        let (socket, response) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self {
            socket,
            handshake: response.headers().clone(),
        })
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sends");
    }

    pub(crate) async fn subscribe(&mut self, identifier: &str) {
        let command = json!({"command": "subscribe", "identifier": identifier});
        self.send(&command.to_string()).await;
    }

    pub(crate) async fn subscribed(&mut self, identifier: &str) {
        self.subscribe(identifier).await;
        self.expect_confirmed(identifier).await;
    }

    pub(crate) async fn unsubscribe(&mut self, identifier: &str) {
        let command = json!({"command": "unsubscribe", "identifier": identifier});
        self.send(&command.to_string()).await;
    }

    pub(crate) async fn message(&mut self, identifier: &str, data: &str) {
        let command = json!({"command": "message", "identifier": identifier, "data": data});
        self.send(&command.to_string()).await;
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.socket.next())
            .await
            .expect("something comes")
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("a text frame, not {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn expect<'a>(
        &'a mut self,
        expected: &'a str,
    ) -> impl std::future::Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let text = self.text().await;
            assert_eq!(text, expected, "at {caller}");
        }
    }

    pub(crate) async fn expect_confirmed(&mut self, identifier: &str) {
        let identifier = json!(identifier);
        let expected = format!(r#"{{"identifier":{identifier},"type":"confirm_subscription"}}"#);
        self.expect(&expected).await;
    }

    pub(crate) async fn expect_rejected(&mut self, identifier: &str) {
        let identifier = json!(identifier);
        let expected = format!(r#"{{"identifier":{identifier},"type":"reject_subscription"}}"#);
        self.expect(&expected).await;
    }

    pub(crate) async fn expect_data(&mut self, identifier: &str, message: &str) {
        let identifier = json!(identifier);
        self.expect(&format!(
            r#"{{"identifier":{identifier},"message":{message}}}"#
        ))
        .await;
    }

    /// Asks for a pong: proof that nothing came before it, and that the connection lives.
    pub(crate) async fn expect_nothing(&mut self) {
        self.send(r#"{"command":"ping"}"#).await;
        self.expect(r#"{"type":"pong"}"#).await;
    }

    /// The server's close frame, and the end of the socket after it.
    pub(crate) async fn expect_close(&mut self, code: u16, reason: &str) {
        match self.next().await {
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!(
                    (u16::from(frame.code), frame.reason.as_str()),
                    (code, reason)
                );
            }
            other => panic!("a close frame, not {other:?}"),
        }
        assert!(self.next().await.is_none(), "the socket ends");
    }
}
