//! The engine: takes calls, finds their reflex, runs them in their lanes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures_util::FutureExt;
use http::Extensions;
use sinew_cable_ready::Operations;
use sinew_streams::{StreamName, Streams};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::cable_ready::CableReady;
use crate::call::Call;
use crate::client::{Client, Enqueued};
use crate::config::Config;
use crate::data::ReflexData;
use crate::definition::Reflexes;
use crate::error::{BuildError, Error, ErrorKind};
use crate::measure::{Present, ReflexStatistics};
use crate::page::PageRenderer;
use crate::reflex::Morph;
use crate::registry::{self, Pending, Registry};
use crate::reply::{Reply, Status};
use crate::run;
use crate::span;
use crate::statistics::{Counters, Statistics, count};
use crate::target::brief;

/// Runs reflexes: calls go in, messages come out on the caller's stream. Cloneable.
///
/// It never sees a socket: whoever owns one calls [`Engine::receive`] and delivers what is published on [`Client::stream`].
///
/// ```
/// use std::sync::Arc;
///
/// use sinew_macros::reflex;
/// use sinew_reflex::{Client, Engine, Handshake, Reflex, Statistics};
/// use sinew_streams::InProcessStreams;
///
/// # struct NoPages;
/// # impl sinew_reflex::PageRenderer for NoPages {
/// #     fn route(&self, _: http::Request<()>) -> futures_util::future::BoxFuture<'_, Result<Option<sinew_reflex::Route>, sinew_reflex::RenderError>> {
/// #         Box::pin(async { Ok(None) })
/// #     }
/// #     fn render(&self, _: sinew_reflex::PageRequest) -> futures_util::future::BoxFuture<'_, Result<sinew_reflex::Page, sinew_reflex::RenderError>> {
/// #         Box::pin(async { Ok(sinew_reflex::Page { status: 404, ..sinew_reflex::Page::default() }) })
/// #     }
/// # }
/// struct Counter;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Counter {
///     async fn increment(&self, cx: &mut Reflex) {
///         cx.morph("#count", "1");
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let engine = Engine::builder(Arc::new(InProcessStreams::new()), Arc::new(NoPages))
///     .reflex(Counter)
///     .build()
///     .expect("one reflex, one name");
/// assert_eq!(engine.config().lane_calls_max, 100);
///
/// let stream = "StimulusReflex::Channel:visitor".into();
/// let client = Arc::new(Client::new(stream, Arc::new(Handshake::default())));
/// engine.receive(&client, r#"{"target":"Counter#increment","version":"3.5.5","id":"1"}"#);
/// engine.receive(&client, "not a call");
/// engine.idle().await;
///
/// let statistics: Statistics = engine.statistics();
/// assert_eq!((statistics.calls, statistics.selectors, statistics.malformed), (2, 1, 1));
///
/// // The same streams, for everything that is no reflex.
/// let sent = engine.cable_ready().send("news", |operations| operations.reload()).await;
/// assert!(sent.is_ok());
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What every run of a reflex reaches.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    pub(crate) renderer: Arc<dyn PageRenderer>,
    pub(crate) cable_ready: CableReady,
    pub(crate) state: Extensions,
    pub(crate) counters: Counters,
    under_way: UnderWay,
    pub(crate) streams: Arc<dyn Streams>,
}

impl Engine {
    /// Begins an engine that publishes on `streams` and gets its pages from `renderer`.
    pub fn builder(streams: Arc<dyn Streams>, renderer: Arc<dyn PageRenderer>) -> EngineBuilder {
        EngineBuilder {
            streams,
            renderer,
            config: Config::default(),
            runtime: None,
            state: Extensions::new(),
            application: None,
            reflexes: Vec::new(),
            error: None,
        }
    }

    /// Takes a call of a connection: the JSON object the client sent. Never waits, may be called on any thread.
    ///
    /// The call runs in its turn on the engine's runtime, and is answered on the client's stream whatever happens.
    /// A text that is no JSON object is counted and ignored, since it has no id to answer to.
    pub fn receive(&self, client: &Arc<Client>, text: &str) {
        let shared = &self.shared;
        count(&shared.counters.calls);
        let data = match ReflexData::parse(text) {
            Ok(data) => data,
            Err(error) => {
                count(&shared.counters.malformed);
                tracing::debug!(target: "sinew::reflex", %error, "a call is no JSON object");
                return;
            }
        };
        let route = shared.registry.route(&data.target()).cloned();
        let concurrent = route.as_ref().is_ok_and(|route| route.concurrent);
        let call = Call {
            span: span::of_call(client, &data, route.as_ref().ok()),
            data: Arc::new(data),
            route,
            came: Instant::now(),
        };
        match client.enqueue(call, concurrent, &shared.config) {
            Enqueued::Waiting => count(&shared.counters.waiting),
            Enqueued::First(tab, first) => {
                shared.under_way.begin();
                let (shared, client) = (Arc::clone(shared), Arc::clone(client));
                self.runtime().spawn(async move {
                    let lane = Present::new(&shared.counters.lanes);
                    let mut call = first;
                    loop {
                        run::perform(&shared, &client, call).await;
                        match client.next(&tab) {
                            Some(next) => call = next,
                            None => break,
                        }
                        shared.counters.waiting.fetch_sub(1, Ordering::Relaxed);
                    }
                    drop(lane);
                    shared.under_way.end();
                });
            }
            Enqueued::Beside(call) => {
                shared.under_way.begin();
                let (shared, client) = (Arc::clone(shared), Arc::clone(client));
                self.runtime().spawn(async move {
                    run::perform(&shared, &client, call).await;
                    client.leave();
                    shared.under_way.end();
                });
            }
            Enqueued::Refused(call) => self.refuse(client, &call),
        }
    }

    /// Answers a call that found no place, at once and outside of the order.
    fn refuse(&self, client: &Arc<Client>, call: &Call) {
        let shared = &self.shared;
        count(&shared.counters.overloads);
        count(&shared.counters.errors);
        let error = Error::of(ErrorKind::Overload, "too many calls are waiting");
        tracing::debug!(
            target: "sinew::reflex",
            reflex = %brief(&call.data.target()),
            session = client.session_label(),
            "refused: too many calls are waiting"
        );
        let version = &shared.config.cable_ready_version;
        let message = Reply::new(&call.data, None, &Operations::new(), version)
            .status(Status::Error(error.sentence()), Morph::Page);
        if !client.may_refuse(shared.config.refusals_max) {
            count(&shared.counters.unanswered);
            return;
        }
        let (shared, client) = (Arc::clone(shared), Arc::clone(client));
        let mut publish = Box::pin(async move {
            shared.publish(client.stream(), message.into()).await;
            client.refused();
        });
        // Streams in this process take a message at once; only a slow backend needs a task.
        if publish.as_mut().now_or_never().is_none() {
            self.runtime().spawn(publish);
        }
    }

    /// Waits until no call is under way: what a server does between its last call and its end.
    ///
    /// Calls that arrive meanwhile are waited for, too; whoever stops a server stops receiving first.
    pub async fn idle(&self) {
        self.shared.under_way.none().await;
    }

    /// CableReady for all streams.
    pub fn cable_ready(&self) -> &CableReady {
        &self.shared.cable_ready
    }

    /// What the engine has done so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.counters.snapshot()
    }

    /// What it has done by the name of each action that was called, in the order of the names.
    ///
    /// ```
    /// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
    /// # use server::Server;
    /// # use serde_json::json;
    /// # use sinew_macros::reflex;
    /// # use sinew_reflex::{Reflex, ReflexStatistics};
    /// # struct Counter;
    /// # #[reflex(crate = sinew_reflex)]
    /// # impl Counter {
    /// #     async fn increment(&self, cx: &mut Reflex) { cx.morph_nothing(); }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let mut server = Server::new(|engine| engine.reflex(Counter)).await;
    /// server.send("Counter#increment", json!({}));
    /// # server.message().await;
    /// server.engine.idle().await;
    /// let reflexes: Vec<ReflexStatistics> = server.engine.reflexes();
    /// assert_eq!(reflexes[0].name, "CounterReflex#increment");
    /// assert_eq!((reflexes[0].durations.count(), reflexes[0].errors), (1, 0));
    /// # }
    /// ```
    pub fn reflexes(&self) -> Vec<ReflexStatistics> {
        self.shared.registry.statistics()
    }

    /// The same engine, without keeping it: for what the engine itself holds, such as its state.
    ///
    /// ```
    /// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let server = server::Server::new(|engine| engine).await;
    /// let weak = server.engine.downgrade();
    /// assert_eq!(weak.upgrade().map(|engine| engine.statistics().calls), Some(0));
    /// drop(server);
    /// assert!(weak.upgrade().is_none());
    /// # }
    /// ```
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.shared))
    }

    /// The settings it runs with.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    fn runtime(&self) -> &Handle {
        self.shared.cable_ready.runtime()
    }
}

/// An [`Engine`] that ends when nobody else holds it; see [`Engine::downgrade`].
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
/// use sinew_reflex::WeakEngine;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let server = server::Server::new(|engine| engine).await;
/// let weak: WeakEngine = server.engine.downgrade();
/// assert!(weak.upgrade().is_some());
/// # }
/// ```
#[derive(Clone)]
pub struct WeakEngine(Weak<Shared>);

impl WeakEngine {
    /// The engine, while it is there.
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(|shared| Engine { shared })
    }
}

impl std::fmt::Debug for WeakEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WeakEngine").finish_non_exhaustive()
    }
}

/// How many lanes and concurrent calls are running.
#[derive(Default)]
struct UnderWay {
    count: AtomicUsize,
    ended: Notify,
}

impl UnderWay {
    fn begin(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    fn end(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ended.notify_waiters();
        }
    }

    async fn none(&self) {
        loop {
            let ended = self.ended.notified();
            // The wait begins before the look, so that an end in between is not missed.
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl Shared {
    /// Publishes a reply; a failure is logged and counted, since there is nobody left to tell.
    pub(crate) async fn publish(&self, stream: &StreamName, message: Bytes) {
        if let Err(error) = self.streams.publish(stream, message).await {
            count(&self.counters.unanswered);
            tracing::error!(
                target: "sinew::reflex",
                error = &error as &dyn std::error::Error,
                "a reply could not be published"
            );
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

/// Gathers what an [`Engine`] is made of.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use sinew_macros::reflex;
/// use sinew_reflex::{BuildError, Config, Engine, Reflex};
/// use sinew_streams::InProcessStreams;
///
/// # struct NoPages;
/// # impl sinew_reflex::PageRenderer for NoPages {
/// #     fn route(&self, _: http::Request<()>) -> futures_util::future::BoxFuture<'_, Result<Option<sinew_reflex::Route>, sinew_reflex::RenderError>> {
/// #         Box::pin(async { Ok(None) })
/// #     }
/// #     fn render(&self, _: sinew_reflex::PageRequest) -> futures_util::future::BoxFuture<'_, Result<sinew_reflex::Page, sinew_reflex::RenderError>> {
/// #         Box::pin(async { Ok(sinew_reflex::Page { status: 404, ..sinew_reflex::Page::default() }) })
/// #     }
/// # }
/// struct Application;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Application {
///     #[before]
///     async fn greet(&self, cx: &mut Reflex) {
///         cx.flash().now("notice", cx.state::<String>());
///     }
/// }
///
/// struct Counter;
///
/// #[reflex(crate = sinew_reflex)]
/// impl Counter {
///     async fn increment(&self, _cx: &mut Reflex) {}
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// let builder = || Engine::builder(Arc::new(InProcessStreams::new()), Arc::new(NoPages));
///
/// let engine = builder()
///     .application(Application)
///     .reflex(Counter)
///     .state("Hello!".to_owned())
///     .config(Config { action_time_limit: Duration::from_secs(5), ..Config::default() })
///     .runtime(runtime.handle().clone())
///     .build()?;
/// assert_eq!(engine.config().action_time_limit, Duration::from_secs(5));
///
/// let twice = builder().reflex(Counter).reflex(Counter).runtime(runtime.handle().clone());
/// assert!(matches!(twice.build(), Err(BuildError::DuplicateReflex(name)) if name == "Counter"));
/// assert!(matches!(builder().build(), Err(BuildError::NoRuntime)));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing runs before `build`"]
pub struct EngineBuilder {
    streams: Arc<dyn Streams>,
    renderer: Arc<dyn PageRenderer>,
    config: Config,
    runtime: Option<Handle>,
    state: Extensions,
    application: Option<Pending>,
    reflexes: Vec<Pending>,
    error: Option<BuildError>,
}

impl EngineBuilder {
    /// Registers a reflex.
    pub fn reflex(mut self, reflex: impl Reflexes) -> Self {
        self.reflexes.push(Pending::new(reflex));
        self
    }

    /// Registers the application-wide reflex: its callbacks run around those of every other, its actions can be called on every other.
    pub fn application(mut self, reflex: impl Reflexes) -> Self {
        if self.application.is_some() {
            self.error.get_or_insert(BuildError::SecondApplication);
        }
        self.application = Some(Pending::new(reflex));
        self
    }

    /// Gives reflexes a value, read with [`Reflex::state`](crate::Reflex::state). A second value of one type replaces the first.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.state.insert(state);
        self
    }

    /// Replaces the settings.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Runs reflexes on this runtime. Without it: the runtime the engine is built in.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Checks and joins what was registered.
    ///
    /// # Errors
    /// Names given twice, conditions and skips that name nothing, no runtime.
    pub fn build(self) -> Result<Engine, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Handle::try_current().map_err(|_| BuildError::NoRuntime)?,
        };
        let registry = registry::build(self.application.as_ref(), &self.reflexes)?;
        Ok(Engine {
            shared: Arc::new(Shared {
                registry,
                renderer: self.renderer,
                cable_ready: CableReady::with_version(
                    Arc::clone(&self.streams),
                    runtime,
                    &self.config.cable_ready_version,
                ),
                config: self.config,
                state: self.state,
                counters: Counters::default(),
                under_way: UnderWay::default(),
                streams: self.streams,
            }),
        })
    }
}
