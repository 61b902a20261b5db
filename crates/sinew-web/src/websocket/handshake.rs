//! The opening handshake: a request for the cable, and how it is answered.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use sinew_cable::ConnectRequest;
use sinew_protocol::Subprotocol;
use sinew_websocket::handshake::check_request;
use sinew_websocket::{HandshakeError, deflate};

use super::WebSocketConfig;
use crate::Effective;

/// A request for a WebSocket that can be answered with 101.
pub(super) struct Handshake {
    accept: String,
    subprotocol: Option<Subprotocol>,
    /// The extension's answer, where it was offered and is on.
    deflate: Option<&'static str>,
}

impl Handshake {
    /// What such a request asks for.
    pub(super) fn of(
        method: &Method,
        headers: &HeaderMap,
        config: &WebSocketConfig,
    ) -> Result<Self, HandshakeError> {
        let texts: Vec<_> = texts(headers).collect();
        let acceptance = check_request(method.as_str(), texts.iter().copied())?;
        let subprotocol = Subprotocol::negotiate(texts_of(headers, &SEC_WEBSOCKET_PROTOCOL));
        let offers = config.compression.then_some(acceptance.extensions);
        Ok(Self {
            accept: acceptance.accept,
            subprotocol,
            deflate: offers.and_then(deflate::answer),
        })
    }

    /// What the connect hook sees of it.
    pub(super) fn connect_request(&self, parts: Parts, effective: &Effective) -> ConnectRequest {
        ConnectRequest {
            headers: parts.headers,
            uri: parts.uri,
            remote_address: effective.client_address,
            secure: effective.secure,
            host: effective.host.clone(),
            subprotocol: self.subprotocol,
            deflate: self.deflate.is_some(),
            extensions: parts.extensions,
        }
    }

    /// The answer, for a server that writes it.
    pub(super) fn response(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        let accept = HeaderValue::try_from(&self.accept).expect("base64 is a header value");
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        if let Some(subprotocol) = self.subprotocol {
            let name = HeaderValue::from_static(subprotocol.as_str());
            headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
        }
        if let Some(answer) = self.deflate {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(answer));
        }
        response
    }

    /// The same answer, as a whole, for a socket.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(256);
        head.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ",
        );
        head.extend_from_slice(self.accept.as_bytes());
        if let Some(subprotocol) = self.subprotocol {
            head.extend_from_slice(b"\r\nsec-websocket-protocol: ");
            head.extend_from_slice(subprotocol.as_str().as_bytes());
        }
        if let Some(answer) = self.deflate {
            head.extend_from_slice(b"\r\nsec-websocket-extensions: ");
            head.extend_from_slice(answer.as_bytes());
        }
        head.extend_from_slice(b"\r\n\r\n");
        head
    }
}

/// The answer to a request that is none, or a broken one.
pub(super) fn refused(error: &HandshakeError) -> Response {
    let (status, text) = match error {
        HandshakeError::NotAnUpgrade => (StatusCode::NOT_FOUND, "Page not found".to_owned()),
        error => (
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST),
            error.to_string(),
        ),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        StatusCode::UPGRADE_REQUIRED => {
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        _ => {}
    }
    response
}

/// Headers that are text; the handshake's own all are.
fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

fn texts_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}
