use super::*;

#[test]
fn lag_is_counted_at_the_first_bound_that_holds_it() {
    let counters = Counters::default();
    for milliseconds in [0, 1, 2, 5000, 5001] {
        counters.tick_was_late(Duration::from_millis(milliseconds));
    }
    let mut statistics = Statistics::default();
    counters.add_to(&mut statistics);
    counters.add_to(&mut statistics);
    let lag = statistics.ping_lag;
    assert_eq!(lag.counts, [4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2]);
    assert_eq!(lag.sum, Duration::from_millis(2 * 10_004));
}

#[test]
fn peak_is_of_the_turn_and_the_one_before() {
    let mut peak = Peak::default();
    peak.see(7);
    peak.see(3);
    assert_eq!(peak.get(), 7);
    peak.turn();
    peak.see(5);
    assert_eq!(peak.get(), 7);
    peak.turn();
    assert_eq!(peak.get(), 5);
    peak.turn();
    assert_eq!(peak.get(), 0);
}

#[test]
fn each_reason_is_counted_apart_and_shards_are_added_up() {
    let shards = [Counters::default(), Counters::default()];
    for counters in &shards {
        counters.disconnected(DisconnectReason::TooSlow);
        up(&counters.commands);
    }
    shards[1].disconnected(DisconnectReason::Remote);
    shards[1].outgoing_bytes_max.store(9, Relaxed);
    let mut statistics = Statistics::default();
    shards
        .iter()
        .for_each(|counters| counters.add_to(&mut statistics));
    assert_eq!(statistics.disconnects(DisconnectReason::TooSlow), 2);
    assert_eq!(statistics.disconnects(DisconnectReason::Remote), 1);
    assert_eq!(statistics.disconnects(DisconnectReason::NoPong), 0);
    assert_eq!((statistics.commands, statistics.outgoing_bytes_max), (2, 9));
}
