use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use axum::Router;
use axum::body::Body;
use axum::response::AppendHeaders;
use axum::routing::get;
use sinew_store::{
    BoxFuture, Commit, Committed, Key, MemoryStore, Record, Store, StoreError, StoreErrorKind,
};
use tower::ServiceExt as _;

use super::*;

/// A store that counts its commits and can be told to fail.
#[derive(Default)]
struct ProbedStore {
    inner: MemoryStore,
    commits: AtomicUsize,
    is_failing: AtomicBool,
}

impl ProbedStore {
    fn check(&self) -> Result<(), StoreError> {
        match self.is_failing.load(Ordering::SeqCst) {
            true => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the disk is full",
            )),
            false => Ok(()),
        }
    }
}

impl Store for ProbedStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.inner.load(key)
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        Box::pin(async move {
            self.check()?;
            self.commits.fetch_add(1, Ordering::SeqCst);
            self.inner.commit(key, commit).await
        })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.delete(key)
    }
}

struct App {
    router: Router,
    layer: SessionLayer,
    store: Arc<ProbedStore>,
}

type Answer = Result<String, String>;

fn said(error: SessionError) -> String {
    error.to_string()
}

async fn count(session: Session) -> Answer {
    session
        .update("count", |count: i64| count + 1)
        .await
        .map(|c| c.to_string())
        .map_err(said)
}

async fn count_and_fail(session: Session) -> Response {
    let _ = count(session).await;
    (StatusCode::INTERNAL_SERVER_ERROR, "the handler's own error").into_response()
}

async fn read(session: Session) -> Answer {
    session
        .get_or_default::<i64>("count")
        .await
        .map(|c| c.to_string())
        .map_err(said)
}

async fn leave_notice(flash: Flash) -> Answer {
    flash
        .set("notice", "saved")
        .await
        .map(|()| String::new())
        .map_err(said)
}

async fn show_notice(flash: Flash) -> Answer {
    flash
        .get::<String>("notice")
        .await
        .map(Option::unwrap_or_default)
        .map_err(said)
}

async fn with_own_headers(session: Session) -> impl IntoResponse {
    session.ensure();
    let headers = [
        (header::SET_COOKIE, "own=1"),
        (header::SET_COOKIE, "own=2"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    AppendHeaders(headers)
}

fn app_with(cookie: CookieConfig) -> App {
    let store = Arc::new(ProbedStore::default());
    let sessions = Sessions::new(store.clone());
    let proxies = "10.0.0.0/8".parse().expect("a network");
    let layer = SessionLayer::new(sessions, cookie, proxies);
    let router = Router::new()
        .route("/", get(count))
        .route("/fail", get(count_and_fail))
        .route("/read", get(read))
        .route("/bare", get(|| async { "" }))
        .route(
            "/ensure",
            get(|session: Session| async move { session.ensure() }),
        )
        .route(
            "/login",
            get(|session: Session| async move { _ = session.renew_id() }),
        )
        .route(
            "/logout",
            get(|session: Session| async move { session.destroy() }),
        )
        .route("/leave", get(leave_notice))
        .route("/show", get(show_notice))
        .route("/own", get(with_own_headers))
        .route(
            "/origin",
            get(|effective: Effective| async move { effective.origin() }),
        )
        .layer(layer.clone());
    App {
        router,
        layer,
        store,
    }
}

fn app() -> App {
    app_with(CookieConfig::default())
}

/// A browser that closes: its cookie has no age, so it is only set when it changes.
fn app_without_age() -> App {
    app_with(CookieConfig {
        persistent: false,
        ..CookieConfig::default()
    })
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn cookies(&self) -> Vec<&str> {
        let values = self.headers.get_all(header::SET_COOKIE).iter();
        values
            .map(|value| value.to_str().expect("visible ASCII"))
            .collect()
    }

    /// The id set by the first cookie.
    fn id(&self) -> &str {
        let cookie = self.cookies().into_iter().next().expect("a cookie");
        let value = cookie
            .strip_prefix("_sinew_session=")
            .expect("the session's cookie");
        value.split(';').next().expect("a value")
    }
}

impl App {
    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20)
            .await
            .expect("a short body");
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).expect("a request"))
            .await
    }

    async fn get_as(&self, path: &str, id: &str) -> Reply {
        let request = Request::get(path)
            .header(header::COOKIE, format!("theme=dark; _sinew_session={id}"))
            .body(Body::empty());
        self.send(request.expect("a request")).await
    }

    fn commits(&self) -> usize {
        self.store.commits.load(Ordering::SeqCst)
    }
}

const STRANGE: &str = "00112233445566778899aabbccddeeff";

#[tokio::test]
async fn the_first_visit_gets_a_cookie() {
    let app = app();
    let reply = app.get("/").await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, "1"));
    assert!(reply.id().parse::<SessionId>().is_ok());
    let flags = "; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax";
    assert_eq!(
        reply.cookies(),
        [format!("_sinew_session={}{flags}", reply.id())]
    );
    assert_eq!(reply.headers[header::CACHE_CONTROL], "private");
    assert_eq!(app.get_as("/", reply.id()).await.body, "2");
}

#[tokio::test]
async fn what_is_not_used_costs_nothing() {
    let app = app();
    let visitor = app.get("/").await;
    let commits = app.commits();
    for reply in [
        app.get("/bare").await,
        app.get_as("/bare", visitor.id()).await,
    ] {
        assert_eq!(reply.cookies(), [""; 0]);
        assert!(!reply.headers.contains_key(header::CACHE_CONTROL));
    }
    // Reading what is not there creates nothing either.
    assert_eq!(app.get("/read").await.cookies(), [""; 0]);
    assert_eq!(app.get("/show").await.cookies(), [""; 0]);
    assert_eq!(app.get_as("/read", STRANGE).await.cookies(), [""; 0]);
    assert_eq!(app.commits(), commits);
}

#[tokio::test]
async fn a_cookie_with_an_age_rolls_and_one_without_stays() {
    let (rolling, staying) = (app(), app_without_age());
    let first = rolling.get("/").await;
    for path in ["/", "/read", "/ensure"] {
        assert_eq!(
            rolling.get_as(path, first.id()).await.id(),
            first.id(),
            "{path}"
        );
    }
    let first = staying.get("/").await;
    assert_eq!(
        first.cookies(),
        [format!(
            "_sinew_session={}; Path=/; HttpOnly; SameSite=Lax",
            first.id()
        )]
    );
    for path in ["/", "/read", "/ensure"] {
        assert_eq!(
            staying.get_as(path, first.id()).await.cookies(),
            [""; 0],
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_ensured_session_is_stored_once() {
    let app = app_without_age();
    let first = app.get("/ensure").await;
    assert_eq!(app.commits(), 1);
    let id = first.id().parse().expect("an id");
    assert!(
        app.layer
            .sessions()
            .open(id)
            .exists()
            .await
            .expect("the store answers")
    );
    app.get_as("/ensure", first.id()).await;
    assert_eq!(app.commits(), 1);
}

#[tokio::test]
async fn an_id_of_somebody_elses_choice_is_not_taken_over() {
    let app = app();
    for path in ["/", "/ensure", "/login", "/leave"] {
        let reply = app.get_as(path, STRANGE).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_ne!(reply.id(), STRANGE, "{path}");
    }
    let strange = app.layer.sessions().open(STRANGE.parse().expect("an id"));
    assert!(!strange.exists().await.expect("the store answers"));
    assert_eq!(app.layer.statistics(), SessionStatistics::default());
}

#[tokio::test]
async fn a_broken_cookie_is_counted_and_replaced() {
    let app = app();
    for (asked, broken) in [
        "",
        "x",
        "../../etc/passwd",
        "00112233445566778899AABBCCDDEEFF",
        "%00",
    ]
    .into_iter()
    .enumerate()
    {
        let reply = app.get_as("/", broken).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (StatusCode::OK, "1"),
            "{broken}"
        );
        assert!(reply.id().parse::<SessionId>().is_ok());
        assert_eq!(app.layer.statistics().cookies_malformed, asked as u64 + 1);
    }
}

#[tokio::test]
async fn the_first_known_of_several_cookies_counts() {
    let app = app();
    let visitor = app.get("/").await;
    for planted in ["broken", STRANGE] {
        let line = format!("_sinew_session={planted}; _sinew_session={}", visitor.id());
        let request = Request::get("/read")
            .header(header::COOKIE, line)
            .body(Body::empty());
        let reply = app.send(request.expect("a request")).await;
        assert_eq!(
            (reply.body.as_str(), reply.id()),
            ("1", visitor.id()),
            "{planted}"
        );
    }
    assert_eq!(app.layer.statistics().cookies_malformed, 0);
}

#[tokio::test]
async fn secure_follows_the_trusted_proxy() {
    for (peer, scheme, expected) in [
        ("10.0.0.1", "https", true),
        ("10.0.0.1", "wss", true),
        ("10.0.0.1", "http", false),
        ("203.0.113.9", "https", false),
    ] {
        let app = app();
        let request = |path: &str| {
            let address: Option<IpAddr> = peer.parse().ok();
            Request::get(path)
                .extension(Peer {
                    address,
                    secure: false,
                })
                .header("host", "app.example.com")
                .header("x-forwarded-proto", scheme)
                .body(Body::empty())
                .expect("a request")
        };
        let reply = app.send(request("/")).await;
        assert_eq!(
            reply.cookies()[0].contains("; Secure"),
            expected,
            "{peer} {scheme}"
        );
        let origin = if expected {
            "https://app.example.com"
        } else {
            "http://app.example.com"
        };
        assert_eq!(app.send(request("/origin")).await.body, origin);
    }
}

#[tokio::test]
async fn a_destroyed_session_takes_its_cookie_along() {
    let app = app();
    let visitor = app.get("/").await;
    let deletion = ["_sinew_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"];
    assert_eq!(
        app.get_as("/logout", visitor.id()).await.cookies(),
        deletion
    );
    // Nobody comes back under the old id.
    let after = app.get_as("/", visitor.id()).await;
    assert_eq!(after.body, "1");
    assert_ne!(after.id(), visitor.id());
    // Ids that name nothing are forgotten as well; without a cookie there is nothing to delete.
    assert_eq!(app.get_as("/logout", STRANGE).await.cookies(), deletion);
    assert_eq!(app.get("/logout").await.cookies(), [""; 0]);
}

#[tokio::test]
async fn a_login_changes_the_id_and_keeps_the_fields() {
    let app = app_without_age();
    let visitor = app.get("/").await;
    let user = app.get_as("/login", visitor.id()).await;
    assert_ne!(user.id(), visitor.id());
    assert_eq!(app.get_as("/read", user.id()).await.body, "1");
    assert_eq!(app.get_as("/read", visitor.id()).await.body, "0");
}

#[tokio::test]
async fn the_handlers_cookies_come_after_and_its_caching_stays() {
    let app = app();
    let reply = app.get("/own").await;
    let names: Vec<_> = reply
        .cookies()
        .iter()
        .map(|c| c.split('=').next())
        .collect();
    assert_eq!(names, [Some("_sinew_session"), Some("own"), Some("own")]);
    assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_flash_lives_for_one_more_request() {
    let app = app();
    let visitor = app.get("/leave").await;
    assert_eq!(app.get_as("/bare", visitor.id()).await.body, "");
    assert_eq!(app.get_as("/show", visitor.id()).await.body, "saved");
    assert_eq!(app.get_as("/show", visitor.id()).await.body, "");
}

#[tokio::test]
async fn writes_before_an_error_page_are_kept() {
    let app = app();
    let reply = app.get("/fail").await;
    assert_eq!(reply.body, "the handler's own error");
    assert_eq!(app.get_as("/read", reply.id()).await.body, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_increments_at_once_are_a_hundred() {
    let app = Arc::new(app());
    let visitor = app.get("/ensure").await;
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let (app, id) = (Arc::clone(&app), visitor.id().to_owned());
            tokio::spawn(async move { app.get_as("/", &id).await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.expect("no panic"), StatusCode::OK);
    }
    assert_eq!(app.get_as("/read", visitor.id()).await.body, "100");
}

#[tokio::test]
async fn a_store_that_fails_is_one_sentence() {
    let app = app();
    let visitor = app.get("/").await;
    app.store.is_failing.store(true, Ordering::SeqCst);
    let reply = app.get_as("/", visitor.id()).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        reply.body,
        "Your changes could not be saved. Please try again.\n"
    );
    assert_eq!(reply.cookies(), [""; 0]);
    assert_eq!(app.layer.statistics().commits_failed, 1);
    // What wrote nothing is none the worse.
    assert_eq!(app.get_as("/read", visitor.id()).await.body, "1");
    app.store.is_failing.store(false, Ordering::SeqCst);
    assert_eq!(app.get_as("/", visitor.id()).await.body, "2");
}

#[tokio::test]
async fn a_request_made_in_process_brings_its_own_session() {
    let app = app();
    let session = app.layer.sessions().create();
    for marker in [Some(InProcess), None] {
        let mut request = Request::get("/").body(Body::empty()).expect("a request");
        request.extensions_mut().insert(session.clone());
        marker.map(|marker| request.extensions_mut().insert(marker));
        let reply = app.send(request).await;
        assert_eq!(reply.cookies(), [""; 0]);
    }
    assert_eq!(
        session.get::<i64>("count").await.expect("readable"),
        Some(2)
    );
    assert!(session.is_dirty());
    assert_eq!(app.commits(), 0);
}

#[tokio::test]
async fn a_socket_finds_its_visitor() {
    let app = app();
    let visitor = app.get("/").await;
    let mut headers = HeaderMap::new();
    assert_eq!(app.layer.presented_id(&headers), None);
    let line = format!("_sinew_session={}", visitor.id());
    headers.insert(header::COOKIE, line.parse().expect("a header value"));
    assert_eq!(app.layer.presented_id(&headers), visitor.id().parse().ok());
    let known = app
        .layer
        .known_id(&headers)
        .await
        .expect("the store answers");
    assert_eq!(known, visitor.id().parse().ok());

    let line = format!("_sinew_session={STRANGE}");
    headers.insert(header::COOKIE, line.parse().expect("a header value"));
    assert_eq!(app.layer.presented_id(&headers), STRANGE.parse().ok());
    let known = app
        .layer
        .known_id(&headers)
        .await
        .expect("the store answers");
    assert_eq!(known, None);
}
