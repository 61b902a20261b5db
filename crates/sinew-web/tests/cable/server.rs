//! A server with the channels the tests talk to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use http::header::COOKIE;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use serde_json::value::RawValue;
use sinew_cable::{
    Answer, Application, Cable, Channel, ChannelError, Config, Confirmation, ConnectRequest,
    ConnectionIdentifiers, DirectChannel, DirectSubscription, Refusal, Subscription,
};
use sinew_streams::InProcessStreams;
use sinew_verifier::{Key, MessageVerifier};
use sinew_web::forwarded::Direct;
use sinew_web::server::Arrival;
use sinew_web::websocket::{AcceptedStream, Door, Listening};
use sinew_web::{CableEndpoint, Effective, TrustedProxies, WebSocketConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::client::Client;

/// Who accepts and drives connections.
#[allow(dead_code, reason = "each test program has one of them")]
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// The runtime does both.
    Tasks,
    /// The runtime accepts, threads drive.
    Threads,
    /// Threads do both.
    ListeningThreads,
}

impl Way {
    /// How many drive connections.
    pub(crate) fn threads(self) -> usize {
        match self {
            Self::Tasks => 0,
            Self::Threads | Self::ListeningThreads => 2,
        }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: CableEndpoint,
    pub(crate) cable: Cable,
    /// `WaitChannel`'s actions take one permit each.
    pub(crate) permits: Arc<Semaphore>,
    listening: Option<Listening>,
}

/// The cable's path, and a router for what a shard leaves to others: broken handshakes, here.
struct Pages(Router);

impl Door for Pages {
    fn admit(&self, request: &mut http::Request<()>) -> Option<Effective> {
        let is_cable = request.uri().path() == "/cable";
        is_cable.then(|| TrustedProxies::none().effective(&Direct::of_request(request)))
    }

    fn serve(&self, stream: AcceptedStream, _: SocketAddr, _: Option<Arrival>) {
        let pages = TowerToHyperService::new(self.0.clone());
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), pages);
        tokio::spawn(connection.with_upgrades());
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(slow_pings(), WebSocketConfig::default()).await
    }

    pub(crate) async fn with(config: Config, socket: WebSocketConfig) -> Self {
        match crate::WAY {
            Way::Tasks | Way::Threads => {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
                Self::on(listener, config, socket)
            }
            Way::ListeningThreads => {
                Self::listening(config, socket, crate::WAY.threads(), Router::new()).await
            }
        }
    }

    /// A server whose runtime accepts.
    pub(crate) fn on(listener: TcpListener, config: Config, mut socket: WebSocketConfig) -> Self {
        socket.shard_threads = crate::WAY.threads();
        let (cable, permits) = cable(config);
        let endpoint = CableEndpoint::new(cable.clone()).config(socket);
        let address = listener.local_addr().expect("bound");
        let app = routes(&endpoint);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            endpoint,
            cable,
            permits,
            listening: None,
        }
    }

    /// A server whose shards accept by themselves, with these pages besides.
    pub(crate) async fn listening(
        config: Config,
        mut socket: WebSocketConfig,
        shards: usize,
        pages: Router,
    ) -> Self {
        socket.shard_threads = shards;
        let (cable, permits) = cable(config);
        let endpoint = CableEndpoint::new(cable.clone()).config(socket);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let pages = Arc::new(Pages(routes(&endpoint).merge(pages)));
        let listening = endpoint.listen(any, pages).expect("listens");
        Self {
            address: listening.local_addr(),
            endpoint,
            cable,
            permits,
            listening: Some(listening),
        }
    }

    #[allow(dead_code, reason = "for the test programs whose shards accept")]
    pub(crate) fn stop_listening(&self) {
        self.listening.as_ref().expect("shards accept").stop();
    }

    /// A client that was welcomed.
    pub(crate) async fn client(&self) -> Client {
        let mut client = self.connect("").await;
        client.expect(r#"{"type":"welcome"}"#).await;
        client
    }

    pub(crate) async fn connect(&self, cookie: &str) -> Client {
        let protocols = ["actioncable-v1-json", "actioncable-unsupported"];
        Client::connect(self.address, cookie, &protocols).await
    }
}

fn cable(config: Config) -> (Cable, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(0));
    let application = Application::new(connect)
        .channel(EchoChannel)
        .channel(RejectChannel)
        .channel(NewsChannel)
        .channel(WaitChannel(permits.clone()))
        .direct_channel(Arc::new(DirectEcho))
        .signed_streams(verifier());
    let cable = Cable::builder(Arc::new(application), Arc::new(InProcessStreams::new()))
        .config(config)
        .build()
        .expect("fresh streams");
    (cable, permits)
}

/// The cable, as a router serves it.
fn routes(endpoint: &CableEndpoint) -> Router {
    let endpoint = endpoint.clone();
    let open =
        async move |effective: Effective, request: Request| endpoint.upgrade(request, &effective);
    Router::new()
        .route("/cable", any(open.clone()))
        .route("/another", any(open))
}

/// No ping within a test that does not ask for one.
pub(crate) fn slow_pings() -> Config {
    let mut config = Config::default();
    config.ping_interval = Duration::from_secs(3600);
    config
}

pub(crate) fn verifier() -> MessageVerifier {
    MessageVerifier::new(Key::from_bytes("key"))
}

async fn connect(request: Arc<ConnectRequest>) -> Result<ConnectionIdentifiers, Refusal> {
    let cookie = request.headers.get(COOKIE).and_then(|it| it.to_str().ok());
    match cookie {
        Some("refused") => Err(Refusal::unauthorized()),
        Some("panic") => panic!("in the connect hook"),
        Some(user) => Ok(ConnectionIdentifiers::new().with("user", user)),
        None => Ok(ConnectionIdentifiers::new()),
    }
}

struct EchoChannel;

impl Channel for EchoChannel {
    const NAME: &'static str = "EchoChannel";

    async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
        if let Some(name) = cx.params().str("name").map(str::to_owned) {
            cx.transmit(&json!({"hello": name}))?;
        }
        match cx.params().str("trouble") {
            Some("error") => return Err(ChannelError::msg("in subscribed")),
            Some("panic") => panic!("in subscribed"),
            _ => {}
        }
        Ok(())
    }

    async fn perform(
        &self,
        cx: &mut Subscription,
        action: &str,
        data: &RawValue,
    ) -> Result<(), ChannelError> {
        match action {
            "say" => cx.transmit(data),
            "crash" => panic!("crash in channel action"),
            "fail" => Err("x".parse::<u32>().expect_err("no number").into()),
            "follow" => {
                cx.stream_from("late");
                Ok(())
            }
            "unfollow" => {
                cx.stop_stream_from("late");
                Ok(())
            }
            _ => Err(ChannelError::unknown_action(action)),
        }
    }

    async fn receive(&self, cx: &mut Subscription, data: &RawValue) -> Result<(), ChannelError> {
        cx.transmit(&json!({"received": data}))
    }
}

struct RejectChannel;

impl Channel for RejectChannel {
    const NAME: &'static str = "RejectChannel";

    async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
        cx.reject();
        Ok(())
    }
}

/// Follows `news` or `news_<room>`; `tell` broadcasts there.
struct NewsChannel;

impl Channel for NewsChannel {
    const NAME: &'static str = "NewsChannel";
    const CARES_ABOUT_UNSUBSCRIBED: bool = false;

    async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
        let stream = match cx.params().str("room") {
            Some(room) => format!("news_{room}"),
            None => "news".to_owned(),
        };
        cx.stream_from(stream);
        Ok(())
    }
}

/// Actions wait for a permit of the test's, then echo.
struct WaitChannel(Arc<Semaphore>);

impl Channel for WaitChannel {
    const NAME: &'static str = "WaitChannel";

    async fn perform(
        &self,
        cx: &mut Subscription,
        _: &str,
        data: &RawValue,
    ) -> Result<(), ChannelError> {
        self.0.acquire().await?.forget();
        cx.transmit(data)
    }
}

struct DirectEcho;

impl DirectChannel for DirectEcho {
    fn name(&self) -> &str {
        "DirectEcho"
    }

    fn subscribed(&self, _: DirectSubscription<'_>) -> Answer {
        Confirmation::new().into()
    }

    fn perform(&self, subscription: DirectSubscription<'_>, data: &str) {
        assert_ne!(data, "panic", "asked for");
        subscription.transmit_json(data);
    }
}
