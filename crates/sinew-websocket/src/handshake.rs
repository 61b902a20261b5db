//! The opening handshake, on header values as plain text: both sides, no HTTP library.
//!
//! A server hands the headers of a request to [`check_request`] and puts what it gets into its own
//! 101 answer. A client that owns its socket sends [`client_request`] and reads the answer with
//! [`read_response`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::mask::random_bytes;
use crate::{HandshakeError, deflate};

/// The version this crate speaks, the only one there is.
pub const VERSION: &str = "13";

/// Bytes of a server's response header section that [`read_response`] reads: 16 KiB.
pub const RESPONSE_BYTES_MAX: usize = 16 * 1024;

/// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
///
/// ```
/// use sinew_websocket::handshake::accept_key;
///
/// assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_key(client_key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(client_key.as_bytes());
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest.finalize())
}

/// What a server needs of a request in order to accept it.
///
/// ```
/// use sinew_websocket::handshake::{Acceptance, VERSION, check_request, client_key};
///
/// let key = client_key();
/// let headers = [
///     ("connection", "upgrade"),
///     ("upgrade", "websocket"),
///     ("sec-websocket-version", VERSION),
///     ("sec-websocket-key", &key),
///     ("sec-websocket-protocol", "chat.v2, chat.v1"),
///     ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
/// ];
/// let acceptance: Acceptance<'_> = check_request("GET", headers).unwrap();
/// assert_eq!(acceptance.protocols, ["chat.v2", "chat.v1"]);
/// assert_eq!(acceptance.choose_protocol(&["chat.v1", "chat.v2"]), Some("chat.v2"));
/// assert_eq!(acceptance.choose_protocol(&["mqtt"]), None);
/// assert_eq!(acceptance.extensions, ["permessage-deflate; client_max_window_bits"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acceptance<'a> {
    /// The value of `Sec-WebSocket-Accept`.
    pub accept: String,
    /// The subprotocols that the client offers, the one it likes best first.
    pub protocols: Vec<&'a str>,
    /// The values of `Sec-WebSocket-Extensions`: what the client offers, such as
    /// [permessage-deflate](deflate::answer).
    pub extensions: Vec<&'a str>,
}

impl<'a> Acceptance<'a> {
    /// The first of the client's subprotocols that this side speaks too.
    #[must_use]
    pub fn choose_protocol(&self, spoken: &[&str]) -> Option<&'a str> {
        self.protocols
            .iter()
            .copied()
            .find(|offered| spoken.contains(offered))
    }
}

/// Whether a request asks for a WebSocket: `Upgrade` names it, and `Connection` names `Upgrade`.
///
/// Both headers are lists and may come in several lines; give all of them.
///
/// ```
/// use sinew_websocket::handshake::is_upgrade;
///
/// assert!(is_upgrade([("Connection", "keep-alive, Upgrade"), ("Upgrade", "WebSocket")]));
/// assert!(!is_upgrade([("Connection", "Upgrade"), ("Upgrade", "h2c")]));
/// ```
#[must_use]
pub fn is_upgrade<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    let (mut upgrade, mut connection) = (false, false);
    for (name, value) in headers {
        upgrade |= name.eq_ignore_ascii_case("upgrade") && lists(value, "websocket");
        connection |= name.eq_ignore_ascii_case("connection") && lists(value, "upgrade");
    }
    upgrade && connection
}

/// Checks a request for an upgrade, HTTP/1.1 or later, by its method and all of its headers.
///
/// # Errors
///
/// [`HandshakeError::NotAnUpgrade`] for an ordinary request, so that the caller may answer it in
/// another way; else the rule that was broken. [`HandshakeError::status`] has the status to answer
/// with.
///
/// ```
/// use sinew_websocket::handshake::check_request;
///
/// let headers = [
///     ("host", "example.test"),
///     ("connection", "keep-alive, Upgrade"),
///     ("upgrade", "websocket"),
///     ("sec-websocket-version", "13"),
///     ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
///     ("sec-websocket-protocol", "actioncable-v1-json, actioncable-unsupported"),
/// ];
/// let acceptance = check_request("GET", headers).unwrap();
/// assert_eq!(acceptance.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// assert_eq!(acceptance.choose_protocol(&["actioncable-v1-json"]), Some("actioncable-v1-json"));
/// ```
pub fn check_request<'a>(
    method: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str), IntoIter: Clone>,
) -> Result<Acceptance<'a>, HandshakeError> {
    let headers = headers.into_iter();
    if !is_upgrade(headers.clone()) {
        return Err(HandshakeError::NotAnUpgrade);
    }
    if method != "GET" {
        return Err(HandshakeError::Method);
    }
    let mut version = None;
    let mut key = None;
    let mut protocols = Vec::new();
    let mut extensions = Vec::new();
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("sec-websocket-version") {
            version = Some(value.trim());
        } else if name.eq_ignore_ascii_case("sec-websocket-key") {
            if key.replace(value.trim()).is_some() {
                return Err(HandshakeError::Key);
            }
        } else if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            protocols.extend(items(value));
        } else if name.eq_ignore_ascii_case("sec-websocket-extensions") {
            extensions.push(value);
        }
    }
    if version != Some(VERSION) {
        return Err(HandshakeError::Version);
    }
    let key = key.filter(|key| is_key(key)).ok_or(HandshakeError::Key)?;
    Ok(Acceptance {
        accept: accept_key(key),
        protocols,
        extensions,
    })
}

/// A fresh `Sec-WebSocket-Key`: 16 random bytes in base64.
///
/// ```
/// use sinew_websocket::handshake::client_key;
///
/// assert_eq!(client_key().len(), 24);
/// assert_ne!(client_key(), client_key());
/// ```
#[must_use]
pub fn client_key() -> String {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&random_bytes());
    nonce[8..].copy_from_slice(&random_bytes());
    STANDARD.encode(nonce)
}

/// The bytes of a client's request for an upgrade.
///
/// `target` is the path with its query; `headers` come after the handshake's own, such as `Origin`,
/// `Cookie` or `Sec-WebSocket-Protocol`. Nothing is escaped: control characters are the caller's to
/// keep out.
///
/// ```
/// use sinew_websocket::handshake::client_request;
///
/// let request = client_request("example.test", "/cable", "dGhlIHNhbXBsZSBub25jZQ==", &[("Origin", "null")]);
/// assert!(request.starts_with("GET /cable HTTP/1.1\r\nHost: example.test\r\n"));
/// assert!(request.ends_with("Origin: null\r\n\r\n"));
/// ```
#[must_use]
pub fn client_request(host: &str, target: &str, key: &str, headers: &[(&str, &str)]) -> String {
    let mut request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: {VERSION}\r\nSec-WebSocket-Key: {key}\r\n"
    );
    for (name, value) in headers {
        request.push_str(name);
        request.push_str(": ");
        request.push_str(value);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// A server's 101 that answers the client's key.
///
/// ```
/// use sinew_websocket::handshake::{Response, accept_key, client_key, read_response};
///
/// let key = client_key();
/// let answer = format!(
///     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///      Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: chat.v2\r\n\r\n",
///     accept_key(&key),
/// );
/// let response: Response<'_> = read_response(answer.as_bytes(), &key).unwrap().expect("whole");
/// assert_eq!(response.protocol, Some("chat.v2"));
/// assert_eq!(response.header_bytes, answer.len(), "no frame has come yet");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response<'a> {
    /// Bytes of the header section: frames begin behind it.
    pub header_bytes: usize,
    /// The subprotocol that the server chose.
    pub protocol: Option<&'a str>,
    /// Whether the server accepted [`deflate::OFFER`].
    pub deflate: bool,
}

/// Reads a server's answer to [`client_request`]; `None` while its end has not come.
///
/// # Errors
///
/// The first rule that the answer breaks, [`HandshakeError::Status`] for any status but 101.
///
/// ```
/// use sinew_websocket::handshake::read_response;
///
/// let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi";
/// let response = read_response(answer, "dGhlIHNhbXBsZSBub25jZQ==").unwrap().unwrap();
/// assert_eq!(&answer[response.header_bytes..], b"\x81\x02hi");
/// assert_eq!(read_response(&answer[..40], "dGhlIHNhbXBsZSBub25jZQ=="), Ok(None));
/// ```
pub fn read_response<'a>(
    input: &'a [u8],
    key: &str,
) -> Result<Option<Response<'a>>, HandshakeError> {
    read(input, key, false)
}

/// As [`read_response`], for a request with [`deflate::OFFER`] as its `Sec-WebSocket-Extensions`.
///
/// # Errors
///
/// As there; [`HandshakeError::Extension`] for any extension but an [accepted](deflate::is_answer) offer.
///
/// ```
/// use sinew_websocket::deflate;
/// use sinew_websocket::handshake::{accept_key, client_key, read_response, read_response_to_offer};
///
/// let key = client_key();
/// let answer = format!(
///     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///      Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Extensions: {}\r\n\r\n",
///     accept_key(&key),
///     deflate::ANSWER,
/// );
/// let response = read_response_to_offer(answer.as_bytes(), &key).unwrap().expect("whole");
/// assert!(response.deflate);
/// assert!(read_response(answer.as_bytes(), &key).is_err(), "nothing was offered");
/// ```
pub fn read_response_to_offer<'a>(
    input: &'a [u8],
    key: &str,
) -> Result<Option<Response<'a>>, HandshakeError> {
    read(input, key, true)
}

fn read<'a>(
    input: &'a [u8],
    key: &str,
    offered: bool,
) -> Result<Option<Response<'a>>, HandshakeError> {
    let Some(end) = memchr::memmem::find(input, b"\r\n\r\n") else {
        if input.len() > RESPONSE_BYTES_MAX {
            return Err(HandshakeError::TooBig {
                limit: RESPONSE_BYTES_MAX,
            });
        }
        return Ok(None);
    };
    let head = str::from_utf8(&input[..end]).map_err(|_| HandshakeError::Malformed)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|status| status.parse::<u16>().ok())
        .ok_or(HandshakeError::Malformed)?;
    if status != 101 {
        return Err(HandshakeError::Status(status));
    }
    let headers = lines
        .map(|line| line.split_once(':').ok_or(HandshakeError::Malformed))
        .collect::<Result<Vec<_>, _>>()?;
    if !is_upgrade(headers.iter().copied()) {
        return Err(HandshakeError::ResponseNotAnUpgrade);
    }
    let value = |wanted: &str| {
        let mut values = headers
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
        values.next().map(|(_, value)| value.trim())
    };
    if value("sec-websocket-accept") != Some(&accept_key(key)) {
        return Err(HandshakeError::Accept);
    }
    let mut chosen = headers
        .iter()
        .filter(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-extensions") && !value.trim().is_empty()
        })
        .map(|(_, value)| *value);
    let deflate = match (chosen.next(), chosen.next()) {
        (None, _) => false,
        (Some(chosen), None) if offered && deflate::is_answer(chosen) => true,
        _ => return Err(HandshakeError::Extension),
    };
    Ok(Some(Response {
        header_bytes: end + 4,
        protocol: value("sec-websocket-protocol"),
        deflate,
    }))
}

fn is_key(key: &str) -> bool {
    STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}

fn lists(value: &str, wanted: &str) -> bool {
    items(value).any(|item| item.eq_ignore_ascii_case(wanted))
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}
