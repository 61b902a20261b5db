use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, Request, StatusCode, header};
use parking_lot::Mutex;
use sinew_store::cookie::{CookieStore, CookieStoreConfig};
use sinew_store::{ManualClock, Session, SessionConfig, SessionError, Sessions};
use sinew_verifier::SecretKeyBase;
use tower::ServiceExt as _;

use super::*;
use crate::cookie::CookieConfig;
use crate::sealed::{COOKIE_BYTES_MAX, packed_bytes_max};
use crate::{SessionLayer, TrustedProxies};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Process {
    router: Router,
    layer: SessionLayer,
    clock: Arc<ManualClock>,
    changes: Arc<Mutex<Vec<SessionChange>>>,
}

fn process(secret: &str, older: &[&str]) -> Process {
    let clock = Arc::new(ManualClock::new());
    let cookie = CookieConfig::default();
    let mut config = CookieStoreConfig::default();
    config.packed_bytes_max = packed_bytes_max(&cookie, config.expire_after);
    let mut sessions = SessionConfig::default();
    sessions.expire_after = config.expire_after;
    let store = CookieStore::with_clock(config, clock.clone());
    let sessions = Sessions::with_config(Arc::new(store.clone()), sessions);
    let older: Vec<SecretKeyBase> = older.iter().map(|it| SecretKeyBase::new(*it)).collect();
    let sealer = SessionSealer::new(&SecretKeyBase::new(secret), &older);
    let changes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&changes);
    let layer = SessionLayer::new(sessions, cookie, TrustedProxies::none()).in_cookies(
        store,
        sealer,
        move |change| told.lock().push(change),
    );
    let router = Router::new()
        .route("/set/{name}/{bytes}", get(set))
        .route("/get/{name}", get(read))
        .route("/bare", get(async || "bare"))
        .route(
            "/cached",
            get(async || ([(header::CACHE_CONTROL, "public")], "")),
        )
        .route("/login", get(async |it: Session| _ = it.renew_id()))
        .route("/logout", get(async |it: Session| it.destroy()))
        .layer(layer.clone());
    Process {
        router,
        layer,
        clock,
        changes,
    }
}

/// Writes text that cannot be compressed well.
async fn set(session: Session, Path((name, bytes)): Path<(String, usize)>) -> StatusCode {
    let mut seed = 1_u64;
    let noise = |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(33 + (seed >> 33) as u8 % 93)
    };
    let text: String = (0..bytes).map(noise).filter(|it| *it != '"').collect();
    match session.set(&name, &text).await {
        Ok(()) => StatusCode::OK,
        Err(SessionError::CookieTooLarge { .. }) => StatusCode::INSUFFICIENT_STORAGE,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn read(session: Session, Path(name): Path<String>) -> String {
    match session.get::<String>(&name).await {
        Ok(Some(text)) => text.len().to_string(),
        _ => "nothing".to_owned(),
    }
}

impl Process {
    async fn ask(&self, path: &str, cookie: &str) -> Response {
        let mut request = Request::get(path).body(Body::empty()).expect("a request");
        if !cookie.is_empty() {
            let cookie = HeaderValue::try_from(format!("_sinew_session={cookie}"));
            let cookie = cookie.expect("visible ASCII");
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    async fn body(&self, path: &str, cookie: &str) -> String {
        let body = self.ask(path, cookie).await.into_body();
        let bytes = axum::body::to_bytes(body, 1000).await.expect("a body");
        String::from_utf8(bytes.into()).expect("text")
    }
}

fn cookie_of(response: &Response) -> Option<&str> {
    let line = response.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    let (pair, _) = line.split_once(';')?;
    pair.strip_prefix("_sinew_session=")
}

fn expect_cookie(response: &Response) -> String {
    cookie_of(response).expect("a cookie").to_owned()
}

#[tokio::test]
async fn cookies_that_are_none_of_ours_are_fresh_sessions_and_counted() {
    let (ours, foreign) = (process("secret", &[]), process("another", &[]));
    let cookie = expect_cookie(&ours.ask("/set/a/3", "").await);
    let elsewhere = expect_cookie(&foreign.ask("/set/a/3", "").await);
    let mut tampered = cookie.clone().into_bytes();
    tampered[0] = if tampered[0] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).expect("ASCII");
    let long = "A".repeat(5000);
    let bad = [
        elsewhere.as_str(),
        &tampered,
        "x",
        "--",
        &cookie[..50],
        &long,
    ];
    for (count, bad) in bad.into_iter().enumerate() {
        let response = ours.ask("/get/a", bad).await;
        assert_eq!(response.status(), 200, "{bad}");
        assert_eq!(ours.layer.statistics().cookies_malformed, count as u64 + 1);
        let response = ours.ask("/set/b/1", bad).await;
        assert_eq!(ours.body("/get/b", &expect_cookie(&response)).await, "1");
        assert_eq!(ours.layer.statistics().cookies_malformed, count as u64 + 2);
        ours.layer
            .0
            .counters
            .cookies_malformed
            .fetch_sub(1, Ordering::Relaxed);
    }
    // The first one of ours counts.
    let both = format!("{tampered}; _sinew_session={cookie}");
    assert_eq!(ours.body("/get/a", &both).await, "3");
}

#[tokio::test]
async fn a_session_expires_and_rolls() {
    let process_now = process("secret", &[]);
    let cookie = expect_cookie(&process_now.ask("/set/a/3", "").await);
    assert_eq!(cookie_of(&process_now.ask("/get/a", &cookie).await), None);
    process_now.clock.advance(2 * DAY);
    let rolled = expect_cookie(&process_now.ask("/get/a", &cookie).await);
    process_now.clock.advance(13 * DAY);
    assert_eq!(process_now.body("/get/a", &cookie).await, "nothing");
    assert_eq!(process_now.body("/get/a", &rolled).await, "3");
    assert_eq!(process_now.layer.statistics().cookies_malformed, 0);
}

#[tokio::test]
async fn a_cookie_of_an_older_secret_is_sealed_anew() {
    let before = process("before", &[]);
    let cookie = expect_cookie(&before.ask("/set/a/3", "").await);
    let now = process("now", &["years ago", "before"]);
    let anew = expect_cookie(&now.ask("/get/a", &cookie).await);
    assert_eq!(process("now", &[]).body("/get/a", &anew).await, "3");
    assert_eq!(before.body("/get/a", &anew).await, "nothing");
}

#[tokio::test]
async fn what_fits_goes_into_a_cookie_that_browsers_keep_and_the_rest_is_refused() {
    let process = process("secret", &[]);
    let mut largest = 0;
    for bytes in (2_000..4_000).step_by(16) {
        let response = process.ask(&format!("/set/a/{bytes}"), "").await;
        match response.status() {
            StatusCode::OK => {
                let line = response.headers()[header::SET_COOKIE].len();
                // `; Secure` may come on top.
                assert!(line + 8 <= COOKIE_BYTES_MAX, "{line}");
                largest = largest.max(line);
            }
            status => {
                assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE);
                assert_eq!(cookie_of(&response), None);
            }
        }
    }
    assert!(largest > COOKIE_BYTES_MAX - 100, "{largest}");
    assert_eq!(process.ask("/set/a/9000", "").await.status(), 507);
}

#[tokio::test]
async fn a_response_brings_what_the_cookie_has_not_got() {
    let process = process("secret", &[]);
    let first = expect_cookie(&process.ask("/set/a/1", "").await);
    let second = expect_cookie(&process.ask("/set/b/1", &first).await);
    // As one whose answer was lost, or who asked before it came.
    for path in ["/bare", "/get/a"] {
        let healed = expect_cookie(&process.ask(path, &first).await);
        assert_eq!(process.body("/get/b", &healed).await, "1");
        assert_eq!(cookie_of(&process.ask(path, &second).await), None);
    }
    assert_eq!(cookie_of(&process.ask("/cached", &first).await), None);
    let third = expect_cookie(&process.ask("/set/c/1", &first).await);
    for name in ["a", "b", "c"] {
        assert_eq!(process.body(&format!("/get/{name}"), &third).await, "1");
    }
}

#[tokio::test]
async fn logins_and_logouts_are_told() {
    let process = process("secret", &[]);
    let cookie = expect_cookie(&process.ask("/set/a/1", "").await);
    let after = expect_cookie(&process.ask("/login", &cookie).await);
    assert_eq!(process.body("/get/a", &after).await, "1");
    assert_eq!(process.body("/get/a", &cookie).await, "nothing");
    let response = process.ask("/logout", &after).await;
    assert_eq!(cookie_of(&response), Some(""));
    assert_eq!(process.body("/get/a", &after).await, "nothing");
    let changes = process.changes.lock();
    let [
        SessionChange::Written(written),
        SessionChange::Renewed { from, state, .. },
        SessionChange::Ended(ended),
    ] = &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!((*from, *ended), (written.id(), state.id()));
    assert_ne!(from, ended);
}
