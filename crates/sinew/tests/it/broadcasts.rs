use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::{Value, json};
use sinew::prelude::*;

use crate::application::{Counter, router};
use crate::browser::{Browser, REFLEXES};
use crate::server::Server;

async fn news(sinew: SinewHandle, Path(room): Path<String>, client: ClientTags) -> Html<String> {
    let stream = sinew.stream_from(&["news", &room]);
    Html(format!("{client}{stream}"))
}

async fn publish(sinew: SinewHandle, Path(room): Path<String>, RawQuery(text): RawQuery) -> Result {
    let text = text.unwrap_or_default();
    let stream = format!("news:{room}");
    let cable_ready = sinew.cable_ready();
    cable_ready
        .send(stream, |operations| operations.inner_html("#news", text))
        .await
}

async fn publish_everywhere(sinew: SinewHandle) -> Result {
    let mut news = sinew.cable_ready().to_all(["news:a", "news:b"]);
    news.console_log("both");
    news.broadcast().await
}

async fn publish_later(sinew: SinewHandle) -> Result {
    for number in 0..3 {
        let mut news = sinew.cable_ready().to("news:a");
        news.console_log(number.to_string());
        news.broadcast_later()?;
    }
    Ok(())
}

async fn sign_out_everywhere(sinew: SinewHandle, session: Session) {
    sinew.disconnect(&session, false);
}

struct Shout;

#[reflex]
impl Shout {
    async fn shout(&self, cx: &mut Reflex, text: String) -> Result {
        let mut news = cx.cable_ready_to("news:a");
        news.console_log(text);
        news.broadcast().await?;
        cx.morph_nothing();
        Ok(())
    }
}

struct Job;

#[reflex]
impl Job {
    /// Reports to every tab of its session, beside the reflex.
    async fn start(&self, cx: &mut Reflex) -> Result {
        let (stream, cable_ready) = (cx.session_stream("job"), cx.broadcaster().clone());
        cx.spawn(async move {
            cable_ready
                .send(stream, |operations| operations.console_log("done"))
                .await
        });
        cx.morph_nothing();
        Ok(())
    }
}

async fn job(session: Session, sinew: SinewHandle, client: ClientTags) -> Result<Html<String>> {
    let stream = sinew.session_stream_from(&session, "job").await?;
    Ok(Html(format!("{client}{stream}")))
}

/// A login: the session goes on under another id, and this page is its first.
async fn login(session: Session, sinew: SinewHandle, client: ClientTags) -> Result<Html<String>> {
    session.renew_id();
    job(session, sinew, client).await
}

struct RoomChannel;

#[channel]
impl RoomChannel {
    async fn subscribed(&self, cx: &mut Subscription) -> ChannelResult {
        let Some(room) = cx.params().str("room").map(str::to_owned) else {
            cx.reject();
            return Ok(());
        };
        cx.stream_from(format!("room_{room}"));
        Ok(())
    }

    async fn whisper(&self, cx: &mut Subscription, data: Value) -> ChannelResult {
        cx.transmit(&json!({"only": "you", "text": data["text"]}))?;
        Ok(())
    }

    async fn receive(&self, cx: &mut Subscription, data: Value) -> ChannelResult {
        cx.transmit(&json!({ "received": data }))?;
        Ok(())
    }
}

async fn start() -> Server {
    let router: Router = router()
        .route("/news/{room}", get(news))
        .route("/job", get(job))
        .route("/login", get(login))
        .route("/publish/{room}", post(publish))
        .route("/publish-everywhere", post(publish_everywhere))
        .route("/publish-later", post(publish_later))
        .route("/sign-out-everywhere", post(sign_out_everywhere));
    let sinew = Sinew::new(router)
        .reflex(Counter)
        .reflex(Shout)
        .reflex(Job)
        .channel(RoomChannel);
    Server::start(sinew).await
}

/// The subscription that a page's `<cable-ready-stream-from>` makes.
async fn stream_of(browser: &mut Browser, path: &str) -> String {
    let page = browser.get(path).await.body;
    let (_, rest) = page
        .split_once("<cable-ready-stream-from identifier=\"")
        .expect("the element");
    let (signed, _) = rest.split_once('"').expect("its end");
    json!({"channel": "CableReady::Stream", "identifier": signed}).to_string()
}

fn heard(identifier: &str, operations: Value) -> Value {
    json!({
        "identifier": identifier,
        "message": {"cableReady": true, "operations": operations, "version": "5.0.6"},
    })
}

fn logged(identifier: &str, text: &str) -> Value {
    heard(
        identifier,
        json!([{"message": text, "operation": "consoleLog"}]),
    )
}

#[tokio::test]
async fn handler_reaches_those_who_follow_the_stream() {
    let server = start().await;
    let mut browser = Browser::new(&server);
    let a = stream_of(&mut browser, "/news/a").await;
    let b = stream_of(&mut browser, "/news/b").await;
    let mut follower = browser.cable().await;
    assert!(follower.subscribe(&a).await);
    let mut both = browser.cable().await;
    assert!(both.subscribe(&a).await && both.subscribe(&b).await);

    assert_eq!(browser.post("/publish/b?for-b").await.status, 200);
    assert_eq!(browser.post("/publish/a?for-a").await.status, 200);
    let operations =
        |html: &str| json!([{"selector": "#news", "html": html, "operation": "innerHtml"}]);
    follower.expect(heard(&a, operations("for-a"))).await;
    both.expect(heard(&b, operations("for-b"))).await;
    both.expect(heard(&a, operations("for-a"))).await;

    browser.post("/publish-everywhere").await;
    follower.expect(logged(&a, "both")).await;
    both.expect(logged(&a, "both")).await;
    both.expect(logged(&b, "both")).await;

    browser.post("/publish-later").await;
    for text in ["0", "1", "2"] {
        follower.expect(logged(&a, text)).await;
    }

    let mut tab = browser.tab("/").await;
    tab.perform("Shout#shout", json!(["hey"])).await;
    follower.expect(logged(&a, "hey")).await;
    follower.expect_nothing().await;
}

#[tokio::test]
async fn forged_stream_name_is_rejected() {
    let server = start().await;
    let mut browser = Browser::new(&server);
    let genuine = stream_of(&mut browser, "/news/a").await;
    // A name signed by another application, with another secret.
    let foreign = stream_of(&mut Browser::new(&start().await), "/news/a").await;
    let mut cable = browser.cable().await;
    for forged in [
        foreign,
        genuine.replace("--", "--0"),
        r#"{"channel":"CableReady::Stream","identifier":"news:a"}"#.to_owned(),
        r#"{"channel":"CableReady::Stream","identifier":null}"#.to_owned(),
        r#"{"channel":"CableReady::Stream"}"#.to_owned(),
    ] {
        assert!(!cable.subscribe(&forged).await, "{forged}");
    }
    assert!(cable.subscribe(&genuine).await);
}

#[tokio::test]
async fn channel_of_the_application_works_beside_the_reflexes() {
    let server = start().await;
    let mut browser = Browser::visit(&server, "/").await;
    let mut cable = browser.cable().await;
    let room = r#"{"channel":"RoomChannel","room":"7"}"#;
    assert!(!cable.subscribe(r#"{"channel":"RoomChannel"}"#).await);
    // As in the original, an unknown channel is no answer's worth.
    let unknown = r#"{"command":"subscribe","identifier":"{\"channel\":\"NoSuchChannel\"}"}"#;
    cable.send(unknown).await;
    cable.expect_nothing().await;
    assert!(cable.subscribe(room).await);
    assert!(cable.subscribe(REFLEXES).await);

    cable
        .message(room, r#"{"action":"whisper","text":"hi"}"#)
        .await;
    let only = json!({"only": "you", "text": "hi"});
    cable
        .expect(json!({"identifier": room, "message": only}))
        .await;
    cable.message(room, r#"{"text":"hi"}"#).await;
    let received = json!({"received": {"text": "hi"}});
    cable
        .expect(json!({"identifier": room, "message": received}))
        .await;

    let broadcaster = server.app.handle().broadcaster();
    let news = json!({"from": "outside"});
    broadcaster
        .broadcast("room_7", &news)
        .await
        .expect("in process");
    cable
        .expect(json!({"identifier": room, "message": news}))
        .await;
    assert_eq!(browser.get("/count").await.body, "0");
}

#[tokio::test]
async fn remote_disconnect_ends_the_sockets_of_one_session() {
    let server = start().await;
    let mut browser = Browser::visit(&server, "/").await;
    let (mut one, mut other) = (browser.cable().await, browser.cable().await);
    let mut stranger = Browser::visit(&server, "/").await.cable().await;
    browser.post("/sign-out-everywhere").await;
    for cable in [&mut one, &mut other] {
        cable.expect_disconnect("remote", false).await;
        cable.expect_close(1000).await;
    }
    stranger.expect_nothing().await;
}

#[tokio::test]
async fn restart_tells_everybody() {
    let server = start().await;
    let browser = Browser::visit(&server, "/").await;
    let (mut one, mut other) = (
        browser.cable().await,
        Browser::visit(&server, "/").await.cable().await,
    );
    server.app.handle().cable().restart();
    for cable in [&mut one, &mut other] {
        cable.expect_disconnect("server_restart", true).await;
        cable.expect_close(1001).await;
    }
    // Whoever comes back is welcome, and its session is still there.
    let mut tab = browser.tab("/").await;
    let reply = tab.perform("Counter#increment", json!([])).await;
    assert_eq!(reply.html(), r#"<p id="count">1</p>"#);
}

#[tokio::test]
async fn every_tab_of_a_session_hears_its_stream_and_nobody_else() {
    let server = start().await;
    let mut browser = Browser::visit(&server, "/job").await;
    let stream = stream_of(&mut browser, "/job").await;
    let mut other_tab = browser.cable().await;
    assert!(other_tab.subscribe(&stream).await);

    let mut stranger = Browser::new(&server);
    let their_stream = stream_of(&mut stranger, "/job").await;
    assert_ne!(their_stream, stream);
    let mut their_tab = stranger.cable().await;
    assert!(their_tab.subscribe(&their_stream).await);

    let mut tab = browser.tab("/job").await;
    tab.perform("Job#start", json!([])).await;
    other_tab.expect(logged(&stream, "done")).await;
    their_tab.expect_nothing().await;
}

/// The first page of a visitor whose cookie the store does not know, and the page that a login
/// answers with, already follow the stream that reflexes will send to.
#[tokio::test]
async fn a_page_follows_the_stream_of_the_session_it_leaves_behind() {
    let server = start().await;
    let unknown = "_sinew_session=00112233445566778899aabbccddeeff";
    let mut browser = Browser::new(&server).cookie(unknown);
    for path in ["/job", "/login"] {
        let stream = stream_of(&mut browser, path).await;
        let mut follower = browser.cable().await;
        assert!(follower.subscribe(&stream).await);
        let mut tab = browser.tab(path).await;
        tab.perform("Job#start", json!([])).await;
        follower.expect(logged(&stream, "done")).await;
    }
}
