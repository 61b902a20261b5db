//! The suite that every store runs on itself.
//!
//! For authors of adapters: give [`run`] a [`Subject`] in a test. Each rule is also a function
//! of its own, so that a failing one can be run alone; it panics when it is broken. The rules use
//! keys of their own (random ones) and may share a store with each other and with earlier runs.
//!
//! ```
//! use std::sync::Arc;
//! use sinew_store::contract::{self, Subject};
//! use sinew_store::{ManualClock, MemoryStore};
//!
//! # #[tokio::main] async fn main() {
//! let clock = Arc::new(ManualClock::new());
//! let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock)));
//! contract::run(&Subject::new(store, move |by| clock.advance(by))).await;
//! # }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::record::{Commit, Committed, Key, Record};
use crate::session::{SessionConfig, SessionId, Sessions};
use crate::store::{BoxFuture, Store};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A store to be examined, and a way to let its time pass.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::contract::{self, Subject};
/// use sinew_store::{ManualClock, MemoryStore};
///
/// # #[tokio::main] async fn main() {
/// let clock = Arc::new(ManualClock::new());
/// let store = Arc::new(MemoryStore::with_clock(clock.clone()).records_max(1_000));
/// let subject = Subject::new(store.clone(), move |by| clock.advance(by));
/// contract::run(&subject).await;
/// assert!(!store.is_empty(), "the rules leave their records behind");
/// # }
/// ```
pub struct Subject {
    store: Arc<dyn Store>,
    advance: Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Subject {
    /// A store whose clock the test can move.
    pub fn new(
        store: Arc<dyn Store>,
        advance: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Subject {
        Subject::with_async(store, move |by| {
            advance(by);
            Box::pin(std::future::ready(()))
        })
    }

    /// A store on a server, where letting time pass takes asking.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::contract::{self, Subject};
    /// use sinew_store::{ManualClock, MemoryStore};
    ///
    /// # #[tokio::main] async fn main() {
    /// let clock = Arc::new(ManualClock::new());
    /// let store = Arc::new(MemoryStore::with_clock(clock.clone()));
    /// let subject = Subject::with_async(store.clone(), move |by| {
    ///     let clock = clock.clone();
    ///     // Here a real one asks its server.
    ///     Box::pin(async move { clock.advance(by) })
    /// });
    /// contract::run(&subject).await;
    /// assert!(!store.is_empty());
    /// # }
    /// ```
    pub fn with_async(
        store: Arc<dyn Store>,
        advance: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Subject {
        Subject {
            store,
            advance: Box::new(advance),
        }
    }

    async fn commit(&self, key: &Key, commit: Commit) -> Committed {
        let committed = self.store.commit(key, commit).await;
        committed.expect("the store commits")
    }

    async fn load(&self, key: &Key) -> Option<Record> {
        self.store.load(key).await.expect("the store loads")
    }

    async fn fields(&self, key: &Key) -> Option<BTreeMap<String, Bytes>> {
        self.load(key).await.map(|record| record.fields)
    }

    /// A key that nobody used, with these fields.
    async fn record(&self, fields: &[(&str, &str)]) -> Key {
        let key = fresh();
        let committed = self.commit(&key, create(fields)).await;
        assert_eq!(committed, Committed::Applied);
        key
    }
}

fn fresh() -> Key {
    Key::new(format!("contract:{}", SessionId::generate()))
}

fn set(fields: &[(&str, &str)]) -> Commit {
    Commit {
        set: owned(fields).into_iter().collect(),
        ..Commit::new()
    }
}

fn create(fields: &[(&str, &str)]) -> Commit {
    Commit {
        create: true,
        ..set(fields)
    }
}

fn owned(fields: &[(&str, &str)]) -> BTreeMap<String, Bytes> {
    fields
        .iter()
        .map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())))
        .collect()
}

/// Examines a store by every rule.
///
/// A store that forgets at once does not pass:
///
/// ```should_panic
/// use std::sync::Arc;
/// use sinew_store::contract::{self, Subject};
/// use sinew_store::{BoxFuture, Commit, Committed, Key, Record, Store, StoreError};
///
/// struct Forgetful;
///
/// impl Store for Forgetful {
///     fn load<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
///         Box::pin(async { Ok(None) })
///     }
///     fn commit<'a>(
///         &'a self,
///         _: &'a Key,
///         _: Commit,
///     ) -> BoxFuture<'a, Result<Committed, StoreError>> {
///         Box::pin(async { Ok(Committed::Applied) })
///     }
///     fn delete<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
///         Box::pin(async { Ok(false) })
///     }
/// }
///
/// # #[tokio::main] async fn main() {
/// contract::run(&Subject::new(Arc::new(Forgetful), |_| {})).await;
/// # }
/// ```
///
/// # Panics
///
/// When a rule is broken; the message and the place say which.
pub async fn run(subject: &Subject) {
    values_come_back_byte_for_byte(subject).await;
    run_with_json(subject).await;
}

/// Examines a store that keeps a record as one JSON object by every rule but
/// [`values_come_back_byte_for_byte`]: what is not JSON cannot stand in it.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::contract::{self, Subject};
/// use sinew_store::{ManualClock, MemoryStore};
///
/// # #[tokio::main] async fn main() {
/// let clock = Arc::new(ManualClock::new());
/// let store = Arc::new(MemoryStore::with_clock(clock.clone()));
/// contract::run_with_json(&Subject::new(store.clone(), move |by| clock.advance(by))).await;
/// assert!(!store.is_empty(), "the rules leave their records behind");
/// # }
/// ```
///
/// # Panics
///
/// When a rule is broken; the message and the place say which.
pub async fn run_with_json(subject: &Subject) {
    missing_records_are_missing(subject).await;
    json_comes_back_byte_for_byte(subject).await;
    fields_are_independent(subject).await;
    one_commit_is_all_or_nothing(subject).await;
    expectations_are_compared(subject).await;
    clear_comes_before_set(subject).await;
    records_expire(subject).await;
    life_is_renewed_only_when_asked(subject).await;
    a_move_leaves_nothing_behind(subject).await;
    a_refused_move_moves_nothing(subject).await;
    deleted_records_are_gone(subject).await;
    limits_are_kept(subject).await;
    racing_creators_meet(subject).await;
    concurrent_writers_of_different_fields_all_survive(subject).await;
    concurrent_increments_are_all_counted(subject).await;
    sessions_end(subject).await;
    sessions_roll(subject).await;
}

/// What was never created is not there, and is not created by accident.
pub async fn missing_records_are_missing(subject: &Subject) {
    let key = fresh();
    assert_eq!(subject.load(&key).await, None);
    let committed = subject.commit(&key, set(&[("a", "1")])).await;
    assert_eq!(committed, Committed::Missing);
    assert_eq!(subject.load(&key).await, None);
    // A record without fields is a record.
    assert_eq!(subject.commit(&key, create(&[])).await, Committed::Applied);
    assert_eq!(subject.fields(&key).await, Some(BTreeMap::new()));
}

/// A store neither parses nor rewrites a value or a name.
pub async fn values_come_back_byte_for_byte(subject: &Subject) {
    let fields = [
        ("spaces", " { \"a\" : 1.0 } "),
        ("not json", "{"),
        ("empty", ""),
        ("naïve \u{0} name", "\"\\u0000 \u{1F980}\""),
    ];
    let key = subject.record(&fields).await;
    assert_eq!(subject.fields(&key).await, Some(owned(&fields)));
    let long = "x".repeat(200 * 1024);
    let committed = subject.commit(&key, set(&[("long", &long)])).await;
    assert_eq!(committed, Committed::Applied);
    assert_eq!(subject.fields(&key).await.unwrap()["long"], long);
}

/// A store does not rewrite the JSON of a value: no number, no space within it, no escape.
pub async fn json_comes_back_byte_for_byte(subject: &Subject) {
    let fields = [
        ("spaces", "{ \"a\" : 1.0 , \"a\":2}"),
        ("numbers", "[1.10,1E2,-0,123456789012345678901234567890]"),
        ("escapes", r#""\u003c\/\ud83e\udd80""#),
        ("naïve \u{0} \"name\"", "null"),
    ];
    let key = subject.record(&fields).await;
    assert_eq!(subject.fields(&key).await, Some(owned(&fields)));
    subject.commit(&key, set(&[("another", "1")])).await;
    let mut after = owned(&fields);
    after.insert("another".to_owned(), "1".into());
    assert_eq!(subject.fields(&key).await, Some(after));
    let long = format!("\"{}\"", "x".repeat(200 * 1024));
    let committed = subject.commit(&key, set(&[("long", &long)])).await;
    assert_eq!(committed, Committed::Applied);
    assert_eq!(subject.fields(&key).await.unwrap()["long"], long);
}

/// Writing or removing one field leaves the others as they are.
pub async fn fields_are_independent(subject: &Subject) {
    let key = subject.record(&[("a", "1"), ("b", "2")]).await;
    subject.commit(&key, set(&[("a", "3")])).await;
    let mut commit = set(&[("c", "4")]);
    commit.remove = vec!["b".into(), "never there".into()];
    assert_eq!(subject.commit(&key, commit).await, Committed::Applied);
    assert_eq!(
        subject.fields(&key).await,
        Some(owned(&[("a", "3"), ("c", "4")]))
    );
}

/// A commit whose expectation fails changes no field, no expiry and no key.
pub async fn one_commit_is_all_or_nothing(subject: &Subject) {
    let key = subject.record(&[("a", "1"), ("b", "2")]).await;
    let mut commit = set(&[("a", "9"), ("c", "9")]);
    commit.remove = vec!["b".into()];
    commit.time_to_live = Some(HOUR);
    commit.expect = vec![("a".into(), Some("1".into())), ("b".into(), None)];
    let current = Record::new(owned(&[("a", "1"), ("b", "2")]), None);
    assert_eq!(
        subject.commit(&key, commit).await,
        Committed::Conflict(current.clone())
    );
    assert_eq!(subject.load(&key).await, Some(current));
}

/// Expectations are compared byte for byte; absence can be expected.
pub async fn expectations_are_compared(subject: &Subject) {
    let key = subject.record(&[("a", "1")]).await;
    let expecting = |value: Option<&str>, next: &str| Commit {
        expect: vec![(
            "a".into(),
            value.map(|it| Bytes::copy_from_slice(it.as_bytes())),
        )],
        ..set(&[("a", next)])
    };
    for wrong in [None, Some("1.0"), Some("")] {
        let committed = subject.commit(&key, expecting(wrong, "2")).await;
        assert!(matches!(committed, Committed::Conflict(_)), "{wrong:?}");
    }
    let committed = subject.commit(&key, expecting(Some("1"), "2")).await;
    assert_eq!(committed, Committed::Applied);
    assert_eq!(subject.fields(&key).await, Some(owned(&[("a", "2")])));

    // A record about to be created has no fields.
    let new = fresh();
    let mut commit = expecting(Some("1"), "2");
    commit.create = true;
    assert_eq!(
        subject.commit(&new, commit).await,
        Committed::Conflict(Record::default())
    );
    assert_eq!(subject.load(&new).await, None);
    let mut commit = expecting(None, "2");
    commit.create = true;
    assert_eq!(subject.commit(&new, commit).await, Committed::Applied);
}

/// Clearing drops what was stored, not what the same commit sets.
pub async fn clear_comes_before_set(subject: &Subject) {
    let key = subject.record(&[("a", "1"), ("b", "2")]).await;
    let mut commit = set(&[("b", "3")]);
    commit.clear = true;
    assert_eq!(subject.commit(&key, commit).await, Committed::Applied);
    assert_eq!(subject.fields(&key).await, Some(owned(&[("b", "3")])));
}

/// A record whose life is over is missing at once, and nothing of it comes back.
pub async fn records_expire(subject: &Subject) {
    let key = fresh();
    let mut commit = create(&[("a", "1")]);
    commit.time_to_live = Some(HOUR);
    subject.commit(&key, commit.clone()).await;
    let left = subject.load(&key).await.unwrap().expires_in.unwrap();
    assert!(left <= HOUR && left > HOUR / 2, "{left:?}");

    (subject.advance)(HOUR - Duration::from_secs(30)).await;
    assert!(subject.load(&key).await.is_some());
    (subject.advance)(Duration::from_secs(60)).await;
    assert_eq!(subject.load(&key).await, None);
    assert_eq!(
        subject.commit(&key, set(&[("b", "2")])).await,
        Committed::Missing
    );
    assert!(!subject.store.delete(&key).await.unwrap());
    commit.set = vec![("b".into(), "2".into())];
    subject.commit(&key, commit).await;
    assert_eq!(subject.fields(&key).await, Some(owned(&[("b", "2")])));
}

/// A commit without a time to live leaves the expiry alone; one with it starts it anew.
pub async fn life_is_renewed_only_when_asked(subject: &Subject) {
    let key = fresh();
    let mut commit = create(&[("a", "1")]);
    commit.time_to_live = Some(HOUR);
    subject.commit(&key, commit).await;
    (subject.advance)(HOUR / 2).await;
    subject.commit(&key, set(&[("a", "2")])).await;
    let left = subject.load(&key).await.unwrap().expires_in.unwrap();
    assert!(left <= HOUR / 2, "{left:?}");

    let mut touch = Commit::new();
    touch.time_to_live = Some(HOUR);
    assert_eq!(subject.commit(&key, touch).await, Committed::Applied);
    (subject.advance)(HOUR * 3 / 4).await;
    assert_eq!(subject.fields(&key).await, Some(owned(&[("a", "2")])));
}

/// A moved record is found under its new key with its fields and its remaining life, and no
/// longer under the old one.
pub async fn a_move_leaves_nothing_behind(subject: &Subject) {
    let from = fresh();
    let to = subject.record(&[("was here", "1")]).await;
    let mut commit = create(&[("a", "1"), ("b", "2")]);
    commit.time_to_live = Some(HOUR);
    subject.commit(&from, commit).await;

    let mut commit = set(&[("b", "3")]);
    commit.move_to = Some(to.clone());
    assert_eq!(subject.commit(&from, commit).await, Committed::Applied);
    assert_eq!(subject.load(&from).await, None);
    let moved = subject.load(&to).await.unwrap();
    assert_eq!(moved.fields, owned(&[("a", "1"), ("b", "3")]));
    assert!(moved.expires_in.is_some_and(|left| left <= HOUR));
}

/// A move that is refused leaves both keys alone.
pub async fn a_refused_move_moves_nothing(subject: &Subject) {
    let from = subject.record(&[("a", "1")]).await;
    let to = subject.record(&[("b", "2")]).await;
    let mut commit = Commit::new();
    commit.move_to = Some(to.clone());
    commit.expect = vec![("a".into(), None)];
    let committed = subject.commit(&from, commit.clone()).await;
    assert!(matches!(committed, Committed::Conflict(_)));
    assert_eq!(subject.fields(&from).await, Some(owned(&[("a", "1")])));
    assert_eq!(subject.fields(&to).await, Some(owned(&[("b", "2")])));

    commit.expect.clear();
    assert_eq!(subject.commit(&fresh(), commit).await, Committed::Missing);
    assert_eq!(subject.fields(&to).await, Some(owned(&[("b", "2")])));
}

/// Deleting says whether there was something, and leaves nothing.
pub async fn deleted_records_are_gone(subject: &Subject) {
    let key = subject.record(&[("a", "1")]).await;
    assert!(subject.store.delete(&key).await.unwrap());
    assert_eq!(subject.load(&key).await, None);
    assert!(!subject.store.delete(&key).await.unwrap());
}

/// A record never grows over the limits of a commit, and can always shrink.
pub async fn limits_are_kept(subject: &Subject) {
    let key = subject.record(&[("a", "12345"), ("b", "1")]).await;
    let limited = |fields: &[(&str, &str)]| Commit {
        fields_max: Some(3),
        bytes_max: Some(10),
        ..set(fields)
    };
    // a12345 + b1 + c1 are exactly ten bytes.
    let committed = subject.commit(&key, limited(&[("c", "1")])).await;
    assert_eq!(committed, Committed::Applied);
    let committed = subject.commit(&key, limited(&[("c", "22")])).await;
    assert_eq!(committed, Committed::TooLarge);
    let mut fourth = limited(&[("d", "1")]);
    assert_eq!(
        subject.commit(&key, fourth.clone()).await,
        Committed::TooManyFields
    );
    fourth.remove = vec!["a".into()];
    assert_eq!(subject.commit(&key, fourth).await, Committed::Applied);
    let fields = owned(&[("b", "1"), ("c", "1"), ("d", "1")]);
    assert_eq!(subject.fields(&key).await, Some(fields));
}

/// Of many who create the same record expecting none, one does.
pub async fn racing_creators_meet(subject: &Subject) {
    let key = fresh();
    let mut tasks = JoinSet::new();
    for index in 0..20 {
        let (store, key) = (Arc::clone(&subject.store), key.clone());
        let mut commit = create(&[("winner", &index.to_string())]);
        commit.expect = vec![("winner".into(), None)];
        tasks.spawn(async move { store.commit(&key, commit).await.expect("commits") });
    }
    let outcomes = tasks.join_all().await;
    let applied = outcomes.iter().filter(|it| **it == Committed::Applied);
    assert_eq!(applied.count(), 1);
    let stored = subject.fields(&key).await.unwrap();
    for outcome in outcomes {
        match outcome {
            Committed::Applied => {}
            Committed::Conflict(current) => assert_eq!(current.fields, stored),
            other => panic!("{other:?}"),
        }
    }
}

/// A hundred writers of a hundred fields leave a hundred fields.
pub async fn concurrent_writers_of_different_fields_all_survive(subject: &Subject) {
    let sessions = Sessions::new(Arc::clone(&subject.store));
    let id = SessionId::generate();
    let mut tasks = JoinSet::new();
    for index in 0..100 {
        let session = sessions.open(id);
        tasks.spawn(async move {
            // Half of them have read before, as a page does.
            if index % 2 == 0 {
                session.keys().await.expect("reads");
            }
            session.set(&format!("field {index}"), &index).await?;
            session.commit().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic").expect("every writer is served");
    }
    assert_eq!(sessions.open(id).keys().await.unwrap().len(), 100);
}

/// A hundred increments of one field by as many holders of the session give a hundred.
pub async fn concurrent_increments_are_all_counted(subject: &Subject) {
    let sessions = Sessions::new(Arc::clone(&subject.store));
    let id = SessionId::generate();
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let session = sessions.open(id);
        tasks.spawn(async move {
            session.update("count", |count: u32| count + 1).await?;
            session.commit().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic").expect("every writer is served");
    }
    let count: Option<u32> = sessions.open(id).get("count").await.unwrap();
    assert_eq!(count, Some(100));
}

/// A renewed id has the fields and the old one has nothing, not even for those who hold it.
pub async fn sessions_end(subject: &Subject) {
    let sessions = Sessions::new(Arc::clone(&subject.store));
    let session = sessions.create();
    session.set("user", "ada").await.unwrap();
    session.commit().await.unwrap();
    let old = session.id();
    let holder = sessions.open(old);

    let new = session.renew_id();
    session.commit().await.unwrap();
    assert_eq!(session.id(), new);
    let found: Option<String> = sessions.open(new).get("user").await.unwrap();
    assert_eq!(found.as_deref(), Some("ada"));

    // A store that has a limit of its own knows it at the write already.
    let written = holder.set("user", "eve").await;
    assert!(written.is_err() || holder.commit().await.is_err());
    assert!(!sessions.open(old).exists().await.unwrap());
    let claimed = sessions.claim(old);
    assert_eq!(claimed.keys().await.unwrap(), [""; 0]);
    assert_ne!(claimed.id(), old);

    session.destroy();
    session.commit().await.unwrap();
    assert!(!sessions.open(new).exists().await.unwrap());
}

/// A session that is read now and then does not expire.
pub async fn sessions_roll(subject: &Subject) {
    let config = SessionConfig {
        expire_after: HOUR,
        ..SessionConfig::default()
    };
    let sessions = Sessions::with_config(Arc::clone(&subject.store), config);
    let session = sessions.create();
    session.set("a", &1).await.unwrap();
    session.commit().await.unwrap();
    for _ in 0..4 {
        (subject.advance)(HOUR / 2).await;
        let visit = sessions.claim(session.id());
        assert_eq!(visit.get("a").await.unwrap(), Some(1));
        visit.commit().await.unwrap();
    }
    (subject.advance)(HOUR + Duration::from_secs(60)).await;
    assert!(!sessions.open(session.id()).exists().await.unwrap());
}
