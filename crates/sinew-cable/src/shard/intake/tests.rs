use proptest::prelude::*;

use super::*;

fn rates(messages: u32, bytes: u64, burst: u64) -> (Rates, Instant) {
    let beginning = Instant::now();
    let config = Config {
        incoming_messages_per_second: messages,
        incoming_bytes_per_second: bytes,
        incoming_burst: Duration::from_millis(burst),
        ..Config::default()
    };
    (Rates::new(beginning, &config), beginning)
}

#[test]
fn burst_is_free_and_what_exceeds_it_is_waited_for() {
    let (rates, now) = rates(10, 0, 2000);
    let mut buckets = Buckets::default();
    for _ in 0..20 {
        rates.count_message(now, &mut buckets);
        assert_eq!(rates.pause(now, buckets), None);
    }
    rates.count_message(now, &mut buckets);
    assert_eq!(
        rates.pause(now, buckets),
        Some(Duration::from_millis(100)),
        "one too many, at ten a second"
    );
    let later = now + Duration::from_millis(100);
    assert_eq!(rates.pause(later, buckets), None);
    // After a rest the whole burst is there again, and no more than it.
    let rested = now + Duration::from_secs(3600);
    for _ in 0..20 {
        rates.count_message(rested, &mut buckets);
    }
    assert_eq!(rates.pause(rested, buckets), None);
    rates.count_message(rested, &mut buckets);
    assert!(rates.pause(rested, buckets).is_some());
}

#[test]
fn either_bucket_holds_a_client_back_and_zero_is_no_bound() {
    let (bytes, now) = rates(0, 1000, 1000);
    let mut buckets = Buckets::default();
    for _ in 0..100_000 {
        bytes.count_message(now, &mut buckets);
    }
    bytes.count_bytes(now, &mut buckets, 1000);
    assert_eq!(bytes.pause(now, buckets), None);
    bytes.count_bytes(now, &mut buckets, 500);
    let half = Duration::from_millis(500);
    assert_eq!(bytes.pause(now, buckets), Some(half));

    let (free, now) = rates(0, 0, 0);
    let mut buckets = Buckets::default();
    free.count_message(now, &mut buckets);
    free.count_bytes(now, &mut buckets, usize::MAX);
    assert_eq!(free.pause(now, buckets), None);
}

#[test]
fn no_count_overflows() {
    let (rates, now) = rates(1, 1, u64::MAX);
    let mut buckets = Buckets::default();
    for _ in 0..3 {
        rates.count_bytes(now, &mut buckets, usize::MAX);
        assert_eq!(rates.pause(now, buckets), None, "a burst without end");
    }
    assert!(size_of::<Buckets>() <= 16);
}

proptest! {
    /// Whatever comes when: what got through until any moment is at most the rate times the time, the burst, and the one
    /// message that made it wait.
    #[test]
    fn no_more_gets_through_than_the_rate_allows(
        rate in 1_u32..5000,
        burst in 0_u64..5000,
        gaps in proptest::collection::vec(0_u64..50_000, 1..300),
    ) {
        let (rates, beginning) = rates(rate, 0, burst);
        let mut buckets = Buckets::default();
        let mut now = beginning;
        let mut through = 0_u64;
        for micros in gaps {
            now += Duration::from_micros(micros);
            if rates.pause(now, buckets).is_none() {
                rates.count_message(now, &mut buckets);
                through += 1;
            }
            let passed = now - beginning + Duration::from_millis(burst);
            let allowed = passed.as_secs_f64() * f64::from(rate);
            prop_assert!(through as f64 <= allowed + 1.001);
        }
    }
}
