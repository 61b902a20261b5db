// An engine with a fake page renderer and a recorder on the client's stream.
//
// The examples in the documentation include this file, where a `//!` could not stand.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sinew_reflex::{
    Client, Config, Engine, EngineBuilder, Handshake, Page, PageRenderer, PageRequest, RenderError,
    Route,
};
use sinew_store::{MemoryStore, SessionId, Sessions, Store};
use sinew_streams::{InProcessStreams, Position, Sink, StreamName, Streams};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Render =
    dyn Fn(PageRequest) -> BoxFuture<'static, Result<Page, RenderError>> + Send + Sync + 'static;

/// Pages as a test wants them.
pub(crate) struct Pages {
    render: Mutex<Arc<Render>>,
}

impl Pages {
    fn new() -> Self {
        Self {
            render: Mutex::new(Arc::new(|_| Box::pin(async { Ok(html("<p>page</p>")) }))),
        }
    }

    pub(crate) fn answer(
        &self,
        render: impl Fn(PageRequest) -> BoxFuture<'static, Result<Page, RenderError>>
        + Send
        + Sync
        + 'static,
    ) {
        *self.render.lock() = Arc::new(render);
    }

    pub(crate) fn body(&self, body: &'static str) {
        self.answer(move |_| Box::pin(async move { Ok(html(body)) }));
    }
}

pub(crate) fn html(body: &str) -> Page {
    Page {
        status: 200,
        location: None,
        body: body.to_owned().into(),
    }
}

impl PageRenderer for Pages {
    fn route(
        &self,
        request: http::Request<()>,
    ) -> BoxFuture<'_, Result<Option<Route>, RenderError>> {
        Box::pin(async move {
            let path = request.uri().path();
            Ok(match path.strip_prefix("/items/") {
                Some(id) => Some(Route {
                    template: "/items/{id}".to_owned(),
                    params: vec![("id".to_owned(), id.to_owned())],
                    ..Route::default()
                }),
                None if path == "/nowhere" => None,
                None => Some(Route {
                    template: path.to_owned(),
                    ..Route::default()
                }),
            })
        })
    }

    fn render(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, RenderError>> {
        let render = Arc::clone(&*self.render.lock());
        Box::pin(async move { render(request).await })
    }
}

struct Recorder(UnboundedSender<(String, Value)>);

impl Sink for Recorder {
    fn deliver(&self, stream: &StreamName, _: Position, payload: &bytes::Bytes) {
        let message = serde_json::from_slice(payload).expect("a message is JSON");
        // A test that has heard enough is gone already.
        let _ = self.0.send((stream.to_string(), message));
    }
}

pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) client: Arc<Client>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) sessions: Sessions,
    pub(crate) session_id: SessionId,
    pub(crate) streams: Arc<InProcessStreams>,
    messages: UnboundedReceiver<(String, Value)>,
    calls: u64,
}

pub(crate) const STREAM: &str = "StimulusReflex::Channel:visitor";

impl Server {
    pub(crate) async fn new(build: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        Self::with_store(Arc::new(MemoryStore::new()), build).await
    }

    pub(crate) async fn with_config(
        config: Config,
        build: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        Self::new(|builder| build(builder.config(config))).await
    }

    pub(crate) async fn with_store(
        store: Arc<dyn Store>,
        build: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let streams = Arc::new(InProcessStreams::new());
        let (sender, messages) = unbounded_channel();
        streams
            .attach(Arc::new(Recorder(sender)))
            .expect("fresh streams");
        streams.follow(&STREAM.into()).await.expect("follows");
        let pages = Arc::new(Pages::new());
        let engine = build(Engine::builder(streams.clone(), pages.clone()))
            .build()
            .expect("an engine");
        let sessions = Sessions::new(store);
        let session_id = SessionId::generate();
        let client = client(STREAM, &sessions, session_id);
        Self {
            engine,
            client,
            pages,
            sessions,
            session_id,
            streams,
            messages,
            calls: 0,
        }
    }

    /// Sends a call without waiting; gives back its id.
    pub(crate) fn send(&mut self, target: &str, more: Value) -> String {
        self.calls += 1;
        let id = format!("call-{}", self.calls);
        let mut call =
            json!({"target": target, "version": "3.5.5", "id": id, "url": "http://app.test/"});
        for (key, value) in more.as_object().expect("an object") {
            call[key] = value.clone();
        }
        self.engine.receive(&self.client, &call.to_string());
        id
    }

    /// The next message of the client's stream.
    pub(crate) async fn message(&mut self) -> Value {
        self.message_on().await.1
    }

    pub(crate) async fn message_on(&mut self) -> (String, Value) {
        tokio::time::timeout(Duration::from_secs(20), self.messages.recv())
            .await
            .expect("a message in time")
            .expect("the recorder lives")
    }

    /// Whether nothing else has come.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.messages.try_recv().is_err()
    }

    /// Calls a reflex and waits for its reply.
    pub(crate) async fn call_with(&mut self, target: &str, more: Value) -> Value {
        self.send(target, more);
        self.message().await
    }

    pub(crate) async fn call(&mut self, target: &str) -> Value {
        self.call_with(target, json!({})).await
    }

    /// Calls a reflex and gives back its payload.
    pub(crate) async fn payload(&mut self, target: &str, more: Value) -> Value {
        last(&self.call_with(target, more).await)["payload"].clone()
    }

    /// Calls a reflex that fails and gives back what the browser hears.
    pub(crate) async fn error(&mut self, target: &str, more: Value) -> String {
        let reply = self.call_with(target, more).await;
        let operation = last(&reply);
        assert_eq!(operation["name"], "stimulus-reflex:morph-error", "{reply}");
        operation["error"].as_str().expect("a text").to_owned()
    }

    /// Reads a field of the session as the next request would.
    pub(crate) async fn stored(&self, name: &str) -> Option<Value> {
        self.sessions
            .open(self.session_id)
            .get(name)
            .await
            .expect("the store works")
    }
}

pub(crate) fn client(stream: &str, sessions: &Sessions, id: SessionId) -> Arc<Client> {
    let mut headers = http::HeaderMap::new();
    headers.insert("cookie", http::HeaderValue::from_static("a=b"));
    let handshake = Handshake {
        headers: sinew_reflex::PackedHeaders::from_iter(&headers),
        host: "app.test".to_owned(),
        ..Handshake::default()
    };
    Arc::new(
        Client::new(stream.into(), Arc::new(handshake))
            .with_identifiers([("session_id", "visitor")])
            .with_session(sessions.clone(), id),
    )
}

/// The operation that ends the reflex.
pub(crate) fn last(message: &Value) -> &Value {
    message["operations"]
        .as_array()
        .and_then(|list| list.last())
        .expect("an operation")
}

/// The event's name behind `stimulus-reflex:morph-`.
pub(crate) fn status(message: &Value) -> &str {
    last(message)["name"]
        .as_str()
        .and_then(|name| name.strip_prefix("stimulus-reflex:morph-"))
        .unwrap_or("morph")
}
