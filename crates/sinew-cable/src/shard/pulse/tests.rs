use proptest::prelude::*;
use sinew_websocket::{Effect, Endpoint, Limits, Role};

use super::*;

fn asked(query: &str) -> (u64, Precision) {
    let request = ConnectRequest {
        uri: format!("/cable?{query}").parse().expect("a path"),
        ..ConnectRequest::default()
    };
    let (interval, pulse) = asked_for(&request, &Config::default());
    (interval.as_secs(), pulse.precision)
}

#[test]
fn query_asks_for_interval_and_precision_within_bounds() {
    use Precision::{Milliseconds, Nanoseconds, Seconds};
    for (query, interval, precision) in [
        ("", 3, Seconds),
        ("pi=30", 30, Seconds),
        ("pi=30&ptp=ms", 30, Milliseconds),
        ("sid=x&ptp=ns&pi=10", 10, Nanoseconds),
        // The last one counts.
        ("pi=5&pi=9&ptp=ms&ptp=s", 9, Seconds),
        // Bounds.
        ("pi=1", 1, Seconds),
        ("pi=61", 60, Seconds),
        ("pi=2147483647", 60, Seconds),
        ("pi=0", 60, Seconds),
        ("pi=-5", 60, Seconds),
        // What cannot be read.
        ("pi=", 3, Seconds),
        ("pi", 3, Seconds),
        ("pi=ten", 3, Seconds),
        ("pi=1.5", 3, Seconds),
        ("pi=99999999999999999999", 3, Seconds),
        ("ptp=us&PI=30", 3, Seconds),
    ] {
        assert_eq!(asked(query), (interval, precision), "{query}");
    }
}

#[test]
fn bounds_that_contradict_each_other_are_no_panic() {
    let config = Config {
        ping_interval_min: Duration::from_secs(90),
        ..Config::default()
    };
    assert_eq!(within_bounds(5, &config), config.ping_interval_max);
}

proptest! {
    #[test]
    fn any_query_gives_an_interval_within_bounds(query in "[-a-z0-9=&%+.]{0,40}", pi in any::<i64>()) {
        for query in [query.clone(), format!("{query}&pi={pi}"), format!("pi={pi}&{query}")] {
            let (interval, _) = asked(&query);
            prop_assert!((1..=60).contains(&interval));
        }
    }

    /// Nobody is given up who answers before the next visit, and whoever says nothing is, at the first visit after the
    /// timeout at which it was asked one period before.
    #[test]
    fn only_the_silent_are_given_up(period in 1_u16..2000, timeout in 1_u32..10_000) {
        let mut answers = Pulse::default();
        let mut silent = Pulse::default();
        let mut last_heard = 0;
        let mut is_lost = false;
        for visit in 1..=2 + 2 * timeout / u32::from(period) {
            match answers.beat(period, timeout) {
                Beat::Ping(PingKind { asks: true, .. }) => {
                    prop_assert!((visit - last_heard) * u32::from(period) * 2 >= timeout);
                    answers.heard();
                    last_heard = visit;
                }
                Beat::Ping(_) => {}
                Beat::Lost => prop_assert!(false, "it answers"),
            }
            if silent.beat(period, timeout) == Beat::Lost {
                is_lost = true;
                prop_assert!(visit > 1 && visit * u32::from(period) >= timeout);
                let before = (visit - 1) * u32::from(period);
                prop_assert!(before < timeout || visit == 2, "not later than it must be");
                break;
            }
        }
        prop_assert!(is_lost);
    }
}

#[test]
fn without_a_timeout_nobody_is_asked_or_given_up() {
    let mut pulse = Pulse::default();
    for _ in 0..100_000 {
        let beat = pulse.beat(2000, 0);
        assert!(matches!(beat, Beat::Ping(PingKind { asks: false, .. })));
    }
}

#[test]
fn frames_are_made_once_and_say_the_time_as_asked() {
    let unix = Duration::new(1_747_843_200, 123_456_789);
    let mut frames = PingFrames::new(unix);
    for (precision, number) in [
        (Precision::Seconds, "1747843200"),
        (Precision::Milliseconds, "1747843200123"),
        (Precision::Nanoseconds, "1747843200123456789"),
    ] {
        for asks in [false, true] {
            let kind = PingKind { precision, asks };
            let frame = frames.get(kind);
            assert_eq!(frame.as_ptr(), frames.get(kind).as_ptr(), "shared");
            let mut client = Endpoint::new(Role::Client, &Limits::default());
            let mut seen = Vec::new();
            client.receive(&mut frame.to_vec(), |effect| {
                seen.push(match effect {
                    Effect::Text(text) => text.to_owned(),
                    Effect::Send(_) => "pong".to_owned(),
                    other => panic!("{other:?}"),
                });
            });
            let text = format!(r#"{{"type":"ping","message":{number}}}"#);
            let expected: &[String] = match asks {
                true => &["pong".to_owned(), text],
                false => &[text],
            };
            assert_eq!(seen, expected);
        }
    }
    assert!(size_of::<Pulse>() <= 4);
}
