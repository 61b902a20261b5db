//! The shard against a plain list.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;

/// Newest last.
#[derive(Default)]
struct Model(Vec<(String, usize, Option<SystemTime>)>);

impl Model {
    fn get(&mut self, key: &str, now: SystemTime) -> Option<usize> {
        let place = self.0.iter().position(|it| it.0 == key)?;
        let entry = self.0.remove(place);
        if entry.2.is_some_and(|at| at <= now) {
            return None;
        }
        let size = entry.1;
        self.0.push(entry);
        Some(size)
    }

    fn insert(&mut self, key: &str, size: usize, at: Option<SystemTime>, now: SystemTime) {
        self.0.retain(|it| it.0 != key);
        let bytes = |it: &(String, usize, _)| it.0.len() + it.1 + ENTRY_OVERHEAD_BYTES;
        let new = (key.to_owned(), size, at);
        while self.0.iter().map(bytes).sum::<usize>() + bytes(&new) > BYTES_MAX {
            let expired = self.0.iter().filter(|it| it.2.is_some_and(|at| at <= now));
            let first = expired.min_by_key(|it| it.2).map(|it| it.2);
            let place = first.and_then(|at| self.0.iter().position(|it| it.2 == at));
            self.0.remove(place.unwrap_or(0));
        }
        self.0.push(new);
    }
}

const BYTES_MAX: usize = 4 * (ENTRY_OVERHEAD_BYTES + 60);

#[derive(Debug, Clone)]
enum Step {
    Get(u8),
    Insert(u8, usize, Option<u64>),
    Remove(u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..8_u8;
    prop_oneof![
        key.clone().prop_map(Step::Get),
        (key.clone(), 0..100_usize, proptest::option::of(1..50_u64))
            .prop_map(|(key, size, life)| Step::Insert(key, size, life)),
        key.prop_map(Step::Remove),
        (0..20_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn it_forgets_as_a_plain_list_would(steps in proptest::collection::vec(step(), 1..60)) {
        let mut now = SystemTime::UNIX_EPOCH;
        let mut model = Model::default();
        let mut shard = Shard::new(BYTES_MAX);
        // Of two that expire together either may go first, so no two do.
        for (apart, step) in (0..).zip(steps) {
            match step {
                Step::Get(key) => {
                    let found = shard.get(&Key::new(key.to_string()), now);
                    let size = found.map(|(value, _)| value.len());
                    prop_assert_eq!(size, model.get(&key.to_string(), now));
                }
                Step::Insert(key, size, life) => {
                    let life = life.map(|it| Duration::from_secs(it) + Duration::from_nanos(apart));
                    let at = life.map(|it| now + it);
                    let name = key.to_string();
                    prop_assert!(shard.insert(Key::new(name.clone()), vec![0; size].into(), at, now));
                    model.insert(&name, size, at, now);
                }
                Step::Remove(key) => {
                    let name = key.to_string();
                    let lived = model.0.iter().any(|it| it.0 == name && it.2.is_none_or(|at| at > now));
                    prop_assert_eq!(shard.remove(&Key::new(name.clone()), now), lived);
                    model.0.retain(|it| it.0 != name);
                }
                Step::Wait(seconds) => now += Duration::from_secs(seconds),
            }
            prop_assert_eq!(shard.len(), model.0.len());
            prop_assert!(shard.bytes() <= BYTES_MAX);
        }
    }
}

#[test]
fn the_dead_go_before_the_living() {
    let start = SystemTime::UNIX_EPOCH;
    let later = start + Duration::from_secs(60);
    let mut shard = Shard::new(2 * (ENTRY_OVERHEAD_BYTES + 10));
    let value = || Bytes::from_static(b"value");
    assert!(shard.insert(Key::new("lives"), value(), None, start));
    assert!(shard.insert(Key::new("dies"), value(), Some(later), start));
    assert!(shard.insert(Key::new("new"), value(), None, later));
    assert!(shard.get(&Key::new("lives"), later).is_some());
    assert!(shard.get(&Key::new("dies"), later).is_none());
    let large = Bytes::from(vec![0; shard.bytes_max]);
    assert!(!shard.insert(Key::new("new"), large, None, later));
    assert_eq!(shard.len(), 1, "what cannot be replaced is not left behind");
}
