use serde_json::json;
use sinew_web::WebSocketConfig;

use crate::server::{Server, slow_pings, verifier};

const NEWS: &str = r#"{"channel":"NewsChannel"}"#;
const ECHO: &str = r#"{"channel":"EchoChannel"}"#;

#[tokio::test]
async fn broadcast_reaches_every_subscriber_of_the_stream_and_no_other() {
    let server = Server::start().await;
    let mut first = server.client().await;
    let mut second = server.client().await;
    let mut other = server.client().await;
    let spaced = r#"{"channel": "NewsChannel"}"#;
    let room = r#"{"channel":"NewsChannel","room":"a"}"#;
    first.subscribed(NEWS).await;
    second.subscribed(spaced).await;
    other.subscribed(room).await;

    let broadcaster = server.cable.broadcaster();
    broadcaster
        .broadcast("news", &json!({"text": "hi"}))
        .await
        .expect("broadcasts");
    broadcaster
        .broadcast_text("news_a", r#"{"z":1,"a":18446744073709551616}"#)
        .await
        .expect("broadcasts");
    broadcaster
        .broadcast_text("news_a", "no json")
        .await
        .expect("broadcasts");
    first.expect_data(NEWS, r#"{"text":"hi"}"#).await;
    second.expect_data(spaced, r#"{"text":"hi"}"#).await;
    other
        .expect_data(room, r#"{"z":1,"a":18446744073709551616}"#)
        .await;
    other.expect_data(room, r#""no json""#).await;
    for client in [&mut first, &mut second, &mut other] {
        client.expect_nothing().await;
    }
}

#[tokio::test]
async fn broadcasts_of_a_stream_keep_their_order() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(NEWS).await;
    let broadcaster = server.cable.broadcaster();
    for number in 0..1000 {
        broadcaster
            .broadcast("news", &number)
            .await
            .expect("broadcasts");
    }
    for number in 0..1000 {
        client.expect_data(NEWS, &number.to_string()).await;
    }
}

#[tokio::test]
async fn action_may_follow_and_leave_a_stream() {
    let server = Server::start().await;
    let broadcaster = server.cable.broadcaster();
    let mut client = server.client().await;
    client.subscribed(ECHO).await;
    client.message(ECHO, r#"{"action":"follow"}"#).await;
    client.message(ECHO, r#"{"action":"follow"}"#).await;
    client.expect_nothing().await;
    broadcaster.broadcast("late", &1).await.expect("broadcasts");
    client.expect_data(ECHO, "1").await;
    client.message(ECHO, r#"{"action":"unfollow"}"#).await;
    client.expect_nothing().await;
    broadcaster.broadcast("late", &2).await.expect("broadcasts");
    client.expect_nothing().await;
}

#[tokio::test]
async fn unsubscribed_and_gone_clients_leave_their_streams() {
    let server = Server::start().await;
    let broadcaster = server.cable.broadcaster();
    let mut stays = server.client().await;
    let mut goes = server.client().await;
    stays.subscribed(NEWS).await;
    goes.subscribed(NEWS).await;
    goes.unsubscribe(NEWS).await;
    goes.expect_nothing().await;
    broadcaster.broadcast("news", &1).await.expect("broadcasts");
    stays.expect_data(NEWS, "1").await;
    goes.expect_nothing().await;
    let before = server.cable.statistics().broadcast_deliveries;
    assert_eq!(before, 1);
    drop(stays);
    drop(goes);
    server.cable.drain().await;
    broadcaster.broadcast("news", &2).await.expect("broadcasts");
    assert_eq!(server.cable.statistics().broadcast_deliveries, before);
    assert_eq!(server.cable.statistics().subscriptions, 0);
}

#[tokio::test]
async fn signed_stream_is_followed_and_a_forged_one_rejected() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let identifier =
        |signed: &str| format!(r#"{{"channel":"CableReady::Stream","identifier":"{signed}"}}"#);
    let good = identifier(&verifier().sign("news"));
    client.subscribed(&good).await;
    server
        .cable
        .broadcaster()
        .broadcast("news", &1)
        .await
        .expect("broadcasts");
    client.expect_data(&good, "1").await;

    let forged = identifier(&verifier().sign("news").replacen("Im5", "Im6", 1));
    client.subscribe(&forged).await;
    client.expect_rejected(&forged).await;
    let missing = r#"{"channel":"CableReady::Stream"}"#;
    client.subscribe(missing).await;
    client.expect_rejected(missing).await;
    client.expect_nothing().await;
}

#[tokio::test]
async fn pings_are_unix_seconds_and_keep_coming() {
    let mut config = slow_pings();
    config.ping_interval = std::time::Duration::from_millis(200);
    let server = Server::with(config, WebSocketConfig::default()).await;
    let mut client = server.client().await;
    for _ in 0..3 {
        let ping: serde_json::Value = serde_json::from_str(&client.text().await).expect("JSON");
        assert_eq!(ping["type"], "ping");
        let seconds = ping["message"].as_u64().expect("a whole number");
        assert!(
            (1_700_000_000..10_000_000_000).contains(&seconds),
            "{seconds}"
        );
    }
}
