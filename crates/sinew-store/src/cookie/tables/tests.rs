use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::cookie::{CookieStore, CookieStoreConfig};
use crate::session::Sessions;

fn keys() -> impl Iterator<Item = Key> {
    (0..).map(|number: u32| Key::new(format!("session {number}")))
}

#[test]
fn few_sessions_are_in_one_part_and_many_in_sixteen() {
    for (remembered_max, expected) in [(0, 1), (3, 1), (2_048, 2), (100_000, 16)] {
        let tables = Tables::new(remembered_max);
        let parts: HashSet<usize> = keys().take(1000).map(|key| tables.part(&key)).collect();
        assert_eq!(parts.len(), expected, "{remembered_max}");
    }
}

#[test]
fn two_keys_of_one_part_are_one_lock() {
    let tables = Tables::new(100_000);
    let one = Key::new("session");
    let is_same = |other: &Key| tables.part(other) == tables.part(&one);
    let (same, apart): (Vec<Key>, Vec<Key>) = keys().take(1000).partition(is_same);
    assert!(tables.lock_both(&one, &one).1.is_none());
    assert!(tables.lock_both(&one, &same[0]).1.is_none());
    let both = tables.lock_both(&one, &apart[0]);
    assert!(both.1.is_some());
    let parts = [&one, &apart[0]].map(|key| &tables.parts[tables.part(key)]);
    assert!(parts.iter().all(|part| part.is_locked()));
    drop(both);
    assert!(!parts.iter().any(|part| part.is_locked()));
}

#[tokio::test]
async fn no_more_are_remembered_than_the_bound_of_all_parts() {
    let store = CookieStore::new(CookieStoreConfig {
        remembered_max: 4 * PART_REMEMBERED_MIN,
        ..CookieStoreConfig::default()
    });
    let sessions = Sessions::new(Arc::new(store.clone()));
    for _ in 0..6 * PART_REMEMBERED_MIN {
        let session = sessions.create();
        session.ensure();
        session.commit().await.expect("it fits");
    }
    let known = store.statistics().known as usize;
    assert!(known <= 4 * PART_REMEMBERED_MIN, "{known}");
    assert!(known >= 3 * PART_REMEMBERED_MIN, "{known}");
}

/// Each renewal moves a session from one part into any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_move_between_parts_in_all_directions_at_once() {
    let store = CookieStore::new(CookieStoreConfig::default());
    let sessions = Sessions::new(Arc::new(store.clone()));
    let mut visitors = tokio::task::JoinSet::new();
    for visitor in 0..8_u32 {
        let sessions = sessions.clone();
        visitors.spawn(async move {
            let session = sessions.create();
            session.set("visitor", &visitor).await.expect("it fits");
            session.commit().await.expect("it fits");
            for _ in 0..500 {
                session.renew_id();
                session.commit().await.expect("it fits");
            }
            let id = session.id();
            let found = sessions.open(id).get::<u32>("visitor").await;
            assert_eq!(found.expect("it is known"), Some(visitor));
        });
    }
    visitors.join_all().await;
    assert!(store.statistics().known >= 8);
}
