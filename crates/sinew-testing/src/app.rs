//! The application under test, and the browsers that visit it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use sinew::{App, Sinew, SinewHandle};
use tower::ServiceExt as _;

use crate::tab::{Tab, Visited};
use crate::upload;

/// The host that pages are asked from.
const HOST: &str = "localhost";
/// How long is waited for an answer by default: ten seconds of tokio's clock.
const PATIENCE: Duration = Duration::from_secs(10);
/// Redirects followed before it is taken for a circle: 20, as browsers do.
const REDIRECTS_MAX: usize = 20;

/// An application under test: no port, no files, sessions in memory.
///
/// Cheap to clone; the clones are the same application.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// use std::time::Duration;
///
/// use sinew_testing::TestApp;
///
/// # async fn index(sinew: SinewHandle, client: ClientTags) -> Html<String> {
/// #     let news = sinew.stream_from(&["news"]);
/// #     Html(format!("<head>{client}</head><body>{news}<p id=news></p></body>"))
/// # }
/// # fn application() -> Sinew { Sinew::new(Router::new().route("/", get(index))) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = TestApp::new(application()).patience(Duration::from_secs(5));
/// let mut ada = app.browser().visit("/").await;
/// let mut grace = app.visit("/").await;
/// assert_eq!(app.handle().cable().statistics().connections, 2);
///
/// // What a job would broadcast, the test does.
/// app.handle().cable_ready().send("news", |it| it.text_content("#news", "fresh")).await?;
/// ada.until("#news", "fresh").await;
/// grace.until("#news", "fresh").await;
///
/// // An application that was built elsewhere, with a store of its own for instance.
/// let app = TestApp::from_app(application().in_memory().build()?);
/// assert_eq!(app.visit("/").await.status(), 200);
/// assert_eq!(app.app().engine().statistics().calls, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct TestApp {
    app: App,
    patience: Duration,
}

impl TestApp {
    /// Builds the application with its sessions in memory.
    ///
    /// Settings are those of [`Sinew::config`] or of the environment, as always.
    /// Must be called within a tokio runtime: in a `#[tokio::test]`.
    ///
    /// # Panics
    ///
    /// When the application cannot be built, with the sentence that says why.
    #[track_caller]
    pub fn new(sinew: Sinew) -> Self {
        match sinew.in_memory().build() {
            Ok(app) => Self::from_app(app),
            Err(error) => panic!("the application cannot be built: {error}"),
        }
    }

    /// Tests an application that was built elsewhere, with the store it was given.
    pub fn from_app(app: App) -> Self {
        Self {
            app,
            patience: PATIENCE,
        }
    }

    /// Waits that long for what should happen, ten seconds by default.
    ///
    /// It is time of tokio's clock: with `start_paused = true` it costs nothing to wait.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The application itself.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// What handlers and background jobs reach of it: to broadcast from a test.
    pub fn handle(&self) -> &SinewHandle {
        self.app.handle()
    }

    /// Somebody who has never been here.
    pub fn browser(&self) -> Browser {
        Browser {
            app: self.clone(),
            cookies: Arc::default(),
            headers: HeaderMap::new(),
        }
    }

    /// Somebody new opens a page.
    ///
    /// # Panics
    ///
    /// When the page is answered with an error of the server.
    #[track_caller]
    pub fn visit(&self, path: &str) -> impl Future<Output = Tab> + use<> {
        self.browser().visit(path)
    }
}

/// Somebody's browser: one jar of cookies, as many tabs as wanted.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// # struct Counter;
/// # #[reflex]
/// # impl Counter {
/// #     async fn increment(&self, cx: &mut Reflex) -> Result {
/// #         cx.session().update("count", |count: i64| count + 1).await?;
/// #         Ok(())
/// #     }
/// # }
/// # async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
/// #     let count: i64 = session.get_or_default("count").await?;
/// #     Ok(Html(format!("<head>{client}</head><body><p id=count>{count}</p>\
/// #         <button data-reflex='click->Counter#increment'>+</button></body>")))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(Counter));
/// let ada = app.browser();
/// let mut first = ada.visit("/").await;
/// first.click("button").await;
///
/// // Another tab shows the same session, another browser does not.
/// ada.visit("/").await.assert_text("#count", "1");
/// app.visit("/").await.assert_text("#count", "0");
///
/// // Two tabs side by side, and headers that every request of a browser has.
/// let german = app.browser().header("accept-language", "de");
/// german.set_cookie("theme", "dark");
/// let (_one, two) = (german.visit("/").await, german.open_tab("/").await);
/// assert_eq!(two.browser().cookie("theme").as_deref(), Some("dark"));
///
/// // Without the cookie it is somebody new.
/// ada.clear_cookies();
/// ada.visit("/").await.assert_text("#count", "0");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Browser {
    app: TestApp,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    headers: HeaderMap,
}

impl Browser {
    /// Sends a header with every request and with the cable's handshake.
    ///
    /// # Panics
    ///
    /// When it cannot be a header.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header");
        let value = HeaderValue::try_from(value).expect("the value of a header");
        self.headers.insert(name, value);
        self
    }

    /// A cookie that this browser has.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().get(name).cloned()
    }

    /// Gives it a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Forgets every cookie.
    pub fn clear_cookies(&self) {
        self.cookies.lock().clear();
    }

    /// Opens a page in a new tab.
    ///
    /// # Panics
    ///
    /// When the page is answered with an error of the server (5xx).
    #[track_caller]
    pub fn visit(&self, path: &str) -> impl Future<Output = Tab> + use<> {
        let caller = std::panic::Location::caller();
        let (browser, path) = (self.clone(), path.to_owned());
        async move {
            match Tab::open(browser, &path).await {
                Ok(tab) => tab,
                Err(sentence) => panic!("{caller}: {sentence}"),
            }
        }
    }

    /// Opens a page in another tab of the same browser: the same as [`visit`](Self::visit), and
    /// reads better where there are two.
    ///
    /// # Panics
    ///
    /// When the page is answered with an error of the server (5xx).
    #[track_caller]
    pub fn open_tab(&self, path: &str) -> impl Future<Output = Tab> + use<> {
        self.visit(path)
    }

    pub(crate) fn app(&self) -> &TestApp {
        &self.app
    }

    pub(crate) fn patience(&self) -> Duration {
        self.app.patience
    }

    pub(crate) fn host(&self) -> &'static str {
        HOST
    }

    /// Headers of a request or a handshake.
    pub(crate) fn request_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(header::HOST, HeaderValue::from_static(HOST));
        let cookies = self.cookies.lock();
        let cookies: Vec<_> = cookies
            .iter()
            .map(|(name, it)| format!("{name}={it}"))
            .collect();
        if let Ok(value) = HeaderValue::try_from(cookies.join("; "))
            && !value.is_empty()
        {
            headers.insert(header::COOKIE, value);
        }
        headers
    }

    /// Asks for a page, and follows where it sends.
    pub(crate) async fn request(
        &self,
        method: Method,
        address: &str,
        form: Option<upload::Body>,
    ) -> Result<Visited, String> {
        let mut url = url::Url::parse(&format!("http://{HOST}/"))
            .and_then(|base| base.join(address))
            .map_err(|error| format!("{address:?} is no address: {error}"))?;
        let mut method = method;
        let mut form = form;
        for _ in 0..REDIRECTS_MAX {
            if url.host_str() != Some(HOST) {
                return Err(format!("{url} is another site, which is not under test"));
            }
            let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
            let mut request = Request::builder().method(method.clone()).uri(target);
            if let Some(form) = &form {
                request = request.header(header::CONTENT_TYPE, &form.content_type);
            }
            let body = form.clone().map(|form| Body::from(form.bytes));
            let body = body.unwrap_or_else(Body::empty);
            let mut request = request
                .body(body)
                .map_err(|error| format!("{address:?} cannot be asked for: {error}"))?;
            request.headers_mut().extend(self.request_headers());
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            request.extensions_mut().insert(ConnectInfo(peer));
            let Ok(response) = self.app.app.router().clone().oneshot(request).await;
            self.keep_cookies(response.headers());
            let status = response.status();
            if status.is_redirection()
                && let Some(location) = response.headers().get(header::LOCATION)
            {
                let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
                url = url
                    .join(&location)
                    .map_err(|error| format!("{url} redirects to {location:?}: {error}"))?;
                if !matches!(status.as_u16(), 307 | 308) {
                    method = Method::GET;
                    form = None;
                }
                continue;
            }
            let body = response.into_body().collect().await;
            let body = body.map_err(|error| format!("{url} broke off: {error}"))?;
            let html = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            if status.is_server_error() {
                return Err(format!("{url} answered {status}:\n{html}"));
            }
            return Ok(Visited { url, status, html });
        }
        Err(format!("{address} redirects in a circle"))
    }

    /// Takes over into the cookies what a reflex has written there, or the id that it has renewed.
    pub(crate) async fn redeem(&self, path: &str, ticket: &str) -> Result<(), String> {
        let body = serde_json::json!({ "ticket": ticket }).to_string();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body));
        let mut request = request.map_err(|error| format!("{path:?} is no path: {error}"))?;
        request.headers_mut().extend(self.request_headers());
        let Ok(response) = self.app.app.router().clone().oneshot(request).await;
        self.keep_cookies(response.headers());
        Ok(())
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock();
        for line in headers.get_all(header::SET_COOKIE) {
            let line = String::from_utf8_lossy(line.as_bytes());
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let is_over = parts.any(|part| part.to_ascii_lowercase().starts_with("max-age=0"));
            if is_over || value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
