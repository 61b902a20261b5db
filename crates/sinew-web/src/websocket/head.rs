//! The head of a request, as far as a shard looks at it.

use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{Method, Request};
use httparse::Status;

/// More headers than that are left to the server of pages.
const HEADERS: usize = 64;

/// The request at the start of these bytes and how many of them it takes, if it is there as a whole and asks for an
/// upgrade. Everything else, broken requests included, is for the server of pages to answer.
pub(super) fn upgrade_request(bytes: &[u8]) -> Option<(Request<()>, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(Status::Complete(length)) = request.parse(bytes) else {
        return None;
    };
    if request.method != Some("GET") || request.version != Some(1) {
        return None;
    }
    let mut found = Request::new(());
    *found.method_mut() = Method::GET;
    *found.uri_mut() = request.path?.parse().ok()?;
    let headers = found.headers_mut();
    headers.reserve(request.headers.len());
    for header in request.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(header.value).ok()?;
        headers.append(name, value);
    }
    let has_body = [CONTENT_LENGTH, TRANSFER_ENCODING];
    if !headers.contains_key(UPGRADE) || has_body.iter().any(|it| headers.contains_key(it)) {
        return None;
    }
    Some((found, length))
}

#[cfg(test)]
mod tests;
