//! What pages and handlers get from Sinew: the tags of the browser client, and whether a reflex asks.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use sinew_store::{Session, SessionLayerMissing};

use crate::client;
use crate::handle::EscapedAttribute;

/// What the tags say, the same for every page.
#[derive(Debug)]
pub(crate) struct TagContext {
    /// The content of the `action-cable-url` meta tag.
    pub(crate) cable_url: String,
    /// Whether the script that helps developers comes along.
    pub(crate) is_development: bool,
}

/// The tags that make a page reactive: where the cable is, and the browser client.
///
/// Take it as an argument of the handler and write it into the page's `<head>`.
/// Whoever gets such a page gets a session cookie with it, so that a first visit can call reflexes.
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
///     Html(format!("<head>{client}</head>"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = Sinew::new(Router::new().route("/", get(page))).in_memory().build()?;
/// let response = app.router().clone().oneshot(Request::get("/").body(Body::empty())?).await?;
/// assert!(response.headers().contains_key("set-cookie"));
/// let html = to_bytes(response.into_body(), 10_000).await?;
/// assert!(String::from_utf8_lossy(&html).contains(r#"<meta name="action-cable-url" content="/cable">"#));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ClientTags {
    context: Arc<TagContext>,
}

impl fmt::Display for ClientTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cable_url = EscapedAttribute(&self.context.cable_url);
        write!(f, r#"<meta name="action-cable-url" content="{cable_url}">"#)?;
        let development = self.context.is_development.then_some(client::DEVELOPMENT);
        // In this order: the second needs what the first has started.
        [client::SCRIPT]
            .into_iter()
            .chain(development)
            .try_for_each(|script| write!(f, r#"<script src="{}" defer></script>"#, script.path))
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
        // Whoever called a reflex has what a first visit is given; seeing to it again would cost
        // every page morph a look into the store.
        if parts.extensions.get::<sinew_reflex::IsReflex>().is_none() {
            session.ensure();
        }
        let context = parts.extensions.get::<Arc<TagContext>>().cloned();
        // Whoever puts the session there puts this there too, unless a session layer is used alone.
        let context = context.unwrap_or_else(|| {
            Arc::new(TagContext {
                cable_url: "/cable".to_owned(),
                is_development: false,
            })
        });
        Ok(Self { context })
    }
}

/// Whether the handler runs for a page morph: `true` when a reflex asks, `false` when a browser does.
///
/// The role of `@stimulus_reflex` in the original.
///
/// ```
/// use sinew::IsReflex;
///
/// async fn page(IsReflex(is_reflex): IsReflex) -> &'static str {
///     if is_reflex { "morphed" } else { "loaded" }
/// }
/// # let _ = page;
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
