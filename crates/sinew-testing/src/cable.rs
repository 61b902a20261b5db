//! A browser's cable, over a pipe in memory instead of a socket.

use std::time::Duration;

use http::{HeaderMap, Uri};
use serde_json::{Value, json};
use sinew::cable::Cable;
use sinew_protocol::Subprotocol;
use sinew_web::websocket::CableEndpoint;
use sinew_websocket::{Effect, Endpoint, Limits, Opcode, Role, masked_frame_into, random_mask_key};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// What the pipe holds, in bytes, before the server has to wait as it would for a slow network: 1 MiB.
const PIPE_BYTES_MAX: usize = 1 << 20;
/// The largest message taken from the server, in bytes: 16 MiB, twice a page's bound.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// One open connection.
pub(crate) struct Connection {
    pipe: DuplexStream,
    endpoint: Endpoint,
    heard: std::collections::VecDeque<Value>,
    is_over: bool,
}

impl Connection {
    /// Opens a connection; whether it is welcome comes with the first message.
    pub(crate) fn open(cable: Cable, headers: HeaderMap, host: &str) -> Self {
        let (pipe, served) = tokio::io::duplex(PIPE_BYTES_MAX);
        let mut request = sinew_cable_request(headers);
        request.host = host.to_owned();
        CableEndpoint::new(cable).serve(served, bytes::Bytes::new(), request);
        let mut limits = Limits::default();
        limits.message_bytes_max = MESSAGE_BYTES_MAX;
        Self {
            pipe,
            endpoint: Endpoint::new(Role::Client, &limits),
            heard: std::collections::VecDeque::new(),
            is_over: false,
        }
    }

    pub(crate) async fn send(&mut self, command: &Value) {
        let mut frame = Vec::new();
        let text = command.to_string();
        masked_frame_into(&mut frame, Opcode::Text, text.as_bytes(), random_mask_key());
        // A connection that the server has ended is noticed where its answer is waited for.
        let _ = self.pipe.write_all(&frame).await;
    }

    pub(crate) async fn command(&mut self, name: &str, identifier: &str) {
        let command = json!({"command": name, "identifier": identifier});
        self.send(&command).await;
    }

    pub(crate) async fn message(&mut self, identifier: &str, data: &Value) {
        let data = data.to_string();
        let command = json!({"command": "message", "identifier": identifier, "data": data});
        self.send(&command).await;
    }

    /// The next message that is not a ping, or nothing when the connection has ended.
    ///
    /// Nothing is lost when it is dropped before it is done.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if let Some(message) = self.heard.pop_front() {
                if message["type"] != "ping" {
                    return Some(message);
                }
                continue;
            }
            if self.is_over {
                return None;
            }
            match self.pipe.read(&mut buffer).await {
                Ok(0) | Err(_) => self.is_over = true,
                Ok(length) => self.receive(&mut buffer[..length]).await,
            }
        }
    }

    /// The next message, waited for only so long.
    pub(crate) async fn next_within(
        &mut self,
        patience: Duration,
    ) -> Result<Option<Value>, tokio::time::error::Elapsed> {
        tokio::time::timeout(patience, self.next()).await
    }

    async fn receive(&mut self, input: &mut [u8]) {
        let mut answers = Vec::new();
        let heard = &mut self.heard;
        let is_over = &mut self.is_over;
        self.endpoint.receive(input, |effect| match effect {
            Effect::Text(text) => {
                heard.extend(serde_json::from_str::<Value>(text).ok());
            }
            Effect::Send(frame) => answers.push(frame),
            Effect::Closed { .. } | Effect::Failed { .. } => *is_over = true,
            _ => {}
        });
        for answer in answers {
            let _ = self.pipe.write_all(&answer).await;
        }
    }
}

fn sinew_cable_request(headers: HeaderMap) -> sinew::cable::ConnectRequest {
    sinew::cable::ConnectRequest {
        headers,
        uri: Uri::from_static("/cable"),
        remote_address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        subprotocol: Some(Subprotocol::V1Json),
        ..Default::default()
    }
}
