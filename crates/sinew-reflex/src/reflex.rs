//! What an action works with: the call, the session, the morphs it makes.

use std::sync::{Arc, OnceLock};

use http::{Extensions, Method, Request, Uri};
use serde::Serialize;
use serde_json::Value;
use sinew_cable_ready::{Operations, Target};
use sinew_store::{Flash, Session};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::cable_ready::{Broadcast, CableReady};
use crate::callback::Stop;
use crate::client::{Client, Handshake};
use crate::data::{Field, ReflexData};
use crate::element::Element;
use crate::engine::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::ReflexHandle;
use crate::page::{IsReflex, Route as PageRoute};
use crate::params::{Params, Sources};
use crate::registry::Route;
use crate::render::Render;
use crate::reply::Reply;
use crate::target::brief;

/// How a reflex ends when nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Morph {
    /// The page is rendered again and its roots are morphed. What happens when an action says nothing.
    #[default]
    Page,
    /// Elements named by selectors get new HTML.
    Selector,
    /// The page stays as it is.
    Nothing,
}

impl Morph {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Selector => "selector",
            Self::Nothing => "nothing",
        }
    }
}

/// One run of a reflex: everything an action, a callback or a rescue reads and says.
///
/// Actions get it as `cx`. What is said here takes effect when the reflex has ended: morphs and queued operations leave in one message, after the session was saved.
pub struct Reflex {
    shared: Arc<Shared>,
    client: Arc<Client>,
    data: Arc<ReflexData>,
    route: Arc<Route>,
    began: Instant,
    pub(crate) morph: Morph,
    /// Selector and HTML of each morph, in the order in which they were written.
    pub(crate) morphs: Vec<(String, String)>,
    pub(crate) payload: Option<Value>,
    pub(crate) operations: Operations,
    session: OnceLock<Option<Session>>,
    flash: OnceLock<Flash>,
    element: OnceLock<Element>,
    page_route: Option<Arc<PageRoute>>,
    params: Option<Arc<Params>>,
    assigned: Extensions,
    stop: Option<Stop>,
    /// The first thing said here that cannot be; the reflex ends with it.
    fault: Option<Error>,
}

impl Reflex {
    pub(crate) fn new(
        shared: Arc<Shared>,
        client: Arc<Client>,
        data: Arc<ReflexData>,
        route: Arc<Route>,
    ) -> Self {
        Self {
            shared,
            client,
            data,
            route,
            began: Instant::now(),
            morph: Morph::Page,
            morphs: Vec::new(),
            payload: None,
            operations: Operations::new(),
            session: OnceLock::new(),
            flash: OnceLock::new(),
            element: OnceLock::new(),
            page_route: None,
            params: None,
            assigned: Extensions::new(),
            stop: None,
            fault: None,
        }
    }

    /// When it began to run.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The call as the client sent it.
    pub fn data(&self) -> &ReflexData {
        &self.data
    }

    /// The reflex's id, chosen in the browser; nothing when the call had none.
    pub fn id(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.data.id()
    }

    /// The address of the page in the browser, byte for byte, with its fragment.
    pub fn url(&self) -> std::borrow::Cow<'_, str> {
        self.data.url()
    }

    /// The browser tab, as its script named itself. Nothing the server vouches for.
    pub fn tab_id(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.data.tab_id()
    }

    /// `Class#action`, as the client wrote it.
    pub fn target(&self) -> std::borrow::Cow<'_, str> {
        self.data.target()
    }

    /// The action that runs, `increment`.
    pub fn action_name(&self) -> &str {
        &self.route.action_name
    }

    /// The roots of a page morph; `body` when the page named none.
    ///
    /// # Errors
    /// When the client sent something other than texts.
    pub fn selectors(&self) -> Result<Vec<std::borrow::Cow<'_, str>>> {
        self.data.selectors()
    }

    /// The session of the visitor. Loaded when first used, saved before the reply leaves.
    ///
    /// # Panics
    /// When the connection has no session because the application runs without sessions; the panic is this reflex's error.
    /// [`Reflex::try_session`] does not panic.
    pub fn session(&self) -> &Session {
        self.try_session()
            .expect("this connection has no session: the application has no sessions configured")
    }

    /// The session of the visitor, or nothing when the application runs without sessions.
    pub fn try_session(&self) -> Option<&Session> {
        self.session
            .get_or_init(|| self.client.open_session())
            .as_ref()
    }

    /// The session if somebody used it.
    pub(crate) fn used_session(&self) -> Option<&Session> {
        self.session.get()?.as_ref()
    }

    /// Messages for the page this reflex morphs; they are gone afterwards.
    pub fn flash(&self) -> &Flash {
        self.flash.get_or_init(Flash::for_reflex)
    }

    /// By what the connection is identified, names and values.
    pub fn identifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.client.identifiers()
    }

    /// One of the values the connection is identified by.
    pub fn identifier(&self, name: &str) -> Option<&str> {
        let mut identifiers = self.client.identifiers();
        identifiers.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// A value the connect hook left for this connection.
    pub fn connection<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.client.extensions().get()
    }

    /// The request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        self.client.handshake()
    }

    /// The connection itself.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Application state given to the engine.
    ///
    /// # Panics
    /// When the engine was given none of this type; the panic is this reflex's error. [`Reflex::try_state`] does not panic.
    pub fn state<T: Send + Sync + 'static>(&self) -> &T {
        self.try_state().unwrap_or_else(|| {
            panic!(
                "no state of type `{}` was registered",
                std::any::type_name::<T>()
            )
        })
    }

    /// Application state given to the engine, or nothing when it was given none of this type.
    pub fn try_state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.shared.state.get()
    }

    /// The synthetic GET a page morph of this reflex is made from, with everything assigned so far.
    ///
    /// Path and query come from the url, headers and host from the handshake.
    ///
    /// # Errors
    /// When the url is none.
    pub fn request(&self) -> Result<Request<()>> {
        let mut request = Request::new(());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = page_uri(&self.data.url())?;
        let handshake = self.client.handshake();
        *request.headers_mut() = handshake.headers.unpack();
        let extensions = request.extensions_mut();
        extensions.extend(handshake.extensions.clone());
        extensions.extend(self.assigned.clone());
        extensions.insert(IsReflex {
            target: self.route.label.clone(),
        });
        if let Some(session) = self.try_session() {
            extensions.insert(session.clone());
        }
        extensions.insert(self.flash().clone());
        Ok(request)
    }

    /// The element the reflex was called from, as it was in the browser. Empty when the call has none.
    pub fn element(&self) -> &Element {
        self.element.get_or_init(|| {
            let raw = |field| {
                self.data
                    .raw(field)
                    .and_then(|raw| serde_json::from_str(raw).ok())
            };
            Element::from_call(raw(Field::Attrs), raw(Field::Dataset))
        })
    }

    /// The parameters: of the url, of its route, of the form and of the client's `params`, as [`Params::merge`] joins them.
    ///
    /// A url that no route of the application matches, but a fallback answers, has no values of a route.
    ///
    /// # Errors
    /// When the url is none, or when a part is malformed, too long, too deep or too many.
    pub async fn params(&mut self) -> Result<Arc<Params>> {
        if let Some(params) = &self.params {
            return Ok(Arc::clone(params));
        }
        let uri = page_uri(&self.data.url())?;
        let route = self.look_up_route().await?;
        let path = route.as_deref().map_or(&[][..], |route| &route.params);
        let form = self.data.form_data();
        let bad = |error: &dyn std::error::Error| Error::of(ErrorKind::Params, error.to_string());
        let client = match self.data.raw(Field::Params) {
            None | Some("null") => None,
            Some(raw) => Some(serde_json::from_str(raw).map_err(|error| bad(&error))?),
        };
        let params = Params::merge(&Sources {
            query: uri.query().unwrap_or_default(),
            path,
            form: &form,
            params: client.as_ref(),
        })
        .map_err(|error| bad(&error))?;
        Ok(Arc::clone(self.params.insert(Arc::new(params))))
    }

    /// The route of the page: its template and the values of its placeholders.
    ///
    /// # Errors
    /// When the url is none or leads nowhere.
    pub async fn route(&mut self) -> Result<Arc<PageRoute>> {
        self.look_up_route().await?.ok_or_else(|| {
            Error::of(
                ErrorKind::Url,
                format!("No route matches \"{}\"", brief(&self.url())),
            )
        })
    }

    async fn look_up_route(&mut self) -> Result<Option<Arc<PageRoute>>> {
        if self.page_route.is_none() {
            let request = self.request()?;
            let shared = Arc::clone(&self.shared);
            let route = shared.renderer.route(request).await.map_err(|error| {
                Error::of(ErrorKind::Url, "the route could not be looked up").with_source(error)
            })?;
            self.page_route = route.map(Arc::new);
        }
        Ok(self.page_route.clone())
    }

    /// Whether the call brings parameters that its url does not have.
    pub(crate) fn has_client_params(&self) -> bool {
        let brings = |field, nothing: &str| {
            self.data
                .raw(field)
                .is_some_and(|raw| raw != nothing && raw != "null")
        };
        brings(Field::FormData, "\"\"") || brings(Field::Params, "{}")
    }

    /// Hands a value to the page handler of this reflex's page morph, which reads it as an `Extension<T>`.
    ///
    /// A second value of one type replaces the first.
    pub fn assign<T: Clone + Send + Sync + 'static>(&mut self, value: T) -> &mut Self {
        self.assigned.insert(value);
        self
    }

    /// A value assigned before, by a callback for instance.
    pub fn assigned<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.assigned.get()
    }

    /// Gives the element a selector finds new HTML, instead of a page morph.
    ///
    /// When the HTML contains an element that the selector finds, that element is morphed in place; else the HTML replaces what is inside.
    /// Several morphs are carried out in the order in which they were written.
    ///
    /// After [`Reflex::morph_nothing`] it is a mistake, with which the reflex ends.
    pub fn morph(&mut self, selector: impl Into<Target>, html: impl Render) -> &mut Self {
        if self.morph == Morph::Nothing {
            return self.fail("nothing morph type has already been set");
        }
        let selector = match selector.into() {
            Target::Css(selector) => selector.into_owned(),
            other => {
                return self.fail(format!(
                    "a morph is aimed with a CSS selector, not {other:?}"
                ));
            }
        };
        self.morph = Morph::Selector;
        self.morphs.push((selector, html.render()));
        self
    }

    /// Morphs several elements, as [`Reflex::morph`] for each. An empty list is an answer, too: nothing is morphed.
    pub fn morph_all<S: Into<Target>, H: Render>(
        &mut self,
        morphs: impl IntoIterator<Item = (S, H)>,
    ) -> &mut Self {
        if self.morph == Morph::Nothing {
            return self.fail("nothing morph type has already been set");
        }
        self.morph = Morph::Selector;
        for (selector, html) in morphs {
            self.morph(selector, html);
        }
        self
    }

    /// Says aloud what happens anyway: the page is morphed. After another morph it is a mistake, with which the reflex ends.
    pub fn morph_page(&mut self) -> &mut Self {
        match self.morph {
            Morph::Page => self,
            Morph::Selector => self.fail("Cannot call :page morph after :selector morph"),
            Morph::Nothing => self.fail("Cannot call :page morph after :nothing morph"),
        }
    }

    /// Leaves the page as it is. After a selector morph it is a mistake, with which the reflex ends.
    pub fn morph_nothing(&mut self) -> &mut Self {
        match self.morph {
            Morph::Page | Morph::Nothing => {
                self.morph = Morph::Nothing;
                self
            }
            Morph::Selector => self.fail("selector morph type has already been set"),
        }
    }

    /// Which morph the reflex would end with now.
    pub fn morph_mode(&self) -> Morph {
        self.morph
    }

    /// Gives the browser's callbacks and promise a value; its keys become lower camel case.
    ///
    /// A value that cannot be JSON is a mistake, with which the reflex ends.
    pub fn set_payload(&mut self, payload: impl Serialize) -> &mut Self {
        match serde_json::to_value(payload) {
            Ok(payload) => self.payload = Some(payload),
            Err(error) => {
                let error = Error::of(ErrorKind::Application, "the payload cannot be JSON")
                    .with_source(error);
                self.fault.get_or_insert(error);
            }
        }
        self
    }

    /// The payload; an empty object until something is set.
    ///
    /// ```
    /// # use sinew_reflex::Reflex;
    /// fn note(cx: &mut Reflex) {
    ///     cx.payload_mut()["rows"] = 3.into();
    /// }
    /// ```
    pub fn payload_mut(&mut self) -> &mut Value {
        self.payload
            .get_or_insert_with(|| Value::Object(serde_json::Map::new()))
    }

    /// Operations that leave with the reply and are carried out after its morphs. [`Reflex::broadcast`] sends them at once.
    pub fn cable_ready(&mut self) -> &mut Operations {
        &mut self.operations
    }

    /// Sends the operations queued so far at once, in one message. Does nothing when there are none.
    ///
    /// # Errors
    /// When the stream could not be reached.
    pub async fn broadcast(&mut self) -> Result {
        let operations = self.operations.take();
        self.handle().broadcast(&operations).await
    }

    /// Begins a message to another stream.
    pub fn cable_ready_to(&self, stream: impl Into<sinew_streams::StreamName>) -> Broadcast {
        self.shared.cable_ready.to(stream)
    }

    /// CableReady for all streams; cloneable.
    pub fn broadcaster(&self) -> &CableReady {
        &self.shared.cable_ready
    }

    /// What a long job keeps of this reflex, to report to its tab after it has ended.
    pub fn handle(&self) -> ReflexHandle {
        ReflexHandle::new(
            self.shared.cable_ready.clone(),
            self.client.stream().clone(),
            Arc::clone(&self.data),
        )
    }

    /// Runs work beside the reflex, on the engine's runtime. It goes on when the reflex and even the connection have ended.
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.cable_ready.runtime().spawn(work)
    }

    /// Halts the reflex: `return cx.halt();` in a `before` callback. Elsewhere it is a mistake.
    ///
    /// Nothing that follows runs; what was written, queued and put into the payload stays.
    ///
    /// # Errors
    /// Always: the error is the halt.
    pub fn halt<T>(&self) -> Result<T> {
        Err(Error::of(ErrorKind::Halted, "halted"))
    }

    /// Forbids the reflex: as [`Reflex::halt`], but the browser hears that it was not allowed.
    ///
    /// # Errors
    /// Always: the error is the refusal.
    pub fn forbid<T>(&self) -> Result<T> {
        Err(Error::of(ErrorKind::Forbidden, "forbidden"))
    }

    pub(crate) fn shared_data(&self) -> &Arc<ReflexData> {
        &self.data
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn matched(&self) -> &Arc<Route> {
        &self.route
    }

    /// Begins the reply, with what was queued.
    pub(crate) fn reply(&self) -> Reply<'_> {
        let version = &self.shared.config.cable_ready_version;
        Reply::new(&self.data, self.payload.as_ref(), &self.operations, version)
    }

    pub(crate) fn stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
    }

    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stop
    }

    /// The mistake made so far, if there is one.
    pub(crate) fn check(&mut self) -> Result {
        self.fault.take().map_or(Ok(()), Err)
    }

    /// Remembers the first mistake about morphs. Its text is the original's, which says nothing a visitor may not know.
    fn fail(&mut self, text: impl Into<std::borrow::Cow<'static, str>>) -> &mut Self {
        let text = text.into();
        self.fault.get_or_insert_with(|| {
            // The original puts a space between its text and the place in the code that follows in development.
            let sentence = format!("{text} ");
            Error::of(ErrorKind::Morph, text).with_sentence(sentence)
        });
        self
    }
}

impl std::fmt::Debug for Reflex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reflex")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// Path and query of a page's address. A path alone works, nothing means the root.
fn page_uri(address: &str) -> Result<Uri> {
    let bad = || {
        Error::of(
            ErrorKind::Url,
            format!("bad URI(is not URI?): \"{}\"", brief(address)),
        )
    };
    let without_fragment = address.split('#').next().unwrap_or_default();
    if without_fragment.is_empty() {
        return Ok(Uri::from_static("/"));
    }
    if without_fragment.starts_with('/') && !without_fragment.starts_with("//") {
        if without_fragment.is_ascii() {
            return without_fragment.parse().map_err(|_| bad());
        }
        return page_uri(&format!("http://localhost{without_fragment}")).map_err(|_| bad());
    }
    // What a browser sends is an absolute http address already in the form a request needs.
    if let Some((scheme, rest)) = without_fragment.split_once("://")
        && matches!(scheme, "http" | "https")
        && rest.is_ascii()
        && let Ok(uri) = without_fragment.parse::<Uri>()
        && uri.authority().is_some()
        && !rest.starts_with('/')
    {
        return match uri.path_and_query().map_or("/", |path| path.as_str()) {
            query if query.starts_with('?') => format!("/{query}").parse().map_err(|_| bad()),
            path => path.parse().map_err(|_| bad()),
        };
    }
    let url = url::Url::parse(without_fragment).map_err(|error| bad().with_source(error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad());
    }
    url[url::Position::BeforePath..].parse().map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_come_from_the_address() {
        for (address, expected) in [
            ("", "/"),
            ("/counter", "/counter"),
            ("/a?b=1#c", "/a?b=1"),
            ("#top", "/"),
            ("http://app.test", "/"),
            ("http://app.test?x=1", "/?x=1"),
            ("http://app.test:3000/p?x=1#y", "/p?x=1"),
            ("https://other.example/counter", "/counter"),
            ("http://app.test/größe", "/gr%C3%B6%C3%9Fe"),
            ("/größe?ü", "/gr%C3%B6%C3%9Fe?%C3%BC"),
        ] {
            assert_eq!(
                page_uri(address).expect(address).to_string(),
                expected,
                "{address}"
            );
        }
        for address in [
            "not a url",
            "http://[bad",
            "about:blank",
            "//evil",
            "javascript:x",
        ] {
            let error = page_uri(address).expect_err(address);
            assert_eq!(error.kind(), ErrorKind::Url);
            assert_eq!(
                error.to_string(),
                format!("bad URI(is not URI?): \"{address}\"")
            );
        }
    }
}
