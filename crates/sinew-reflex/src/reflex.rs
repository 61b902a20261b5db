//! What an action works with: the call, the session, the morphs it makes.

use std::sync::{Arc, OnceLock};

use http::{Extensions, Method, Request, Uri};
use serde::Serialize;
use serde_json::Value;
use sinew_cable_ready::{Operations, Target};
use sinew_store::{Flash, Session, SessionId};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Span;

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
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Morph, Reflex};
///
/// struct Counter;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Counter {
///     async fn show(&self, cx: &mut Reflex, count: u32) {
///         assert_eq!(cx.morph_mode(), Morph::Page);
///         match count {
///             0 => cx.morph_nothing(),
///             _ => cx.morph("#count", count.to_string()),
///         };
///         assert_ne!(cx.morph_mode(), Morph::Page);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Counter)).await;
/// let reply = server.call_with("Counter#show", json!({"args": [3]})).await;
/// assert_eq!(reply["operations"][0]["html"], "3");
/// let reply = server.call_with("Counter#show", json!({"args": [0]})).await;
/// assert_eq!(reply["operations"][0]["name"], "stimulus-reflex:morph-nothing");
/// # }
/// ```
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
///
/// In the examples `Server` plays the browser of a visitor, and `crate = sinew_reflex` stands there because they do
/// without the facade: in applications it is `#[reflex]`.
///
/// # What came with the call
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Reflex, Result};
///
/// struct Items;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Items {
///     async fn rename(&self, cx: &mut Reflex) -> Result {
///         assert_eq!(cx.target(), "Items#rename");
///         assert_eq!(cx.action_name(), "rename");
///         assert_eq!(cx.id().as_deref(), Some("call-1"));
///         assert_eq!(cx.tab_id().as_deref(), Some("tab"));
///         assert_eq!(cx.selectors()?, ["#items"]);
///         assert_eq!(cx.data().form_data(), "item[name]=Tea");
///
///         // The page it was called from, and where the application routes it.
///         assert_eq!(cx.url(), "http://app.test/items/7?page=2#top");
///         assert_eq!(cx.request()?.uri(), "/items/7?page=2");
///         assert_eq!(cx.route().await?.template, "/items/{id}");
///         assert_eq!(cx.routed_request().await?.uri(), "/items/7?page=2");
///
///         let params = cx.params().await?;
///         assert_eq!(params.get("id"), Some("7"));
///         assert_eq!(params.get("page"), Some("2"));
///         assert_eq!(params.get("item[name]"), Some("Tea"));
///
///         // As text, since a visitor wrote it.
///         let target = cx.element().to_dom_id()?;
///         let name = params.get("item[name]").unwrap_or_default();
///         cx.morph_nothing().cable_ready().text_content(target, name);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Items)).await;
/// let reply = server
///     .call_with(
///         "Items#rename",
///         json!({
///             "url": "http://app.test/items/7?page=2#top",
///             "formData": "item[name]=Tea",
///             "attrs": {"id": "item_7", "tag_name": "LI"},
///             "selectors": ["#items"],
///             "tabId": "tab",
///         }),
///     )
///     .await;
/// assert_eq!(reply["operations"][0]["selector"], "#item_7");
/// assert_eq!(reply["operations"][0]["text"], "Tea");
/// # }
/// ```
///
/// # Who called, and what the application knows
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::Server;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Reflex, Result};
///
/// #[derive(Clone)]
/// struct Prices {
///     cents: u64,
/// }
///
/// struct Basket;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Basket {
///     async fn add(&self, cx: &mut Reflex) -> Result {
///         // Given to the engine, the same for everybody.
///         let cents = cx.state::<Prices>().cents;
///         assert!(cx.try_state::<String>().is_none());
///
///         // Of the visitor: saved before the reply leaves.
///         let total = cx.session().update("total", move |total: u64| total + cents).await?;
///         cx.flash().set("notice", &"One more.").await?;
///         assert!(cx.try_session().is_some());
///         assert!(cx.session_stream("job").as_str().ends_with(":job"));
///
///         // Other pages of the visitor may follow streams of the session.
///         let label = cx.session().id().label();
///         assert_eq!(cx.session_stream("job").as_str(), format!("session:{label}:job"));
///
///         // Of the connection.
///         assert_eq!(cx.identifier("session_id"), Some("visitor"));
///         assert_eq!(cx.identifiers().count(), 1);
///         assert_eq!(cx.handshake().host, "app.test");
///         assert_eq!(cx.client().stream().as_str(), "StimulusReflex::Channel:visitor");
///         assert!(cx.connection::<Prices>().is_none(), "nobody left one");
///
///         cx.morph("#total", total.to_string());
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let prices = Prices { cents: 250 };
/// let mut server = Server::new(|engine| engine.reflex(Basket).state(prices)).await;
/// server.call("Basket#add").await;
/// let reply = server.call("Basket#add").await;
/// assert_eq!(reply["operations"][0]["html"], "500");
/// assert_eq!(server.stored("total").await, Some(500.into()));
/// # }
/// ```
///
/// # What the page becomes
///
/// Nothing said means a page morph: the page's handler runs again, and the roots are morphed.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::{Server, last, status};
/// use serde_json::json;
/// use sinew_macros::reflex;
/// use sinew_reflex::{Morph, Reflex};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Highlighted(u32);
///
/// struct List;
///
/// #[reflex(crate = sinew_reflex)]
/// impl List {
///     async fn page(&self, cx: &mut Reflex) {
///         // The page's handler reads it as `Extension<Highlighted>`.
///         cx.assign(Highlighted(7)).morph_page();
///         assert_eq!(cx.assigned(), Some(&Highlighted(7)));
///         assert_eq!(cx.morph_mode(), Morph::Page);
///     }
///
///     async fn rows(&self, cx: &mut Reflex) {
///         cx.morph("#count", "2")
///             .morph_all([("#row_1", "<li>one</li>"), ("#row_2", "<li>two</li>")]);
///         cx.set_payload(json!({"row_count": 2}));
///     }
///
///     async fn nothing(&self, cx: &mut Reflex) {
///         cx.morph_nothing().payload_mut()["saved"] = true.into();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(List)).await;
/// let reply = server.call("List#page").await;
/// assert_eq!(reply["operations"][0]["selector"], "body");
///
/// let reply = server.call("List#rows").await;
/// assert_eq!(reply["operations"].as_array().map(Vec::len), Some(3));
/// assert_eq!(last(&reply)["payload"], json!({"rowCount": 2}));
///
/// let reply = server.call("List#nothing").await;
/// assert_eq!(status(&reply), "nothing");
/// assert_eq!(last(&reply)["payload"], json!({"saved": true}));
/// # }
/// ```
///
/// # Operations, and work that takes longer
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::{Server, status};
/// use sinew_macros::reflex;
/// use sinew_reflex::{Reflex, Result};
///
/// struct Report;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Report {
///     async fn make(&self, cx: &mut Reflex) -> Result {
///         // At once, to this tab.
///         cx.cable_ready().text_content("#state", "reading");
///         cx.broadcast().await?;
///
///         // To whoever follows a stream; `broadcaster` is for functions that get no `cx`.
///         let mut news = cx.cable_ready_to("news");
///         news.append("#news", "<li>a report begins</li>");
///         news.broadcast().await?;
///         assert!(cx.broadcaster().to("news").is_empty());
///
///         // Later, to this tab: the action ends before.
///         let handle = cx.handle();
///         cx.spawn(async move { handle.send(|ops| ops.text_content("#state", "done")).await });
///
///         // With the reply.
///         cx.cable_ready().set_focus("#state");
///         cx.morph_nothing();
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Report)).await;
/// let first = server.call("Report#make").await;
/// assert_eq!(first["operations"][0]["text"], "reading");
/// let mut later = [server.message().await, server.message().await];
/// later.sort_by_key(|message| status(message).len());
/// assert_eq!(later[0]["operations"][0]["text"], "done");
/// assert_eq!(later[1]["operations"][0]["operation"], "setFocus");
/// # }
/// ```
///
/// # Whether it may go on
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// # use server::{Server, status};
/// use sinew_macros::reflex;
/// use sinew_reflex::{Reflex, Result};
///
/// struct Admin;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Admin {
///     /// The browser hears that it was not allowed.
///     #[before(only(delete))]
///     async fn guard(&self, cx: &mut Reflex) -> Result {
///         match cx.identifier("role") {
///             Some("admin") => Ok(()),
///             _ => cx.forbid(),
///         }
///     }
///
///     /// It is over, and what was said so far counts.
///     #[before(only(preview))]
///     async fn shortcut(&self, cx: &mut Reflex) -> Result {
///         cx.cable_ready().text_content("#preview", "nothing yet");
///         cx.halt()
///     }
///
///     async fn delete(&self, _cx: &mut Reflex) {}
///
///     async fn preview(&self, _cx: &mut Reflex) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut server = Server::new(|engine| engine.reflex(Admin)).await;
/// assert_eq!(status(&server.call("Admin#delete").await), "forbidden");
/// let reply = server.call("Admin#preview").await;
/// assert_eq!(status(&reply), "halted");
/// assert_eq!(reply["operations"][0]["text"], "nothing yet");
/// # }
/// ```
pub struct Reflex {
    shared: Arc<Shared>,
    client: Arc<Client>,
    data: Arc<ReflexData>,
    route: Arc<Route>,
    span: Span,
    began: Instant,
    pub(crate) morph: Morph,
    /// Selector and HTML of each morph, in the order in which they were written.
    pub(crate) morphs: Vec<(String, String)>,
    pub(crate) payload: Option<Value>,
    pub(crate) operations: Operations,
    session: OnceLock<Option<Session>>,
    flash: OnceLock<Flash>,
    element: OnceLock<Element>,
    page_route: OnceLock<Arc<PageRoute>>,
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
        span: Span,
    ) -> Self {
        Self {
            shared,
            client,
            data,
            route,
            span,
            began: Instant::now(),
            morph: Morph::Page,
            morphs: Vec::new(),
            payload: None,
            operations: Operations::new(),
            session: OnceLock::new(),
            flash: OnceLock::new(),
            element: OnceLock::new(),
            page_route: OnceLock::new(),
            params: None,
            assigned: Extensions::new(),
            stop: None,
            fault: None,
        }
    }

    /// Its span, disabled unless somebody looks.
    pub(crate) fn span(&self) -> &Span {
        &self.span
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

    /// [`Reflex::request`] as it arrives at its route: with what the router leaves in the extensions, such as the values of the path's placeholders.
    ///
    /// Where no route matches it is the request alone.
    ///
    /// # Errors
    /// When the url is none.
    pub fn routed_request(&self) -> impl Future<Output = Result<Request<()>>> + Send + use<> {
        let request = self.request();
        let known = self.page_route.get().cloned();
        let shared = Arc::clone(&self.shared);
        async move {
            let mut request = request?;
            let route = match known {
                Some(route) => Some(route),
                None => route_of(&shared, copy_of(&request)).await?,
            };
            if let Some(route) = route {
                let own = std::mem::replace(request.extensions_mut(), route.extensions.clone());
                request.extensions_mut().extend(own);
            }
            Ok(request)
        }
    }

    async fn look_up_route(&mut self) -> Result<Option<Arc<PageRoute>>> {
        if let Some(known) = self.page_route.get() {
            return Ok(Some(Arc::clone(known)));
        }
        let request = self.request()?;
        let shared = Arc::clone(&self.shared);
        let route = route_of(&shared, request).await?;
        Ok(route.map(|route| Arc::clone(self.page_route.get_or_init(|| route))))
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
    /// What somebody has typed survives where the HTML of its field is as before; a field is emptied with `cx.cable_ready().set_value("#text", "")`.
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
    /// Written to by key: `cx.payload_mut()["rows"] = 3.into()`.
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

    /// A stream of the visitor's session: every page of that session which follows it, in whatever tab and also after a reload, hears what is sent to it.
    ///
    /// For work that outlives its reflex: [`Reflex::handle`] reaches the calling page alone, and only as long as it is open.
    /// A page follows it with the element that `SinewHandle::session_stream_from` of the facade makes.
    ///
    /// A session that gets another id, at a login above all, has another stream: whoever could follow the old one hears nothing of what comes after.
    ///
    /// # Panics
    /// As [`Reflex::session`].
    pub fn session_stream(&self, name: &str) -> sinew_streams::StreamName {
        session_stream(self.session().id(), name)
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

/// The stream `name` of the session `id`, as [`Reflex::session_stream`] gives it.
///
/// The id is a secret and is not in it: its label is.
///
/// ```
/// use sinew_reflex::session_stream;
/// use sinew_store::SessionId;
///
/// let id = SessionId::generate();
/// let stream = session_stream(id, "job");
/// assert_eq!(stream.as_str(), format!("session:{}:job", id.label()));
/// ```
pub fn session_stream(id: SessionId, name: &str) -> sinew_streams::StreamName {
    format!("session:{}:{name}", id.label()).into()
}

impl std::fmt::Debug for Reflex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reflex")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

async fn route_of(shared: &Shared, request: Request<()>) -> Result<Option<Arc<PageRoute>>> {
    let route = shared.renderer.route(request).await.map_err(|error| {
        Error::of(ErrorKind::Url, "the route could not be looked up").with_source(error)
    })?;
    Ok(route.map(Arc::new))
}

/// A request without its extensions, which a route does not depend on.
fn copy_of(request: &Request<()>) -> Request<()> {
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
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
