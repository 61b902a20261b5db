//! What pages and handlers get from Sinew: the tags of the browser client, and whether a reflex asks.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use sinew_store::{Session, SessionLayerMissing};
use sinew_web::{AssetsUrl, BasePath, EdgeConfig};

use crate::client::{self, ClientAsset};
use crate::handle::EscapedAttribute;
use crate::page_policy::PageNonce;

/// What the tags say, the same for every page.
#[derive(Debug)]
pub(crate) struct TagContext {
    /// The content of the `action-cable-url` meta tag.
    cable_url: String,
    base_path: BasePath,
    assets_url: Option<AssetsUrl>,
    /// Whether the script that helps developers comes along.
    is_development: bool,
}

impl TagContext {
    pub(crate) fn new(edge: &EdgeConfig) -> Self {
        Self {
            cable_url: edge.cable_address().into_owned(),
            base_path: edge.base_path.clone(),
            assets_url: edge.assets_url.clone(),
            is_development: edge.environment.is_development(),
        }
    }

    /// What is said where nobody has said anything, and nobody serves the script for developers.
    fn alone() -> Self {
        Self {
            is_development: false,
            ..Self::new(&EdgeConfig::default())
        }
    }

    /// A tag that loads one of the client's scripts.
    fn write_script(
        &self,
        f: &mut fmt::Formatter<'_>,
        script: &ClientAsset,
        nonce: Option<&str>,
    ) -> fmt::Result {
        // The script for developers is never put on another host.
        let assets_url = self
            .assets_url
            .as_ref()
            .filter(|_| !script.integrity.is_empty());
        let address = match assets_url {
            Some(url) => url.join(script.path),
            None => self.base_path.join(script.path),
        };
        write!(f, r#"<script src="{}""#, EscapedAttribute(&address))?;
        if let Some(nonce) = nonce {
            write!(f, r#" nonce="{}""#, EscapedAttribute(nonce))?;
        }
        if assets_url.is_some() {
            // Another host may be given other content than ours; the browser compares.
            let integrity = script.integrity;
            write!(f, r#" crossorigin="anonymous" integrity="{integrity}""#)?;
        }
        // After a deploy its name is another: Turbo then loads the next page whole, new script and
        // all, instead of putting it into the document of the old one.
        f.write_str(r#" data-turbo-track="reload" defer></script>"#)
    }
}

/// The tags that make a page reactive: where the cable is, the nonce, and the browser client.
///
/// Take it as an argument of the handler and write it into the page's `<head>`, before scripts of
/// your own. Whoever gets such a page gets a session cookie with it, so that a first visit can call
/// reflexes; and the response gets the application's
/// [content security policy](crate::config::ContentSecurityPolicy) and is kept out of shared caches.
///
/// Turbo keeps the document, and with it the script, from page to page; when a page brings a script of
/// another version, as after a deploy, it loads that page whole.
///
/// In development the tags bring one script more, [`client::DEVELOPMENT`].
///
/// It displays as HTML. In maud write `(client)` with the feature `maud`; elsewhere tell the engine not to escape it.
///
/// ```
/// use axum::{Router, body::{Body, to_bytes}, http::Request, response::Html, routing::get};
/// use sinew::prelude::*;
/// use tower::ServiceExt as _;
///
/// async fn page(client: ClientTags) -> Html<String> {
///     Html(format!("<head>{client}<style nonce=\"{}\">b {{ color: teal }}</style></head>", client.nonce()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = Sinew::new(Router::new().route("/", get(page))).in_memory().build()?;
/// let response = app.router().clone().oneshot(Request::get("/").body(Body::empty())?).await?;
/// assert!(response.headers().contains_key("set-cookie"));
/// let policy = response.headers()["content-security-policy"].to_str()?.to_owned();
/// let (_, nonce) = policy.split_once("'nonce-").ok_or("no nonce")?;
/// let (nonce, _) = nonce.split_once('\'').ok_or("no end")?;
///
/// let html = to_bytes(response.into_body(), 10_000).await?;
/// let html = String::from_utf8_lossy(&html);
/// assert!(html.contains(r#"<meta name="action-cable-url" content="/cable">"#));
/// assert!(html.contains(&format!(r#"<style nonce="{nonce}">"#)));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ClientTags {
    context: Arc<TagContext>,
    /// Empty in a page morph; none where nobody gives responses a nonce.
    nonce: Option<Arc<str>>,
}

impl ClientTags {
    /// The nonce of this response, for inline `<script nonce="…">` and `<style nonce="…">` of the
    /// page's own.
    ///
    /// It is 128 random bits as text, made for this response alone, of characters that need no
    /// escaping. In a page morph it is empty, as it is in the browser's page, which hides it: so a
    /// morph finds nothing to change. What first comes with a morph cannot be allowed by a nonce.
    pub fn nonce(&self) -> &str {
        self.nonce.as_deref().unwrap_or_default()
    }

    /// Where browsers find `path`, a path of the application that begins with `/`: with the
    /// [base path](crate::config::EdgeConfig::base_path) before it.
    ///
    /// Write links, forms and redirects with it, so that they lead on behind a proxy that shows the
    /// application below a path of its own. In a reflex it is
    /// [`SinewHandle::path`](crate::SinewHandle::path).
    ///
    /// ```
    /// use axum::{Router, body::{Body, to_bytes}, http::Request, routing::get};
    /// use sinew::{Config, prelude::*};
    /// use tower::ServiceExt as _;
    ///
    /// async fn page(client: ClientTags) -> String {
    ///     format!(r#"<a href="{}">Todos</a>"#, client.path("/todos"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let mut config = Config::default();
    /// config.edge.base_path = "/app".parse()?;
    /// let app = Sinew::new(Router::new().route("/", get(page))).config(config).in_memory().build()?;
    /// let response = app.router().clone().oneshot(Request::get("/app/").body(Body::empty())?).await?;
    /// assert_eq!(to_bytes(response.into_body(), 100).await?, r#"<a href="/app/todos">Todos</a>"#);
    /// # Ok(()) }
    /// ```
    pub fn path(&self, path: &str) -> String {
        self.context.base_path.join(path)
    }
}

impl fmt::Display for ClientTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cable_url = EscapedAttribute(&self.context.cable_url);
        write!(f, r#"<meta name="action-cable-url" content="{cable_url}">"#)?;
        let nonce = self.nonce.as_deref();
        if let Some(nonce) = nonce {
            // As an attribute that browsers hide: a style sheet that found its way into the page
            // can read `content`, letter by letter.
            let nonce = EscapedAttribute(nonce);
            write!(f, r#"<meta name="csp-nonce" nonce="{nonce}">"#)?;
        }
        self.context.write_script(f, &client::SCRIPT, nonce)?;
        if self.context.is_development {
            // Afterwards: it needs what the other has started.
            self.context.write_script(f, &client::DEVELOPMENT, nonce)?;
        }
        Ok(())
    }
}

#[cfg(feature = "maud")]
impl maud::Render for ClientTags {
    fn render_to(&self, buffer: &mut String) {
        use fmt::Write as _;
        // Writing into a String does not fail.
        let _ = write!(buffer, "{self}");
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientTags {
    type Rejection = SessionLayerMissing;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionLayerMissing> {
        let session = Session::from_request_parts(parts, state).await?;
        let is_reflex = parts.extensions.get::<sinew_reflex::IsReflex>().is_some();
        // Whoever called a reflex has what a first visit is given; seeing to it again would cost
        // every page morph a look into the store.
        if !is_reflex {
            session.ensure();
        }
        let nonce = if is_reflex {
            Some(Arc::from(""))
        } else {
            parts.extensions.get::<PageNonce>().map(PageNonce::get)
        };
        let context = parts.extensions.get::<Arc<TagContext>>().cloned();
        // Whoever puts the session there puts this there too, unless a session layer is used alone.
        let context = context.unwrap_or_else(|| Arc::new(TagContext::alone()));
        Ok(Self { context, nonce })
    }
}

/// Whether the handler runs for a page morph.
///
/// `true` when a reflex asks, `false` when a browser does: the role of `@stimulus_reflex` in the
/// original.
///
/// ```
/// use axum::{Router, response::Html, routing::get};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// struct Page;
///
/// #[reflex]
/// impl Page {
///     async fn refresh(&self, _cx: &mut Reflex) {}
/// }
///
/// async fn page(IsReflex(is_reflex): IsReflex, client: ClientTags) -> Html<String> {
///     let how = if is_reflex { "morphed" } else { "loaded" };
///     Html(format!("<head>{client}</head><body><p>{how}</p></body>"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(page))).reflex(Page));
/// # let mut tab = app.visit("/").await;
/// tab.assert_text("p", "loaded");
/// tab.stimulate("Page#refresh", ()).await;
/// tab.assert_text("p", "morphed");
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsReflex(
    /// `true` in a page morph.
    pub bool,
);

impl<S: Sync> FromRequestParts<S> for IsReflex {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            parts.extensions.get::<sinew_reflex::IsReflex>().is_some(),
        ))
    }
}
