//! What connections that negotiated compression get, beside those that did not.

use crate::shard::Key;
use crate::shard::tests::{Driver, cable, subscribe, welcomed_with};
use crate::{Cable, Config, ConnectRequest};

const NEWS: &str = r#"{"channel":"News"}"#;
const PLAIN: u8 = 0x81;
const COMPRESSED: u8 = 0xc1;

/// Two thousand bytes of markup.
fn html() -> String {
    "<li class='item'>news</li>".repeat(80)
}

async fn open(driver: &mut Driver, deflate: bool) -> Key {
    let request = ConnectRequest {
        deflate,
        ..ConnectRequest::default()
    };
    welcomed_with(driver, request).await
}

async fn broadcast(cable: &Cable, message: &str) {
    let broadcaster = cable.broadcaster();
    broadcaster
        .broadcast("news", message)
        .await
        .expect("broadcasts");
}

fn data(identifier: &str, message: &str) -> String {
    serde_json::json!({"identifier": identifier, "message": message}).to_string()
}

#[tokio::test]
async fn a_broadcast_is_compressed_once_for_all_who_can_read_it() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for (deflate, identifier) in [
        (false, NEWS),
        (true, NEWS),
        (true, NEWS),
        (false, NEWS),
        (true, r#"{"channel":"News","page":1}"#),
        (true, r#"{"channel":"News","page":2}"#),
    ] {
        let key = open(&mut driver, deflate).await;
        subscribe(&mut driver, key, identifier);
        keys.push((key, identifier));
    }
    broadcast(&cable, &html()).await;
    driver.take_mail();
    let frames: Vec<_> = keys
        .iter()
        .map(|(key, _)| driver.first_frame(*key))
        .collect();
    let forms: Vec<u8> = frames.iter().map(|frame| frame.0).collect();
    assert_eq!(
        forms,
        [PLAIN, COMPRESSED, COMPRESSED, PLAIN, COMPRESSED, COMPRESSED]
    );
    assert_eq!(frames[0], frames[3], "the bytes are shared");
    assert_eq!(frames[1], frames[2], "the bytes are shared");
    assert!(
        frames[1].1 < frames[0].1 / 10,
        "{} of {}",
        frames[1].1,
        frames[0].1
    );
    assert_eq!(cable.statistics().compressions, 1, "for three identifiers");
    for (key, identifier) in keys {
        assert_eq!(driver.written(key), [data(identifier, &html())]);
    }
}

#[tokio::test]
async fn nothing_is_compressed_that_nobody_would_read_or_that_is_short() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let plain = open(&mut driver, false).await;
    subscribe(&mut driver, plain, NEWS);
    broadcast(&cable, &html()).await;
    driver.take_mail();
    assert_eq!(driver.written(plain), [data(NEWS, &html())]);

    let key = open(&mut driver, true).await;
    subscribe(&mut driver, key, NEWS);
    // A string of JSON: two quotes around it.
    let bytes_min = cable.config().compression_bytes_min;
    let short = "x".repeat(bytes_min - 3);
    broadcast(&cable, &short).await;
    driver.take_mail();
    assert_eq!(driver.first_frame(key).0, PLAIN);
    assert_eq!(driver.written(key), [data(NEWS, &short)]);
    assert_eq!(cable.statistics().compressions, 0);

    broadcast(&cable, &(short + "x")).await;
    driver.take_mail();
    assert_eq!(driver.first_frame(key).0, COMPRESSED);
    assert_eq!(cable.statistics().compressions, 1);
}

#[tokio::test]
async fn what_would_not_be_shorter_is_sent_plain_and_tried_once() {
    let cable = cable(Config {
        compression_bytes_min: 0,
        ..Config::default()
    });
    let mut driver = Driver::new(&cable);
    let mut keys = Vec::new();
    for identifier in [NEWS, r#"{"channel":"News","page":1}"#] {
        for _ in 0..2 {
            let key = open(&mut driver, true).await;
            subscribe(&mut driver, key, identifier);
            keys.push((key, identifier));
        }
    }
    let before = cable.statistics().compressions;
    broadcast(&cable, "no").await;
    driver.take_mail();
    for (key, identifier) in keys {
        assert_eq!(driver.first_frame(key).0, PLAIN);
        assert_eq!(driver.written(key), [data(identifier, "no")]);
    }
    assert_eq!(cable.statistics().compressions, before + 1);
}

#[tokio::test]
async fn replies_and_the_protocols_own_messages_are_compressed_when_they_are_long() {
    let cable = cable(Config::default());
    let mut driver = Driver::new(&cable);
    let long = format!(r#"{{"channel":"News","page":"{}"}}"#, "a".repeat(2000));
    for (deflate, form) in [(false, PLAIN), (true, COMPRESSED)] {
        let key = open(&mut driver, deflate).await;
        let command = serde_json::json!({"command": "subscribe", "identifier": long});
        driver.receive(key, &command.to_string());
        assert_eq!(driver.first_frame(key).0, form, "the confirmation");
        assert_eq!(driver.written(key).len(), 1);

        // The channel sends back what it is told.
        subscribe(&mut driver, key, NEWS);
        let said = serde_json::to_string(&html()).expect("serializes");
        let command = serde_json::json!({"command": "message", "identifier": NEWS, "data": said});
        driver.receive(key, &command.to_string());
        driver.take_mail();
        assert_eq!(driver.first_frame(key).0, form, "the reply");
        assert_eq!(driver.written(key), [data(NEWS, &html())]);
    }
    assert_eq!(cable.statistics().compressions, 2);
}
