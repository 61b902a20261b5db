use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cookie::{CookieStore, CookieStoreConfig, Learned, Redeemed};
use crate::session::Sessions;

fn store() -> (CookieStore, Sessions) {
    let config = CookieStoreConfig {
        is_shared: true,
        ..CookieStoreConfig::default()
    };
    let store = CookieStore::new(config);
    (store.clone(), Sessions::new(Arc::new(store)))
}

/// Another program reads what the cookie holds, changes a field, and writes it.
fn elsewhere(state: &CookieState, field: &str, json: &'static str) -> CookieState {
    let mut fields = state.to_shared_fields();
    fields.insert(field.to_owned(), json.into());
    CookieState::from_shared_fields(state.id(), fields, state.issued_at())
}

async fn write(sessions: &Sessions, id: SessionId, field: &str, value: i64) {
    let session = sessions.open(id);
    session.set(field, &value).await.expect("room");
    session.commit().await.expect("commits");
}

async fn read(sessions: &Sessions, id: SessionId, field: &str) -> Option<i64> {
    sessions.open(id).get(field).await.expect("a number")
}

/// What Rails has begun with a user, and this process has learned.
fn login() -> CookieState {
    let fields = BTreeMap::from([("user".to_owned(), Bytes::from_static(b"1"))]);
    CookieState::from_shared_fields(SessionId::generate(), fields, SystemTime::now())
}

#[tokio::test]
async fn what_another_program_writes_is_taken_over_each_time() {
    let (store, sessions) = store();
    let first = login();
    let id = first.id();
    assert_eq!(store.learn(first.clone()), Learned::Newer);
    assert_eq!(store.learn(first.clone()), Learned::Known);
    // It writes twice in a row, and keeps the mark it never had, or the one it found.
    for (json, value) in [("2", 2), ("3", 3), ("2", 2)] {
        assert_eq!(store.learn(elsewhere(&first, "user", json)), Learned::Newer);
        assert_eq!(read(&sessions, id, "user").await, Some(value));
    }
    write(&sessions, id, "count", 7).await;
    let ours = store.handed_out(id).expect("lives");
    for (json, value) in [("4", 4), ("5", 5)] {
        assert_eq!(store.learn(elsewhere(&ours, "user", json)), Learned::Newer);
        assert_eq!(read(&sessions, id, "user").await, Some(value));
        assert_eq!(read(&sessions, id, "count").await, Some(7));
    }
}

#[tokio::test]
async fn a_late_request_with_the_cookie_of_before_changes_nothing() {
    let (store, sessions) = store();
    let theirs = login();
    let id = theirs.id();
    store.learn(theirs.clone());
    write(&sessions, id, "count", 7).await;
    let ours = store.handed_out(id).expect("lives");
    assert_eq!(store.learn(theirs), Learned::Known);
    assert_eq!(store.state(id), Some(ours));
}

#[tokio::test]
async fn what_a_reflex_wrote_is_kept_when_the_other_program_writes_meanwhile() {
    let (store, sessions) = store();
    let theirs = login();
    let id = theirs.id();
    store.learn(theirs.clone());
    let hold = store.hold(id);
    write(&sessions, id, "count", 7).await;
    // The ticket is on its way, and a controller logs somebody else in.
    let offer = store.offer(id).expect("not in the cookie");
    let fields = BTreeMap::from([("user".to_owned(), Bytes::from_static(b"2"))]);
    let changed = CookieState::from_shared_fields(id, fields, theirs.issued_at());
    assert_eq!(store.learn(changed.clone()), Learned::Merged);
    assert_eq!(read(&sessions, id, "user").await, Some(2));
    assert_eq!(read(&sessions, id, "count").await, Some(7));
    // That ticket is of a version that the cookie does not come from; the next one is.
    let refused = store.redeem(offer.ticket().clone(), changed.clone());
    assert!(matches!(refused, Redeemed::Unknown), "{refused:?}");
    drop(offer);
    let again = store.offer(id).expect("still not in the cookie");
    let Redeemed::Applied(state) = store.redeem(again.ticket().clone(), changed) else {
        panic!("made from the cookie")
    };
    assert_eq!(state.fields["count"], "7");
    assert_eq!(state.fields["user"], "2");

    // What was written by us before says what it was made from, and is merged at once.
    write(&sessions, id, "count", 8).await;
    let offer = store.offer(id).expect("not in the cookie");
    let changed = elsewhere(&state, "user", "3");
    let Redeemed::Merged(state) = store.redeem(offer.ticket().clone(), changed) else {
        panic!("both come from the same version")
    };
    assert_eq!(state.fields["count"], "8");
    assert_eq!(state.fields["user"], "3");
    drop(hold);
}

#[tokio::test]
async fn a_life_that_was_renewed_elsewhere_is_renewed_here() {
    let (store, _) = store();
    let first = login();
    store.learn(first.clone());
    let later = first.issued_at() + Duration::from_secs(5);
    let fields = first.to_shared_fields();
    let renewed = CookieState::from_shared_fields(first.id(), fields, later);
    assert_eq!(renewed.version(), first.version());
    assert_eq!(store.learn(renewed), Learned::Known);
    let state = store.state(first.id()).expect("lives");
    assert_eq!(state.issued_at(), later);
}

#[tokio::test]
async fn the_room_is_that_of_the_json() {
    let (store, sessions) = store();
    let session = sessions.create();
    let fits = |bytes: usize| "x".repeat(bytes);
    assert!(session.set("text", &fits(4_000)).await.is_err());
    session.set("text", &fits(2_600)).await.expect("room");
    session.commit().await.expect("commits");
    let state = store.state(session.id()).expect("lives");
    let json: usize = state
        .to_shared_fields()
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let bytes = shared_bytes(state.fields.iter().map(|(name, it)| (name.as_str(), it)));
    assert!(json < bytes && bytes < json + 150, "{json} {bytes}");
}

proptest! {
    #[test]
    fn any_mark_is_read_or_is_none(mark in any::<String>(), number in any::<u64>()) {
        for mark in [mark.clone(), format!("\"{mark}\""), number.to_string()] {
            let fields = BTreeMap::from([(MARK.to_owned(), Bytes::from(mark))]);
            let id = SessionId::generate();
            let state = CookieState::from_shared_fields(id, fields, SystemTime::UNIX_EPOCH);
            prop_assert!(state.is_foreign);
            prop_assert_eq!(state.keys().count(), 0);
        }
    }

    #[test]
    fn a_mark_of_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
        let mark = format!("\"{}\"", STANDARD_NO_PAD.encode(bytes));
        let fields = BTreeMap::from([(MARK.to_owned(), Bytes::from(mark))]);
        let state = CookieState::from_shared_fields(SessionId::generate(), fields, SystemTime::now());
        let (store, _) = store();
        prop_assert_eq!(store.learn(state), Learned::Newer);
    }
}
