use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Wake;

use super::*;

fn mailbox(bytes_max: usize, messages_max: usize) -> Mailbox {
    let node = Node {
        config: Config {
            outbox_bytes_max: bytes_max,
            outbox_messages_max: messages_max,
            ..Config::default()
        },
        counters: Counters::default(),
    };
    let mailbox = Mailbox::new(ConnectionId(1), Arc::new(node));
    mailbox.open();
    mailbox
}

fn frame(length: usize) -> Mail {
    Mail::Frame(Bytes::from(vec![0; length]))
}

/// What waits, one word each.
fn taken(mailbox: &Mailbox, bytes_max: usize) -> Vec<String> {
    mailbox
        .take(bytes_max)
        .iter()
        .map(|mail| match mail {
            Mail::Frame(frame) => format!("frame {}", frame.len()),
            Mail::Answer(..) => "answer".to_owned(),
            Mail::Followed(..) => "followed".to_owned(),
            Mail::Disconnect(reason, _) => format!("disconnect {reason}"),
            Mail::Tick => "tick".to_owned(),
        })
        .collect()
}

#[test]
fn queue_over_its_bytes_is_dropped_and_the_connection_told() {
    let mailbox = mailbox(100, 100);
    assert!(mailbox.push(frame(99)));
    assert!(
        mailbox.push(frame(5000)),
        "below the bound, a frame of any size is taken"
    );
    mailbox.push(Mail::Answer(Ticket(1), Answer::Done));
    mailbox.push(frame(1));
    assert_eq!(
        taken(&mailbox, usize::MAX),
        ["answer", "disconnect too_slow"]
    );
    assert!(!mailbox.push(frame(1)), "no more frames");
    assert_eq!(mailbox.node.counters.read().slow_connections, 1);
}

#[test]
fn queue_over_its_messages_is_dropped() {
    let mailbox = mailbox(1000, 3);
    for _ in 0..4 {
        mailbox.push(frame(1));
    }
    assert_eq!(taken(&mailbox, usize::MAX), ["disconnect too_slow"]);
}

#[test]
fn taking_makes_room() {
    let mailbox = mailbox(10, 2);
    for _ in 0..100 {
        mailbox.push(frame(10));
        assert_eq!(taken(&mailbox, usize::MAX), ["frame 10"]);
    }
    assert_eq!(mailbox.node.counters.read().slow_connections, 0);
}

#[test]
fn much_is_taken_in_parts_and_stays_in_order() {
    let mailbox = mailbox(1000, 100);
    for length in [40, 41, 42] {
        mailbox.push(frame(length));
    }
    mailbox.push(Mail::Tick);
    assert_eq!(taken(&mailbox, 50), ["frame 40", "frame 41"]);
    assert_eq!(taken(&mailbox, 50), ["frame 42", "tick"]);
    assert!(taken(&mailbox, 50).is_empty());
}

#[test]
fn frames_before_a_disconnect_are_kept_and_those_after_refused() {
    let mailbox = mailbox(1000, 100);
    mailbox.push(frame(1));
    mailbox.push(Mail::Disconnect(DisconnectReason::ServerRestart, true));
    assert!(!mailbox.push(frame(2)));
    assert!(!mailbox.push(Mail::Disconnect(DisconnectReason::Remote, true)));
    assert_eq!(
        taken(&mailbox, usize::MAX),
        ["frame 1", "disconnect server_restart"]
    );
}

#[test]
fn driver_that_sleeps_is_woken_once_and_one_that_works_never() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mailbox = mailbox(1000, 100);
    mailbox.push(frame(1));
    assert!(!mailbox.park(&waker), "there is mail");
    taken(&mailbox, usize::MAX);
    assert!(mailbox.park(&waker));
    mailbox.push(frame(1));
    mailbox.push(frame(1));
    assert_eq!(count.0.load(Relaxed), 1);
}

#[test]
fn nothing_is_taken_when_the_driver_is_gone() {
    let mailbox = mailbox(1000, 100);
    mailbox.push(Mail::Answer(Ticket(1), Answer::Done));
    assert_eq!(mailbox.gone().len(), 1, "what was answered is not lost");
    assert!(!mailbox.push(Mail::Answer(Ticket(2), Answer::Done)));
    assert!(!mailbox.push(frame(1)));
}

#[test]
fn idle_mailbox_is_small() {
    assert!(size_of::<Mailbox>() <= 200, "{}", size_of::<Mailbox>());
    assert!(size_of::<Mail>() <= 40, "{}", size_of::<Mail>());
}
