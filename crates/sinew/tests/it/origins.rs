use http::StatusCode;
use sinew::{Config, config::OriginPolicy};

use crate::application::counter;
use crate::browser::Browser;
use crate::server::{Server, config};

async fn server(set: impl FnOnce(&mut Config)) -> (Server, Browser) {
    let mut config = config();
    set(&mut config);
    let server = Server::with(counter(), config).await;
    let browser = Browser::visit(&server, "/").await;
    (server, browser)
}

#[track_caller]
fn expect_forbidden(browser: &Browser) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let refused = browser.connect().await.err();
        assert_eq!(refused, Some(StatusCode::FORBIDDEN), "at {caller}");
    }
}

#[tokio::test]
async fn same_host_is_enough_with_nothing_configured() {
    let (server, browser) = server(|_| {}).await;
    let own = format!("http://{}", server.address);
    browser.clone().header("origin", own).cable().await;
    browser.cable().await;
    for origin in [
        "http://evil.example",
        "http://127.0.0.1",
        "https://localhost",
        "null",
    ] {
        expect_forbidden(&browser.clone().header("origin", origin)).await;
    }
    // Refused before the upgrade: the cable never heard of them.
    let statistics = server.app.handle().cable().statistics();
    assert_eq!(statistics.connections_opened, 2);
}

#[tokio::test]
async fn list_is_all_there_is() {
    let list = "https://app.example.com, *.example.org";
    let (server, browser) = server(|config| {
        config.edge.origins = OriginPolicy::parse(list).expect("a list");
    })
    .await;
    for origin in ["https://app.example.com", "http://a.example.org"] {
        browser.clone().header("origin", origin).cable().await;
    }
    let own = format!("http://{}", server.address);
    for origin in [&*own, "https://example.com", "http://app.example.com"] {
        expect_forbidden(&browser.clone().header("origin", origin)).await;
    }
    expect_forbidden(&browser).await;
}

#[tokio::test]
async fn off_switch_lets_everybody_in() {
    let (_server, browser) = server(|config| config.edge.origins = OriginPolicy::any()).await;
    let stranger = browser.header("origin", "http://evil.example");
    stranger.cable().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_host_counts() {
    let (server, browser) = server(|config| {
        config.edge.trusted_proxies = "loopback".parse().expect("a network");
    })
    .await;
    let proxied = || {
        browser
            .clone()
            .header("x-forwarded-host", "app.example.com")
    };
    for (scheme, origin) in [
        ("https", "https://app.example.com"),
        ("wss", "https://app.example.com"),
        ("wss", "https://app.example.com:443"),
        ("http", "http://app.example.com"),
    ] {
        let page = proxied().header("x-forwarded-proto", scheme);
        page.header("origin", origin).cable().await;
    }
    let own = format!("http://{}", server.address);
    for origin in [&*own, "https://example.com"] {
        expect_forbidden(&proxied().header("origin", origin)).await;
    }
    let rfc = browser.clone().header(
        "forwarded",
        "for=192.0.2.1;host=app.example.com;proto=https",
    );
    rfc.header("origin", "https://app.example.com")
        .cable()
        .await;

    // The cookie follows the visitor's scheme, not ours.
    for (scheme, is_secure) in [("https", true), ("wss", true), ("http", false)] {
        let mut visitor = Browser::new(&server).header("x-forwarded-proto", scheme);
        let page = visitor.get("/").await;
        let cookie = page.header("set-cookie").expect("a cookie").to_owned();
        assert_eq!(cookie.contains("; Secure"), is_secure, "{cookie}");
    }
}

#[tokio::test]
async fn forwarded_host_of_a_stranger_does_not_count() {
    let (server, browser) = server(|_| {}).await;
    let stranger = || {
        let host = browser.clone().header("x-forwarded-host", "evil.example");
        host.header("x-forwarded-proto", "https")
    };
    expect_forbidden(&stranger().header("origin", "https://evil.example")).await;
    let own = format!("http://{}", server.address);
    stranger().header("origin", own).cable().await;
    let mut visitor = Browser::new(&server).header("x-forwarded-proto", "https");
    let page = visitor.get("/").await;
    let cookie = page.header("set-cookie").expect("a cookie");
    assert!(!cookie.contains("; Secure"), "{cookie}");
}
