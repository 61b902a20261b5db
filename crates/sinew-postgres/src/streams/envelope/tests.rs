use proptest::prelude::*;

use super::*;

/// A payload of PostgreSQL's notifications is shorter than this.
const NOTIFICATION_BYTES: usize = 8_000;

/// As the server sends it.
fn sent(position: u64, count: u64, name: &str, payload: &[u8]) -> Vec<String> {
    let parts = write(u64::MAX, count, name, payload);
    let sent = parts.into_iter().map(|it| format!("{position} {it}"));
    sent.collect()
}

fn read_all(reader: &mut Reader, sent: &[String]) -> Vec<Read> {
    sent.iter().map(|it| reader.read(it)).collect()
}

fn message(position: u64, name: &str, payload: &[u8]) -> Message {
    Message {
        position,
        name: name.to_owned(),
        payload: Bytes::copy_from_slice(payload),
        lost: 0,
    }
}

#[test]
fn a_small_message_is_one_notification_that_can_be_read() {
    assert_eq!(
        sent(12, 7, "news", b"\"hello\""),
        ["12 ffffffffffffffff 7 0/1 t 4:news\"hello\""]
    );
}

#[test]
fn the_largest_message_is_as_many_notifications_as_are_read() {
    let text = "\u{20ac}".repeat(STREAM_MESSAGE_BYTES_MAX / 3);
    for payload in [text.into_bytes(), vec![0xff; STREAM_MESSAGE_BYTES_MAX]] {
        let sent = sent(u64::MAX, u64::MAX, "", &payload);
        assert!(sent.len() <= PARTS_MAX as usize, "{}", sent.len());
        assert!(sent.iter().all(|it| it.len() < NOTIFICATION_BYTES));
        let mut reader = Reader::default();
        let mut read = read_all(&mut reader, &sent);
        let whole = read.pop();
        assert_eq!(whole, Some(Read::Message(message(u64::MAX, "", &payload))));
        assert!(read.iter().all(|it| *it == Read::Part));
    }
}

#[test]
fn a_message_that_is_not_whole_is_left() {
    let large = vec![b'a'; 20_000];
    let (one, two) = (sent(1, 1, "news", &large), sent(2, 2, "news", &large));
    assert_eq!(one.len(), 3);
    let mut reader = Reader::default();
    // Its end alone.
    assert_eq!(
        read_all(&mut reader, &one[1..]),
        [Read::Unreadable, Read::Unreadable]
    );
    // Its begin, broken off by another one that is whole.
    assert_eq!(reader.read(&one[0]), Read::Part);
    let read = read_all(&mut reader, &two);
    let whole = Read::Message(message(2, "news", &large));
    assert_eq!(read, [Read::Part, Read::Part, whole]);
    // Nothing is kept of it on another connection.
    assert_eq!(reader.read(&one[0]), Read::Part);
    reader.forget_begun();
    assert_eq!(reader.read(&one[1]), Read::Unreadable);
}

#[test]
fn a_gap_is_counted_for_each_node() {
    let mut reader = Reader::default();
    let mut lost = |node: u64, count: u64| {
        let notification = format!("1 {}", write(node, count, "news", b"1")[0]);
        match reader.read(&notification) {
            Read::Message(message) => message.lost,
            other => panic!("a message, not {other:?}"),
        }
    };
    assert_eq!(lost(1, 7), 0);
    assert_eq!(lost(2, 900), 0);
    assert_eq!(lost(1, 8), 0);
    assert_eq!(lost(1, 12), 3);
    assert_eq!(lost(2, 901), 0);
    // What was refused, or of which it is unknown, has its number again.
    assert_eq!(lost(1, 12), 0);
    // Who was not heard of for long is forgotten.
    for node in 10..10 + NODES_MAX as u64 {
        assert_eq!(lost(node, 1), 0);
    }
    assert_eq!(lost(1, 40), 0);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        position: u64,
        count: u64,
        name in ".{0,40}",
        payload in proptest::collection::vec(any::<u8>(), 0..40),
        repeated in 0..700usize,
    ) {
        let payload = payload.repeat(repeated);
        let sent = sent(position, count, &name, &payload);
        prop_assert!(sent.iter().all(|it| it.len() < NOTIFICATION_BYTES && !it.contains('\0')));
        let read = read_all(&mut Reader::default(), &sent);
        let expected = Read::Message(message(position, &name, &payload));
        prop_assert_eq!(read.last(), Some(&expected));
    }

    #[test]
    fn text_is_cut_between_characters(text in "\\PC{0,300}", repeated in 0..60usize) {
        let text = text.repeat(repeated);
        let parts = cut(&text);
        prop_assert_eq!(parts.concat(), text.as_str());
        prop_assert!(parts.iter().all(|it| it.len() <= PART_BYTES_MAX));
    }

    #[test]
    fn whatever_comes_is_read_or_left(
        notifications in proptest::collection::vec(
            "([0-9]{1,21} )?([0-9a-f+]{16} )?[0-9]{0,3} [0-2]/[0-3] [tbx] ([0-9]{1,21}:)?.{0,9}",
            0..9,
        ),
    ) {
        let mut reader = Reader::default();
        for notification in notifications {
            if let Read::Message(message) = reader.read(&notification) {
                prop_assert!(message.name.len() + message.payload.len() < 3 * notification.len() + 60);
            }
        }
    }
}
