//! The parameters of a page, in a request and in a page morph alike.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use sinew_reflex::params::{Params, Sources};

/// The parameters of a page, in a request and in a page morph alike.
///
/// Those of its query and its route, and in a page morph also those of the form and of the client,
/// as in the original.
///
/// As in the original, the page's own query goes before the form: on `/search?q=old` a field named
/// `q` is not seen. Give the field another name, or read `cx.element().value()` in the reflex.
///
/// With it one handler serves the first visit and every keystroke of a live search:
///
/// ```
/// use axum::{Router, response::Html, routing::get};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// struct Search;
///
/// #[reflex]
/// impl Search {
///     async fn perform(&self, _cx: &mut Reflex) {}
/// }
///
/// async fn search(params: PageParams, client: ClientTags) -> Html<String> {
///     Html(format!(
///         "<head>{client}</head><body><form data-reflex='input->Search#perform'><input name=q></form>
///          <p>{} letters in {}</p></body>",
///         params.get("q").map_or(0, str::len), params.get("shelf").unwrap_or_default(),
///     ))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let router = Router::new().route("/{shelf}", get(search));
/// # let app = TestApp::new(Sinew::new(router).reflex(Search));
/// # let mut tab = app.visit("/7?q=tea").await;
/// tab.assert_text("p", "3 letters in 7");
/// # tab.visit("/7").await;
/// tab.fill("input", "coffee").await;
/// tab.assert_text("p", "6 letters in 7");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PageParams(Arc<Params>);

impl Deref for PageParams {
    type Target = Params;

    fn deref(&self) -> &Params {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageParams {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        if let Some(params) = parts.extensions.get::<Arc<Params>>() {
            return Ok(Self(Arc::clone(params)));
        }
        let path: Vec<(String, String)> = RawPathParams::from_request_parts(parts, state)
            .await
            .map(|params| {
                let params = params.iter();
                params
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect()
            })
            .unwrap_or_default();
        let sources = Sources {
            query: parts.uri.query().unwrap_or_default(),
            path: &path,
            form: "",
            params: None,
        };
        match Params::merge(&sources) {
            Ok(params) => Ok(Self(Arc::new(params))),
            Err(error) => Err((StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()),
        }
    }
}
