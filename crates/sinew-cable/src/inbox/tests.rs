use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures_util::FutureExt as _;

use super::*;

fn restart(inbox: &Inbox, bytes: usize) {
    inbox.post(Parcel::Restart(ConnectionId(0)), bytes);
}

fn taken(inbox: &Inbox) -> usize {
    let mut parcels = Vec::new();
    inbox.take(&mut parcels);
    parcels.len()
}

#[test]
fn shard_that_sleeps_is_woken_once_and_one_that_works_never() {
    let count = Arc::new(AtomicUsize::new(0));
    let counts = count.clone();
    let inbox = Inbox::new(
        100,
        Box::new(move || {
            counts.fetch_add(1, Relaxed);
        }),
    );
    restart(&inbox, 0);
    assert!(!inbox.sleep(), "there is mail");
    assert_eq!(taken(&inbox), 1);
    assert!(inbox.sleep());
    restart(&inbox, 0);
    restart(&inbox, 0);
    assert_eq!(count.load(Relaxed), 1);
    assert_eq!(taken(&inbox), 2);
    assert!(inbox.sleep());
    inbox.awake();
    restart(&inbox, 0);
    assert_eq!(count.load(Relaxed), 1, "awake by other means");
}

#[test]
fn full_inbox_makes_publishers_wait_until_it_is_taken() {
    let inbox = Arc::new(Inbox::new(100, Box::new(|| {})));
    restart(&inbox, 99);
    assert!(inbox.pressure().is_none());
    restart(&inbox, 1);
    let mut relief = inbox.pressure().expect("full");
    assert!(relief.as_mut().now_or_never().is_none());
    restart(&inbox, 1000);
    assert_eq!(taken(&inbox), 3, "nothing is refused meanwhile");
    assert!(relief.now_or_never().is_some());
    assert!(inbox.pressure().is_none());
}

#[test]
fn closed_inbox_takes_nothing_and_holds_nobody() {
    let inbox = Arc::new(Inbox::new(100, Box::new(|| {})));
    restart(&inbox, 100);
    let mut relief = inbox.pressure().expect("full");
    assert!(relief.as_mut().now_or_never().is_none());
    inbox.close();
    assert!(relief.now_or_never().is_some());
    assert!(!inbox.post_if(Parcel::Restart(ConnectionId(0)), 0, || true));
    assert_eq!(taken(&inbox), 0);
}
