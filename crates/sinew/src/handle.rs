//! What handlers and background jobs reach of the running application.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::json;
use sinew_cable::{Broadcaster, Cable, WeakCable};
use sinew_cable_ready::stream_key;
use sinew_reflex::{CableReady, Result};
use sinew_store::Session;
use sinew_store::cache::Cache;
use sinew_streams::StreamName;
use sinew_verifier::MessageVerifier;
use sinew_web::server::{Drain, DrainGuard};
use sinew_web::{BasePath, PublicUrl};

use crate::metrics::{Metrics, Snapshot, Sources};
use crate::node_streams::NodeStreams;
use crate::operators::Operators;

/// What every page follows in development.
pub(crate) const REFRESH_STREAM: &str = "sinew:refresh";

/// The running application, for handlers and background jobs.
///
/// Broadcasts, signed stream names, and the connections. Cloneable and cheap. Handlers take it as
/// an argument; elsewhere it comes from [`App::handle`](crate::App::handle).
///
/// ```
/// use axum::{Router, response::Html, routing::get};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// async fn index(sinew: SinewHandle, client: ClientTags) -> Html<String> {
///     let news = sinew.stream_from(&["news", "tea"]);
///     Html(format!("<head>{client}</head><body>{news}<p id=news>none</p></body>"))
/// }
///
/// async fn publish(sinew: SinewHandle) -> Result<&'static str> {
///     sinew.cable_ready().send("news:tea", |it| it.text_content("#news", "fresh")).await?;
///     Ok("published")
/// }
///
/// // Ends what the visitor's pages are connected with.
/// async fn lock(session: Session, sinew: SinewHandle) -> &'static str {
///     sinew.disconnect(&session, false);
///     "locked"
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// # let router = Router::new()
/// #     .route("/", get(index)).route("/publish", get(publish)).route("/lock", get(lock));
/// # let app = TestApp::new(Sinew::new(router));
/// # let mut tab = app.visit("/").await;
/// app.visit("/publish").await.assert_contains("body", "published");
/// tab.until("#news", "fresh").await;
///
/// let sinew: &SinewHandle = app.handle();
/// let signed = sinew.sign_stream(&["news", "tea"]);
/// tab.assert_exists(&format!("cable-ready-stream-from[identifier='{signed}']"));
/// // What `#[channel]` streams gets any JSON.
/// sinew.broadcaster().broadcast("room_7", &["hello"]).await?;
///
/// assert_eq!(sinew.cable().statistics().connections, 1);
/// tab.browser().visit("/lock").await;
/// # let gone = async { while sinew.cable().statistics().connections > 0 { tokio::task::yield_now().await } };
/// # tokio::time::timeout(std::time::Duration::from_secs(10), gone).await?;
/// assert_eq!(sinew.cable().statistics().connections, 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SinewHandle(Arc<Inner>);

struct Inner {
    cable_ready: CableReady,
    streams: Arc<NodeStreams>,
    verifier: MessageVerifier,
    base_path: BasePath,
    public_url: Option<PublicUrl>,
    drain: Drain,
    /// Not held: the cable holds the reflexes, which hold this handle.
    cable: Arc<OnceLock<WeakCable>>,
    sources: OnceLock<Sources>,
    operators: Operators,
    cache: Cache,
}

impl SinewHandle {
    pub(crate) fn new(
        cable_ready: CableReady,
        streams: Arc<NodeStreams>,
        verifier: MessageVerifier,
        base_path: BasePath,
        public_url: Option<PublicUrl>,
        cache: Cache,
    ) -> Self {
        Self(Arc::new(Inner {
            cable_ready,
            streams,
            verifier,
            base_path,
            public_url,
            drain: Drain::new(),
            cable: Arc::default(),
            sources: OnceLock::new(),
            operators: Operators::default(),
            cache,
        }))
    }

    /// The cable is made of the reflexes, which may hold this handle: it comes last.
    pub(crate) fn set_cable(&self, cable: &Cable) {
        // Set once, by the builder.
        let _ = self.0.cable.set(cable.downgrade());
        self.0.streams.set_cable(cable);
    }

    /// What comes last as well: where the counters are.
    pub(crate) fn set_sources(&self, sources: Sources) {
        // Set once, by the builder.
        let _ = self.0.sources.set(sources);
    }

    /// All metrics as they are now: the answer of a handler that is for Prometheus, or anything else
    /// that you make of the text. See [`metrics`](crate::metrics).
    ///
    /// # Panics
    ///
    /// While the application is still being built.
    ///
    /// ```
    /// # use sinew::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let app = Sinew::new(axum::Router::new()).in_memory().build()?;
    /// let text = app.handle().metrics().to_string();
    /// assert!(text.ends_with("# EOF\n"));
    /// # Ok(()) }
    /// ```
    pub fn metrics(&self) -> Metrics {
        Metrics(self.snapshot())
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let sources = self.0.sources.get();
        sources.expect("set when the application is built").read()
    }

    pub(crate) fn operators(&self) -> &Operators {
        &self.0.operators
    }

    /// What tells this process from others that share its streams.
    pub(crate) fn node(&self) -> &str {
        self.0.streams.node()
    }

    /// CableReady operations for whoever follows a stream.
    pub fn cable_ready(&self) -> &CableReady {
        &self.0.cable_ready
    }

    /// Broadcasts of any JSON, as Action Cable's `server.broadcast`.
    pub fn broadcaster(&self) -> Broadcaster {
        Broadcaster::new(self.0.streams.clone())
    }

    /// What is dear to compute, for handlers and background jobs alike.
    ///
    /// ```
    /// # use sinew::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let app = Sinew::new(axum::Router::new()).in_memory().build()?;
    /// let sinew = app.handle().clone();
    /// let job = tokio::spawn(async move { sinew.cache().write("rate", &1.5, ()).await });
    /// assert!(job.await?);
    /// assert_eq!(app.handle().cache().read("rate").await, Some(1.5));
    /// # Ok(()) }
    /// ```
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// The connections of this process.
    ///
    /// # Panics
    ///
    /// While the application is still being built, and when it and all its routers are gone.
    pub fn cable(&self) -> Cable {
        let cable = self.0.cable.get().and_then(WeakCable::upgrade);
        cable.expect("there is a cable as long as there is an application")
    }

    /// Something that the process waits for when it is told to stop, for whoever holds a connection of
    /// its own: a WebSocket or a stream of events that a handler of yours answers. It says when that
    /// begins; the process ends when all guards are dropped, or when its
    /// [time](sinew_web::ServerConfig::drain_timeout) is over.
    ///
    /// ```
    /// use sinew::prelude::*;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    ///
    /// async fn echo(sinew: SinewHandle, mut socket: DuplexStream) -> std::io::Result<()> {
    ///     let guard = sinew.drain_guard();
    ///     loop {
    ///         tokio::select! {
    ///             () = guard.draining() => return socket.write_all(b"!").await,
    ///             byte = socket.read_u8() => socket.write_u8(byte?).await?,
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let app = Sinew::new(axum::Router::new()).in_memory().build()?;
    /// let (socket, mut client) = tokio::io::duplex(10);
    /// let echoes = tokio::spawn(echo(app.handle().clone(), socket));
    /// client.write_u8(b'a').await?;
    /// assert_eq!(client.read_u8().await?, b'a');
    ///
    /// // What `App::serve` does when it is told to stop.
    /// app.handle().drain().begin();
    /// app.handle().drain().finished().await;
    /// assert_eq!(client.read_u8().await?, b'!');
    /// echoes.await??;
    /// # Ok(()) }
    /// ```
    pub fn drain_guard(&self) -> DrainGuard {
        self.0.drain.guard()
    }

    /// The end of the process, for whoever serves an [`App`](crate::App) by itself and brings it to
    /// an end, and for whoever wants to know of it without being waited for.
    ///
    /// ```
    /// use sinew::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let app = Sinew::new(axum::Router::new()).in_memory().build()?;
    /// let sinew = app.handle().clone();
    /// let job = tokio::spawn(async move {
    ///     sinew.drain().begun().await;
    ///     "not begun any more"
    /// });
    /// app.handle().drain().begin();
    /// assert_eq!(job.await?, "not begun any more");
    /// # Ok(()) }
    /// ```
    pub fn drain(&self) -> &Drain {
        &self.0.drain
    }

    /// Ends the connections of a session: the browser is told `remote`. In this process it happens
    /// at once; on the other nodes that share its [streams](crate::Sinew::streams) as soon as they
    /// hear of it, and streams that do not take the news are offered it for ten seconds.
    ///
    /// When a request destroys its session or gives it another id, that happens by itself: browsers
    /// reconnect with their new cookie. Only the connection of the page that asked for the new id
    /// goes on with it.
    pub fn disconnect(&self, session: &Session, reconnect: bool) {
        let streams = &self.0.streams;
        streams.end_connections(session.id(), true, reconnect);
    }

    /// Tells every open page to ask for itself again, and to become what comes, keeping what was
    /// typed into it. In development only: elsewhere no page listens.
    ///
    /// What a page depends on and only the application knows of is a reason: a changed template, a
    /// changed catalogue of translations. For files, [`Sinew::watch_templates`](crate::Sinew::watch_templates)
    /// calls it by itself.
    ///
    /// They hear on the subscription of their reflexes what they hear after a rebuild: the server
    /// speaks of itself with another `boot`.
    ///
    /// # Errors
    ///
    /// The streams cannot be written to.
    ///
    /// ```
    /// # use axum::{Router, response::Html, routing::get};
    /// # use serde_json::json;
    /// # use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    /// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))));
    /// # let mut tab = app.visit("/").await;
    /// # // As the embedded client says it.
    /// # let version = json!({"sinew": format!("{}+embedded", env!("CARGO_PKG_VERSION"))});
    /// # let page = tab.subscribe("StimulusReflex::Channel", version).await;
    /// # let before = tab.message(&page).await;
    /// app.handle().refresh_pages().await?;
    /// let heard = tab.message(&page).await;
    /// assert_ne!(heard["sinew"]["boot"], before["sinew"]["boot"]);
    /// # Ok(()) }
    /// ```
    pub async fn refresh_pages(&self) -> sinew_reflex::Result {
        let another = format!("{:016x}", RandomState::new().hash_one(()));
        let about = json!({
            "server": env!("CARGO_PKG_VERSION"),
            "compatible": true,
            "boot": another,
        });
        let message = json!({ "sinew": about });
        let broadcaster = self.broadcaster();
        broadcaster.broadcast(REFRESH_STREAM, &message).await?;
        Ok(())
    }

    /// Whether there still is an application.
    pub(crate) fn is_alive(&self) -> bool {
        self.live_cable().is_some()
    }

    /// Its cable, while there still is an application.
    pub(crate) fn live_cable(&self) -> Option<Cable> {
        self.0.cable.get().and_then(WeakCable::upgrade)
    }

    /// Where browsers find `path`, a path of the application that begins with `/`: with the
    /// [base path](crate::config::EdgeConfig::base_path) before it. In a page it is
    /// [`ClientTags::path`](crate::ClientTags::path).
    ///
    /// ```
    /// use sinew::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let mut config = sinew::Config::default();
    /// config.edge.base_path = "/app".parse()?;
    /// let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
    /// assert_eq!(app.handle().path("/todos"), "/app/todos");
    /// # Ok(()) }
    /// ```
    pub fn path(&self, path: &str) -> String {
        self.0.base_path.join(path)
    }

    /// Where visitors find `path`, a path of the application that begins with `/`, from everywhere else: a mail, a feed.
    /// Nothing unless [`public_url`](crate::config::EdgeConfig::public_url) is set, with `SINEW_URL` for instance.
    ///
    /// ```
    /// use sinew::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let mut config = sinew::Config::default();
    /// config.edge.public_url = Some("https://example.com".parse()?);
    /// config.edge.base_path = "/shop".parse()?;
    /// let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
    /// let link = app.handle().url("/orders/7");
    /// assert_eq!(link.as_deref(), Some("https://example.com/shop/orders/7"));
    /// # Ok(()) }
    /// ```
    pub fn url(&self, path: &str) -> Option<String> {
        let url = self.0.public_url.as_ref()?;
        Some(url.join(&self.path(path)))
    }

    /// Signs the name of a stream, so that a page may name it and a visitor cannot make one up.
    ///
    /// The parts are joined by `:`.
    pub fn sign_stream(&self, parts: &[&str]) -> String {
        self.0
            .verifier
            .sign(&stream_key(parts.iter().map(|part| Some(*part))))
    }

    /// A `<cable-ready-stream-from>` element: whoever shows it carries out what is broadcast to the stream.
    ///
    /// It displays as HTML.
    pub fn stream_from(&self, parts: &[&str]) -> StreamFrom {
        StreamFrom {
            identifier: self.sign_stream(parts),
            attributes: Vec::new(),
        }
    }
}

/// # Streams of a session
///
/// What only one visitor shall see, in whichever tab: progress of a job, a notice. A page follows
/// such a stream with [`session_stream_from`](Self::session_stream_from); a reflex names it with
/// [`Reflex::session_stream`](sinew_reflex::Reflex::session_stream), a handler or a job with
/// [`session_stream`](Self::session_stream). The streams of one session are told apart by a name.
///
/// They last as long as the session's id: a login, which renews it, begins new ones, and pages from
/// before follow nothing until they are loaded again. A connection without a session
/// ([`Config::anonymous`](crate::Config::anonymous)) has none to share with its page. What shall
/// follow somebody from browser to browser goes over a stream of the user instead, which is a
/// stream like any other: `sinew.stream_from(&["user", &id])`.
///
/// ```
/// use axum::{Router, response::Html, routing::get};
/// use sinew::prelude::*;
/// # use sinew_testing::TestApp;
///
/// struct Job;
///
/// #[reflex]
/// impl Job {
///     async fn start(&self, cx: &mut Reflex) -> Result {
///         let (stream, cable_ready) = (cx.session_stream("job"), cx.broadcaster().clone());
///         cx.spawn(async move {
///             // Here something would be worked at.
///             cable_ready.send(stream, |it| it.text_content("#state", "Done.")).await
///         });
///         cx.morph_nothing();
///         Ok(())
///     }
/// }
///
/// async fn page(session: Session, sinew: SinewHandle, client: ClientTags) -> Result<Html<String>> {
///     let stream = sinew.session_stream_from(&session, "job").await?;
///     Ok(Html(format!("<head>{client}</head><body>{stream}<p id=state>Nothing to do.</p></body>")))
/// }
///
/// // In a handler, which may hand the stream on to a job.
/// async fn cancel(session: Session, sinew: SinewHandle) -> Result<&'static str> {
///     let stream = sinew.session_stream(&session, "job").await?;
///     sinew.cable_ready().send(stream, |it| it.text_content("#state", "Cancelled.")).await?;
///     Ok("cancelled")
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let router = Router::new().route("/", get(page)).route("/cancel", get(cancel));
/// # let app = TestApp::new(Sinew::new(router).reflex(Job));
/// # let ada = app.browser();
/// let (mut one, mut another) = (ada.visit("/").await, ada.open_tab("/").await);
/// one.stimulate("Job#start", ()).await;
/// another.until("#state", "Done.").await;
/// ada.visit("/cancel").await;
/// one.until("#state", "Cancelled.").await;
/// app.visit("/").await.assert_text("#state", "Nothing to do.");
/// # }
/// ```
impl SinewHandle {
    /// The stream `name` of a session.
    ///
    /// # Errors
    ///
    /// When the session could not be looked up.
    pub async fn session_stream(&self, session: &Session, name: &str) -> Result<StreamName> {
        let id = session.settled_id().await?;
        Ok(sinew_reflex::session_stream(id, name))
    }

    /// As [`stream_from`](Self::stream_from), for the stream `name` of a session.
    ///
    /// # Errors
    ///
    /// When the session could not be looked up.
    pub async fn session_stream_from(&self, session: &Session, name: &str) -> Result<StreamFrom> {
        let stream = self.session_stream(session, name).await?;
        Ok(self.stream_from(&[stream.as_str()]))
    }
}

impl fmt::Debug for SinewHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinewHandle").finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SinewHandle {
    type Rejection = axum::extract::rejection::ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let extension: axum::Extension<Self> =
            axum::Extension::from_request_parts(parts, state).await?;
        Ok(extension.0)
    }
}

/// The element that follows a stream; see [`SinewHandle::stream_from`].
///
/// ```
/// # use sinew::prelude::*;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = Sinew::new(axum::Router::new()).in_memory().build()?;
/// let element = app.handle().stream_from(&["news"]).attribute("id", "news-stream").to_string();
/// assert!(element.starts_with(r#"<cable-ready-stream-from identifier=""#));
/// assert!(element.ends_with(r#"" id="news-stream"></cable-ready-stream-from>"#));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is an element to be written into a page"]
pub struct StreamFrom {
    identifier: String,
    attributes: Vec<(String, String)>,
}

impl StreamFrom {
    /// Gives the element an attribute more.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }
}

impl fmt::Display for StreamFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<cable-ready-stream-from identifier="{}""#,
            self.identifier
        )?;
        for (name, value) in &self.attributes {
            write!(f, r#" {name}="{}""#, EscapedAttribute(value))?;
        }
        f.write_str("></cable-ready-stream-from>")
    }
}

#[cfg(feature = "maud")]
impl maud::Render for StreamFrom {
    fn render_to(&self, buffer: &mut String) {
        use fmt::Write as _;
        // Writing into a String does not fail.
        let _ = write!(buffer, "{self}");
    }
}

/// A text as it stands in an attribute between double quotes.
pub(crate) struct EscapedAttribute<'a>(pub(crate) &'a str);

impl fmt::Display for EscapedAttribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                character => f.write_char(character)?,
            }
        }
        Ok(())
    }
}
