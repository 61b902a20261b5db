//! Messages that one notification does not hold.

use bytes::Bytes;
use sinew_postgres::STREAM_MESSAGE_BYTES_MAX;
use sinew_streams::{Streams, StreamsError};

use super::{next, node, publish};
use crate::database::Database;

/// What the envelope is made for.
#[tokio::test]
async fn a_notification_of_the_server_has_7999_bytes_at_most() {
    let database = Database::create().await;
    let notify = async |bytes: usize| {
        let sql = "select pg_notify('large', $1)";
        let payload = "a".repeat(bytes);
        database.admin.query(sql, &[&payload]).await
    };
    notify(7_999).await.unwrap();
    let refused = notify(8_000).await.unwrap_err();
    let said = refused.as_db_error().unwrap().message();
    assert_eq!(said, "payload string too long");
}

#[tokio::test]
async fn every_size_arrives_unchanged() {
    let database = Database::create().await;
    let (here, _) = node(database.node());
    let (there, mut heard) = node(database.node());
    there.follow(&"news".into()).await.unwrap();
    // Around the bound of a notification, of the part in it, and of several.
    let sizes = (7_880..7_940).chain([0, 1, 7_999, 8_000, 8_001, 16_000, 79_000, 1_000_000]);
    for bytes in sizes {
        for text in ["a", "\u{20ac}", "\0", "\u{ff}"] {
            let mut payload = text.repeat(bytes / text.len()).into_bytes();
            if text == "\u{ff}" {
                // No text at all.
                payload.truncate((bytes / 2) | 1);
            }
            let payload = Bytes::from(payload);
            let published = here.publish(&"news".into(), payload.clone());
            let position = published.await.unwrap();
            let (stream, at, arrived) = heard.recv().await.unwrap();
            assert_eq!((stream.as_str(), at), ("news", position));
            assert!(arrived == payload, "{bytes} bytes of {text:?}");
        }
    }
    assert_eq!(there.statistics().unreadable, 0);
}

#[tokio::test]
async fn the_largest_arrives_and_a_larger_one_is_refused() {
    let database = Database::create().await;
    let (streams, mut heard) = node(database.node());
    streams.follow(&"news".into()).await.unwrap();
    let most = STREAM_MESSAGE_BYTES_MAX - "news".len();
    let refused = streams.publish(&"news".into(), vec![b'a'; most + 1].into());
    let refused = refused.await.unwrap_err();
    assert!(matches!(refused, StreamsError::TooLarge { .. }));
    for byte in [b'a', 0xff] {
        let payload = Bytes::from(vec![byte; most]);
        let published = streams.publish(&"news".into(), payload.clone());
        published.await.unwrap();
        let (_, _, arrived) = heard.recv().await.unwrap();
        assert!(arrived == payload, "of {byte}");
    }
    assert_eq!(streams.statistics().published, 2);
}

/// The parts of two messages that are sent at the same time do not mix.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_of_several_nodes_stay_whole() {
    let database = Database::create().await;
    let (ear, mut heard) = node(database.node());
    ear.follow(&"news".into()).await.unwrap();
    let nodes = ["a", "b"].map(|letter| (node(database.node()).0, letter));
    let large = |letter: &str, number: usize| letter.repeat(20_000 + number);
    let [one, two] = &nodes;
    let from = async |(streams, letter): &(_, &str)| {
        for number in 0..50 {
            publish(streams, "news", large(letter, number)).await;
        }
    };
    tokio::join!(from(one), from(two));
    let mut seen = [0, 0];
    for _ in 0..100 {
        let payload = next(&mut heard).await;
        let index = usize::from(payload.starts_with('b'));
        assert!(payload == large(["a", "b"][index], seen[index]));
        seen[index] += 1;
    }
    assert_eq!(seen, [50, 50]);
    assert_eq!(ear.statistics().unreadable, 0);
}
