//! The browser client, served from the binary.

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::client::{self, ClientAsset};

/// One route for each file of the client. Its name changes with its content, so it may be kept for ever.
pub(crate) fn routes(is_development: bool) -> Router {
    let development = is_development.then_some(client::DEVELOPMENT);
    client::ASSETS
        .into_iter()
        .chain(development)
        .fold(Router::new(), |router, asset| {
            router.route(
                asset.path,
                get(async move |headers: HeaderMap| serve(asset, &headers)),
            )
        })
}

/// The file, compressed as well as the browser can read it.
fn serve(asset: ClientAsset, request: &HeaderMap) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.content_type),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static(client::CACHE_CONTROL),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        // Nothing in them is anybody's own, and a page may have them from another host that
        // fetched them here, or from this host while it is of another.
        (
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ),
    ];
    if asset.compressed.is_empty() {
        return (headers, asset.bytes).into_response();
    }
    let vary = [(VARY, HeaderValue::from_static("accept-encoding"))];
    let readable = asset
        .compressed
        .iter()
        .find(|(coding, _)| accepts(request, coding));
    match readable {
        Some((coding, bytes)) => {
            let encoding = [(CONTENT_ENCODING, HeaderValue::from_static(coding))];
            (headers, vary, encoding, *bytes).into_response()
        }
        None => (headers, vary, asset.bytes).into_response(),
    }
}

/// Whether `Accept-Encoding` allows a coding: by name, or by `*` when it does not name it.
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let mut by_star = false;
    let lines = request.get_all(ACCEPT_ENCODING).into_iter();
    for entry in lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        // A weight of nothing refuses; one that cannot be read does too, which costs bytes only.
        let is_allowed = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0));
        if name.eq_ignore_ascii_case(coding) {
            return is_allowed;
        }
        if name == "*" {
            by_star = is_allowed;
        }
    }
    by_star
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT_ENCODING,
            accept.parse().expect("the test's value is one of a header"),
        );
        let coding = client::SCRIPT
            .compressed
            .iter()
            .map(|(coding, _)| *coding)
            .find(|coding| accepts(&headers, coding));
        assert_eq!(coding, expected, "{accept}");
    }

    #[test]
    fn the_smallest_that_the_browser_reads_is_chosen() {
        check("gzip, deflate, br, zstd", Some("br"));
        check("gzip, deflate", Some("gzip"));
        check("GZIP;q=0.5", Some("gzip"));
        check("br;q=0, gzip;q=1.0", Some("gzip"));
        check("br; q=0, *", Some("gzip"));
        check("*", Some("br"));
        check("*;q=0", None);
        check("gzip;q=much", None);
        check("identity", None);
        check("", None);
    }

    #[tokio::test]
    async fn the_answer_says_how_it_is_compressed_and_that_others_may_get_another() {
        for (accept, coding, bytes) in [
            ("br", Some("br"), client::SCRIPT.compressed[0].1),
            ("gzip", Some("gzip"), client::SCRIPT.compressed[1].1),
            ("identity", None, client::SCRIPT.bytes),
        ] {
            let request = Request::get(client::SCRIPT.path)
                .header(ACCEPT_ENCODING, accept)
                .body(Body::empty())
                .unwrap();
            let response = routes(false).oneshot(request).await.unwrap();
            let header = |name| {
                response
                    .headers()
                    .get(name)
                    .and_then(|value: &HeaderValue| value.to_str().ok())
            };
            assert_eq!(header(CONTENT_ENCODING), coding);
            assert_eq!(header(VARY), Some("accept-encoding"));
            assert_eq!(header(header::CACHE_CONTROL), Some(client::CACHE_CONTROL));
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert!(body == bytes, "{accept}");
        }
    }

    #[tokio::test]
    async fn what_has_one_form_does_not_vary() {
        let request = Request::get(client::LICENSES.path)
            .header(ACCEPT_ENCODING, "br")
            .body(Body::empty())
            .unwrap();
        let response = routes(false).oneshot(request).await.unwrap();
        assert!(!response.headers().contains_key(VARY));
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
    }
}
