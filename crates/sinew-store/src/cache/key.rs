//! Keys, and the names that they have in a store.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::config::{KEY_BYTES_MAX, VERSION_BYTES_MAX};
use crate::record::Key;

/// What a cached value is found under.
///
/// Texts and numbers are keys; a tuple, a slice or an array of keys is one, of which each is a
/// part. A text alone is the key as it is written; as a part its `/` are escaped, so that what a
/// visitor typed cannot become two parts.
///
/// A type of yours becomes one by saying what it is (its name and id) and in which version: a
/// cached value of another version is a miss, and is replaced in its place. Whatever is
/// built from such keys has all of their versions.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::cache::{Cache, CacheKey, KeyParts, MemoryCache};
///
/// struct Post {
///     id: i64,
///     updated_at: i64,
/// }
///
/// impl CacheKey for Post {
///     fn write_key(&self, key: &mut KeyParts) {
///         key.part("posts").part(self.id);
///     }
///     fn write_version(&self, version: &mut KeyParts) {
///         version.part(self.updated_at);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache = Cache::new(Arc::new(MemoryCache::new()));
/// let mut post = Post { id: 7, updated_at: 1 };
/// cache.write((&post, "title"), "Tea", ()).await;
/// assert_eq!(cache.read::<String>((&post, "title")).await.as_deref(), Some("Tea"));
///
/// post.updated_at = 2;
/// assert_eq!(cache.read::<String>((&post, "title")).await, None);
///
/// // Parts and a written key meet, but for what is escaped.
/// cache.write(("users", 1), "Ada", ()).await;
/// assert!(cache.exist("users/1").await);
/// cache.write(("users", "1/admin"), "Eve", ()).await;
/// assert!(!cache.exist("users/1/admin").await);
/// # }
/// ```
pub trait CacheKey {
    /// Writes the parts of the key, one after the other.
    fn write_key(&self, key: &mut KeyParts);

    /// Writes the parts of the version; of most keys there are none.
    fn write_version(&self, version: &mut KeyParts) {
        let _ = version;
    }
}

/// The parts of a key, or of a version, as they are written.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::cache::{Cache, CacheKey, KeyParts, MemoryCache};
///
/// struct Shelf(&'static str, u32);
///
/// impl CacheKey for Shelf {
///     fn write_key(&self, key: &mut KeyParts) {
///         key.part("shelf").part(self.0).part(self.1);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache = Cache::new(Arc::new(MemoryCache::new()));
/// cache.write(Shelf("a/b", 1), &1, ()).await;
/// assert!(cache.exist("shelf/a%2Fb/1").await);
/// # }
/// ```
#[derive(Debug, Default)]
pub struct KeyParts {
    text: String,
    parts: usize,
    /// Whether what is written is a part among others, and not a key as it was written.
    is_among: bool,
}

impl KeyParts {
    /// Adds a part. What would end it is escaped.
    pub fn part(&mut self, part: impl Display) -> &mut KeyParts {
        self.begin();
        // Writing into a text cannot fail; a `Display` that says it did has written less.
        let _ = write!(Escaped(&mut self.text, &['/', '%']), "{part}");
        self
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn begin(&mut self) {
        if self.parts > 0 {
            self.text.push('/');
        }
        self.parts += 1;
    }

    fn text(&mut self, text: &str) {
        if self.is_among {
            self.part(text);
            return;
        }
        self.begin();
        let _ = Escaped(&mut self.text, &[]).write_str(text);
    }

    fn among<'a>(&mut self, keys: impl IntoIterator<Item = &'a dyn WriteParts>) {
        let before = std::mem::replace(&mut self.is_among, true);
        for key in keys {
            key.write_parts(self);
        }
        self.is_among = before;
    }
}

/// Text with these characters, and those that no store need take, as `%` and two digits.
struct Escaped<'a>(&'a mut String, &'static [char]);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            if character == '\0' || self.1.contains(&character) {
                write!(self.0, "%{:02X}", u32::from(character))?;
            } else {
                self.0.push(character);
            }
        }
        Ok(())
    }
}

/// Either half of a key, for what is made of several.
trait WriteParts {
    fn write_parts(&self, parts: &mut KeyParts);
}

struct Identity<'a, K: ?Sized>(&'a K);
struct Version<'a, K: ?Sized>(&'a K);

impl<K: CacheKey + ?Sized> WriteParts for Identity<'_, K> {
    fn write_parts(&self, parts: &mut KeyParts) {
        self.0.write_key(parts);
    }
}

impl<K: CacheKey + ?Sized> WriteParts for Version<'_, K> {
    fn write_parts(&self, parts: &mut KeyParts) {
        self.0.write_version(parts);
    }
}

impl<K: CacheKey + ?Sized> CacheKey for &K {
    fn write_key(&self, key: &mut KeyParts) {
        (**self).write_key(key);
    }

    fn write_version(&self, version: &mut KeyParts) {
        (**self).write_version(version);
    }
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl CacheKey for $text {
            fn write_key(&self, key: &mut KeyParts) {
                key.text(self);
            }
        }
    )*};
}

texts!(str, String, Cow<'_, str>, std::sync::Arc<str>, Box<str>);

macro_rules! displayed {
    ($($name:ty),*) => {$(
        impl CacheKey for $name {
            fn write_key(&self, key: &mut KeyParts) {
                key.part(self);
            }
        }
    )*};
}

displayed!(
    bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

/// Nanoseconds since 1970, for versions.
impl CacheKey for SystemTime {
    fn write_key(&self, key: &mut KeyParts) {
        match self.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => key.part(since.as_nanos()),
            Err(before) => key.part(format_args!("-{}", before.duration().as_nanos())),
        };
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        #[allow(non_snake_case, reason = "named like their types")]
        impl<$($name: CacheKey),+> CacheKey for ($($name,)+) {
            fn write_key(&self, key: &mut KeyParts) {
                let ($($name,)+) = self;
                key.among([$(&Identity($name) as &dyn WriteParts),+]);
            }

            fn write_version(&self, version: &mut KeyParts) {
                let ($($name,)+) = self;
                version.among([$(&Version($name) as &dyn WriteParts),+]);
            }
        }
    )*};
}

tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }

/// How many there are, and each of them.
impl<K: CacheKey> CacheKey for [K] {
    fn write_key(&self, key: &mut KeyParts) {
        key.part(self.len());
        for item in self {
            key.among([&Identity(item) as &dyn WriteParts]);
        }
    }

    fn write_version(&self, version: &mut KeyParts) {
        for item in self {
            version.among([&Version(item) as &dyn WriteParts]);
        }
    }
}

impl<K: CacheKey> CacheKey for Vec<K> {
    fn write_key(&self, key: &mut KeyParts) {
        self.as_slice().write_key(key);
    }

    fn write_version(&self, version: &mut KeyParts) {
        self.as_slice().write_version(version);
    }
}

impl<K: CacheKey, const COUNT: usize> CacheKey for [K; COUNT] {
    fn write_key(&self, key: &mut KeyParts) {
        self.as_slice().write_key(key);
    }

    fn write_version(&self, version: &mut KeyParts) {
        self.as_slice().write_version(version);
    }
}

/// A key with a version of its own, the second of the two.
///
/// ```
/// use std::sync::Arc;
/// use sinew_store::cache::{Cache, MemoryCache, Versioned};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache = Cache::new(Arc::new(MemoryCache::new()));
/// cache.write(Versioned("menu", 3), &["tea"], ()).await;
/// assert!(cache.exist(Versioned("menu", 3)).await);
/// assert!(!cache.exist(Versioned("menu", 4)).await);
/// assert!(!cache.exist("menu").await);
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Versioned<K, V>(pub K, pub V);

impl<K: CacheKey, V: CacheKey> CacheKey for Versioned<K, V> {
    fn write_key(&self, key: &mut KeyParts) {
        self.0.write_key(key);
    }

    fn write_version(&self, version: &mut KeyParts) {
        self.0.write_version(version);
        version.among([&Identity(&self.1) as &dyn WriteParts]);
    }
}

/// The digest of contents, as a part of a key or as a version: for what has no time of its last
/// change.
///
/// ```
/// use sinew_store::cache::ContentDigest;
///
/// assert_eq!(ContentDigest::of("tea"), ContentDigest::of(b"tea"));
/// assert_ne!(ContentDigest::of("tea"), ContentDigest::of("coffee"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest([u8; 16]);

impl ContentDigest {
    /// The first half of the contents' SHA-256.
    pub fn of(contents: impl AsRef<[u8]>) -> ContentDigest {
        ContentDigest::from_sha256(Sha256::digest(contents).into())
    }

    pub(crate) fn from_sha256(digest: [u8; 32]) -> ContentDigest {
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        ContentDigest(half)
    }
}

impl CacheKey for ContentDigest {
    fn write_key(&self, key: &mut KeyParts) {
        key.part(format_args!("{:032x}", u128::from_be_bytes(self.0)));
    }
}

/// What a key is called in the store, and its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) key: Key,
    pub(crate) version: Option<Box<str>>,
}

impl Name {
    /// `namespace` is as [`nested`] makes it.
    pub(crate) fn new(namespace: &str, key: &(impl CacheKey + ?Sized)) -> Name {
        let mut name = KeyParts {
            text: String::with_capacity(namespace.len() + 24),
            ..KeyParts::default()
        };
        name.text.push_str(namespace);
        name.text.push('/');
        key.write_key(&mut name);
        let mut version = KeyParts {
            is_among: true,
            ..KeyParts::default()
        };
        key.write_version(&mut version);
        Name {
            key: shortened(name.text),
            version: (version.parts > 0).then(|| short_version(version.text)),
        }
    }

    /// The name of the lock that one process holds while it computes the value anew.
    pub(crate) fn lock(&self) -> Key {
        shortened(format!("lock:{}", self.key.as_str()))
    }
}

/// The namespace inside of another, or of nothing. A key follows after a `/`, another namespace
/// after a `:`, and neither can stand in its name: no key of one is a key of another.
pub(crate) fn nested(outer: &str, name: &str) -> String {
    let mut namespace = outer.to_owned();
    if !outer.is_empty() {
        namespace.push(':');
    }
    // Writing into a text cannot fail.
    let _ = Escaped(&mut namespace, &['/', ':', '%']).write_str(name);
    namespace
}

/// A name over the limit keeps its beginning, so that it is found by prefix, and ends in the
/// digest of all of it.
fn shortened(mut name: String) -> Key {
    if name.len() > KEY_BYTES_MAX {
        let digest = hex(&name);
        let mut end = KEY_BYTES_MAX - digest.len() - 1;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name.push('%');
        name.push_str(&digest);
    }
    Key::new(name)
}

fn short_version(version: String) -> Box<str> {
    match version.len() <= VERSION_BYTES_MAX {
        true => version.into(),
        false => hex(&version).into(),
    }
}

fn hex(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing into a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests;
