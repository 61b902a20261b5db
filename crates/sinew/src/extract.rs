//! The extractors of the application, in a reflex.

use std::future::Future;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::{Extensions, StatusCode};
use sinew_reflex::{Error, Reflex, Result};
use sinew_web::BasePath;

/// Uses axum's extractors in a reflex.
///
/// They get the request of a page morph: a GET of the page's url with the headers of the
/// connection. As in a handler, its extensions hold the session, the flash, and what [`Sinew::state`](crate::Sinew::state) was given, and `Path` has the parameters of the page's
/// route. What the router's own layers add is not there.
///
/// A page that no route matches, but a fallback answers, has no parameters of a path, and `Path`
/// refuses it.
///
/// ```
/// use axum::extract::{Path, Query, State};
/// # use axum::{Router, response::Html, routing::get};
/// use serde::Deserialize;
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// #[derive(Clone)]
/// struct Shelves(Vec<&'static str>);
///
/// #[derive(Deserialize)]
/// struct Search { q: String }
///
/// struct Results;
///
/// #[reflex]
/// impl Results {
///     async fn refresh(&self, cx: &mut Reflex) -> Result {
///         // On the page `/shelves/7?q=tea`, whose route is `/shelves/{shelf}`.
///         let Path(shelf) = cx.extract::<Path<u32>>().await?;
///         let Query(search) = cx.extract::<Query<Search>>().await?;
///         cx.payload_mut()["asked"] = format!("{} on {shelf}", search.q).into();
///
///         // From a state that is at hand: any extractor that a handler with it takes.
///         let shelves = Shelves(vec!["tea", "coffee"]);
///         let State(Shelves(known)) = cx.extract_with::<State<Shelves>, _>(&shelves).await?;
///         cx.payload_mut()["is_known"] = known.contains(&&*search.q).into();
///         cx.morph_nothing();
///         Ok(())
///     }
/// }
///
/// # async fn shelf(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let router = Router::new().route("/shelves/{shelf}", get(shelf));
/// # let app = TestApp::new(Sinew::new(router).reflex(Results));
/// let mut tab = app.visit("/shelves/7?q=tea").await;
/// tab.stimulate("Results#refresh", ()).await;
/// assert_eq!(tab.payload()["asked"], "tea on 7");
/// assert_eq!(tab.payload()["isKnown"], true);
/// # }
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
        let request = self.routed_request();
        let given = self.try_state::<Given>().cloned();
        async move {
            let mut request = request.await?;
            let base_path = given.as_ref().and_then(|given| given.0.get::<BasePath>());
            if let Some(base_path) = base_path {
                base_path.enter(&mut request);
            }
            let (mut parts, ()) = request.into_parts();
            if let Some(Given(given)) = given {
                let own = std::mem::replace(&mut parts.extensions, (*given).clone());
                parts.extensions.extend(own);
            }
            // A rejection need not be `Send`; the response it becomes is.
            let refusal = match E::from_request_parts(&mut parts, state).await {
                Ok(extracted) => return Ok(extracted),
                Err(rejection) => rejection.into_response(),
            };
            Err(refused::<E>(refusal).await)
        }
    }
}

/// Longest sentence taken over from an extractor, in bytes; a longer one is left out.
const SENTENCE_BYTES_MAX: usize = 1_000;

async fn refused<E>(response: Response) -> Error {
    let status = response.status();
    let mut sentence = format!(
        "{} refused the request of the page with {status}",
        std::any::type_name::<E>()
    );
    let body = to_bytes(response.into_body(), SENTENCE_BYTES_MAX).await;
    if let Ok(body) = body
        && let Ok(said) = std::str::from_utf8(&body)
        && !said.trim().is_empty()
    {
        sentence.push_str(": ");
        sentence.push_str(said.trim());
    }
    let error = Error::from(sentence);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            error.with_sentence("This action is not allowed.")
        }
        _ => error,
    }
}
