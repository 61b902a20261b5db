use super::*;

/// The ticks at which a connection is due, counted from its coming.
fn due_ticks(wheel: &mut Wheel, key: Key, place: Place, ticks: u32) -> Vec<u32> {
    (0..ticks)
        .filter(|_| {
            let (tick, keys) = wheel.turn();
            keys.contains(&key) && place.is_due(tick)
        })
        .collect()
}

#[test]
fn first_visit_is_jittered_and_the_others_are_an_interval_apart() {
    for began in [0, 77, u32::MAX - 200] {
        for random in [0, 1, u64::from(SLOTS) / 2, u64::from(SLOTS) - 1, u64::MAX] {
            let mut wheel = Wheel {
                tick: began,
                ..Wheel::default()
            };
            let key = Key(7);
            let place = wheel.add(key, random);
            let ticks = due_ticks(&mut wheel, key, place, 5 * SLOTS);
            assert!((SLOTS / 2..SLOTS * 3 / 2).contains(&ticks[0]), "{ticks:?}");
            for pair in ticks.windows(2) {
                assert_eq!(pair[1] - pair[0], SLOTS);
            }
            assert_eq!(wheel.remove(place), None);
            assert!(due_ticks(&mut wheel, key, place, 2 * SLOTS).is_empty());
        }
    }
}

#[test]
fn who_is_moved_to_a_free_place_is_told() {
    let mut wheel = Wheel::default();
    let first = wheel.add(Key(1), 0);
    wheel.add(Key(2), 0);
    let mut third = wheel.add(Key(3), 0);
    assert_eq!(wheel.remove(first), Some(Key(3)));
    Wheel::moved(&mut third, first);
    assert_eq!(wheel.remove(third), Some(Key(2)));
}
