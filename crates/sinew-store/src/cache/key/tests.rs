//! What keys are called.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn name(key: impl CacheKey) -> String {
    Name::new("n", &key).key.as_str().to_owned()
}

fn version(key: impl CacheKey) -> Option<String> {
    Name::new("n", &key).version.map(String::from)
}

struct Item(u32, u32);

impl CacheKey for Item {
    fn write_key(&self, key: &mut KeyParts) {
        key.part("items").part(self.0);
    }

    fn write_version(&self, version: &mut KeyParts) {
        version.part(self.1);
    }
}

#[test]
fn keys_have_names() {
    assert_eq!(name("front/page%"), "n/front/page%");
    assert_eq!(name(String::from("a\0b")), "n/a%00b");
    assert_eq!(name(("a/b%", 'c', true, -1)), "n/a%2Fb%25/c/true/-1");
    assert_eq!(name((Item(7, 1), "row")), "n/items/7/row");
    assert_eq!(name([Item(1, 1), Item(2, 1)]), "n/2/items/1/items/2");
    assert_eq!(name((vec!["a"], "b")), "n/1/a/b");
    assert_eq!(name((("a/b",), "c")), "n/a%2Fb/c");
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1);
    assert_eq!(name(time), "n/1000000");
    assert_eq!(
        name(SystemTime::UNIX_EPOCH - Duration::from_nanos(2)),
        "n/-2"
    );
    assert_eq!(
        name(ContentDigest::of("")),
        "n/e3b0c44298fc1c149afbf4c8996fb924"
    );
}

#[test]
fn versions_are_gathered_from_all_parts() {
    assert_eq!(version(("a", 1)), None);
    assert_eq!(version((Item(1, 5), "row")).as_deref(), Some("5"));
    assert_eq!(version([Item(1, 5), Item(2, 6)]).as_deref(), Some("5/6"));
    let versioned = Versioned(Item(1, 5), ("a/b", 2));
    assert_eq!(version(&versioned).as_deref(), Some("5/a%2Fb/2"));
    assert_eq!(name(versioned), "n/items/1");
    let many: Vec<Item> = (0..100).map(|id| Item(id, 1)).collect();
    assert_eq!(version(many).map(|it| it.len()), Some(64));
}

#[test]
fn namespaces_cannot_be_left_or_entered() {
    let outer = nested("", "cache");
    assert_eq!(nested(&outer, "v2"), "cache:v2");
    assert_eq!(nested(&outer, "a/b:c%"), "cache:a%2Fb%3Ac%25");
}

proptest! {
    #[test]
    fn parts_never_merge(
        one in proptest::collection::vec(r"[a/%\x00é]{0,4}", 2),
        other in proptest::collection::vec(r"[a/%\x00é]{0,4}", 2),
    ) {
        let key = |parts: &[String]| name((parts[0].clone(), parts[1].clone()));
        prop_assert_eq!(key(&one) == key(&other), one == other);
    }

    #[test]
    fn names_keep_their_limit_and_stay_apart(
        length in KEY_BYTES_MAX - 8..KEY_BYTES_MAX + 80,
        first in "[aé]{8}",
        end in "[ab]",
    ) {
        let text = |end: &str| format!("{first}{}{end}", "é".repeat(length / 2));
        let names = [name(text(&end)), name(text("c"))];
        prop_assert!(names[0] != names[1]);
        for name in names {
            prop_assert!(name.len() <= KEY_BYTES_MAX);
            let start = format!("n/{first}");
            prop_assert!(name.starts_with(&start));
        }
    }
}
