//! Pieces of pages.

use std::convert::Infallible;

use super::coding::Text;
use super::fetch::{fetch, infallible};
use super::handle::Cache;
use super::key::{CacheKey, ContentDigest, KeyParts, Name};
use super::options::CacheOptions;
use super::program::program_digest;

/// The key of a fragment: what it shows, and what it was made of.
struct FragmentKey<'a, K> {
    template: &'a str,
    key: &'a K,
}

impl<K: CacheKey> CacheKey for FragmentKey<'_, K> {
    fn write_key(&self, key: &mut KeyParts) {
        ("fragments", self.template, self.key).write_key(key);
    }

    fn write_version(&self, version: &mut KeyParts) {
        (self.key,).write_version(version);
    }
}

impl Cache {
    /// A piece of a page: from the cache, or made and kept. Whatever makes the HTML, if it can
    /// be a text.
    ///
    /// The key names what is shown and in which version, and where: `(&post, "row")`. When the
    /// post has another version, the fragment is made anew and replaces the older one. A
    /// fragment that contains others has the versions of all that they show, so that a
    /// change renews it and those around it, and the rest is reused. What depends on who looks has
    /// that in its key, too.
    ///
    /// Beside the key stands what the fragment was made of: the digest of the running program,
    /// so that a new build shows new templates, or what [`template`](Cache::template) says.
    /// It joins and waits as [`fetch`](Cache::fetch) does, and lives as
    /// [`CacheConfig::expires_in`](super::CacheConfig::expires_in) says.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, CacheKey, KeyParts, MemoryCache};
    ///
    /// struct Post { id: i64, title: &'static str, version: i64 }
    ///
    /// impl CacheKey for Post {
    ///     fn write_key(&self, key: &mut KeyParts) {
    ///         key.part("posts").part(self.id);
    ///     }
    ///     fn write_version(&self, version: &mut KeyParts) {
    ///         version.part(self.version);
    ///     }
    /// }
    ///
    /// async fn row(cache: &Cache, post: &Post) -> String {
    ///     cache.fragment((post, "row"), async || format!("<li>{}</li>", post.title)).await
    /// }
    ///
    /// async fn list(cache: &Cache, posts: &[Post]) -> String {
    ///     let rows = async || {
    ///         let mut html = String::from("<ul>");
    ///         for post in posts {
    ///             html += &row(cache, post).await;
    ///         }
    ///         html + "</ul>"
    ///     };
    ///     cache.fragment((posts, "list"), rows).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let mut posts = [
    ///     Post { id: 1, title: "Tea", version: 1 },
    ///     Post { id: 2, title: "Coffee", version: 1 },
    /// ];
    /// assert_eq!(list(&cache, &posts).await, "<ul><li>Tea</li><li>Coffee</li></ul>");
    /// assert_eq!(cache.statistics().writes, 3);
    ///
    /// // Without a new version nothing is made; with one its row is, and the list around it.
    /// posts[1].title = "Cocoa";
    /// assert_eq!(list(&cache, &posts).await, "<ul><li>Tea</li><li>Coffee</li></ul>");
    /// posts[1].version = 2;
    /// assert_eq!(list(&cache, &posts).await, "<ul><li>Tea</li><li>Cocoa</li></ul>");
    /// assert_eq!(cache.statistics().writes, 5);
    /// # }
    /// ```
    pub async fn fragment<H, F>(&self, key: impl CacheKey, make: impl FnOnce() -> F) -> String
    where
        H: Into<String>,
        F: Future<Output = H>,
    {
        let make = async move || infallible(make()).await;
        let made: Result<String, Infallible> = self.try_fragment(key, make).await;
        made.unwrap_or_else(|never| match never {})
    }

    /// As [`fragment`](Cache::fragment), of what can fail to be made.
    ///
    /// # Errors
    ///
    /// Those of `make`; the cache has none.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let failed = cache.try_fragment("menu", async || Err::<String, _>("no such template"));
    /// assert_eq!(failed.await, Err("no such template"));
    /// let made = cache.try_fragment("menu", async || Ok::<_, &str>("<nav></nav>"));
    /// assert_eq!(made.await.as_deref(), Ok("<nav></nav>"));
    /// # }
    /// ```
    pub async fn try_fragment<H, E, F>(
        &self,
        key: impl CacheKey,
        make: impl FnOnce() -> F,
    ) -> Result<String, E>
    where
        H: Into<String>,
        F: Future<Output = Result<H, E>>,
    {
        let name = match &self.template {
            Some(template) => self.fragment_name(template, &key),
            None => self.fragment_name(program_digest().await, &key),
        };
        let make = async || make().await.map(Into::into);
        fetch::<Text, E, _>(&self.shared, name, CacheOptions::new(), make).await
    }

    /// The same cache with fragments that are made of this: a version of yours, or the
    /// [`ContentDigest`] of a template that is read while the program runs.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sinew_store::cache::{Cache, ContentDigest, MemoryCache};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// for template in ["<b>{}</b>", "<i>{}</i>"] {
    ///     let cache = cache.template(ContentDigest::of(template));
    ///     let html = cache.fragment("name", async || template.replace("{}", "Ada")).await;
    ///     assert_eq!(html, template.replace("{}", "Ada"));
    /// }
    /// # }
    /// ```
    pub fn template(&self, version: impl CacheKey) -> Cache {
        let mut parts = KeyParts::default();
        (version,).write_key(&mut parts);
        Cache {
            template: Some(parts.into_text().into()),
            ..self.clone()
        }
    }

    fn fragment_name(&self, template: &str, key: &impl CacheKey) -> Name {
        self.name(&FragmentKey { template, key })
    }
}

/// What the fragments of a program are made of: the digest of its file, found once.
pub(crate) fn of_program(digest: Option<[u8; 32]>) -> String {
    let digest = digest.unwrap_or_else(|| {
        // Nobody else's then: what a previous run has kept is not shown.
        let mut random = [0; 32];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        random
    });
    let mut parts = KeyParts::default();
    ContentDigest::from_sha256(digest).write_key(&mut parts);
    parts.into_text()
}
