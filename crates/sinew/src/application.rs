//! The builder: an axum router in, a reactive application out.

#[cfg(feature = "rails")]
mod rails;

use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use axum::routing::get;
use axum::{Extension, Router, middleware};
use http::Extensions;
use sinew_cable::{Application, Cable, Channel, ConnectionIdentifiers, DirectChannel, Refusal};
use sinew_reflex::{CableReady, Engine, EngineBuilder, Error, Reflexes};
use sinew_store::cache::{Cache, MemoryCache};
use sinew_store::cookie::CookieStore;
use sinew_store::{MemoryStore, Sessions, Store};
use sinew_streams::{InProcessStreams, Streams};
use sinew_verifier::{MessageVerifier, SecretKeyBase};
use sinew_web::config::{CacheStoreKind, SessionStoreKind, StreamsKind};
use sinew_web::server::Admission;
use sinew_web::{Environment, Health, SessionLayer, SessionSealer};
use tokio::runtime::Handle;
use tower::util::MapRequest;

use crate::client_version::ServerVersion;
use crate::config::Config;
use crate::cookie_sessions;
use crate::doctor::{self, Finding, Place, Platform, Report, Subject, Traffic, log_findings};
use crate::endpoint::{self, Endpoint};
use crate::error::StartError;
use crate::extract::Given;
use crate::handle::SinewHandle;
use crate::identify::{Identification, Identify, Visitor};
use crate::kept::Kept;
use crate::metrics::Sources;
use crate::node_streams::NodeStreams;
use crate::page_policy::add_policy;
use crate::reflex_channel::ReflexChannel;
use crate::renderer::{RouterRenderer, answer_probes};
use crate::services::{self, Service};
use crate::stores::{Opener, Plan, Said, Storage, on_postgres};
use crate::tags::TagContext;
use crate::{assets, log, operators, serve, templates};

/// The salt from which the key for signed stream names is derived, as CableReady does.
const STREAMS_SALT: &str = "cable_ready/verifier_key";

/// Makes an axum application reactive.
///
/// Wrap the router, register reflexes and channels, then [`serve`](Self::serve) it, or
/// [`build`](Self::build) it and serve its [`router`](App::router) yourself.
///
/// Layers that the router already has apply to HTTP requests and page morphs alike, since both run
/// the router in the same way. Layers put around what `build` gives back see HTTP only.
///
/// ```
/// use axum::{Router, routing::get};
/// use sinew::prelude::*;
///
/// struct Counter;
///
/// #[reflex]
/// impl Counter {
///     async fn increment(&self, cx: &mut Reflex) -> Result {
///         cx.session().update("count", |count: i64| count + 1).await?;
///         Ok(())
///     }
/// }
///
/// async fn index(session: Session) -> Result<String> {
///     let count: i64 = session.get_or_default("count").await?;
///     Ok(format!("<p id=\"count\">{count}</p>"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = Sinew::new(Router::new().route("/", get(index)))
///     .reflex(Counter)
///     .in_memory()
///     .build()?;
/// assert_eq!(app.handle().cable().statistics().connections, 0);
/// # Ok(()) }
/// ```
///
/// # All that can be given
///
/// ```
/// use std::sync::Arc;
///
/// use axum::{Extension, Router, response::Html, routing::get};
/// use sinew::cable::{ConnectionIdentifiers, InProcessStreams};
/// use sinew::config::{Config, Secret};
/// use sinew::{prelude::*, session::MemoryStore};
/// # use sinew_testing::TestApp;
///
/// #[derive(Clone)]
/// struct Prices {
///     tea: u32,
/// }
///
/// struct Shop;
///
/// #[reflex]
/// impl Shop {
///     async fn ask(&self, cx: &mut Reflex) {
///         let cents = cx.state::<Prices>().tea;
///         cx.morph("#price", format!("<p id=\"price\">{cents}</p>"));
///     }
/// }
///
/// struct Everywhere;
///
/// #[reflex]
/// impl Everywhere {
///     #[before]
///     async fn greet(&self, cx: &mut Reflex) {
///         let person = cx.identifier("person").map(str::to_owned);
///         cx.payload_mut()["hello"] = person.into();
///     }
/// }
///
/// struct NewsChannel;
///
/// #[channel]
/// impl NewsChannel {
///     async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
///         cx.stream_from("news");
///         Ok(())
///     }
/// }
///
/// async fn index(Extension(prices): Extension<Prices>, client: ClientTags) -> Html<String> {
///     let most = prices.tea * 10;
///     Html(format!("<head>{client}</head><body><p id=price>up to {most}</p></body>"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let mut config = Config::default();
/// config.edge.configured_secret = Some(Secret::generate()?);
/// let sinew = Sinew::new(Router::new().route("/", get(index)))
///     .config(config)
///     .store(Arc::new(MemoryStore::new()))
///     .streams(Arc::new(InProcessStreams::new()))
///     .state(Prices { tea: 250 })
///     .identify(async |_visitor| Ok(ConnectionIdentifiers::new().with("person", "ada")))
///     .application_reflex(Everywhere)
///     .reflex(Shop)
///     .channel(NewsChannel);
///
/// # let app = TestApp::from_app(sinew.build()?);
/// # let mut tab = app.visit("/").await;
/// tab.assert_text("#price", "up to 2500");
/// tab.stimulate("Shop#ask", ()).await;
/// tab.assert_text("#price", "250");
/// assert_eq!(tab.payload()["hello"], "ada");
/// let news = tab.subscribe("NewsChannel", ()).await;
/// app.handle().broadcaster().broadcast("news", &"Sold out").await?;
/// assert_eq!(tab.message(&news).await, "Sold out");
/// # Ok(()) }
/// ```
#[must_use = "nothing happens before `serve` or `build`"]
pub struct Sinew {
    app: Router,
    config: Option<Config>,
    storage: Storage,
    identify: Option<Identify>,
    streams: Option<Arc<dyn Streams>>,
    cache: Option<Cache>,
    /// What handlers find in the extensions of every request, for extractors in reflexes.
    extensions: Extensions,
    reflexes: Vec<Box<dyn FnOnce(EngineBuilder) -> EngineBuilder + Send>>,
    channels: Vec<Box<dyn FnOnce(Application) -> Application + Send>>,
    /// Reflexes that nobody can call, for the sanity checks.
    without_actions: Vec<String>,
    templates: Vec<PathBuf>,
    services: Vec<Service>,
    #[cfg(feature = "rails")]
    rails_cookie: Option<crate::config::RailsCookie>,
}

impl Sinew {
    /// Wraps a router. Its state must have been given, so that it can answer by itself.
    pub fn new(app: Router) -> Self {
        Self {
            app,
            config: None,
            storage: Storage::Chosen,
            identify: None,
            streams: None,
            cache: None,
            extensions: Extensions::new(),
            reflexes: Vec::new(),
            channels: Vec::new(),
            without_actions: Vec::new(),
            templates: Vec::new(),
            services: Vec::new(),
            #[cfg(feature = "rails")]
            rails_cookie: None,
        }
    }

    /// A Redis that the application talks to: its connections are in the metrics, as
    /// `redis_sessions` and the like, and `/ready` is red while it is away, unless it is a cache's.
    /// Feature `redis`.
    ///
    /// ```
    /// use axum::Router;
    /// use sinew::config::{Config, Secret};
    /// use sinew::prelude::*;
    /// use sinew::redis::{Redis, RedisRole, RedisSettings};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// # let mut config = Config::default();
    /// # config.edge.configured_secret = Some(Secret::generate()?);
    /// // Nobody listens on port 1.
    /// let redis = Redis::connect_lazily(RedisSettings::from_url("redis://127.0.0.1:1")?)?;
    /// let app = Sinew::new(Router::new())
    ///     .redis(RedisRole::Jobs, redis)
    /// #   .config(config).store(std::sync::Arc::new(sinew::session::MemoryStore::new()))
    ///     .build()?;
    /// assert!(!app.health().is_ready());
    /// assert_eq!(app.health().missing(), ["redis (jobs)"]);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "redis")]
    pub fn redis(mut self, role: sinew_redis::RedisRole, redis: sinew_redis::Redis) -> Self {
        self.services.push(Service::redis(role, redis));
        self
    }

    /// Uses these settings instead of those of the environment.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Registers a reflex: an `impl` with `#[reflex]`.
    pub fn reflex<R: Reflexes>(mut self, reflex: R) -> Self {
        let definition = R::definition();
        if definition.action_names().next().is_none() {
            self.without_actions.push(definition.name().to_owned());
        }
        self.reflexes.push(Box::new(|engine| engine.reflex(reflex)));
        self
    }

    /// Registers the application-wide reflex, in the role of the original's `ApplicationReflex`:
    /// its callbacks run around those of every other, its actions can be called on every other.
    pub fn application_reflex(mut self, reflex: impl Reflexes) -> Self {
        self.reflexes
            .push(Box::new(|engine| engine.application(reflex)));
        self
    }

    /// Gives reflexes a value, read with [`Reflex::state`](sinew_reflex::Reflex::state), and
    /// handlers the same as an [`Extension`].
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.app = self.app.layer(Extension(state.clone()));
        self.extensions.insert(state.clone());
        self.reflexes.push(Box::new(|engine| engine.state(state)));
        self
    }

    /// Registers an Action Cable channel: an `impl` with `#[channel]`.
    pub fn channel(mut self, channel: impl Channel) -> Self {
        self.channels.push(Box::new(|cable| cable.channel(channel)));
        self
    }

    /// Registers a channel that is called in place, on the thread that drives its connections: for one that only passes
    /// on what it gets. Its methods must return at once, since other connections wait for them; an answer costs a task
    /// and two wakes less than that of a [`channel`](Self::channel).
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use sinew::cable::{Answer, Confirmation, DirectChannel, DirectSubscription};
    /// use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    /// # async fn index(client: ClientTags) -> axum::response::Html<String> { axum::response::Html(format!("<head>{client}</head>")) }
    ///
    /// /// Says back what it hears, as a clock of the network does.
    /// struct EchoChannel;
    ///
    /// impl DirectChannel for EchoChannel {
    ///     fn name(&self) -> &str {
    ///         "EchoChannel"
    ///     }
    ///
    ///     fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
    ///         Confirmation::new().into()
    ///     }
    ///
    ///     fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
    ///         subscription.transmit_json(data);
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pages = axum::Router::new().route("/", axum::routing::get(index));
    /// let app = TestApp::new(Sinew::new(pages).direct_channel(Arc::new(EchoChannel)).in_memory());
    /// let mut tab = app.visit("/").await;
    /// let echo = tab.subscribe("EchoChannel", serde_json::json!({})).await;
    /// tab.perform(&echo, "clock", serde_json::json!({ "at": 12 })).await;
    /// assert_eq!(tab.message(&echo).await["at"], 12);
    /// # Ok(()) }
    /// ```
    pub fn direct_channel(mut self, channel: Arc<dyn DirectChannel>) -> Self {
        self.channels
            .push(Box::new(|cable| cable.direct_channel(channel)));
        self
    }

    /// Says who a socket belongs to, or refuses it.
    ///
    /// Without it a connection belongs to its session, and one without a session is refused.
    /// Connections with the same identifiers are the same person: they share replies.
    ///
    /// ```
    /// # use axum::{Router, response::Html, routing::get};
    /// use sinew::{cable::{ConnectionIdentifiers, Refusal}, prelude::*};
    /// # use sinew_testing::TestApp;
    /// # async fn index(client: ClientTags) -> Html<String> { Html(format!("<head>{client}</head>")) }
    /// # async fn sign_in(session: Session, client: ClientTags) -> Result<Html<String>> {
    /// #     session.set("user_id", &7).await?;
    /// #     Ok(Html(format!("<head>{client}</head>")))
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let router = Router::new().route("/", get(index)).route("/sign_in", get(sign_in));
    ///
    /// let sinew = Sinew::new(router).identify(async |visitor| {
    ///     let session = visitor.session().ok_or(Refusal::unauthorized())?;
    ///     let user: Option<i64> = session.get("user_id").await.ok().flatten();
    ///     let user = user.ok_or(Refusal::unauthorized())?;
    ///     Ok(ConnectionIdentifiers::new().with("user_id", user.to_string()))
    /// });
    ///
    /// let app = TestApp::new(sinew);
    /// let refused = app.visit("/").await;
    /// assert_eq!(app.handle().cable().statistics().connections_refused, 1);
    /// let user = app.visit("/sign_in").await;
    /// assert_eq!(app.handle().cable().statistics().connections_refused, 1);
    /// # drop((refused, user));
    /// # }
    /// ```
    pub fn identify<F, Fut>(mut self, identify: F) -> Self
    where
        F: Fn(Visitor) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ConnectionIdentifiers, Refusal>> + Send + 'static,
    {
        self.identify = Some(Arc::new(move |visitor| Box::pin(identify(visitor))));
        self
    }

    /// Keeps sessions and the cache in memory, whatever the variables say, for tests: nothing survives the process.
    ///
    /// With it the secret may be missing too; one is made up that nobody else knows.
    pub fn in_memory(mut self) -> Self {
        self.storage = Storage::Memory;
        self
    }

    /// Keeps each session in its visitor's cookie, sealed so that nobody reads or changes it: no server has to keep
    /// it, and any that knows the [secret](crate::config::EdgeConfig::configured_secret) can read it.
    ///
    /// Reflexes write to it, too: our browser client takes what they have written over into the cookie before it is
    /// shown their reply. `docs/guide/sessions.md` says what it costs, and
    /// what becomes of it when something gets lost on the way. A cookie holds about 3 KB, after compression.
    ///
    /// ```
    /// # use axum::{Router, response::Html, routing::get};
    /// # use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    /// # struct Theme;
    /// # #[reflex]
    /// # impl Theme {
    /// #     async fn dark(&self, cx: &mut Reflex) -> Result {
    /// #         cx.session().set("theme", "dark").await?;
    /// #         Ok(())
    /// #     }
    /// # }
    /// # async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
    /// #     let theme: String = session.get_or_default("theme").await?;
    /// #     Ok(Html(format!("<head>{client}</head><body><p id=theme>{theme}</p></body>")))
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let sinew = Sinew::new(Router::new().route("/", get(index))).reflex(Theme).cookie_sessions();
    /// # let mut config = sinew::Config::default();
    /// # config.edge.configured_secret = Some(sinew::config::Secret::generate()?);
    /// # let app = TestApp::from_app(sinew.config(config).build()?);
    /// # let mut tab = app.visit("/").await;
    /// tab.stimulate("Theme#dark", ()).await;
    /// tab.reload().await;
    /// tab.assert_text("#theme", "dark");
    /// # Ok(()) }
    /// ```
    pub fn cookie_sessions(mut self) -> Self {
        self.storage = Storage::Cookies;
        self
    }

    /// Keeps sessions in this store, instead of the one that `SINEW_SESSION_STORE` chooses: the data directory, unless
    /// sessions have a Redis.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.storage = Storage::Given(store);
        self
    }

    /// Sends broadcasts through these streams, instead of those that `SINEW_STREAMS` chooses: within the process,
    /// unless the cable has a Redis or sessions are in PostgreSQL.
    pub fn streams(mut self, streams: Arc<dyn Streams>) -> Self {
        self.streams = Some(streams);
        self
    }

    /// Keeps what is dear to compute in this cache, instead of the one that `SINEW_CACHE_STORE` chooses: memory, unless
    /// the cache has a Redis.
    ///
    /// Handlers take it as an argument, and reflexes have it as [`Reflex::cache`](sinew_reflex::Reflex::cache).
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use axum::{Router, response::Html, routing::get};
    /// use sinew::cache::{Cache, MemoryCache};
    /// use sinew::prelude::*;
    /// # use sinew_testing::TestApp;
    ///
    /// struct Prices;
    ///
    /// #[reflex]
    /// impl Prices {
    ///     async fn renew(&self, cx: &mut Reflex) {
    ///         cx.cache().delete("price").await;
    ///     }
    /// }
    ///
    /// async fn index(cache: Cache, client: ClientTags) -> Html<String> {
    ///     let asked = cache.increment("asked", 1, ()).await.unwrap_or_default();
    ///     // Asked for once, however many visitors come.
    ///     let price = cache.fetch("price", (), async || format!("price number {asked}")).await;
    ///     Html(format!("<head>{client}</head><body><p id=price>{price}</p></body>"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let sinew = Sinew::new(Router::new().route("/", get(index)))
    ///     .cache(Cache::new(Arc::new(MemoryCache::new().bytes_max(8 * 1024 * 1024))))
    ///     .reflex(Prices);
    /// # let app = TestApp::new(sinew);
    /// # let mut tab = app.visit("/").await;
    /// tab.assert_text("#price", "price number 1");
    /// app.visit("/").await.assert_text("#price", "price number 1");
    /// tab.stimulate("Prices#renew", ()).await;
    /// tab.assert_text("#price", "price number 3");
    /// assert_eq!(app.handle().cache().statistics().hits, 1);
    /// # Ok(()) }
    /// ```
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// In development, renews the open pages when a file below this folder changes: they ask for
    /// themselves again, and keep what was typed into them. Elsewhere it does nothing.
    ///
    /// It is for template engines that read their files while the program runs, so that neither a
    /// build nor a restart is needed; the handlers must read them anew. Templates that are compiled
    /// into the program are followed by `sinew watch`. The files are looked at four times a second,
    /// 10,000 at most.
    ///
    /// ```
    /// use axum::{Router, response::Html, routing::get};
    /// use sinew::prelude::*;
    ///
    /// const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    ///
    /// async fn page() -> Result<Html<String>> {
    ///     Ok(Html(std::fs::read_to_string(format!("{TEMPLATES}/page.html"))?))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let app = Sinew::new(Router::new().route("/", get(page)))
    ///     .watch_templates(TEMPLATES)
    ///     .in_memory()
    ///     .build()?;
    /// assert!(app.findings().is_empty(), "the folder is there");
    /// # Ok(()) }
    /// ```
    pub fn watch_templates(mut self, folder: impl Into<PathBuf>) -> Self {
        self.templates.push(folder.into());
        self
    }

    /// Checks and joins everything.
    ///
    /// With `SINEW_DOCTOR` in the environment it does not return: the application is
    /// [examined](crate::doctor), says what was found, and the process ends.
    ///
    /// # Errors
    ///
    /// [`StartError`]: each a sentence that says what to do.
    pub fn build(mut self) -> Result<App, StartError> {
        if let Some(format) = doctor::requested() {
            doctor::end_with_report(self, format);
        }
        let config = match self.take_config() {
            Some(config) => config,
            None => Config::from_env()?,
        };
        let subject = self.subject(&config);
        self.assemble(config, subject, false)
    }

    /// The settings that were given, if they were.
    pub(crate) fn take_config(&mut self) -> Option<Config> {
        self.config.take()
    }

    /// What the doctor looks at.
    pub(crate) fn subject(&self, config: &Config) -> Subject {
        // What cannot be decided is said when it is opened.
        let plan = self.plan(config).ok();
        Subject {
            config: config.clone(),
            sessions: match plan.as_ref().map(|plan| plan.sessions.kind) {
                Some(Some(SessionStoreKind::Memory)) => Place::Memory,
                Some(Some(SessionStoreKind::Embedded)) => Place::DataDirectory,
                _ => Place::Given,
            },
            has_own_cache: plan.as_ref().is_some_and(|it| {
                matches!(
                    it.cache.kind,
                    Some(CacheStoreKind::Memory | CacheStoreKind::Embedded)
                )
            }),
            has_own_streams: plan
                .as_ref()
                .is_some_and(|it| it.streams.kind == Some(StreamsKind::Memory)),
            stores: plan.as_ref().map(ToString::to_string),
            without_actions: self.without_actions.clone(),
            templates: self.templates.clone(),
            platform: Platform::from_lookup(|name| std::env::var(name).ok()),
            left_out: doctor::left_out(plan.as_ref(), config),
            #[cfg(feature = "redis")]
            redis: doctor::Instances::from_lookup(
                |role| plan.as_ref().is_none_or(|plan| plan.uses_redis(role)),
                |name| config.variable(name),
            ),
            #[cfg(feature = "postgres")]
            postgres: doctor::Database::from_lookup(|name| config.variable(name)),
        }
    }

    /// What is kept where.
    fn plan(&self, config: &Config) -> Result<Plan, StartError> {
        let said = Said {
            storage: &self.storage,
            has_cache: self.cache.is_some(),
            has_streams: self.streams.is_some(),
        };
        Plan::new(&said, &config.edge.stores, &|name| config.variable(name))
    }

    /// As [`build`](Self::build). Only to be examined, it takes nothing that a running process has, and starts nothing.
    pub(crate) fn assemble(
        mut self,
        config: Config,
        subject: Subject,
        is_examined: bool,
    ) -> Result<App, StartError> {
        let runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let subject = Arc::new(subject);
        let edge = &config.edge;
        let plan = match self.plan(&config)? {
            plan if is_examined => plan.without_effects(),
            plan => plan,
        };
        let secret = match (&self.storage, &edge.configured_secret) {
            (Storage::Memory, None) => sinew_web::Secret::generate()?,
            (_, None) if is_examined => sinew_web::Secret::generate()?,
            _ => edge.secret()?,
        };
        let secret = SecretKeyBase::new(String::from_utf8_lossy(secret.as_bytes()));
        let verifier = MessageVerifier::new(secret.derive(STREAMS_SALT, config.key_digest));

        let opener = Opener {
            plan: &plan,
            variables: &edge.stores,
            data_directory: &edge.data_directory,
            lookup: &|name| config.variable(name),
            services: RefCell::default(),
            postgres: on_postgres::Connected::default(),
        };
        let in_cookies = plan.sessions.kind == Some(SessionStoreKind::Cookie);
        #[cfg(feature = "rails")]
        let is_shared = self.rails_cookie.is_some();
        #[cfg(not(feature = "rails"))]
        let is_shared = false;
        let cookie_store = in_cookies.then(|| CookieStore::new(config.cookie_store(is_shared)));
        let store: Arc<dyn Store> = match (&cookie_store, opener.sessions()?, self.storage) {
            (Some(cookies), _, _) => Arc::new(cookies.clone()),
            (None, Some(store), _) | (None, None, Storage::Given(store)) => store,
            // Without one of its own the application has one that was opened.
            (None, None, _) => Arc::new(MemoryStore::new()),
        };
        let cache = match opener.cache()?.or(self.cache) {
            Some(cache) => cache,
            None => Cache::new(Arc::new(MemoryCache::new())),
        };
        let streams = match opener.streams()?.or(self.streams) {
            Some(streams) => streams,
            None => Arc::new(InProcessStreams::new()),
        };
        if !is_examined {
            opener.log();
        }
        self.services.extend(opener.postgres.service());
        self.services.extend(opener.services.into_inner());
        let mut session_config = config.session.clone();
        session_config.expire_after = edge.session_expire_after;
        let sessions = Sessions::with_config(store, session_config);
        let node_streams = NodeStreams::new(streams, runtime.clone());
        let streams: Arc<dyn Streams> = node_streams.clone();
        let cable_ready = CableReady::new(Arc::clone(&streams), runtime.clone());
        let base_path = edge.base_path.clone();
        let public_url = edge.public_url.clone();
        let handle = SinewHandle::new(
            cable_ready,
            Arc::clone(&node_streams),
            verifier.clone(),
            base_path.clone(),
            public_url,
            cache.clone(),
        );
        let session_layer = SessionLayer::new(
            sessions.clone(),
            edge.session_cookie(),
            edge.trusted_proxies.clone(),
        );
        let sealer = SessionSealer::new(&secret, &config.previous_secrets());
        #[cfg(feature = "rails")]
        let sealer = match self.rails_cookie {
            Some(rails) => sealer.with_rails_cookie(
                config.rails_cookie(&secret, rails),
                &edge.session_cookie(),
                edge.session_expire_after,
            ),
            None => sealer,
        };
        let has_own_identify = self.identify.is_some();
        let kept = Kept::new(
            cookie_store,
            &sessions,
            sealer,
            &node_streams,
            base_path.join(cookie_sessions::PATH),
            !has_own_identify,
        );
        let session_layer = kept.wrap(session_layer);
        let tags = Arc::new(TagContext::new(edge));
        self.extensions.insert(Arc::clone(&tags));
        self.extensions.insert(handle.clone());
        self.extensions.insert(cache.clone());
        self.extensions.insert(base_path.clone());
        let with_extensions = |router: Router| {
            answer_probes(
                router
                    .layer(Extension(Arc::clone(&tags)))
                    .layer(Extension(handle.clone()))
                    .layer(Extension(cache.clone()))
                    .layer(Extension(base_path.clone())),
            )
        };
        let mut app = with_extensions(self.app);
        if edge.environment.is_development() && config.operators_page {
            let page = Router::new().route(operators::PATH, get(operators::page));
            app = with_extensions(page).fallback_service(app);
        }

        let renderer = RouterRenderer {
            app: app.clone(),
            sessions,
            base_path: base_path.clone(),
            page_bytes_max: config.page_bytes_max,
        };
        let mut reflex_config = config.reflex.clone();
        reflex_config.environment = match edge.environment {
            Environment::Production => sinew_reflex::Environment::Production,
            _ => sinew_reflex::Environment::Development,
        };
        let is_development = edge.environment.is_development();
        let mut engine = Engine::builder(Arc::clone(&streams), Arc::new(renderer))
            .config(reflex_config)
            .runtime(runtime.clone())
            .state(handle.clone())
            .state(cache.clone())
            .state(Given(Arc::new(self.extensions)));
        for register in self.reflexes {
            engine = register(engine);
        }
        let engine = engine.build()?;

        let identification = Arc::new(Identification {
            sessions: session_layer.clone(),
            identify: self.identify,
            anonymous: config.anonymous,
            kept,
        });
        let mut application = Application::new(move |request| {
            let identification = Arc::clone(&identification);
            async move { identification.connect(request).await }
        })
        .signed_streams(verifier)
        .direct_channel(Arc::new(
            ReflexChannel::new(engine.clone(), ServerVersion::new(is_development))
                .refreshable(is_development),
        ));
        if !has_own_identify {
            // Looking a session up neither blocks nor computes; what an application does is its own affair.
            application = application.connects_in_place();
        }
        for register in self.channels {
            application = register(application);
        }
        let cable = Cable::builder(Arc::new(application), streams)
            .config(config.cable.clone())
            .build()?;
        handle.set_cable(&cable);
        let health = Health::new();
        let services: Arc<[Service]> = self.services.into();
        services::require(&health, &services);
        let mut server = edge.server.clone().with_defaults_of(edge.environment);
        if edge.own_descriptors.is_some() {
            server.descriptor_tables = edge.shard_threads.max(1);
        }
        let admission = Admission::new(server)
            .cable(cable.clone())
            .trusted_proxies(edge.trusted_proxies.clone());
        handle.set_sources(Sources {
            cable: cable.downgrade(),
            engine: engine.downgrade(),
            sessions: session_layer.clone(),
            cache: cache.clone(),
            server: admission.counts(),
            health: health.clone(),
            services,
            streams: node_streams,
            started: SystemTime::now(),
        });
        let endpoint = Endpoint::new(cable, edge, admission.clone());
        let router = endpoint::routes(endpoint.clone(), &edge.cable_path)
            .merge(assets::routes(edge.environment.is_development()));
        let router = if config.health_routes {
            router.merge(health.routes())
        } else {
            router
        };
        let router = router.merge(cookie_sessions::routes(session_layer.clone()));
        let policy = config.policy_header()?.map(Arc::new);
        let mut pages = app
            .layer(session_layer)
            .layer(middleware::from_fn_with_state(policy, add_policy));
        let mut findings = Vec::new();
        if edge.sanity_checks && !is_examined {
            findings = subject.findings();
            log_findings(&findings);
            if subject.has_servers() {
                runtime.spawn(Arc::clone(&subject).log_servers());
            }
            let traffic = Traffic::new(&config);
            pages = pages.layer(middleware::from_fn_with_state(traffic, Traffic::look));
        }
        if is_development && !self.templates.is_empty() && !is_examined {
            runtime.spawn(templates::watch(self.templates, handle.clone()));
        }
        let router = router.fallback_service(pages);
        let router = if base_path.is_empty() {
            router
        } else {
            // Around it, since a layer of a router runs when the route is found already.
            Router::new().fallback_service(MapRequest::new(router, move |mut request| {
                base_path.enter(&mut request);
                request
            }))
        };
        Ok(App {
            router,
            endpoint,
            handle,
            engine,
            health,
            admission,
            config,
            findings: findings.into(),
            subject,
        })
    }

    /// Builds it and serves it until the process is told to stop (Ctrl-C or SIGTERM).
    ///
    /// It listens where [`EdgeConfig::listen`](sinew_web::EdgeConfig::listen) says, by default at
    /// `http://127.0.0.1:3000`, and writes a log to standard error unless the program has set up
    /// `tracing` itself: in colours on a terminal, without them elsewhere and with `NO_COLOR` set.
    /// `RUST_LOG` chooses what; `RUST_LOG=info,sinew::reflex=warn` leaves out the line of each
    /// reflex, as `config.reflex.log = false` does. A socket that was bound beforehand is served
    /// instead, as [`App::serve`] says.
    ///
    /// # Errors
    ///
    /// A [`StartError`], as an [`Error`] so that it can be the last line of a `main`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
    /// use std::net::{Ipv4Addr, TcpListener};
    ///
    /// use sinew::{Config, Sinew};
    ///
    /// let another = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    /// let mut config = Config::default();
    /// config.edge.listen = another.local_addr()?;
    /// let sinew = Sinew::new(axum::Router::new()).config(config).in_memory();
    /// let error = sinew.serve().await.expect_err("the port is taken");
    /// assert!(error.to_string().contains("is taken by another program"));
    /// # Ok(()) }
    /// ```
    pub async fn serve(self) -> Result<(), Error> {
        log::to_standard_error();
        Ok(self.build()?.serve().await?)
    }
}

/// A reactive application, ready to be served.
///
/// ```
/// use axum::{Router, body::Body, http::Request, response::Html, routing::get};
/// use sinew::prelude::*;
/// use tower::ServiceExt as _;
///
/// async fn index(client: ClientTags) -> Html<String> {
///     Html(format!("<head>{client}</head>"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
/// let app = Sinew::new(Router::new().route("/", get(index))).in_memory().build()?;
/// assert_eq!(app.config().edge.cable_path, "/cable");
/// // Nothing to warn of outside of production.
/// assert!(app.findings().iter().all(|finding| finding.code != "sessions-in-memory"));
/// assert_eq!(app.engine().statistics().calls, 0);
/// assert_eq!(app.handle().cable().statistics().connections, 0);
///
/// let ask = async |path: &str| -> Result<u16> {
///     let request = Request::get(path).body(Body::empty())?;
///     Ok(app.router().clone().oneshot(request).await?.status().as_u16())
/// };
/// assert_eq!(ask("/").await?, 200);
/// assert_eq!(ask(sinew::client::SCRIPT.path).await?, 200);
///
/// // Whoever balances the load is told to send nobody more.
/// assert_eq!(ask("/ready").await?, 200);
/// app.health().set_ready(false);
/// assert_eq!(ask("/ready").await?, 503);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct App {
    router: Router,
    endpoint: Endpoint,
    handle: SinewHandle,
    engine: Engine,
    health: Health,
    admission: Admission,
    config: Config,
    findings: Arc<[Finding]>,
    subject: Arc<Subject>,
}

impl App {
    /// The application as a router: pages, cable, browser client, `/health` and `/ready`.
    ///
    /// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that trusted proxies can
    /// be told from everybody else. It may be nested in another router, and below a prefix when
    /// [`EdgeConfig::base_path`](sinew_web::EdgeConfig::base_path) says the same.
    pub fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What handlers and background jobs reach of the application.
    pub fn handle(&self) -> &SinewHandle {
        &self.handle
    }

    /// The reflex engine, for its statistics.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether the application wants new visitors.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Who is let in to the cable, and to the server when the application is [served](Self::serve): the bounds of
    /// [`EdgeConfig::server`](sinew_web::EdgeConfig::server), and what was counted.
    ///
    /// ```
    /// use sinew::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// let app = Sinew::new(axum::Router::new()).in_memory().build()?;
    /// assert_eq!(app.admission().statistics().accepted, 0);
    /// # Ok(()) }
    /// ```
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What looked wrong when it was built; the log has been told. See [`doctor`](crate::doctor).
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Looks at everything again, and at the servers that the application uses. Nothing is logged.
    ///
    /// Whether its address is free and its data directory can be written it does not ask, since this is a running
    /// application: `SINEW_DOCTOR=1` does, as the [doctor](crate::doctor) tells.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
    /// let app = sinew::Sinew::new(axum::Router::new()).in_memory().build()?;
    /// let report = app.examine().await;
    /// assert!(report.to_string().contains("examined: sessions memory (Sinew::in_memory)"));
    /// # Ok(()) }
    /// ```
    pub async fn examine(&self) -> Report {
        self.subject.examine(Vec::new()).await
    }

    /// Serves it until the process is told to stop, and writes a log as [`Sinew::serve`] does.
    ///
    /// Whoever starts the process may bind the socket beforehand and hand it over by systemd's
    /// protocol (`LISTEN_FDS`, as a socket unit and `sinew watch` do). That one is served instead of
    /// [`EdgeConfig::listen`](sinew_web::EdgeConfig::listen), and visitors who come between two
    /// processes wait in it.
    ///
    /// Told to stop, it says so on `/ready`, tells the browsers to reconnect, spread over
    /// [`drain_window`](sinew_web::ServerConfig::drain_window), each after the reflexes that it
    /// called, finishes the requests that are being answered, waits for the
    /// [guards](SinewHandle::drain_guard) that handlers hold, and ends within
    /// [`drain_timeout`](sinew_web::ServerConfig::drain_timeout). Told a second time, it ends at
    /// once.
    ///
    /// # Errors
    ///
    /// [`StartError::AddressInUse`], [`StartError::Listen`], [`StartError::Inherited`], and when a
    /// certificate is named that cannot be used.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> sinew::Result {
    /// use std::net::{Ipv4Addr, TcpListener};
    ///
    /// use sinew::{Config, Sinew, StartError};
    ///
    /// let another = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    /// let mut config = Config::default();
    /// config.edge.listen = another.local_addr()?;
    /// let app = Sinew::new(axum::Router::new()).config(config).in_memory().build()?;
    /// assert!(matches!(app.serve().await, Err(StartError::AddressInUse { .. })));
    /// # Ok(()) }
    /// ```
    pub async fn serve(self) -> Result<(), StartError> {
        log::to_standard_error();
        serve::serve(self).await
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
