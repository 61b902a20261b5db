//! The extractors of the application, in a reflex.

use std::future::Future;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::{Extensions, StatusCode};
use sinew_reflex::{Error, Reflex, Result};
use sinew_web::BasePath;

/// Uses axum's extractors in a reflex, on the request of a page morph: a GET of the page's url with
/// the headers of the connection. As in a handler, its extensions hold the session, the flash, and
/// what [`Sinew::state`](crate::Sinew::state) was given. What the router's own layers add is not
/// there, nor are parameters of the path: those are in [`Reflex::params`] and [`Reflex::route`].
///
/// ```
/// use axum::extract::Query;
/// use serde::Deserialize;
/// use sinew::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Search { q: String }
///
/// struct Results;
///
/// #[reflex]
/// impl Results {
///     async fn refresh(&self, cx: &mut Reflex) -> Result {
///         let Query(search) = cx.extract::<Query<Search>>().await?;
///         cx.morph("#term", format!("<b id=\"term\">{}</b>", search.q.len()));
///         Ok(())
///     }
/// }
/// # let _ = Results;
/// ```
pub trait Extract {
    /// Runs an extractor that needs no state.
    ///
    /// # Errors
    ///
    /// The extractor's own refusal: 401 and 403 say so to the visitor, others are an error of the
    /// reflex.
    fn extract<E>(&self) -> impl Future<Output = Result<E>> + Send
    where
        E: FromRequestParts<()> + 'static;

    /// Runs an extractor that takes its state, or a part of it, from `state`.
    ///
    /// # Errors
    ///
    /// As [`extract`](Self::extract).
    fn extract_with<E, S>(&self, state: &S) -> impl Future<Output = Result<E>> + Send
    where
        E: FromRequestParts<S> + 'static,
        S: Send + Sync;
}

/// Extensions that every request of the application has, kept for extractors in reflexes.
#[derive(Clone)]
pub(crate) struct Given(pub(crate) Arc<Extensions>);

impl Extract for Reflex {
    async fn extract<E>(&self) -> Result<E>
    where
        E: FromRequestParts<()> + 'static,
    {
        self.extract_with(&()).await
    }

    fn extract_with<E, S>(&self, state: &S) -> impl Future<Output = Result<E>> + Send
    where
        E: FromRequestParts<S> + 'static,
        S: Send + Sync,
    {
        let request = self.request();
        let given = self.try_state::<Given>().cloned();
        async move {
            let mut request = request?;
            let base_path = given.as_ref().and_then(|given| given.0.get::<BasePath>());
            if let Some(base_path) = base_path {
                base_path.enter(&mut request);
            }
            let (mut parts, ()) = request.into_parts();
            if let Some(Given(given)) = given {
                let own = std::mem::replace(&mut parts.extensions, (*given).clone());
                parts.extensions.extend(own);
            }
            E::from_request_parts(&mut parts, state)
                .await
                .map_err(|rejection| refused::<E>(rejection.into_response()))
        }
    }
}

fn refused<E>(response: Response) -> Error {
    let status = response.status();
    let error = Error::from(format!(
        "{} refused the request of the page with {status}",
        std::any::type_name::<E>()
    ));
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            error.with_sentence("This action is not allowed.")
        }
        _ => error,
    }
}
