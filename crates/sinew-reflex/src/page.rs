//! The port to the application's own pages: how a page morph gets its HTML.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Extensions, Request};
use sinew_store::{Flash, Session};

/// Runs the application's own router in process.
///
/// The facade fulfils it with the router the application serves, so that every handler, extractor and layer inside of it works in a page morph as over HTTP.
///
/// Implementations must not touch the session after they answer, must not commit it themselves (the engine does, before the reply leaves), and need no time limit of their own.
///
/// ```
/// use futures_util::future::BoxFuture;
/// use sinew_reflex::{IsReflex, Page, PageRenderer, PageRequest, RenderError, Route};
/// use sinew_store::Flash;
///
/// /// An application of one page.
/// struct Hello;
///
/// impl PageRenderer for Hello {
///     fn route(&self, request: http::Request<()>) -> BoxFuture<'_, Result<Option<Route>, RenderError>> {
///         let template = request.uri().path().to_owned();
///         let route = (template == "/").then_some(Route { template, ..Route::default() });
///         Box::pin(async { Ok(route) })
///     }
///
///     fn render(&self, page: PageRequest) -> BoxFuture<'_, Result<Page, RenderError>> {
///         Box::pin(async move {
///             let Some(reflex) = page.request.extensions().get::<IsReflex>() else {
///                 return Err(RenderError::new("a page morph names its reflex"));
///             };
///             let body = format!("<p>Hello {}</p>", reflex.target).into();
///             Ok(Page { status: 200, body, ..Page::default() })
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), RenderError> {
/// let mut request = http::Request::new(());
/// assert_eq!(Hello.route(request.clone()).await?.map(|route| route.template), Some("/".to_owned()));
///
/// request.extensions_mut().insert(IsReflex { target: "CounterReflex#increment".to_owned() });
/// let page = Hello.render(PageRequest { request, session: None, flash: Flash::for_reflex() }).await?;
/// assert_eq!(page.body, "<p>Hello CounterReflex#increment</p>");
/// # Ok(())
/// # }
/// ```
pub trait PageRenderer: Send + Sync + 'static {
    /// Finds the route of an address, without running its handler: nothing when there is none.
    ///
    /// # Errors
    /// When the routes could not be asked; the reflex ends with an error.
    fn route(&self, request: Request<()>) -> BoxFuture<'_, Result<Option<Route>, RenderError>>;

    /// Answers a synthetic GET.
    ///
    /// # Errors
    /// When no handler could be run. What a handler answers is a [`Page`], whatever its status.
    fn render(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, RenderError>>;
}

/// The route of an address.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// The route as the application wrote it, `/items/{id}`.
    pub template: String,
    /// The values of its placeholders, decoded, in order.
    pub params: Vec<(String, String)>,
    /// What the router leaves in the extensions of a request that arrives here, for the extractors of the path.
    pub extensions: Extensions,
}

/// What a page is rendered from.
#[derive(Debug)]
pub struct PageRequest {
    /// A GET of the reflex's url: path and query from there, headers from the connection's handshake.
    /// Its extensions hold what the reflex assigned, [`IsReflex`], the session and the flash, if there are any, and those of the handshake; when the call brings a form or `params`, also an `Arc` of the merged [`Params`](crate::Params).
    pub request: Request<()>,
    /// The reflex's session, with everything written so far; a handler that writes to it is committed too.
    pub session: Option<Session>,
    /// The reflex's flash.
    pub flash: Flash,
}

/// The answer of a page handler.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The status code of HTTP: success becomes morphs, a redirect a visit, 401 and 403 forbid, everything else is an error.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The HTML, in UTF-8.
    pub body: Bytes,
}

/// A request extension that tells a handler it is being run for a page morph.
///
/// It names the reflex, as the original's `@stimulus_reflex` is true then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsReflex {
    /// The reflex and its action, `CounterReflex#increment`.
    pub target: String,
}

/// Why a page could not be rendered: the renderer's own failure, not a status of the handler.
///
/// ```
/// use std::error::Error;
/// use sinew_reflex::RenderError;
///
/// let error = RenderError::new("the template is gone");
/// assert_eq!(error.to_string(), "the page could not be rendered");
/// assert_eq!(error.source().unwrap().to_string(), "the template is gone");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the page could not be rendered")]
pub struct RenderError {
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl RenderError {
    /// Keeps the cause.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}
