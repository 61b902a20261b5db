use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, slow_pings};
use sinew_web::WebSocketConfig;

const ECHO: &str = r#"{"channel":"EchoChannel"}"#;
const DIRECT: &str = r#"{"channel":"DirectEcho"}"#;

#[tokio::test]
async fn message_is_performed_and_answered() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(ECHO).await;
    client
        .message(ECHO, r#"{"action":"say","z":1,"a":9007199254740993}"#)
        .await;
    client
        .expect_data(ECHO, r#"{"action":"say","z":1,"a":9007199254740993}"#)
        .await;
    client.message(ECHO, r#"{"no":"action"}"#).await;
    client
        .expect_data(ECHO, r#"{"received":{"no":"action"}}"#)
        .await;
}

#[tokio::test]
async fn direct_channel_answers_in_place() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(DIRECT).await;
    for number in 0..100 {
        client.message(DIRECT, &number.to_string()).await;
    }
    for number in 0..100 {
        client.expect_data(DIRECT, &number.to_string()).await;
    }
    client.message(DIRECT, "panic").await;
    client.message(DIRECT, "1").await;
    client.expect_data(DIRECT, "1").await;
}

#[tokio::test]
async fn transmissions_in_subscribed_come_before_the_confirmation() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let identifier = r#"{"channel":"EchoChannel","name":"Ann"}"#;
    client.subscribe(identifier).await;
    client.expect_data(identifier, r#"{"hello":"Ann"}"#).await;
    client.expect_confirmed(identifier).await;
}

#[tokio::test]
async fn second_subscribe_is_confirmed_again_and_subscribes_once() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let news = r#"{"channel":"NewsChannel"}"#;
    client.subscribed(news).await;
    client.subscribed(news).await;
    assert_eq!(server.cable.statistics().subscriptions, 1);
    server
        .cable
        .broadcaster()
        .broadcast("news", &1)
        .await
        .expect("broadcasts");
    client.expect_data(news, "1").await;
    client.expect_nothing().await;
}

#[tokio::test]
async fn identifier_is_opaque_and_echoed_byte_for_byte() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let spaced = "{ \"name\" : null, \"channel\":\"Echo\\u0043hannel\" }";
    client.subscribed(spaced).await;
    client.subscribed(ECHO).await;
    assert_eq!(
        server.cable.statistics().subscriptions,
        2,
        "another order is another subscription"
    );
}

#[tokio::test]
async fn rejected_subscription_keeps_the_connection() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let rejected = r#"{"channel":"RejectChannel"}"#;
    client.subscribe(rejected).await;
    client.expect_rejected(rejected).await;
    client.message(rejected, r#"{"action":"x"}"#).await;
    client.expect_nothing().await;
    assert_eq!(server.cable.statistics().subscriptions_rejected, 1);
}

#[tokio::test]
async fn unknown_channels_hear_nothing_and_the_base_channel_is_confirmed() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for unknown in [
        r#"{"channel":"String"}"#,
        r#"{"channel":17}"#,
        r#"["EchoChannel"]"#,
        "{}",
        "EchoChannel",
        "",
    ] {
        client.subscribe(unknown).await;
        client.expect_nothing().await;
    }
    client
        .subscribed(r#"{"channel":"ActionCable::Channel::Base"}"#)
        .await;
    client.subscribed(ECHO).await;
}

#[tokio::test]
async fn unsubscribe_is_not_answered_and_ends_it() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(ECHO).await;
    client.unsubscribe(ECHO).await;
    client.message(ECHO, r#"{"action":"say"}"#).await;
    client.unsubscribe(ECHO).await;
    client.expect_nothing().await;
    assert_eq!(server.cable.statistics().subscriptions, 0);
    client.subscribed(ECHO).await;
}

#[tokio::test]
async fn failing_channel_code_leaves_the_connection_alive() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(ECHO).await;
    for data in [
        r#"{"action":"crash"}"#,
        r#"{"action":"fail"}"#,
        r#"{"action":"no_such_action"}"#,
        r#"{"action":7}"#,
        r#"{"action":null}"#,
        "not json",
        "[1]",
        r#"{"action":"say""#,
    ] {
        client.message(ECHO, data).await;
        client.expect_nothing().await;
    }
    for trouble in ["error", "panic"] {
        client
            .subscribe(&format!(
                r#"{{"channel":"EchoChannel","trouble":"{trouble}"}}"#
            ))
            .await;
        client.expect_nothing().await;
    }
    client.message(ECHO, r#"{"action":"say"}"#).await;
    client.expect_data(ECHO, r#"{"action":"say"}"#).await;
}

#[tokio::test]
async fn bounds_on_subscriptions_are_answered_with_a_rejection() {
    let mut config = slow_pings();
    config.subscriptions_max = 2;
    config.identifier_bytes_max = 60;
    let server = Server::with(config, WebSocketConfig::default()).await;
    let mut client = server.client().await;
    let numbered = |number| format!(r#"{{"channel":"EchoChannel","number":{number}}}"#);
    let long = format!(r#"{{"channel":"EchoChannel","text":"{}"}}"#, "x".repeat(60));
    client.subscribe(&long).await;
    client.expect_rejected(&long).await;
    client.subscribed(&numbered(1)).await;
    client.subscribed(&numbered(2)).await;
    client.subscribe(&numbered(3)).await;
    client.expect_rejected(&numbered(3)).await;
    client.unsubscribe(&numbered(1)).await;
    client.subscribed(&numbered(3)).await;
}

#[tokio::test]
async fn large_message_comes_back_whole() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.subscribed(ECHO).await;
    let data = format!(r#"{{"action":"say","pad":"{}"}}"#, "x".repeat(300_000));
    client.message(ECHO, &data).await;
    client.expect_data(ECHO, &data).await;
}

/// Rails ignores binary frames; the protocol's other server decodes them, and so do we.
#[tokio::test]
async fn binary_frame_with_json_counts_as_text() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let command = br#"{"command":"subscribe","identifier":"{\"channel\":\"EchoChannel\"}"}"#;
    client
        .socket
        .send(Message::binary(command.as_slice()))
        .await
        .expect("sends");
    client.expect_confirmed(ECHO).await;
    client
        .socket
        .send(Message::binary(vec![0xff, 0xfe]))
        .await
        .expect("sends");
    client.expect_nothing().await;
}
