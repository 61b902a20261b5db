//! What becomes of values on their way into a store and back.

use std::sync::Arc;

use sinew_store::Key;
use sinew_store::cache::{Cache, CacheConfig, CacheEntry, CacheStore, KEY_BYTES_MAX, MemoryCache};

fn with(change: impl FnOnce(&mut CacheConfig)) -> (Cache, Arc<MemoryCache>) {
    let mut config = CacheConfig::default();
    change(&mut config);
    let store = Arc::new(MemoryCache::new());
    (Cache::with_config(store.clone(), config), store)
}

#[tokio::test]
async fn large_values_are_compressed_and_come_back() {
    let html = "<li class=\"item\">Tea</li>".repeat(1_000);
    let (cache, store) = with(|_| {});
    assert!(cache.write("list", &html, ()).await);
    assert!(store.bytes() < html.len() / 10);
    assert_eq!(cache.read::<String>("list").await, Some(html.clone()));

    let (plain, store) = with(|config| config.compress_over_bytes = None);
    assert!(plain.write("list", &html, ()).await);
    assert!(store.bytes() > html.len());
}

#[tokio::test]
async fn a_value_over_a_limit_is_not_kept_and_neither_is_the_one_before() {
    let (cache, _) = with(|config| {
        config.value_bytes_max = 200;
        config.serialized_bytes_max = 10_000;
        config.compress_over_bytes = Some(100);
    });
    let random: Vec<u8> = (0..300_u32)
        .map(|it| (it.wrapping_mul(it) >> 3) as u8)
        .collect();
    let cases: [(&[u8], bool); 4] = [
        (&[7; 50], true),
        (&[7; 10_000], true),
        (&[7; 10_001], false),
        (&random, false),
    ];
    for (value, is_kept) in cases {
        assert!(cache.write_bytes("value", "before", ()).await);
        assert_eq!(cache.write_bytes("value", value, ()).await, is_kept);
        let found = cache.read_bytes("value").await;
        assert_eq!(found.as_deref(), is_kept.then_some(value));
    }
    let fetched = cache.fetch_bytes("value", (), async || random.clone().into());
    assert_eq!(fetched.await, random, "the limit is no error");
    assert_eq!(
        cache
            .write_multi([("a", "short".to_owned()), ("b", "x".repeat(10_001))], ())
            .await,
        1
    );
}

#[tokio::test]
async fn bytes_of_others_are_a_miss() {
    let (cache, store) = with(|_| {});
    let key = Key::new("cache/foreign");
    for foreign in [
        "",
        "{}",
        "text",
        "\u{c1}",
        "--1",
        "12a",
        "99999999999999999999",
    ] {
        store
            .write(vec![CacheEntry::new(key.clone(), foreign)])
            .await
            .unwrap();
        assert_eq!(
            cache.read::<serde_json::Value>("foreign").await,
            None,
            "{foreign}"
        );
        assert!(!cache.exist("foreign").await);
    }
    assert_eq!(cache.statistics().values_unreadable, 7);
    assert_eq!(cache.fetch("foreign", (), async || 1).await, 1);
    assert_eq!(cache.read::<i32>("foreign").await, Some(1));
    assert_eq!(cache.read_bytes("foreign").await, None);
}

#[tokio::test]
async fn keys_may_be_of_any_length_and_content() {
    let (cache, store) = with(|_| {});
    let long = "é".repeat(KEY_BYTES_MAX);
    let keys = ["", " ", "\0", "a\nb", "*", &long, &format!("{long}x")];
    for (number, key) in keys.iter().enumerate() {
        assert!(cache.write(*key, &number, ()).await, "{key:?}");
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(cache.read::<usize>(*key).await, Some(number), "{key:?}");
    }
    assert_eq!(store.len(), keys.len());
    assert_eq!(cache.delete_matched(r"\*").await, 1);
    assert_eq!(
        cache.delete_matched("éé*").await,
        2,
        "a long key keeps its beginning"
    );
}

#[tokio::test]
async fn namespaces_are_apart_and_cleared_with_what_is_within() {
    let (cache, _) = with(|config| config.namespace = "shop:eu".to_owned());
    let (v2, inner) = (
        cache.namespace("v2"),
        cache.namespace("v2").namespace("inner"),
    );
    for cache in [&cache, &v2, &inner] {
        cache.write("a", &1, ()).await;
    }
    assert!(!cache.exist("v2/a").await && !cache.exist(":v2/a").await);
    assert_eq!(v2.delete_matched("*").await, 1);
    assert!(inner.exist("a").await && cache.exist("a").await);
    v2.write("a", &1, ()).await;
    assert_eq!(v2.clear().await, 2);
    assert!(cache.exist("a").await);
    assert_eq!(cache.clear().await, 1);
}
