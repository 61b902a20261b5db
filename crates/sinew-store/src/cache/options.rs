//! How one value is kept.

use std::time::Duration;

/// How long a value is kept and how it is renewed. A [`Duration`] is one, that says how long;
/// `()` is one that says nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use sinew_store::ManualClock;
/// use sinew_store::cache::{Cache, CacheConfig, CacheOptions, MemoryCache};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let clock = Arc::new(ManualClock::new());
/// let store = Arc::new(MemoryCache::with_clock(clock.clone()));
/// let cache = Cache::new(store).clock(clock.clone());
/// let minute = Duration::from_secs(60);
///
/// cache.write("short", &1, CacheOptions::new().expires_in(minute)).await; // or only `minute`
/// cache.write("a day", &2, ()).await;
/// cache.write("forever", &3, CacheOptions::new().forever()).await;
/// clock.advance(minute);
/// assert_eq!(cache.read_multi::<u8, _>(["short", "a day"]).await, [None, Some(2)]);
/// clock.advance(minute * 60 * 24);
/// assert_eq!(cache.read_multi::<u8, _>(["a day", "forever"]).await, [None, Some(3)]);
///
/// // Computed again although it is there.
/// let again = CacheOptions::new().force();
/// assert_eq!(cache.fetch("forever", again, async || 4).await, 4);
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheOptions {
    pub(crate) life: Life,
    pub(crate) race_condition_time_to_live: Option<Duration>,
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    Configured,
    For(Duration),
    Forever,
}

impl CacheOptions {
    /// Nothing but the defaults.
    pub fn new() -> CacheOptions {
        CacheOptions::default()
    }

    /// The value lives this long, instead of
    /// [`CacheConfig::expires_in`](super::CacheConfig::expires_in).
    pub fn expires_in(mut self, life: Duration) -> CacheOptions {
        self.life = Life::For(life);
        self
    }

    /// The value lives until the store needs its room.
    pub fn forever(mut self) -> CacheOptions {
        self.life = Life::Forever;
        self
    }

    /// For this long after the value has expired, one caller of all processes computes it anew
    /// while the others are served the expired one.
    ///
    /// It takes effect when the value is written with it and fetched with it. It should be
    /// longer than the computation takes: the one who computes has that long.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sinew_store::ManualClock;
    /// use sinew_store::cache::{Cache, CacheOptions, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let clock = Arc::new(ManualClock::new());
    /// let store = Arc::new(MemoryCache::with_clock(clock.clone()));
    /// // Two processes with one store.
    /// let [one, other] = [(); 2].map(|()| Cache::new(store.clone()).clock(clock.clone()));
    /// let options = CacheOptions::new()
    ///     .expires_in(Duration::from_secs(60))
    ///     .race_condition_time_to_live(Duration::from_secs(10));
    /// one.fetch("answer", options.clone(), async || 41).await;
    ///
    /// clock.advance(Duration::from_secs(61));
    /// let renewed = one.fetch("answer", options.clone(), async || {
    ///     let meanwhile = other.fetch("answer", options.clone(), async || 0).await;
    ///     assert_eq!(meanwhile, 41);
    ///     42
    /// });
    /// assert_eq!(renewed.await, 42);
    /// assert_eq!(other.statistics().stale_served, 1);
    /// # }
    /// ```
    pub fn race_condition_time_to_live(mut self, life: Duration) -> CacheOptions {
        self.race_condition_time_to_live = Some(life);
        self
    }

    /// [`fetch`](super::Cache::fetch) computes the value also when it is there.
    pub fn force(mut self) -> CacheOptions {
        self.force = true;
        self
    }
}

impl From<Duration> for CacheOptions {
    fn from(life: Duration) -> CacheOptions {
        CacheOptions::new().expires_in(life)
    }
}

impl From<()> for CacheOptions {
    fn from((): ()) -> CacheOptions {
        CacheOptions::new()
    }
}
