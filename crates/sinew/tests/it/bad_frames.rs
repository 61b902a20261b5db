use serde_json::json;
use sinew_websocket::{Opcode, frame_into, masked_frame_into};

use crate::application::counter;
use crate::browser::{Browser, REFLEXES};
use crate::server::{Server, config};

#[tokio::test]
async fn frames_that_are_no_commands_are_ignored_and_counted() {
    let server = Server::start(counter()).await;
    let mut tab = Browser::visit(&server, "/").await.tab("/").await;
    let identifier = json!(REFLEXES);
    let bad = [
        "not JSON".to_owned(),
        "null".to_owned(),
        r#"{"command":"dance","identifier":"x"}"#.to_owned(),
        r#"{"command":"subscribe","identifier":{"channel":"StimulusReflex::Channel"}}"#.to_owned(),
        r#"{"command":"subscribe","identifier":7}"#.to_owned(),
        format!(
            r#"{{"command":"message","identifier":{identifier},"data":{{"target":"Counter#nothing"}}}}"#
        ),
        format!(r#"{{"command":"message","identifier":{identifier},"data":7}}"#),
        format!(r#"{{"command":"message","identifier":{identifier}}}"#),
    ];
    for frame in &bad {
        tab.cable.send(frame).await;
        tab.cable.expect_nothing().await;
    }
    let statistics = server.app.handle().cable().statistics();
    assert_eq!(statistics.commands_failed, bad.len() as u64);
    assert_eq!(statistics.connections, 1);
    tab.perform("Counter#nothing", json!([]))
        .await
        .expect_event("nothing");
}

/// The text in `data` that is no call has nobody to be answered to.
#[tokio::test]
async fn data_that_is_no_call_is_ignored_and_counted() {
    let server = Server::start(counter()).await;
    let mut tab = Browser::visit(&server, "/").await.tab("/").await;
    let bad = ["", "not JSON", "null", "7", "[]", "\"text\"", "{", "{}x"];
    for data in bad {
        tab.cable.message(REFLEXES, data).await;
        tab.cable.expect_nothing().await;
    }
    tab.perform("Counter#nothing", json!([]))
        .await
        .expect_event("nothing");
    let engine = server.app.engine().statistics();
    let cable = server.app.handle().cable().statistics();
    assert_eq!(engine.malformed + cable.commands_failed, bad.len() as u64);
}

#[tokio::test]
async fn frame_over_the_limit_is_closed_with_1009() {
    let mut config = config();
    config.edge.message_bytes_max = 2000;
    let server = Server::with(counter(), config).await;
    let mut cable = Browser::visit(&server, "/").await.cable().await;
    cable.send(&"x".repeat(2000)).await;
    cable.expect_nothing().await;
    cable.send(&"x".repeat(2001)).await;
    cable.expect_close(1009).await;
}

#[tokio::test]
async fn broken_frames_are_closed_with_their_code_and_nothing_leaks() {
    let server = Server::start(counter()).await;
    let browser = Browser::visit(&server, "/").await;
    let mut invalid_utf8 = Vec::new();
    masked_frame_into(&mut invalid_utf8, Opcode::Text, b"a\xff", [1, 2, 3, 4]);
    let mut unmasked = Vec::new();
    frame_into(&mut unmasked, Opcode::Text, b"{}");
    let reserved_bits = vec![0xf1, 0x80, 0, 0, 0, 0];
    let fragmented_ping = vec![0x09, 0x80, 0, 0, 0, 0];
    for (frame, code) in [
        (invalid_utf8, 1007),
        (unmasked, 1002),
        (reserved_bits, 1002),
        (fragmented_ping, 1002),
    ] {
        let mut tab = browser.tab("/").await;
        tab.cable.send_bytes(&frame).await;
        tab.cable.expect_close(code).await;
    }
    let cable = server.app.handle().cable();
    cable.drain().await;
    let statistics = cable.statistics();
    assert_eq!((statistics.connections, statistics.subscriptions), (0, 0));
}
