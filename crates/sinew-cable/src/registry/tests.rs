use super::*;
use crate::Config;
use crate::context::ConnectionId;
use crate::mailbox::{Mail, Node};
use crate::statistics::Counters;

fn mailbox(id: u64) -> Arc<Mailbox> {
    let node = Arc::new(Node {
        config: Config::default(),
        counters: Counters::default(),
    });
    let mailbox = Arc::new(Mailbox::new(ConnectionId(id), node));
    mailbox.open();
    mailbox
}

/// The ticks at which pings came, counted from the connection's coming.
fn ping_ticks(registry: &Registry, mailbox: &Mailbox, ticks: u64) -> Vec<u64> {
    let mut pings = Vec::new();
    for tick in 0..ticks {
        registry.tick(1_747_843_200);
        if !mailbox.take(usize::MAX).is_empty() {
            pings.push(tick);
        }
    }
    pings
}

#[test]
fn first_ping_is_jittered_and_the_others_are_an_interval_apart() {
    let registry = Registry::new();
    for random in [0, 1, SLOTS / 2, SLOTS - 1, u64::MAX] {
        let mailbox = mailbox(random);
        let key = registry.add(mailbox.clone(), random);
        let pings = ping_ticks(&registry, &mailbox, 5 * SLOTS);
        assert!((SLOTS / 2..SLOTS * 3 / 2).contains(&pings[0]), "{pings:?}");
        for pair in pings.windows(2) {
            assert_eq!(pair[1] - pair[0], SLOTS);
        }
        registry.remove(key);
        assert!(ping_ticks(&registry, &mailbox, 2 * SLOTS).is_empty());
    }
}

#[test]
fn one_frame_with_whole_seconds_is_shared_by_a_tick() {
    let registry = Registry::new();
    let (one, two) = (mailbox(1), mailbox(2));
    registry.add(one.clone(), 0);
    registry.add(two.clone(), 0);
    for _ in 0..SLOTS {
        registry.tick(1_747_843_200);
    }
    let frame = |mailbox: &Mailbox| match mailbox.take(usize::MAX).pop() {
        Some(Mail::Frame(frame)) => frame,
        _ => panic!("a ping"),
    };
    let (one, two) = (frame(&one), frame(&two));
    assert_eq!(one.as_ptr(), two.as_ptr());
    assert_eq!(&one[2..], br#"{"type":"ping","message":1747843200}"#);
}

#[test]
fn places_are_used_again() {
    let registry = Registry::new();
    for id in 0..100 {
        let key = registry.add(mailbox(id), 7);
        assert_eq!(key.index, 0);
        registry.remove(key);
    }
    let mut seen = 0;
    registry.for_each(|_| seen += 1);
    assert_eq!(seen, 0);
}
