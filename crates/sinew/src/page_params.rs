//! The parameters of a page, in a request and in a page morph alike.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use sinew_reflex::params::{Params, Sources};

/// The parameters of a page: of its query and its route, and in a page morph also those of the
/// form and of the client, as in the original.
///
/// As in the original, the page's own query goes before the form: on `/search?q=old` a field named
/// `q` is not seen. Give the field another name, or read `cx.element().value()` in the reflex.
///
/// With it one handler serves the first visit and every keystroke of a live search:
///
/// ```
/// use sinew::prelude::*;
///
/// async fn search(params: PageParams) -> String {
///     format!("results for {}", params.get("q").unwrap_or("everything"))
/// }
/// # let _ = search;
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
