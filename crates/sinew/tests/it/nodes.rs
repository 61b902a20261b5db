//! Two nodes that share a store and streams.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Html;
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::json;
use sinew::Config;
use sinew::cable::{ConnectionIdentifiers, Refusal};
use sinew::config::Secret;
use sinew::prelude::*;
use sinew::session::{MemoryStore, Store};
use sinew_streams::{
    BoxFuture, InProcessStreams, Position, Sink, StreamName, Streams, StreamsError,
};

use crate::browser::Browser;
use crate::server::{Server, config};

/// Streams of two nodes in one process: what one publishes, both deliver.
#[derive(Default)]
pub(crate) struct Joined {
    own: Arc<InProcessStreams>,
    other: Arc<InProcessStreams>,
}

impl Joined {
    pub(crate) fn pair() -> [Arc<Self>; 2] {
        let one = Self::default();
        let two = Self {
            own: one.other.clone(),
            other: one.own.clone(),
        };
        [Arc::new(one), Arc::new(two)]
    }
}

impl Streams for Joined {
    fn attach(&self, sink: Arc<dyn Sink>) -> Result<(), StreamsError> {
        self.own.attach(sink)
    }

    fn publish(
        &self,
        stream: &StreamName,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<Position, StreamsError>> {
        drop(self.other.publish(stream, payload.clone()));
        self.own.publish(stream, payload)
    }

    fn follow(&self, stream: &StreamName) -> BoxFuture<'_, Result<(), StreamsError>> {
        self.own.follow(stream)
    }

    fn unfollow(&self, stream: &StreamName) {
        self.own.unfollow(stream);
    }
}

async fn page(session: Session, client: ClientTags) -> Result<Html<String>> {
    session.ensure();
    Ok(Html(format!("<head>{client}</head><body></body>")))
}

struct Basket;

#[reflex]
impl Basket {
    async fn put(&self, cx: &mut Reflex, what: String) -> Result {
        let put = move |basket| with(basket, &what);
        let basket = cx.session().update("basket", put).await?;
        cx.set_payload(json!(basket));
        cx.morph_nothing();
        Ok(())
    }
}

fn with(mut basket: Vec<String>, what: &str) -> Vec<String> {
    basket.push(what.to_owned());
    basket
}

async fn basket(session: Session) -> Result<String> {
    let basket: Vec<String> = session.get_or_default("basket").await?;
    Ok(basket.join(" "))
}

async fn put(session: Session, Path(what): Path<String>) -> Result<()> {
    let put = move |basket| with(basket, &what);
    session.update("basket", put).await?;
    Ok(())
}

async fn sign_in(session: Session) {
    session.renew_id();
}

async fn sign_out(session: Session) {
    session.destroy();
}

async fn expel(session: Session, sinew: SinewHandle) {
    sinew.disconnect(&session, false);
}

/// Somebody who publishes where only the nodes may.
async fn pretend(sinew: SinewHandle) -> String {
    let said = json!({ "node": "", "session": "", "identified": true, "reconnect": true });
    let refused = sinew.broadcaster().broadcast("sinew:sessions", &said).await;
    let refused = refused.expect_err("refused");
    let cause = std::error::Error::source(&refused).expect("the streams'");
    cause.to_string()
}

struct Nodes {
    one: Server,
    two: Server,
}

impl Nodes {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change_second: impl FnOnce(&mut Config)) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let [one, two] = Joined::pair();
        let mut config = config();
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
        let one = Self::node(&config, &store, one).await;
        change_second(&mut config);
        let two = Self::node(&config, &store, two).await;
        Self { one, two }
    }

    fn application() -> Sinew {
        let router = Router::new()
            .route("/", get(page))
            .route("/basket", get(basket))
            .route("/put/{what}", post(put))
            .route("/sign-in", post(sign_in))
            .route("/sign-out", post(sign_out))
            .route("/expel", post(expel))
            .route("/pretend", post(pretend));
        Sinew::new(router).reflex(Basket)
    }

    async fn node(config: &Config, store: &Arc<dyn Store>, streams: Arc<dyn Streams>) -> Server {
        let sinew = Self::application().config(config.clone());
        Server::built(sinew.store(store.clone()).streams(streams)).await
    }

    /// A visitor of the first node, and the same one at the second.
    async fn visitor(&self) -> (Browser, Browser) {
        let here = Browser::visit(&self.one, "/").await;
        let cookie = here.cookie.clone().expect("a session");
        (here, Browser::new(&self.two).cookie(cookie))
    }
}

#[tokio::test]
async fn sockets_of_a_session_that_ends_are_sent_away_on_every_node() {
    let nodes = Nodes::start().await;
    for ending in ["/sign-in", "/sign-out"] {
        let (mut here, there) = nodes.visitor().await;
        let mut near = here.tab("/").await;
        let mut far = there.tab("/").await;
        let (_, stranger) = nodes.visitor().await;
        let mut stranger = stranger.tab("/").await;

        here.post(ending).await;
        let answered = tokio::time::Instant::now();
        near.cable.expect_session_end(answered).await;
        far.cable.expect_session_end(answered).await;

        // Whoever has another session stays: told after the others, it hears of nothing else first.
        nodes.two.app.handle().cable().restart();
        stranger
            .cable
            .expect_disconnect("server_restart", true)
            .await;
    }
}

#[tokio::test]
async fn a_login_keeps_the_socket_of_its_page_and_no_other() {
    let nodes = Nodes::start().await;
    for login_at in [0, 1] {
        let (here, there) = nodes.visitor().await;
        let (mut mine, socket) = here.our_tab("/").await;
        let (mut second, others) = here.our_tab("/").await;
        let (mut far, _) = there.our_tab("/").await;
        let mut stock = there.tab("/").await;
        mine.perform("Basket#put", json!(["tea"])).await;

        let mut login = [&here, &there][login_at].clone();
        login = login.header("sinew-socket", socket);
        login.post("/sign-in").await;
        for ended in [&mut second, &mut far, &mut stock] {
            ended.cable.expect_disconnect("remote", true).await;
            ended.cable.expect_close(1000).await;
        }
        // It sees what the session had, and what is written to it from now on.
        let reply = mine.perform("Basket#put", json!(["cake"])).await;
        assert_eq!(*reply.payload(), json!(["tea", "cake"]));
        assert_eq!(login.get("/basket").await.body, "tea cake");
        assert_eq!(here.clone().get("/basket").await.body, "", "the old id");

        // A second login takes it along once more; the name of a socket that is gone is nobody's.
        login.post("/sign-in").await;
        let reply = mine.perform("Basket#put", json!(["jam"])).await;
        assert_eq!(*reply.payload(), json!(["tea", "cake", "jam"]));
        let gone = Browser::new(&nodes.one).cookie(login.cookie.expect("a session"));
        gone.header("sinew-socket", others).post("/sign-in").await;
        mine.cable.expect_disconnect("remote", true).await;
    }
}

#[tokio::test]
async fn a_login_takes_no_connection_of_another_session_along() {
    let nodes = Nodes::start().await;
    let (here, _) = nodes.visitor().await;
    let (stranger, _) = nodes.visitor().await;
    let (mut theirs, socket) = stranger.our_tab("/").await;
    let mut login = here.header("sinew-socket", socket);
    login.post("/put/secret").await;
    login.post("/sign-in").await;
    let reply = theirs.perform("Basket#put", json!(["own"])).await;
    assert_eq!(*reply.payload(), json!(["own"]));
    assert_eq!(login.get("/basket").await.body, "secret");
}

#[tokio::test]
async fn a_logout_ends_the_socket_of_its_page_as_well() {
    let nodes = Nodes::start().await;
    let (here, _) = nodes.visitor().await;
    let (mut mine, socket) = here.our_tab("/").await;
    here.header("sinew-socket", socket).post("/sign-out").await;
    mine.cable.expect_disconnect("remote", true).await;
}

#[tokio::test]
async fn who_is_identified_by_the_application_comes_again_after_a_login() {
    let identify = async |visitor: sinew::cable::Visitor| {
        let session = visitor.session().ok_or(Refusal::unauthorized())?;
        let label = session.id().label();
        Ok(ConnectionIdentifiers::new().with("visitor", label))
    };
    let sinew = Nodes::application().identify(identify);
    let server = Server::start(sinew).await;
    let browser = Browser::visit(&server, "/").await;
    let (mut mine, socket) = browser.our_tab("/").await;
    browser
        .header("sinew-socket", socket)
        .post("/sign-in")
        .await;
    mine.cable.expect_disconnect("remote", true).await;
}

#[tokio::test]
async fn a_node_with_another_secret_ends_them_all() {
    let nodes = Nodes::start_with(|config| {
        config.edge.configured_secret = Some(Secret::generate().expect("random"));
    });
    let nodes = nodes.await;
    let (mut here, there) = nodes.visitor().await;
    let (mut far, socket) = there.our_tab("/").await;
    here = here.header("sinew-socket", socket);
    here.post("/sign-in").await;
    far.cable.expect_disconnect("remote", true).await;
}

#[tokio::test]
async fn a_session_can_be_disconnected_on_every_node() {
    let nodes = Nodes::start().await;
    let (mut here, there) = nodes.visitor().await;
    let mut near = here.tab("/").await;
    let mut far = there.tab("/").await;
    here.post("/expel").await;
    near.cable.expect_disconnect("remote", false).await;
    far.cable.expect_disconnect("remote", false).await;
}

#[tokio::test]
async fn nobody_else_publishes_where_the_nodes_do() {
    let nodes = Nodes::start().await;
    let (mut here, _) = nodes.visitor().await;
    let said = here.post("/pretend").await.body;
    assert_eq!(said, "the name of the stream is reserved");
}

/// A page that follows the stream of the nodes by a signed name, as if the application had given it.
#[tokio::test]
async fn nobody_else_hears_what_the_nodes_say() {
    let nodes = Nodes::start().await;
    let (mut here, there) = nodes.visitor().await;
    let mut far = there.tab("/").await;
    let signed = nodes.two.app.handle().sign_stream(&["sinew:sessions"]);
    let mut curious = Browser::visit(&nodes.two, "/").await.tab("/").await;
    let identifier = json!({ "channel": "CableReady::Stream", "identifier": signed });
    assert!(curious.cable.subscribe(&identifier.to_string()).await);

    here.post("/sign-out").await;
    far.cable.expect_disconnect("remote", true).await;
    curious.cable.expect_nothing().await;
    // Leaving it does not end it for the node.
    drop(curious);
    let (mut here, there) = nodes.visitor().await;
    let mut far = there.tab("/").await;
    here.post("/sign-out").await;
    far.cable.expect_disconnect("remote", true).await;
}
