use proptest::prelude::*;

use super::*;
use crate::session_notice::Notice;

/// What is said of a session that goes on under another id.
fn moved(from: String, to: String) -> String {
    let secret = sinew_verifier::SecretKeyBase::new("secret");
    let sealer = sinew_web::SessionSealer::new(&secret, &[]);
    let id = |text: &str| text.parse().expect("an id");
    let (socket, from, to) = (from.clone(), id(&from), id(&to));
    sealer.seal_notice(&Notice::Moved { from, to, socket }.to_bytes())
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_left(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        if let Some(ended) = Ended::from_bytes(&bytes) {
            prop_assert_eq!(Ended::from_bytes(&ended.to_bytes()), Some(ended));
        }
    }

    #[test]
    fn what_one_node_writes_another_reads(
        node: [u8; 16],
        session: [u8; 16],
        identified: bool,
        reconnect: bool,
        from: [u8; 16],
        to: [u8; 16],
        has_moved: bool,
    ) {
        let hex = |bytes: [u8; 16]| format!("{:032x}", u128::from_be_bytes(bytes));
        let ended = Ended {
            node: hex(node),
            session: hex(session),
            identified,
            reconnect,
            moved: has_moved.then(|| moved(hex(from), hex(to))),
        };
        let bytes = ended.to_bytes();
        prop_assert!(bytes.len() <= NEWS_BYTES_MAX);
        prop_assert_eq!(Connected::label_from(&ended.session), Some(session));
        prop_assert_eq!(Ended::from_bytes(&bytes), Some(ended));
    }

    #[test]
    fn only_labels_are_labels(text in "[0-9a-fA-F+ ]{30,34}") {
        let is_label = text.len() == 32 && !text.contains(|it: char| !it.is_ascii_digit() && !('a'..='f').contains(&it));
        prop_assert_eq!(Connected::label_from(&text).is_some(), is_label);
    }
}

#[test]
fn a_long_message_is_not_read() {
    let mut ended = Ended {
        node: String::new(),
        session: String::new(),
        identified: true,
        reconnect: true,
        moved: None,
    };
    assert!(Ended::from_bytes(&ended.to_bytes()).is_some());
    ended.node = "0".repeat(NEWS_BYTES_MAX);
    assert_eq!(Ended::from_bytes(&ended.to_bytes()), None);
}
