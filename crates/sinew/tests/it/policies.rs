use std::collections::HashSet;

use axum::Router;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use http::{StatusCode, header};
use serde_json::json;
use sinew::config::ContentSecurityPolicy;
use sinew::{client, prelude::*};

use crate::application::{Counter, counter};
use crate::browser::{Answer, Browser};
use crate::server::{Server, config};

const POLICY: &str = "content-security-policy";

/// The nonce that a page's policy names, once for scripts and once for styles.
#[track_caller]
fn nonce(answer: &Answer) -> String {
    let policy = answer.header(POLICY).expect("a policy");
    let mut parts = policy.split("'nonce-").skip(1);
    let nonces: HashSet<&str> = parts
        .by_ref()
        .filter_map(|part| Some(part.split_once('\'')?.0))
        .collect();
    assert_eq!(nonces.len(), 1, "{policy}");
    nonces.into_iter().next().expect("one").to_owned()
}

#[tokio::test]
async fn each_page_has_the_policy_and_a_nonce_of_its_own() {
    let server = Server::start(counter()).await;
    let mut browser = Browser::new(&server);
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let page = browser.get("/").await;
        let nonce = nonce(&page);
        let script = format!(
            r#"<meta name="csp-nonce" nonce="{nonce}"><script src="{}" nonce="{nonce}" data-turbo-track="reload" defer></script>"#,
            client::SCRIPT.path
        );
        assert!(page.body.contains(&script), "{}", page.body);
        assert!(!page.body.contains("integrity"), "{}", page.body);
        assert_eq!(page.header("cache-control"), Some("private"));
        let default = ContentSecurityPolicy::default().to_string();
        assert_eq!(page.header(POLICY), Some(&*default.replace('…', &nonce)));
        assert!(seen.insert(nonce), "no nonce comes twice");
    }
}

#[tokio::test]
async fn what_does_not_take_the_tags_has_no_policy() {
    let server = Server::start(counter()).await;
    let mut browser = Browser::new(&server);
    for path in ["/bare", "/count", "/health", client::SCRIPT.path] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status, answer.header(POLICY)),
            (200, None),
            "{path}"
        );
    }
}

/// Pages that say something about their policy or their caching themselves.
fn pages() -> Sinew {
    let own = async |client: ClientTags| {
        let policy = format!("script-src 'nonce-{}'", client.nonce());
        (
            [(header::CONTENT_SECURITY_POLICY, policy)],
            Html(client.to_string()),
        )
    };
    let json = async |client: ClientTags| {
        let headers = [(header::CONTENT_TYPE, "application/json")];
        (headers, json!({"tags": client.to_string()}).to_string())
    };
    let shared = async |client: ClientTags| {
        let headers = [(
            header::CACHE_CONTROL,
            "public, s-maxage=600, must-revalidate",
        )];
        (headers, Html(client.to_string()))
    };
    let unchanged = async |_: ClientTags| -> Response {
        let html = [(header::CONTENT_TYPE, "text/html")];
        (StatusCode::NOT_MODIFIED, html).into_response()
    };
    let stream = async |client: ClientTags| {
        let headers = [(
            header::CONTENT_TYPE,
            "text/vnd.turbo-stream.html; charset=utf-8",
        )];
        (headers, client.nonce().to_owned())
    };
    let missing = async |client: ClientTags| (StatusCode::NOT_FOUND, Html(client.to_string()));
    let router = Router::new()
        .route("/own", get(own))
        .route("/json", get(json))
        .route("/shared", get(shared))
        .route("/unchanged", get(unchanged))
        .route("/stream", get(stream))
        .fallback(missing);
    Sinew::new(router).reflex(Counter)
}

#[tokio::test]
async fn a_policy_of_the_handlers_own_stays_and_has_the_nonce() {
    let server = Server::start(pages()).await;
    let page = Browser::new(&server).get("/own").await;
    let nonce = nonce(&page);
    assert_eq!(
        page.header(POLICY),
        Some(&*format!("script-src 'nonce-{nonce}'"))
    );
    assert!(page.body.contains(&format!(r#"nonce="{nonce}""#)));
}

#[tokio::test]
async fn the_policy_is_for_pages_whatever_their_status_and_not_for_a_304() {
    let server = Server::start(pages()).await;
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get("/json").await.header(POLICY), None);
    assert_eq!(browser.get("/unchanged").await.header(POLICY), None);
    let missing = browser.get("/nowhere").await;
    assert_eq!(missing.status, 404);
    nonce(&missing);
    // Turbo finds there which nonce the stream's own is.
    let stream = browser.get("/stream").await;
    assert_eq!(stream.body, nonce(&stream));
}

#[tokio::test]
async fn no_shared_cache_hands_a_nonce_on() {
    let server = Server::start(pages()).await;
    let page = Browser::new(&server).get("/shared").await;
    assert_eq!(
        page.header("cache-control"),
        Some("private, must-revalidate")
    );
}

#[tokio::test]
async fn the_policy_can_be_widened_only_reported_and_turned_off() {
    let mut settings = config();
    let policy = ContentSecurityPolicy::default();
    let policy = policy.allow("img-src", "data:").expect("a good source");
    settings.content_security_policy = Some(policy.clone());
    let server = Server::with(counter(), settings.clone()).await;
    let page = Browser::new(&server).get("/").await;
    let header = page.header(POLICY).expect("a policy");
    assert!(header.ends_with("; img-src 'self' data:"), "{header}");

    settings.content_security_policy = Some(policy.report_only());
    let server = Server::with(counter(), settings.clone()).await;
    let page = Browser::new(&server).get("/").await;
    assert_eq!(page.header(POLICY), None);
    let header = page.header("content-security-policy-report-only");
    assert!(header.is_some_and(|header| header.contains("'nonce-")));

    settings.content_security_policy = None;
    let server = Server::with(counter(), settings).await;
    let page = Browser::new(&server).get("/").await;
    assert_eq!(page.header(POLICY), None);
    assert!(page.body.contains(r#"<meta name="csp-nonce" nonce=""#));
}

#[tokio::test]
async fn a_page_morph_writes_what_the_browser_shows_of_a_nonce() {
    let page = async |client: ClientTags| {
        let nonce = client.nonce();
        Html(format!(
            r#"<html><head>{client}</head><body><style nonce="{nonce}">b {{ color: teal }}</style></body></html>"#
        ))
    };
    let sinew = Sinew::new(Router::new().route("/", get(page))).reflex(Counter);
    let server = Server::start(sinew).await;
    let mut tab = Browser::visit(&server, "/").await.tab("/").await;
    let reply = tab.perform("Counter#increment", json!([1])).await;
    assert_eq!(reply.html(), r#"<style nonce="">b { color: teal }</style>"#);
}

#[tokio::test]
async fn cable_and_scripts_of_other_hosts_are_allowed_and_no_more_of_them() {
    let mut settings = config();
    settings.edge.cable_url = Some("https://cable.example.com:444/cable".to_owned());
    settings.edge.assets_url = Some("https://cdn.example.com/a".parse().expect("an address"));
    let server = Server::with(counter(), settings).await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/").await;
    let policy = page.header(POLICY).expect("a policy");
    let nonce = nonce(&page);
    for directive in [
        "connect-src 'self' wss://cable.example.com:444",
        &*format!("script-src 'self' https://cdn.example.com/a/_sinew/ 'nonce-{nonce}'"),
        &*format!("style-src 'self' 'nonce-{nonce}'"),
    ] {
        assert!(policy.split("; ").any(|part| part == directive), "{policy}");
    }
    let script = format!(
        r#"<script src="https://cdn.example.com/a{}" nonce="{nonce}" crossorigin="anonymous" integrity="{}" data-turbo-track="reload" defer></script>"#,
        client::SCRIPT.path,
        client::SCRIPT.integrity
    );
    assert!(page.body.contains(&script), "{}", page.body);

    // A host that fetches them from here finds them, and may hand them on.
    for asset in client::ASSETS {
        let file = browser.get(asset.path).await;
        assert_eq!(file.status, 200);
        assert_eq!(file.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            file.header("cross-origin-resource-policy"),
            Some("cross-origin")
        );
    }
}

#[tokio::test]
async fn an_address_that_would_widen_the_policy_is_refused_at_the_start() {
    let mut settings = config();
    settings.edge.cable_url = Some("wss://a.example;script-src/cable".to_owned());
    let refused = counter().config(settings).in_memory().build();
    let sentence = refused.expect_err("refused").to_string();
    assert!(sentence.contains("a.example;script-src"), "{sentence}");
}
