//! A login that is shared with a real Rails application, in its cookie.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use serde_json::{Value, json};
use sinew::config::{CookieMetadata, Digest, RailsCookie, Secret};
use sinew::prelude::*;
use sinew::{App, Config};
use test_servers::Rails;
use tower::ServiceExt as _;

async fn who(session: Session) -> Result<String> {
    let user: Option<i64> = session.get("user_id").await?;
    Ok(user.map_or("nobody".to_owned(), |user| user.to_string()))
}

async fn dark(session: Session) -> Result<&'static str> {
    session.set("theme", "dark").await?;
    Ok("dark")
}

async fn large(session: Session) -> Result<&'static str> {
    session.set("large", &"x".repeat(2000)).await?;
    Ok("written")
}

async fn login(session: Session) -> Result<&'static str> {
    session.renew_id();
    session.set("user_id", &7).await?;
    Ok("logged in")
}

async fn logout(session: Session) -> &'static str {
    session.destroy();
    "logged out"
}

fn app(rails: RailsCookie, change: impl FnOnce(&mut Config)) -> App {
    let router = Router::new()
        .route("/who", get(who))
        .route("/dark", get(dark))
        .route("/large", get(large))
        .route("/login", get(login))
        .route("/logout", get(logout));
    let mut config = Config::default();
    config.edge.configured_secret = Some(Secret::new(Rails::SECRET).expect("long enough"));
    config.edge.cookie.name = Rails::COOKIE.to_owned();
    change(&mut config);
    let sinew = Sinew::new(router).config(config);
    sinew.rails_cookie_sessions(rails).build().expect("starts")
}

/// One request with the cookie that the browser has; it keeps what the answer sets.
async fn ask(app: &App, path: &str, cookie: &mut Option<String>) -> (u16, String) {
    let mut request = Request::get(path);
    if let Some(value) = &cookie {
        request = request.header("cookie", format!("{}={value}", Rails::COOKIE));
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = app
        .router()
        .clone()
        .oneshot(request)
        .await
        .expect("answers");
    if let Some(header) = response.headers().get("set-cookie") {
        let header = header.to_str().expect("text");
        let pair = header.split(';').next().expect("a pair");
        let (name, value) = pair.split_once('=').expect("a pair");
        assert_eq!(name, Rails::COOKIE);
        *cookie = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    (
        status,
        String::from_utf8(body.expect("a body").to_vec()).expect("text"),
    )
}

async fn share(settings: &[(&str, &str)], cookie: RailsCookie) {
    let mut rails = Rails::start(settings);
    let app = app(cookie, |_| {});
    rails.get("/login?user_id=42");
    let token = rails.get("/token").body;
    let cookie = &mut rails.cookie.clone();
    assert_eq!(ask(&app, "/who", cookie).await, (200, "42".to_owned()));
    assert_eq!(*cookie, rails.cookie, "reading changes no cookie");
    ask(&app, "/dark", cookie).await;

    // What Rails kept of its own is still there: the login, and the token of its forms.
    rails.cookie = cookie.clone();
    let fields = rails.fields();
    assert_eq!(
        (&fields["user_id"], &fields["theme"]),
        (&json!(42), &json!("dark"))
    );
    let submit = rails.ask("POST", "/protected", json!({"authenticity_token": token}));
    assert_eq!(submit.status, 200);

    // Rails writes twice in a row, and each time it counts here.
    for user in [43, 44] {
        let fields = json!({"user_id": user}).to_string();
        rails.ask("GET", "/write", json!({"fields": fields}));
        let cookie = &mut rails.cookie.clone();
        assert_eq!(ask(&app, "/who", cookie).await.1, user.to_string());
    }

    // A login here is one there, with another id; and so is a logout.
    let cookie = &mut rails.cookie.clone();
    ask(&app, "/login", cookie).await;
    let before = rails.fields()["session_id"].clone();
    rails.cookie = cookie.clone();
    let fields = rails.fields();
    assert_eq!(fields["user_id"], 7);
    assert_ne!(fields["session_id"], before);
    rails.get("/logout");
    let cookie = &mut rails.cookie.clone();
    assert_eq!(ask(&app, "/who", cookie).await.1, "nobody");
    rails.get("/login?user_id=45");
    let cookie = &mut rails.cookie.clone();
    assert_eq!(ask(&app, "/who", cookie).await.1, "45");
    ask(&app, "/logout", cookie).await;
    assert_eq!(*cookie, None);
}

#[tokio::test]
async fn a_login_is_shared_with_either_digest() {
    let sha1 = RailsCookie {
        digest: Digest::Sha1,
        ..RailsCookie::default()
    };
    share(&[("DIGEST", "SHA1")], sha1).await;
    share(&[("DIGEST", "SHA1"), ("EXPIRE_AFTER", "1209600")], sha1).await;
    share(&[("DIGEST", "SHA256")], RailsCookie::default()).await;
}

#[tokio::test]
async fn a_login_is_shared_without_metadata() {
    let cookie = RailsCookie {
        digest: Digest::Sha1,
        metadata: CookieMetadata::Absent,
    };
    share(&[("METADATA", "false")], cookie).await;
}

#[tokio::test]
async fn a_cookie_that_is_none_is_a_fresh_session_and_a_counter() {
    let app = app(RailsCookie::default(), |_| {});
    let mut marshal = Rails::start(&[("DIGEST", "SHA256"), ("SERIALIZER", "marshal")]);
    marshal.get("/login?user_id=42");
    let mut other = Rails::start(&[
        ("DIGEST", "SHA256"),
        (
            "SECRET_KEY_BASE",
            "another-secret-another-secret-another-secret",
        ),
    ]);
    other.get("/login?user_id=42");
    let corrupt = marshal.cookie.as_ref().map(|value| value.to_lowercase());
    for cookie in [
        marshal.cookie.clone(),
        other.cookie.clone(),
        corrupt,
        Some("x".to_owned()),
    ] {
        assert_eq!(
            ask(&app, "/who", &mut cookie.clone()).await,
            (200, "nobody".to_owned())
        );
    }
    let metrics = app.handle().metrics().to_string();
    let mut lines = metrics.lines();
    let line = lines.find(|line| line.starts_with("sinew_session_cookies_malformed_total "));
    let count = line.and_then(|line| line.split(' ').nth(1));
    assert_eq!(
        count.and_then(|count| count.parse().ok()),
        Some(4.0),
        "{line:?}"
    );
}

#[tokio::test]
async fn after_a_new_secret_old_cookies_are_read_and_new_ones_written() {
    let mut rails = Rails::start(&[("DIGEST", "SHA256")]);
    rails.get("/login?user_id=42");
    let old = rails.cookie.clone();
    let secret = "of-this-year-of-this-year-of-this-year-of-this-year";
    let app = app(RailsCookie::default(), |config| {
        let edge = &mut config.edge;
        edge.previous_secrets = vec![Secret::new(Rails::SECRET).expect("long enough")];
        edge.configured_secret = Some(Secret::new(secret).expect("long enough"));
    });
    let cookie = &mut old.clone();
    assert_eq!(ask(&app, "/who", cookie).await.1, "42");
    assert_ne!(*cookie, old, "it is sealed anew");

    let mut rotated = Rails::start(&[("DIGEST", "SHA256"), ("SECRET_KEY_BASE", secret)]);
    rotated.cookie = cookie.clone();
    assert_eq!(rotated.fields()["user_id"], 42);
    rails.cookie = cookie.clone();
    assert_eq!(rails.fields()["user_id"], Value::Null);
}

#[tokio::test]
async fn what_does_not_fit_into_the_cookie_is_refused_at_the_write() {
    let mut rails = Rails::start(&[("DIGEST", "SHA256")]);
    rails.get("/login?user_id=42");
    let app = app(RailsCookie::default(), |_| {});
    let cookie = &mut rails.cookie.clone();
    assert_eq!(ask(&app, "/large", cookie).await.0, 500);
    assert_eq!(*cookie, rails.cookie, "nothing of it was written");
}
