use std::time::{Duration, SystemTime};

use sinew_reflex::{Durations, ReflexStatistics};

use super::list::{CHARTS, Unit, quantile};
use super::*;
use crate::metrics::Snapshot;

fn snapshot() -> Snapshot {
    Snapshot {
        cable: Default::default(),
        shards: Vec::new(),
        engine: Default::default(),
        reflexes: Vec::new(),
        cache: sinew_store::cache::CacheStatistics::default(),
        server: Default::default(),
        sessions: Default::default(),
        is_ready: true,
        missed: sinew_streams::Missed::default(),
        services: Vec::new(),
        started: SystemTime::now(),
        resident_bytes: None,
    }
}

#[test]
fn values_have_three_digits_and_a_unit() {
    for (unit, value, expected) in [
        (Unit::Count, 0.0, "0"),
        (Unit::Count, 999.0, "999"),
        (Unit::Count, 1_000_000.0, "1 M"),
        (Unit::Rate, 0.5, "0.50"),
        (Unit::Rate, 12_345.0, "12.3 k"),
        (Unit::Bytes, 1536.0, "1.50 KiB"),
        (Unit::Bytes, 10.0, "10 B"),
        (Unit::Seconds, 0.0123, "12.3 ms"),
        (Unit::Seconds, 2.5, "2.50 s"),
        (Unit::Seconds, f64::NAN, "–"),
    ] {
        assert_eq!(format::value(unit, value), expected);
    }
    assert_eq!(format::whole(1_234_567), "1,234,567");
    assert_eq!(format::age(Duration::from_secs(93_600)), "1 d 2 h");
}

#[test]
fn quantile_lies_within_its_bucket() {
    let bounds = [1, 2, 4].map(Duration::from_secs);
    let within = |counts: &[u64], share| quantile(&bounds, counts, share);
    assert!(within(&[0, 0, 0, 0], 0.5).is_nan());
    assert_eq!(within(&[0, 2, 0, 0], 0.5), 1.5);
    assert_eq!(within(&[1, 1, 2, 0], 1.0), 4.0);
    assert_eq!(within(&[0, 0, 0, 9], 0.5), 4.0, "over all bounds");
}

#[test]
fn chart_ends_at_a_round_number() {
    let top = |unit, value: f64| chart::top(unit, [value, f64::NAN].into_iter());
    assert_eq!(top(Unit::Count, 0.0), 4.0);
    assert_eq!(top(Unit::Count, 17.0), 20.0);
    assert_eq!(top(Unit::Count, 320_000.0), 400_000.0);
    assert_eq!(top(Unit::Bytes, 900.0 * 1024.0), 1024.0 * 1000.0);
    assert!((top(Unit::Seconds, 0.031) - 0.04).abs() < 1e-9);
}

#[test]
fn rates_come_from_two_readings_and_five_minutes_are_kept() {
    let mut history = History::default();
    let begin = Instant::now();
    for number in 0..=history::POINTS_MAX as u64 + 9 {
        let mut now = snapshot();
        now.cable.commands = 20 * number;
        history.add(begin + SAMPLE_INTERVAL * number as u32, now);
    }
    let before = CHARTS.iter().take_while(|chart| chart.id != "commands");
    let commands: usize = before.map(|chart| chart.series.len()).sum();
    let rates: Vec<f64> = history.line(commands).collect();
    assert_eq!(rates, vec![10.0; history::POINTS_MAX]);
}

#[test]
fn line_has_gaps_where_there_is_no_value() {
    let mut drawn = String::new();
    let line = [f64::NAN, 1.0, f64::NAN, 0.0, 2.0].into_iter();
    chart::draw(&mut drawn, "Wait", &[line], 2.0, 151);
    let path = drawn.split("line s0\" d=\"").nth(1).unwrap_or_default();
    let path = path.split('"').next().unwrap_or_default();
    assert_eq!(path, "M294.0 40.0h0M298.0 78.0h0L300.0 2.0");
}

#[test]
fn names_of_reflexes_are_text() {
    let mut now = snapshot();
    let mut reflex = ReflexStatistics::default();
    reflex.name = "<b>Reflex#a".to_owned();
    reflex.durations = Durations::default();
    now.reflexes.push(reflex);
    let html = html::content(&History::default(), &now);
    assert!(html.contains("&lt;b&gt;Reflex#a"), "{html}");
}
