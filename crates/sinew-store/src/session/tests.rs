use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::save::Step;
use super::*;
use crate::record::{Commit, Committed, Key, Record};
use crate::{BoxFuture, ManualClock, MemoryStore, Store, StoreError, StoreErrorKind};

/// Counts what reaches the store, and fails when told to.
struct Counted {
    inner: MemoryStore,
    loads: AtomicUsize,
    commits: AtomicUsize,
    failing: AtomicBool,
}

impl Store for Counted {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.inner.load(key)
    }

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        commit: Commit,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        if self.failing.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(StoreErrorKind::Unavailable.into())));
        }
        self.inner.commit(key, commit)
    }

    fn delete<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.delete(key)
    }
}

struct House {
    store: Arc<Counted>,
    clock: Arc<ManualClock>,
    sessions: Sessions,
}

impl House {
    fn new() -> House {
        House::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SessionConfig)) -> House {
        let clock = Arc::new(ManualClock::new());
        let store = Arc::new(Counted {
            inner: MemoryStore::with_clock(Arc::clone(&clock)),
            loads: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            failing: false.into(),
        });
        let mut config = SessionConfig::default();
        change(&mut config);
        House {
            sessions: Sessions::with_config(Arc::clone(&store) as Arc<dyn Store>, config),
            store,
            clock,
        }
    }

    /// A stored session with these fields.
    async fn stored(&self, fields: &[(&str, i64)]) -> SessionId {
        let session = self.sessions.create();
        session.ensure();
        for (name, value) in fields {
            session.set(name, value).await.unwrap();
        }
        session.commit().await.unwrap();
        self.take_calls();
        session.id()
    }

    /// Loads and commits since the last call.
    fn take_calls(&self) -> (usize, usize) {
        (
            self.store.loads.swap(0, Ordering::Relaxed),
            self.store.commits.swap(0, Ordering::Relaxed),
        )
    }
}

#[tokio::test]
async fn a_blind_write_costs_one_commit_and_no_load() {
    let house = House::new();
    for (session, what) in [
        (house.sessions.create(), "created"),
        (house.sessions.open(SessionId::generate()), "opened"),
        (house.sessions.claim(house.stored(&[]).await), "claimed"),
    ] {
        session.set("a", &1).await.unwrap();
        assert_eq!(session.commit().await.unwrap(), Saved::Written);
        assert_eq!(house.take_calls(), (0, 1), "{what}");
    }
}

#[tokio::test]
async fn an_update_costs_one_load_and_one_commit() {
    let house = House::new();
    let session = house.sessions.open(house.stored(&[("a", 1)]).await);
    session.update("a", |a: i64| a + 1).await.unwrap();
    session.update("a", |a: i64| a * 10).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.get("a").await.unwrap(), Some(20));
    assert_eq!(house.take_calls(), (1, 1));
}

#[tokio::test]
async fn an_unused_session_costs_nothing_and_a_read_one_nothing_more() {
    let house = House::new();
    let id = house.stored(&[("a", 1)]).await;
    for session in [house.sessions.claim(id), house.sessions.create()] {
        assert_eq!(session.commit().await.unwrap(), Saved::Unchanged);
    }
    assert_eq!(house.take_calls(), (0, 0));
    let session = house.sessions.claim(id);
    assert_eq!(session.get("a").await.unwrap(), Some(1));
    session.set("a", &1).await.unwrap();
    session.remove("never there").await.unwrap();
    assert!(!session.is_dirty());
    assert_eq!(session.commit().await.unwrap(), Saved::Unchanged);
    assert_eq!(house.take_calls(), (1, 0));
}

#[tokio::test]
async fn life_is_renewed_when_a_tenth_of_it_has_passed() {
    let house = House::with(|config| config.expire_after = Duration::from_secs(100));
    let id = house.stored(&[("a", 1)]).await;
    for (passed, saved) in [
        (9, Saved::Unchanged),
        (2, Saved::Renewed),
        (1, Saved::Unchanged),
    ] {
        house.clock.advance(Duration::from_secs(passed));
        let session = house.sessions.claim(id);
        session.get::<i64>("a").await.unwrap();
        assert_eq!(session.commit().await.unwrap(), saved, "{passed}");
    }
}

#[tokio::test]
async fn reads_see_own_writes() {
    let house = House::new();
    let session = house
        .sessions
        .open(house.stored(&[("a", 1), ("b", 2)]).await);
    session.set("c", &3).await.unwrap();
    session.remove("b").await.unwrap();
    assert_eq!(session.keys().await.unwrap(), ["a", "c"]);
    session.clear().await.unwrap();
    assert_eq!(session.get::<i64>("a").await.unwrap(), None);
    assert_eq!(session.update("a", |a: i64| a + 5).await.unwrap(), 5);
    session.commit().await.unwrap();
    assert_eq!(session.keys().await.unwrap(), ["a"]);
    session.set("d", &4).await.unwrap();
    session.discard();
    assert_eq!(session.keys().await.unwrap(), ["a"]);
}

#[tokio::test]
async fn an_update_runs_again_on_what_others_wrote() {
    let house = House::new();
    let id = house.stored(&[("a", 1)]).await;
    let (one, two) = (house.sessions.open(id), house.sessions.open(id));
    one.update("a", |a: i64| a + 1).await.unwrap();
    one.set("mine", &true).await.unwrap();
    two.update("a", |a: i64| a + 10).await.unwrap();
    two.commit().await.unwrap();
    house.take_calls();
    one.commit().await.unwrap();
    // The conflict brought the record along.
    assert_eq!(house.take_calls(), (0, 2));
    assert_eq!(one.get("a").await.unwrap(), Some(12));
    assert_eq!(one.get("mine").await.unwrap(), Some(true));
}

#[tokio::test]
async fn what_is_written_during_a_commit_stays_for_the_next() {
    let house = House::new();
    let session = house.sessions.open(house.stored(&[("a", 1)]).await);
    session.update("a", |a: i64| a + 1).await.unwrap();
    session.set("b", &1).await.unwrap();
    let Step::Write(plan) = session.plan().unwrap() else {
        panic!("there is something to write")
    };
    session.update("a", |a: i64| a * 10).await.unwrap();
    session.set("b", &2).await.unwrap();
    let committed = house.store.commit(&plan.key, plan.commit).await.unwrap();
    assert_eq!(committed, Committed::Applied);
    session.settle(&plan.settlement);
    assert!(session.is_dirty());
    assert_eq!(session.get("a").await.unwrap(), Some(20));

    // Between the two, somebody else.
    let other = house.sessions.open(session.id());
    other.update("a", |a: i64| a + 1).await.unwrap();
    other.commit().await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.get("a").await.unwrap(), Some(30));
    assert_eq!(session.get("b").await.unwrap(), Some(2));
}

#[tokio::test]
async fn limits_are_refused_at_the_write_and_nothing_is_half_written() {
    let house = House::with(|config| {
        config.field_bytes_max = 10;
        config.session_bytes_max = 16;
        config.fields_max = 2;
        config.name_bytes_max = 4;
    });
    let session = house.sessions.create();
    session.set("a", &1).await.unwrap();
    let long = "x".repeat(20);
    assert!(matches!(
        session.set("a", &long).await.unwrap_err(),
        SessionError::FieldTooLarge {
            bytes: 22,
            bytes_max: 10,
            ..
        }
    ));
    assert!(matches!(
        session
            .update("a", move |_: serde_json::Value| long.clone().into())
            .await
            .unwrap_err(),
        SessionError::FieldTooLarge { .. }
    ));
    assert!(matches!(
        session.set("abcde", &1).await.unwrap_err(),
        SessionError::NameTooLong {
            bytes: 5,
            bytes_max: 4
        }
    ));
    for name in ["", "_sinew:flash"] {
        let refused = House::new().sessions.create().set(name, &1).await;
        assert!(
            matches!(refused, Err(SessionError::NameReserved { .. })),
            "{name}"
        );
    }
    session.set("b", "12345678").await.unwrap();
    assert!(matches!(
        session.set("a", "1234").await.unwrap_err(),
        SessionError::SessionTooLarge { bytes_max: 16 }
    ));
    assert!(matches!(
        session.set("c", &1).await.unwrap_err(),
        SessionError::TooManyFields { fields_max: 2 }
    ));
    session.commit().await.unwrap();
    assert_eq!(session.keys().await.unwrap(), ["a", "b"]);
    assert_eq!(session.get("a").await.unwrap(), Some(1));

    // A session that was not read hears of it at the commit.
    let blind = house.sessions.open(session.id());
    blind.set("c", &1).await.unwrap();
    assert!(matches!(
        blind.commit().await.unwrap_err(),
        SessionError::TooManyFields { fields_max: 2 }
    ));
    assert_eq!(
        house.sessions.open(session.id()).keys().await.unwrap(),
        ["a", "b"]
    );
}

#[tokio::test]
async fn a_corrupt_field_harms_no_other() {
    let house = House::new();
    let id = house.stored(&[("good", 1)]).await;
    let mut commit = Commit::new();
    commit.set = vec![("bad".into(), "{".into())];
    house.store.commit(&id.store_key(), commit).await.unwrap();

    let session = house.sessions.open(id);
    let error = session.get::<i64>("bad").await.unwrap_err();
    assert!(matches!(&error, SessionError::Decode { field, .. } if field == "bad"));
    assert!(session.update("bad", |it: i64| it).await.is_err());
    assert_eq!(session.get("good").await.unwrap(), Some(1));
    session.set("bad", &2).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.get("bad").await.unwrap(), Some(2));
}

#[tokio::test]
async fn a_failed_commit_keeps_the_writes() {
    let house = House::new();
    let session = house.sessions.create();
    session.set("a", &1).await.unwrap();
    house.store.failing.store(true, Ordering::Relaxed);
    assert!(session.commit().await.unwrap_err().is_retryable());
    house.store.failing.store(false, Ordering::Relaxed);
    assert!(session.is_dirty());
    assert_eq!(session.commit().await.unwrap(), Saved::Written);
}

#[tokio::test]
async fn an_unknown_id_is_replaced_when_claimed_and_used_when_trusted() {
    let house = House::new();
    let planted = SessionId::generate();
    let claimed = house.sessions.claim(planted);
    claimed.set("a", &1).await.unwrap();
    claimed.commit().await.unwrap();
    assert_ne!(claimed.id(), planted);
    assert!(house.sessions.open(claimed.id()).exists().await.unwrap());
    assert!(!house.sessions.open(planted).exists().await.unwrap());

    let trusted = house.sessions.open(planted);
    trusted.set("a", &1).await.unwrap();
    trusted.commit().await.unwrap();
    assert_eq!(trusted.id(), planted);
    assert!(house.sessions.open(planted).exists().await.unwrap());
}

#[tokio::test]
async fn ensure_stores_a_session_without_fields_once() {
    let house = House::new();
    let session = house.sessions.create();
    session.ensure();
    assert_eq!(session.commit().await.unwrap(), Saved::Written);
    session.ensure();
    assert_eq!(session.commit().await.unwrap(), Saved::Unchanged);
    assert!(house.sessions.claim(session.id()).exists().await.unwrap());
}

#[tokio::test]
async fn ensuring_what_is_stored_costs_one_load_and_no_commit() {
    let house = House::new();
    let id = house.stored(&[]).await;
    for session in [house.sessions.open(id), house.sessions.claim(id)] {
        session.ensure();
        assert_eq!(session.commit().await.unwrap(), Saved::Unchanged);
        assert_eq!(house.take_calls(), (1, 0));
        assert_eq!(session.id(), id);
    }

    let unknown = house.sessions.claim(SessionId::generate());
    unknown.ensure();
    assert_eq!(unknown.commit().await.unwrap(), Saved::Written);
    assert_eq!(house.take_calls(), (1, 1));
}

#[tokio::test]
async fn an_ended_session_stays_dead_for_those_who_hold_its_id() {
    let house = House::new();
    let id = house.stored(&[("user", 1)]).await;
    let socket = house.sessions.open(id);
    let request = house.sessions.claim(id);
    request.get::<i64>("user").await.unwrap();

    let logout = house.sessions.claim(id);
    logout.destroy();
    assert!(matches!(
        logout.set("a", &1).await,
        Err(SessionError::Ended)
    ));
    assert_eq!(logout.commit().await.unwrap(), Saved::Destroyed);
    assert_eq!(logout.commit().await.unwrap(), Saved::Unchanged);

    for late in [socket, request] {
        late.set("a", &1).await.unwrap();
        assert!(matches!(late.commit().await, Err(SessionError::Ended)));
    }
    let later = house.sessions.open(id);
    assert_eq!(later.get::<i64>("user").await.unwrap(), None);
    assert!(matches!(later.set("a", &1).await, Err(SessionError::Ended)));
    let visitor = house.sessions.claim(id);
    visitor.set("a", &1).await.unwrap();
    visitor.commit().await.unwrap();
    assert_ne!(visitor.id(), id);
}

#[tokio::test]
async fn destroying_what_was_never_stored_leaves_no_trace() {
    let house = House::new();
    for session in [
        house.sessions.create(),
        house.sessions.claim(SessionId::generate()),
    ] {
        session.set("a", &1).await.unwrap();
        session.destroy();
        assert_eq!(session.commit().await.unwrap(), Saved::Destroyed);
    }
    let claimed = house.sessions.claim(SessionId::generate());
    assert!(!claimed.exists().await.unwrap());
    claimed.destroy();
    assert_eq!(claimed.commit().await.unwrap(), Saved::Destroyed);
    assert!(house.store.inner.is_empty());
}

#[tokio::test]
async fn a_reset_session_begins_anew_under_another_id() {
    let house = House::new();
    let id = house.stored(&[("user", 1)]).await;
    let session = house.sessions.claim(id);
    let new = session.reset().await.unwrap();
    session.set("notice", "bye").await.unwrap();
    assert_eq!(session.commit().await.unwrap(), Saved::Written);
    assert_eq!(session.id(), new);
    assert_eq!(house.sessions.open(new).keys().await.unwrap(), ["notice"]);
    assert!(!house.sessions.open(id).exists().await.unwrap());
}

#[tokio::test]
async fn a_new_id_for_a_session_nobody_knows_buries_nothing() {
    let house = House::new();
    let session = house.sessions.create();
    let new = session.renew_id();
    session.set("user", &1).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.id(), new);
    assert_eq!(house.take_calls(), (0, 1));
    assert_eq!(house.store.inner.len(), 1);
}

#[tokio::test]
async fn clones_are_one_session() {
    let house = House::new();
    let session = house.sessions.open(house.stored(&[("a", 0)]).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let session = session.clone();
        tasks.spawn(async move {
            session.update("a", |a: i64| a + 1).await?;
            session.commit().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    let stored = house.sessions.open(session.id());
    assert_eq!(stored.get("a").await.unwrap(), Some(50));
}

#[tokio::test]
async fn giving_up_is_named() {
    let house = House::with(|config| config.conflicts_max = 0);
    let id = house.stored(&[("a", 1)]).await;
    let (one, two) = (house.sessions.open(id), house.sessions.open(id));
    one.update("a", |a: i64| a + 1).await.unwrap();
    two.update("a", |a: i64| a + 1).await.unwrap();
    two.commit().await.unwrap();
    let error = one.commit().await.unwrap_err();
    assert!(matches!(error, SessionError::Contended { conflicts: 1 }));
    assert!(error.is_retryable());
}

#[test]
fn sessions_can_be_shared_and_tell_no_secrets() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let session = House::new().sessions.create();
    shared(&session);
    shared(&crate::Flash::for_reflex());
    let shown = format!("{session:?}");
    assert!(!shown.contains(&session.id().to_string()), "{shown}");
    // What a handler awaits must be allowed on any runtime.
    fn sendable<T: Send>(_: T) {}
    let one = session.clone();
    sendable(async move {
        one.update("a", |a: i64| a).await?;
        one.set("a", &1).await?;
        one.get::<i64>("a").await?;
        one.commit().await
    });
}

#[tokio::test]
async fn a_copy_has_what_was_written_and_the_old_id_stays_as_it_was() {
    let house = House::new();
    let id = house.stored(&[("a", 1), ("b", 1)]).await;
    let session = house.sessions.open(id).with_renewal(Renewal::Copies);
    // Somebody else writes between the read and the commit: an update runs again on it.
    session.update("a", |a: i64| a + 1).await.unwrap();
    session.remove("b").await.unwrap();
    let new = session.renew_id();
    let other = house.sessions.open(id);
    other.set("a", &10).await.unwrap();
    other.commit().await.unwrap();

    assert_eq!(session.commit().await.unwrap(), Saved::Written);
    assert_eq!(session.id(), new);
    assert_eq!(session.keys().await.unwrap(), ["a"]);
    let copy = house.sessions.open(new);
    assert_eq!(copy.keys().await.unwrap(), ["a"]);
    assert_eq!(copy.get("a").await.unwrap(), Some(11));
    let old = house.sessions.open(id);
    assert_eq!(old.keys().await.unwrap(), ["a", "b"]);
    assert_eq!(old.get("a").await.unwrap(), Some(10));

    // From now on it is like any other, and nothing more is written to the old one.
    session.set("c", &1).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.id(), new);
    assert_eq!(house.sessions.open(id).keys().await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn a_session_that_was_cleared_is_empty_under_both_ids() {
    let house = House::new();
    let id = house.stored(&[("user", 1)]).await;
    let session = house.sessions.open(id).with_renewal(Renewal::Copies);
    let new = session.reset().await.unwrap();
    session.set("notice", "bye").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(house.sessions.open(new).keys().await.unwrap(), ["notice"]);
    let old = house.sessions.open(id);
    assert!(old.exists().await.unwrap());
    assert!(old.keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_copied() {
    let house = House::new();
    let id = house.stored(&[("user", 1)]).await;
    let session = house.sessions.open(id).with_renewal(Renewal::Copies);
    let new = session.renew_id();
    session.set("a", &1).await.unwrap();
    assert!(house.sessions.end(id).await.unwrap());
    assert!(!house.sessions.end(id).await.unwrap(), "it has already");
    let error = session.commit().await.unwrap_err();
    assert!(matches!(error, SessionError::Ended), "{error}");
    assert!(!house.sessions.open(new).exists().await.unwrap());
}

#[tokio::test]
async fn a_copy_that_fails_or_is_too_large_is_none() {
    let house = House::with(|config| config.fields_max = 2);
    let id = house.stored(&[("a", 1), ("b", 1)]).await;
    let session = house.sessions.open(id).with_renewal(Renewal::Copies);
    let new = session.renew_id();
    session.set("c", &1).await.unwrap();
    let error = session.commit().await.unwrap_err();
    assert!(matches!(
        error,
        SessionError::TooManyFields { fields_max: 2 }
    ));
    session.remove("b").await.unwrap();
    house.store.failing.store(true, Ordering::Relaxed);
    assert!(session.commit().await.unwrap_err().is_retryable());
    house.store.failing.store(false, Ordering::Relaxed);
    assert_eq!(session.id(), id);

    assert_eq!(session.commit().await.unwrap(), Saved::Written);
    assert_eq!(house.sessions.open(new).keys().await.unwrap(), ["a", "c"]);
}

#[tokio::test]
async fn a_renewal_that_is_refused_writes_nothing() {
    let house = House::new();
    let id = house.stored(&[("a", 1)]).await;
    let session = house.sessions.open(id).with_renewal(Renewal::Refused);
    session.renew_id();
    session.set("user", &1).await.unwrap();
    let error = session.commit().await.unwrap_err();
    assert!(matches!(error, SessionError::RenewalRefused), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(house.sessions.open(id).keys().await.unwrap(), ["a"]);
    session.discard();
    session.set("b", &1).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(house.sessions.open(id).keys().await.unwrap(), ["a", "b"]);
}
