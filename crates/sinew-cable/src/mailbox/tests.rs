use super::*;

fn mailbox(bytes_max: usize) -> Mailbox {
    let node = Node {
        config: Config {
            outbox_bytes_max: bytes_max,
            ..Config::default()
        },
        connections: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        streams: Arc::new(sinew_streams::InProcessStreams::new()),
    };
    let inbox = Arc::new(Inbox::new(usize::MAX, Box::new(|| {})));
    Mailbox::new(ConnectionId(1), Key::from_number(0), Arc::new(node), inbox)
}

/// A frame of so many bytes, its header among them.
fn frame(length: usize) -> Mail {
    let header = if length < 128 { 2 } else { 4 };
    Mail::Frame(SharedFrame::binary(&vec![0; length - header]))
}

/// What was posted, one word each.
fn posted(mailbox: &Mailbox) -> Vec<String> {
    let mut parcels = Vec::new();
    mailbox.inbox.take(&mut parcels);
    let words = parcels.iter().map(|parcel| match parcel {
        Parcel::Mail { mail, .. } => match mail {
            Mail::Frame(frame) => format!("frame {}", frame.as_bytes().len()),
            Mail::Answer(..) => "answer".to_owned(),
            Mail::Followed(..) => "followed".to_owned(),
            Mail::Disconnect(reason, _) => format!("disconnect {reason}"),
        },
        _ => panic!("only mail is posted here"),
    });
    words.collect()
}

#[test]
fn sender_that_runs_ahead_of_the_shard_is_cut_off() {
    let mailbox = mailbox(100);
    assert!(mailbox.push(frame(99)));
    assert!(
        mailbox.push(frame(5000)),
        "below the bound, a frame of any size is taken"
    );
    assert!(mailbox.push(frame(2)), "told that it is too slow");
    assert!(!mailbox.push(frame(2)), "no more frames");
    mailbox.push(Mail::Answer(Ticket(1), Answer::Done));
    assert_eq!(
        posted(&mailbox),
        ["frame 99", "frame 5000", "disconnect too_slow", "answer"]
    );
}

#[test]
fn what_the_shard_takes_makes_room() {
    let mailbox = mailbox(10);
    for _ in 0..100 {
        assert!(mailbox.push(frame(10)));
        mailbox.taken(10);
    }
    assert_eq!(posted(&mailbox).len(), 100);
}

#[test]
fn frames_before_a_disconnect_are_kept_and_those_after_refused() {
    let mailbox = mailbox(1000);
    mailbox.push(frame(2));
    mailbox.push(Mail::Disconnect(DisconnectReason::ServerRestart, true));
    assert!(!mailbox.push(frame(2)));
    assert!(!mailbox.push(Mail::Disconnect(DisconnectReason::Remote, true)));
    assert_eq!(posted(&mailbox), ["frame 2", "disconnect server_restart"]);
}

#[test]
fn nothing_is_taken_when_the_connection_is_gone() {
    let mailbox = mailbox(1000);
    assert!(mailbox.push(Mail::Answer(Ticket(1), Answer::Done)));
    mailbox.gone();
    assert!(!mailbox.push(Mail::Answer(Ticket(2), Answer::Done)));
    assert!(!mailbox.push(frame(2)));
    assert!(!mailbox.push(Mail::Disconnect(DisconnectReason::Remote, true)));
    assert_eq!(
        posted(&mailbox),
        ["answer"],
        "what was answered is not lost"
    );
}

#[test]
fn idle_mailbox_is_small() {
    assert!(size_of::<Mailbox>() <= 112, "{}", size_of::<Mailbox>());
    assert!(size_of::<Parcel>() <= 64, "{}", size_of::<Parcel>());
}
