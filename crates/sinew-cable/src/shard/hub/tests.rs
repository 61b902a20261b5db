use super::*;

/// Who gets a message, by identifier, each as often as it is subscribed.
fn audience(hub: &Hub, stream: &StreamName) -> Vec<(String, Vec<u32>)> {
    let mut groups = Vec::new();
    hub.for_each(stream, |identifier, members| {
        let mut keys: Vec<u32> = members.iter().flatten().map(|key| key.number()).collect();
        keys.sort_unstable();
        groups.push((identifier.as_str().to_owned(), keys));
    });
    groups.sort();
    groups
}

#[test]
fn groups_are_visited_once_each() {
    let mut hub = Hub::default();
    let mut news = StreamName::from("news");
    for (key, identifier, is_first) in [
        (0, "a", true),
        (1, "a", false),
        (2, "b", false),
        (3, "a", false),
    ] {
        let (_, first) = hub.join(&mut news, &identifier.into(), Key(key));
        assert_eq!(first, is_first);
    }
    let expected = [("a".to_owned(), vec![0, 1, 3]), ("b".to_owned(), vec![2])];
    assert_eq!(audience(&hub, &news), expected);
    assert!(audience(&hub, &"other".into()).is_empty());
}

/// Against a plain list: the same joins and leaves, and always the same audience.
#[test]
fn audience_is_that_of_a_naive_model() {
    let mut hub = Hub::default();
    let mut news = StreamName::from("news");
    let mut model: Vec<(Key, Identifier, Seat)> = Vec::new();
    let mut random = 1_u64;
    for step in 0..4000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let number = (random >> 33) as usize;
        if number.is_multiple_of(2) || model.is_empty() {
            let key = Key((number / 2 % 12) as u32);
            let identifier = Identifier::from(["a", "b", "c"][number / 64 % 3]);
            let (seat, is_first) = hub.join(&mut news, &identifier, key);
            assert_eq!(is_first, model.is_empty(), "step {step}");
            model.push((key, identifier, seat));
        } else {
            let (_, identifier, seat) = model.swap_remove(number / 2 % model.len());
            let is_last = hub.leave(&news, &identifier, seat);
            assert_eq!(is_last, model.is_empty(), "step {step}");
        }
        let mut expected: Vec<(String, Vec<u32>)> = Vec::new();
        for (key, identifier, _) in &model {
            match expected
                .iter_mut()
                .find(|(known, _)| known == identifier.as_str())
            {
                Some((_, keys)) => keys.push(key.number()),
                None => expected.push((identifier.as_str().to_owned(), vec![key.number()])),
            }
        }
        expected
            .iter_mut()
            .for_each(|(_, keys)| keys.sort_unstable());
        expected.sort();
        assert_eq!(audience(&hub, &news), expected, "step {step}");
    }
    for (_, identifier, seat) in model {
        hub.leave(&news, &identifier, seat);
    }
    assert!(
        hub.streams.is_empty(),
        "nothing is kept of a stream no one follows"
    );
}

#[test]
fn follower_of_a_stream_of_its_own_costs_little() {
    assert!(size_of::<Audience>() <= 32, "{}", size_of::<Audience>());
}
