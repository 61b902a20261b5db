use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::cable::mix;

fn wheel(default: u64, min: u64, max: u64) -> Wheel {
    Wheel::new(&Config {
        ping_interval: Duration::from_millis(default),
        ping_interval_min: Duration::from_millis(min),
        ping_interval_max: Duration::from_millis(max),
        ..Config::default()
    })
}

/// Turns the wheel once, and puts whoever was due further.
fn turn(wheel: &mut Wheel, places: &mut HashMap<Key, Place>) -> Vec<Key> {
    let due = wheel.turn();
    for key in &due {
        wheel.further(*key, places.get_mut(key).expect("it is there"));
    }
    due
}

fn remove(wheel: &mut Wheel, places: &mut HashMap<Key, Place>, key: Key) {
    let place = places.remove(&key).expect("it is there");
    if let Some(moved) = wheel.remove(place) {
        Wheel::moved(places.get_mut(&moved).expect("it is there"), place);
    }
}

#[test]
fn intervals_are_kept_to_half_a_tick() {
    let cases = [
        (3000, 1000, 60_000),
        (30_000, 1000, 60_000),
        (50, 1000, 60_000),
        (3_600_000, 1000, 60_000),
        (1, 1, 1),
    ];
    for (default, min, max) in cases {
        let wheel = wheel(default, min, max);
        let tick = wheel.tick();
        assert!(tick >= Duration::from_millis(1));
        for interval in [default, max.min(min * 7), max] {
            let interval = Duration::from_millis(interval);
            let kept = tick * u32::from(wheel.ticks(interval));
            let off = kept.abs_diff(interval);
            assert!(off * 2 <= tick, "{interval:?} is {kept:?}, {tick:?} a tick");
        }
        assert!(u32::from(wheel.count) <= SLOTS_MAX);
    }
    assert_eq!(
        wheel(3000, 1000, 60_000).tick(),
        Duration::from_micros(62_500)
    );
    assert_eq!(wheel(3000, 1000, 60_000).ticks(Duration::MAX), 960);
    assert_eq!(wheel(3000, 1000, 60_000).ticks(Duration::ZERO), 1);
}

#[derive(Debug, Clone)]
enum Step {
    Add { period: u16, random: u64 },
    Remove(usize),
    Turn(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let add = (1..=960_u16, any::<u64>()).prop_map(|(period, random)| Step::Add { period, random });
    let step = prop_oneof![
        4 => add,
        2 => any::<usize>().prop_map(Step::Remove),
        4 => (1..700_u16).prop_map(Step::Turn),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    /// Against a table of due times: whoever comes and goes, each connection is visited first within its bounds and
    /// then exactly every period, and nobody else is.
    #[test]
    fn each_is_visited_when_it_is_due(steps in steps()) {
        let mut wheel = wheel(3000, 1000, 60_000);
        let mut places = HashMap::new();
        // When it is due next, at what tick it came, and its period.
        let mut model: Vec<(Key, Option<u64>, u64, u16)> = Vec::new();
        let mut now = 0_u64;
        let mut keys = 0;
        for step in steps {
            match step {
                Step::Add { period, random } => {
                    let key = Key(keys);
                    keys += 1;
                    places.insert(key, wheel.add(key, period, random));
                    model.push((key, None, now, period));
                }
                Step::Remove(at) if !model.is_empty() => {
                    let (key, ..) = model.swap_remove(at % model.len());
                    remove(&mut wheel, &mut places, key);
                }
                Step::Remove(_) => {}
                Step::Turn(turns) => {
                    for _ in 0..turns {
                        let mut due = turn(&mut wheel, &mut places);
                        due.sort_unstable();
                        due.dedup();
                        for (key, next, came, period) in &mut model {
                            let period = u64::from(*period);
                            let is_visited = due.binary_search(key).is_ok();
                            match next {
                                Some(next) => prop_assert_eq!(is_visited, *next == now),
                                None => {
                                    let since = now - *came;
                                    prop_assert!(!is_visited || since >= period / 2);
                                    prop_assert!(is_visited || since < period * 3 / 2);
                                }
                            }
                            if is_visited {
                                *next = Some(now + period);
                            }
                        }
                        prop_assert!(due.iter().all(|key| places.contains_key(key)));
                        now += 1;
                    }
                }
            }
        }
        for (key, ..) in model {
            remove(&mut wheel, &mut places, key);
        }
        prop_assert!(wheel.slots.iter().all(Vec::is_empty));
    }
}

#[test]
fn those_who_come_at_once_are_spread_over_their_interval() {
    let mut wheel = wheel(3000, 1000, 60_000);
    let mut places = HashMap::new();
    let intervals = [3_u64, 10, 30];
    for number in 0..30_000_u32 {
        let interval = Duration::from_secs(intervals[number as usize % 3]);
        let period = wheel.ticks(interval);
        let place = wheel.add(Key(number), period, mix(u64::from(number)));
        places.insert(Key(number), place);
    }
    // When the last has had its first ping, and from then on.
    let settled = wheel.ticks(Duration::from_secs(45));
    for _ in 0..settled {
        turn(&mut wheel, &mut places);
    }
    let ticks = wheel.ticks(Duration::from_secs(30));
    let mean: f64 = intervals
        .iter()
        .map(|seconds| 10_000.0 / f64::from(wheel.ticks(Duration::from_secs(*seconds))))
        .sum();
    let counts: Vec<f64> = (0..ticks)
        .map(|_| turn(&mut wheel, &mut places).len() as f64)
        .collect();
    let all: f64 = counts.iter().sum();
    assert!((all / f64::from(ticks) - mean).abs() < 0.02 * mean);
    // By chance alone: five standard deviations.
    let most = mean + 5.0 * mean.sqrt();
    assert!(
        counts.iter().all(|count| *count < most),
        "{mean} on average, never {most}: {counts:?}"
    );
}

#[test]
fn empty_slots_hold_nothing() {
    let mut wheel = wheel(3000, 1000, 60_000);
    let mut places = HashMap::new();
    for number in 0..1000 {
        let place = wheel.add(Key(number), 32, mix(number.into()));
        places.insert(Key(number), place);
    }
    for _ in 0..5000 {
        turn(&mut wheel, &mut places);
        let held = wheel.slots.iter().filter(|slot| slot.capacity() > 0);
        assert!(held.count() <= 48, "one and a half periods of 32");
    }
    assert!(size_of::<Place>() <= 8);
}
