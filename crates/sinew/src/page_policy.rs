//! The nonce of a response, and the policy that names it.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::content_security_policy::PolicyHeader;

/// Bytes of randomness in a nonce: what the specification asks for at least.
const NONCE_BYTES: usize = 16;

/// The nonce of one response, made when somebody first asks for it.
#[derive(Clone, Default)]
pub(crate) struct PageNonce(Arc<OnceLock<Arc<str>>>);

impl PageNonce {
    pub(crate) fn get(&self) -> Arc<str> {
        Arc::clone(self.0.get_or_init(generate))
    }
}

fn generate() -> Arc<str> {
    let mut bytes = [0; NONCE_BYTES];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    // An alphabet that no template engine escapes.
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// Gives each request a nonce to ask for, and each page that asked the policy.
pub(crate) async fn add_policy(
    State(policy): State<Option<Arc<PolicyHeader>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let nonce = PageNonce::default();
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    // A browser puts the headers of a 304 in place of those that it has; their nonce is another.
    let Some(nonce) = nonce.0.get() else {
        return response;
    };
    if response.status() == StatusCode::NOT_MODIFIED || !is_html(response.headers()) {
        return response;
    }
    keep_private(response.headers_mut());
    if let Some(policy) = policy {
        let headers = response.headers_mut();
        headers
            .entry(&policy.name)
            .or_insert_with(|| policy.value(nonce));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| {
            let value = value.trim().to_ascii_lowercase();
            matches!(
                &*value,
                // The second is HTML that Turbo puts into the page that is there.
                "text/html" | "text/vnd.turbo-stream.html" | "application/xhtml+xml"
            )
        })
}

/// Keeps shared caches from handing one nonce to many visitors: whoever knows it could write a
/// script that the next visitor's browser runs.
fn keep_private(headers: &mut HeaderMap) {
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let directives = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    let name = |directive: &str| {
        let name = directive.split('=').next().unwrap_or_default();
        name.trim().to_ascii_lowercase()
    };
    let is_private = directives
        .clone()
        // `private="name"` is about one header only.
        .any(|directive| {
            name(directive) == "no-store" || directive.eq_ignore_ascii_case("private")
        });
    if is_private {
        return;
    }
    let kept = directives.filter(|directive| {
        !directive.is_empty() && !matches!(&*name(directive), "public" | "s-maxage" | "private")
    });
    let value: Vec<&str> = std::iter::once("private").chain(kept).collect();
    if let Ok(value) = HeaderValue::try_from(value.join(", ")) {
        headers.insert(header::CACHE_CONTROL, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nonces_are_the_same_and_each_is_one_by_itself() {
        let (one, other) = (PageNonce::default(), PageNonce::default());
        assert_eq!(one.get(), one.get());
        assert_ne!(one.get(), other.get());
        assert_eq!(one.get().len(), 22, "128 bits");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(one.get().chars().all(is_plain));
    }

    #[track_caller]
    fn check(present: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in present {
            let line = HeaderValue::from_str(line).expect("a header value");
            headers.append(header::CACHE_CONTROL, line);
        }
        keep_private(&mut headers);
        let lines = headers.get_all(header::CACHE_CONTROL).iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        assert_eq!(lines.join(" | "), expected, "{present:?}");
    }

    #[test]
    fn a_page_with_a_nonce_is_in_no_shared_cache() {
        check(&[], "private");
        check(&["max-age=60"], "private, max-age=60");
        check(&["public, max-age=60"], "private, max-age=60");
        check(&["Public", "S-MaxAge=60, immutable"], "private, immutable");
        check(&["private, max-age=60"], "private, max-age=60");
        check(&["no-store"], "no-store");
        check(&["no-cache"], "private, no-cache");
        check(&["private=\"set-cookie\", max-age=9"], "private, max-age=9");
    }
}
