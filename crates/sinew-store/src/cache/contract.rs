//! The suite that every cache store runs on itself.
//!
//! For authors of adapters: give [`run`] a [`Subject`] in a test. Each rule is also a function
//! of its own, so that a failing one can be run alone; it panics when it is broken. The rules
//! use keys of their own (random ones) and may share a store with each other and with earlier
//! runs; the store must have room for 4 MiB.
//!
//! ```
//! use std::sync::Arc;
//! use sinew_store::ManualClock;
//! use sinew_store::cache::MemoryCache;
//! use sinew_store::cache::contract::{self, Subject};
//!
//! # #[tokio::main] async fn main() {
//! let clock = Arc::new(ManualClock::new());
//! let store = Arc::new(MemoryCache::with_clock(Arc::clone(&clock)));
//! contract::run(&Subject::new(store, move |by| clock.advance(by))).await;
//! # }
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::config::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use super::store::{CacheEntry, CacheStore};
use crate::error::StoreErrorKind;
use crate::record::Key;
use crate::session::SessionId;
use crate::store::BoxFuture;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A store to be examined, and a way to let its time pass.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::ManualClock;
/// use sinew_store::cache::MemoryCache;
/// use sinew_store::cache::contract::{self, Subject};
///
/// # #[tokio::main] async fn main() {
/// let clock = Arc::new(ManualClock::new());
/// let store = Arc::new(MemoryCache::with_clock(clock.clone()));
/// let subject = Subject::new(store.clone(), move |by| clock.advance(by));
/// contract::values_expire(&subject).await;
/// assert!(!store.is_empty(), "the rules leave their values behind");
/// # }
/// ```
pub struct Subject {
    store: Arc<dyn CacheStore>,
    advance: Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Subject {
    /// A store whose clock the test can move.
    pub fn new(
        store: Arc<dyn CacheStore>,
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
    /// use sinew_store::ManualClock;
    /// use sinew_store::cache::MemoryCache;
    /// use sinew_store::cache::contract::{self, Subject};
    ///
    /// # #[tokio::main] async fn main() {
    /// let clock = Arc::new(ManualClock::new());
    /// let store = Arc::new(MemoryCache::with_clock(clock.clone()));
    /// let subject = Subject::with_async(store.clone(), move |by| {
    ///     let clock = clock.clone();
    ///     // Here a real one asks its server.
    ///     Box::pin(async move { clock.advance(by) })
    /// });
    /// contract::counters_keep_their_life(&subject).await;
    /// assert!(!store.is_empty());
    /// # }
    /// ```
    pub fn with_async(
        store: Arc<dyn CacheStore>,
        advance: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Subject {
        Subject {
            store,
            advance: Box::new(advance),
        }
    }

    async fn read(&self, key: &Key) -> Option<Bytes> {
        let keys = [key.clone()];
        let mut values = self.store.read(&keys).await.expect("the store reads");
        assert_eq!(values.len(), 1);
        values.remove(0)
    }

    async fn write(&self, entries: Vec<CacheEntry>) -> Vec<bool> {
        self.store.write(entries).await.expect("the store writes")
    }

    async fn set(&self, key: &Key, value: impl Into<Bytes>) {
        let entry = CacheEntry::new(key.clone(), value);
        assert_eq!(self.write(vec![entry]).await, [true]);
    }

    async fn increment(&self, key: &Key, by: i64) -> Result<i64, StoreErrorKind> {
        let sum = self.store.increment(key, by, None).await;
        sum.map_err(|error| error.kind())
    }

    async fn delete_matched(&self, prefix: &str, pattern: &str) -> u64 {
        let deleted = self.store.delete_matched(prefix, pattern).await;
        deleted.expect("the store deletes")
    }
}

/// A text that nobody used, without characters that mean something in a pattern.
fn fresh() -> String {
    format!("contract:{}:", SessionId::generate())
}

fn lasting(key: &Key, value: &'static str, life: Duration) -> CacheEntry {
    let mut entry = CacheEntry::new(key.clone(), value);
    entry.time_to_live = Some(life);
    entry
}

/// Examines a store by every rule.
///
/// A store that forgets at once does not pass:
///
/// ```should_panic
/// use std::sync::Arc;
/// use sinew_store::cache::MemoryCache;
/// use sinew_store::cache::contract::{self, Subject};
///
/// # #[tokio::main] async fn main() {
/// let store = MemoryCache::new().bytes_max(0);
/// contract::run(&Subject::new(Arc::new(store), |_| {})).await;
/// # }
/// ```
///
/// # Panics
///
/// When a rule is broken; the message and the place say which.
pub async fn run(subject: &Subject) {
    values_come_in_the_order_of_their_keys(subject).await;
    values_come_back_byte_for_byte(subject).await;
    limits_are_taken(subject).await;
    entries_are_written_one_after_the_other(subject).await;
    values_expire(subject).await;
    absence_is_respected(subject).await;
    one_of_many_finds_it_absent(subject).await;
    deletions_are_counted(subject).await;
    counters_count(subject).await;
    counters_keep_their_life(subject).await;
    concurrent_increments_are_all_counted(subject).await;
    what_is_no_number_is_left_alone(subject).await;
    patterns_match_what_they_say(subject).await;
    prefixes_are_taken_literally(subject).await;
}

/// Values and gaps stand where their keys stand, also when a key is asked for twice.
pub async fn values_come_in_the_order_of_their_keys(subject: &Subject) {
    let name = fresh();
    let key = |index: usize| Key::new(format!("{name}{index}"));
    let entries = (0..50).map(|index| CacheEntry::new(key(index), index.to_string()));
    assert_eq!(subject.write(entries.collect()).await, [true; 50]);
    let asked: Vec<usize> = (0..60).rev().chain([7, 7, 55]).collect();
    let keys: Vec<Key> = asked.iter().map(|index| key(*index)).collect();
    let values = subject.store.read(&keys).await.expect("the store reads");
    let expected: Vec<Option<Bytes>> = asked
        .iter()
        .map(|index| (*index < 50).then(|| index.to_string().into()))
        .collect();
    assert_eq!(values, expected);
    assert_eq!(
        subject.store.read(&[]).await.expect("reads nothing").len(),
        0
    );
    assert_eq!(subject.write(Vec::new()).await.len(), 0);
}

/// A store neither parses nor changes a value, nor mixes up keys that look alike.
pub async fn values_come_back_byte_for_byte(subject: &Subject) {
    let name = fresh();
    let every_byte: Vec<u8> = (0..=255).collect();
    let values = [
        ("empty", Bytes::new()),
        ("bytes", every_byte.into()),
        ("not UTF-8", Bytes::from_static(b"\xff\xfe\x00")),
        ("with spaces and %_*?[]\\", Bytes::from_static(b"1")),
        ("Case", Bytes::from_static(b"upper")),
        ("case", Bytes::from_static(b"lower")),
        ("case ", Bytes::from_static(b"with a space")),
        ("na\u{ef}ve", Bytes::from_static(b"composed")),
        ("nai\u{308}ve \u{1F980}", Bytes::from_static(b"decomposed")),
    ];
    for (key, value) in &values {
        subject
            .set(&Key::new(format!("{name}{key}")), value.clone())
            .await;
    }
    for (key, value) in &values {
        let found = subject.read(&Key::new(format!("{name}{key}"))).await;
        assert_eq!(found.as_ref(), Some(value), "{key}");
    }
}

/// The longest key and the largest value by default are taken, and longest keys that differ
/// in their last character are two.
pub async fn limits_are_taken(subject: &Subject) {
    let name = fresh();
    let filling = "k".repeat(KEY_BYTES_MAX - name.len() - 1);
    let [first, second] = ["a", "b"].map(|end| Key::new(format!("{name}{filling}{end}")));
    assert_eq!(first.as_str().len(), KEY_BYTES_MAX);
    // Not the same everywhere, so that a part that is lost or swapped shows.
    let large: Bytes = (0..VALUE_BYTES_MAX).map(|at| (at % 251) as u8).collect();
    subject.set(&first, large.clone()).await;
    subject.set(&second, "small").await;
    assert!(subject.read(&first).await == Some(large), "the large value");
    assert_eq!(subject.read(&second).await, Some("small".into()));
    assert_eq!(subject.delete_matched(&name, "*").await, 2);
}

/// Later entries of one call win over earlier ones of the same key; a value replaces the one
/// before it.
pub async fn entries_are_written_one_after_the_other(subject: &Subject) {
    let [twice, met] = [Key::new(fresh()), Key::new(fresh())];
    let mut shy = CacheEntry::new(met.clone(), "second");
    shy.only_if_absent = true;
    let written = subject
        .write(vec![
            CacheEntry::new(twice.clone(), "first"),
            CacheEntry::new(met.clone(), "first"),
            CacheEntry::new(twice.clone(), "second"),
            shy,
        ])
        .await;
    assert_eq!(written, [true, true, true, false]);
    assert_eq!(subject.read(&twice).await, Some("second".into()));
    assert_eq!(subject.read(&met).await, Some("first".into()));
    subject.set(&twice, "third").await;
    assert_eq!(subject.read(&twice).await, Some("third".into()));
}

/// A value whose life is over is missing at once; a new value has a new life, or none.
pub async fn values_expire(subject: &Subject) {
    let [short, long, renewed, forever] = [(); 4].map(|()| Key::new(fresh()));
    let entries = vec![
        lasting(&short, "short", HOUR),
        lasting(&long, "long", HOUR * 3),
        lasting(&renewed, "renewed", HOUR),
        lasting(&forever, "forever", HOUR),
        lasting(&Key::new(fresh()), "no time at all", Duration::ZERO),
    ];
    assert_eq!(subject.write(entries).await, [true; 5]);
    subject.set(&forever, "forever").await;
    (subject.advance)(HOUR - Duration::from_secs(30)).await;
    assert_eq!(subject.read(&short).await, Some("short".into()));
    subject.write(vec![lasting(&renewed, "again", HOUR)]).await;

    (subject.advance)(Duration::from_secs(60)).await;
    let keys = [short.clone(), long, renewed, forever];
    let found = subject.store.read(&keys).await.expect("the store reads");
    let expected = [None, Some("long"), Some("again"), Some("forever")];
    assert_eq!(found, expected.map(|value| value.map(Bytes::from)));
    assert_eq!(subject.store.delete(&[short]).await.expect("deletes"), 0);
}

/// `only_if_absent` leaves a value and its life alone, and writes where one has expired.
pub async fn absence_is_respected(subject: &Subject) {
    let key = Key::new(fresh());
    let shy = |value, life| {
        let mut entry = lasting(&key, value, life);
        entry.only_if_absent = true;
        entry
    };
    assert_eq!(subject.write(vec![shy("first", HOUR)]).await, [true]);
    assert_eq!(subject.write(vec![shy("second", HOUR * 9)]).await, [false]);
    assert_eq!(subject.read(&key).await, Some("first".into()));
    (subject.advance)(HOUR + Duration::from_secs(60)).await;
    assert_eq!(subject.write(vec![shy("third", HOUR)]).await, [true]);
    assert_eq!(subject.read(&key).await, Some("third".into()));
}

/// Of many who write only if nothing is there, at the same time, one does.
pub async fn one_of_many_finds_it_absent(subject: &Subject) {
    let key = Key::new(fresh());
    let mut tasks = JoinSet::new();
    for index in 0..50 {
        let store = Arc::clone(&subject.store);
        let mut entry = CacheEntry::new(key.clone(), index.to_string());
        entry.only_if_absent = true;
        tasks.spawn(async move {
            let written = store.write(vec![entry]).await.expect("the store writes");
            written[0].then_some(index)
        });
    }
    let winners: Vec<i32> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    let found = subject.read(&key).await;
    assert_eq!(found, Some(winners[0].to_string().into()));
}

/// A deletion says how many values there were, and leaves none.
pub async fn deletions_are_counted(subject: &Subject) {
    let [first, second, never] = [(); 3].map(|()| Key::new(fresh()));
    subject.set(&first, "1").await;
    subject.set(&second, "2").await;
    let keys = [first.clone(), never, second, first.clone()];
    assert_eq!(subject.store.delete(&keys).await.expect("deletes"), 2);
    assert_eq!(subject.read(&first).await, None);
    assert_eq!(subject.store.delete(&keys).await.expect("deletes"), 0);
    assert_eq!(subject.store.delete(&[]).await.expect("deletes"), 0);
}

/// A counter starts at nothing, goes both ways, and is its own decimal text.
pub async fn counters_count(subject: &Subject) {
    let key = Key::new(fresh());
    assert_eq!(subject.increment(&key, 5).await, Ok(5));
    assert_eq!(subject.increment(&key, -8).await, Ok(-3));
    assert_eq!(subject.read(&key).await, Some("-3".into()));
    subject.set(&key, i64::MIN.to_string()).await;
    assert_eq!(subject.increment(&key, 0).await, Ok(i64::MIN));
    assert_eq!(subject.increment(&key, i64::MAX).await, Ok(-1));
    assert_eq!(subject.increment(&key, 1).await, Ok(0));
    assert_eq!(subject.read(&key).await, Some("0".into()));
    assert_eq!(
        subject.increment(&Key::new(fresh()), i64::MIN).await,
        Ok(i64::MIN)
    );
}

/// The time to live is that of the counter's first increment.
pub async fn counters_keep_their_life(subject: &Subject) {
    let key = Key::new(fresh());
    let increment = |life| subject.store.increment(&key, 1, Some(life));
    assert_eq!(increment(HOUR).await.expect("counts"), 1);
    (subject.advance)(HOUR / 2).await;
    assert_eq!(increment(HOUR * 9).await.expect("counts"), 2);
    assert_eq!(subject.increment(&key, 1).await, Ok(3));
    (subject.advance)(HOUR / 2 + Duration::from_secs(60)).await;
    assert_eq!(subject.read(&key).await, None);
    assert_eq!(increment(HOUR).await.expect("counts anew"), 1);

    // One without an end is not given one later.
    let forever = Key::new(fresh());
    assert_eq!(subject.increment(&forever, 1).await, Ok(1));
    let sum = subject.store.increment(&forever, 1, Some(HOUR)).await;
    assert_eq!(sum.expect("counts"), 2);
    (subject.advance)(HOUR * 2).await;
    assert_eq!(subject.read(&forever).await, Some("2".into()));
}

/// A hundred increments by as many tasks give a hundred, and every sum is answered once.
pub async fn concurrent_increments_are_all_counted(subject: &Subject) {
    let key = Key::new(fresh());
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (store, key) = (Arc::clone(&subject.store), key.clone());
        tasks.spawn(async move { store.increment(&key, 1, None).await.expect("counts") });
    }
    let sums: BTreeSet<i64> = tasks.join_all().await.into_iter().collect();
    assert!(sums.into_iter().eq(1..=100));
    assert_eq!(subject.read(&key).await, Some("100".into()));
}

/// An increment that cannot be made says why and changes nothing.
pub async fn what_is_no_number_is_left_alone(subject: &Subject) {
    let key = Key::new(fresh());
    let over = "9223372036854775808";
    for text in ["", "text", "1.5", "1e3", "0x10", "12 apples", "-", over] {
        subject.set(&key, text).await;
        let refused = subject.increment(&key, 1).await;
        assert_eq!(refused, Err(StoreErrorKind::NotANumber), "{text:?}");
        assert_eq!(subject.read(&key).await, Some(text.into()));
    }
    for (start, by) in [(i64::MAX, 1), (i64::MIN, -1), (-2, i64::MIN)] {
        subject.set(&key, start.to_string()).await;
        let refused = subject.increment(&key, by).await;
        assert_eq!(refused, Err(StoreErrorKind::Overflow), "{start} {by}");
        assert_eq!(subject.read(&key).await, Some(start.to_string().into()));
    }
}

/// `*` is any text, `?` one character, a backslash takes the next one literally, and nothing
/// else is special.
pub async fn patterns_match_what_they_say(subject: &Subject) {
    let keys = [
        "a", "ab", "abc", "a*", "a?", "a[b]", r"a\", "a%", "a_", "b/a", "\u{e9}", "A",
    ];
    let cases: [(&str, &[&str]); 12] = [
        ("*", &keys),
        ("a", &["a"]),
        ("a?", &["ab", "a*", "a?", r"a\", "a%", "a_"]),
        ("a*c", &["abc"]),
        ("*a", &["a", "b/a"]),
        (r"a\*", &["a*"]),
        (r"a\?", &["a?"]),
        (r"a\\", &[r"a\"]),
        (r"a\", &[r"a\"]),
        ("a[b]", &["a[b]"]),
        ("a_", &["a_"]),
        ("?", &["a", "\u{e9}", "A"]),
    ];
    for (pattern, matched) in cases {
        let name = fresh();
        let key = |rest: &str| Key::new(format!("{name}{rest}"));
        let entries = keys.iter().map(|rest| CacheEntry::new(key(rest), "1"));
        subject.write(entries.collect()).await;
        let deleted = subject.delete_matched(&name, pattern).await;
        assert_eq!(deleted, matched.len() as u64, "{pattern}");
        for rest in keys {
            let kept = subject.read(&key(rest)).await.is_some();
            assert_eq!(kept, !matched.contains(&rest), "{rest} by {pattern}");
        }
    }
}

/// A prefix has no patterns in it and nothing outside of it is touched.
pub async fn prefixes_are_taken_literally(subject: &Subject) {
    let name = fresh();
    let key = |rest: &str| Key::new(format!("{name}{rest}"));
    let keys = [
        "v1:a", "v1:b", "v2:a", "v*:a", "v?:a", "v_:a", "v[1]:a", r"v\:a", "V1:a",
    ];
    let entries = keys.iter().map(|rest| CacheEntry::new(key(rest), "1"));
    subject.write(entries.collect()).await;
    for (prefix, deleted) in [
        ("v*:", 1),
        ("v?:", 1),
        ("v_:", 1),
        ("v[1]:", 1),
        (r"v\:", 1),
    ] {
        let prefix = format!("{name}{prefix}");
        assert_eq!(
            subject.delete_matched(&prefix, "*").await,
            deleted,
            "{prefix}"
        );
    }
    assert_eq!(subject.delete_matched(&format!("{name}v1:"), "*").await, 2);
    assert_eq!(subject.delete_matched(&format!("{name}v2"), "a").await, 0);
    for rest in ["v2:a", "V1:a"] {
        assert!(subject.read(&key(rest)).await.is_some(), "{rest}");
    }
    // A whole key as prefix matches the empty rest.
    assert_eq!(subject.delete_matched(&format!("{name}v2:a"), "*").await, 1);
}
