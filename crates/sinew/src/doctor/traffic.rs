//! What the first requests show.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use sinew_web::forwarded::Direct;
use sinew_web::{Environment, TrustedProxies};

use super::kinds::{INSECURE_COOKIE, PAGE_WITHOUT_CLIENT, UNTRUSTED_PROXY};
use super::settings::needs_https;
use super::{Finding, Kind};
use crate::Config;

/// Bytes of a page that is looked into, 1 MiB. A longer one is passed on unread.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// Headers by which a proxy says who a request is from.
const FORWARDING: [&str; 4] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
];

/// Looks at requests and responses until each thing was found once.
#[derive(Debug)]
pub(crate) struct Traffic {
    proxies: TrustedProxies,
    looks_for_proxy: AtomicBool,
    looks_for_http: AtomicBool,
    looks_for_bare_page: AtomicBool,
}

impl Traffic {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        let is_development = config.edge.environment == Environment::Development;
        let ignored = &config.edge.doctor.ignored;
        let is_meant = |kind: Kind| ignored.iter().any(|code| code == kind.code);
        Arc::new(Self {
            proxies: config.edge.trusted_proxies.clone(),
            looks_for_proxy: AtomicBool::new(!is_meant(UNTRUSTED_PROXY)),
            looks_for_http: AtomicBool::new(needs_https(config) && !is_meant(INSECURE_COOKIE)),
            looks_for_bare_page: AtomicBool::new(is_development && !is_meant(PAGE_WITHOUT_CLIENT)),
        })
    }

    /// The middleware.
    pub(crate) async fn look(
        State(traffic): State<Arc<Self>>,
        request: Request,
        next: Next,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let direct = Direct::of(&parts);
        let looks_for_proxy = traffic.looks_for_proxy.load(Relaxed);
        let looks_for_http = traffic.looks_for_http.load(Relaxed);
        let proxy = (looks_for_proxy || looks_for_http)
            .then(|| untrusted_proxy(&traffic.proxies, &direct))
            .flatten();
        // A proxy that is not believed would be why a request seems to come over http.
        if proxy.is_some() {
            report(&traffic.looks_for_proxy, proxy);
        } else if looks_for_http && wants_page(&parts.headers) {
            let effective = traffic.proxies.effective(&direct);
            let is_dropped = !effective.secure && !is_this_machine(&effective.host);
            report(
                &traffic.looks_for_http,
                is_dropped.then(|| {
                    INSECURE_COOKIE.found(&effective.host).what(format!(
                        "a page of {} was asked for over http, and the session cookie is always secure",
                        effective.host
                    ))
                }),
            );
        }
        if !traffic.looks_for_bare_page.load(Relaxed) {
            return next.run(Request::from_parts(parts, body)).await;
        }
        let path = parts.uri.path().to_owned();
        let response = next.run(Request::from_parts(parts, body)).await;
        traffic.look_into(response, path).await
    }

    async fn look_into(&self, response: Response, path: String) -> Response {
        if !is_short_page(&response) {
            return response;
        }
        let (parts, body) = response.into_parts();
        // Its length is known and small, so all of it is there.
        let Ok(bytes) = to_bytes(body, usize::MAX).await else {
            return Response::from_parts(parts, Body::empty());
        };
        let found = is_bare(&bytes).then(|| {
            let what = format!("the page {path} has `data-reflex` and no script");
            PAGE_WITHOUT_CLIENT.found(path).what(what)
        });
        report(&self.looks_for_bare_page, found);
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// Says it, unless another request has said it meanwhile.
fn report(still: &AtomicBool, found: Option<Finding>) {
    if let Some(finding) = found
        && still.swap(false, Relaxed)
    {
        finding.log();
    }
}

/// A proxy stands near: a header from the open internet is somebody's invention.
fn untrusted_proxy(proxies: &TrustedProxies, direct: &Direct<'_>) -> Option<Finding> {
    let peer = direct.peer?.to_canonical();
    let header = FORWARDING
        .into_iter()
        .find(|name| direct.headers.contains_key(*name))?;
    (is_near(peer) && !proxies.trusts(peer)).then(|| {
        UNTRUSTED_PROXY
            .found("SINEW_TRUSTED_PROXIES")
            .what(format!("a request came through {peer} with {header}, which is not believed"))
            .fix(format!(
                "if {peer} is your proxy, set SINEW_TRUSTED_PROXIES={peer} (or a network such as 10.0.0.0/8, or `loopback`)"
            ))
    })
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// Whether a person asks, and no probe of a load balancer.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    accept.is_some_and(|accept| {
        accept
            .as_bytes()
            .windows(9)
            .any(|part| part == b"text/html")
    })
}

/// Browsers keep secure cookies of their own machine, whatever the scheme.
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" || name == "[::1]"
}

fn is_short_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status() == StatusCode::OK
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
        && !response.headers().contains_key(header::CONTENT_ENCODING)
        && response
            .body()
            .size_hint()
            .exact()
            .is_some_and(|bytes| bytes <= PAGE_BYTES_MAX)
}

/// Whether a whole page names reflexes and loads no script that could call them.
///
/// Whoever bundles the client themselves has some script with a `src` or of a type.
fn is_bare(page: &[u8]) -> bool {
    let page = page.to_ascii_lowercase();
    let has = |text: &str| page.windows(text.len()).any(|part| part == text.as_bytes());
    let scripts = page
        .windows(7)
        .enumerate()
        .filter(|(_, part)| part == b"<script");
    let mut tags = scripts.map(|(at, _)| {
        let tag = &page[at..];
        &tag[..tag
            .iter()
            .position(|byte| *byte == b'>')
            .unwrap_or(tag.len())]
    });
    let loads = |tag: &[u8]| {
        tag.windows(4).any(|part| part == b"src=") || tag.windows(5).any(|part| part == b"type=")
    };
    has("<html") && has(" data-reflex=") && !tags.any(loads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bare_when_nothing_can_hear_its_reflexes() {
        let button = "<button data-reflex=\"click->Counter#increment\">";
        for (page, expected) in [
            (format!("<html><body>{button}"), true),
            (
                format!("<!DOCTYPE HTML><HTML><script>let a = 1</script>{button}"),
                true,
            ),
            (
                format!("<html><script src=\"/app.js\" defer></script>{button}"),
                false,
            ),
            (
                format!("<html><script type=\"module\">import 'app'</script>{button}"),
                false,
            ),
            // A part of a page, which a page with a script will take in.
            (button.to_owned(), false),
            ("<html><p>data-reflex is an attribute".to_owned(), false),
            ("<html><p>Nothing reactive".to_owned(), false),
        ] {
            assert_eq!(is_bare(page.as_bytes()), expected, "{page}");
        }
    }
}
