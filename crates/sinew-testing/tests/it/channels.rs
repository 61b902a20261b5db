//! Channels of the application's own, and a connection that is lost.

use std::time::Duration;

use axum::{Router, response::Html, routing::get};
use serde_json::{Value, json};
use sinew::prelude::*;
use sinew_testing::TestApp;

use crate::failures::message;

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

struct Board;

#[reflex]
impl Board {
    async fn catch_up(&self, cx: &mut Reflex) -> Result {
        cx.session()
            .update("missed", |count: u32| count + 1)
            .await?;
        Ok(())
    }
}

async fn index(session: Session, sinew: SinewHandle, client: ClientTags) -> Result<Html<String>> {
    let missed: u32 = session.get_or_default("missed").await?;
    let news = sinew.stream_from(&["news"]);
    Ok(Html(format!(
        "<head>{client}</head><body>{news}<p id=news>none</p>\
         <p id=missed data-reflex='reconnected->Board#catch_up'>{missed}</p></body>"
    )))
}

fn app() -> TestApp {
    let router = Router::new().route("/", get(index));
    TestApp::new(Sinew::new(router).channel(RoomChannel).reflex(Board))
}

#[tokio::test]
async fn a_channel_is_followed_performed_on_and_left() {
    let app = app();
    let (mut ada, mut bob) = (app.visit("/").await, app.visit("/").await);
    let room = json!({"room": "7"});
    let (hers, his) = (
        ada.subscribe("RoomChannel", &room).await,
        bob.subscribe("RoomChannel", &room).await,
    );
    ada.perform(&hers, "whisper", json!({"text": "hi"})).await;
    assert_eq!(
        ada.message(&hers).await,
        json!({"only": "you", "text": "hi"})
    );
    ada.send(&hers, json!({"a": 1})).await;
    assert_eq!(ada.message(&hers).await["received"], json!({"a": 1}));

    let broadcaster = app.handle().broadcaster();
    let news = json!({"said": "hello"});
    broadcaster.broadcast("room_7", &news).await.expect("sent");
    assert_eq!(ada.message(&hers).await, news);
    assert_eq!(bob.message(&his).await, news, "and not what was for her");

    bob.unsubscribe(&his).await;
    broadcaster.broadcast("room_7", &news).await.expect("sent");
    assert_eq!(ada.message(&hers).await, news);
    assert_eq!(bob.messages_waiting(&his), 0);
    let said = message(bob.perform(&his, "whisper", ())).await;
    assert!(said.contains("is no subscription of this page"), "{said}");
}

#[tokio::test]
async fn operations_over_a_channel_are_carried_out() {
    let app = app();
    let mut tab = app.visit("/").await;
    let room = tab.subscribe("RoomChannel", json!({"room": "7"})).await;
    let ready = app.handle().cable_ready();
    ready
        .send("room_7", |it| it.text_content("#news", "rain"))
        .await
        .expect("sent");
    tab.until("#news", "rain").await;
    assert_eq!(tab.messages_waiting(&room), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_and_a_silence_are_told_apart() {
    let mut tab = app().visit("/").await;
    tab.assert_rejected("RoomChannel", ()).await;
    let said = message(tab.subscribe("RoomChannel", ())).await;
    assert!(
        said.contains(r#"the server rejected {"channel":"RoomChannel"}"#),
        "{said}"
    );
    let said = message(tab.subscribe("NoSuchChannel", ())).await;
    assert!(said.contains("is there such a channel?"), "{said}");
    let said = message(tab.assert_rejected("RoomChannel", json!({"room": "7"}))).await;
    assert!(said.contains("the server confirmed"), "{said}");
    let room = tab.subscribe("RoomChannel", json!({"room": "8"})).await;
    let said = message(tab.message(&room)).await;
    assert!(said.contains("no message came over"), "{said}");
}

#[tokio::test]
async fn what_is_broadcast_without_a_connection_is_missed_and_the_page_catches_up() {
    let app = app();
    let mut tab = app.visit("/").await;
    let room = tab.subscribe("RoomChannel", json!({"room": "7"})).await;
    let ready = app.handle().cable_ready();
    tab.lose_connection().await;
    let rain = ready.send("news", |it| it.text_content("#news", "rain"));
    rain.await.expect("sent");
    tab.wait(Duration::from_millis(1)).await;
    tab.assert_text("#news", "none");
    let said = message(tab.stimulate("Board#catch_up", ()).into_future()).await;
    assert!(said.contains("`reconnect` first"), "{said}");

    tab.reconnect().await;
    tab.assert_text("#missed", "1");
    tab.assert_text("#news", "none");
    let sun = ready.send("news", |it| it.text_content("#news", "sun"));
    sun.await.expect("sent");
    tab.until("#news", "sun").await;
    tab.perform(&room, "whisper", json!({"text": "still here"}))
        .await;
    assert_eq!(tab.message(&room).await["text"], "still here");
}

#[tokio::test]
async fn a_server_that_sends_everybody_away_finds_the_page_up_to_date() {
    let app = app();
    let mut tab = app.visit("/").await;
    app.handle().cable().restart();
    tab.until("#missed", "1").await;
}
