//! Whatever text and keys an operation is given, the browser reads the same.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};
use sinew_cable_ready::{
    Operations, camelize_key, camelize_keys, write_camelized_json, write_string,
};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\"\\\\:,{}\\[\\]a_]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-zA-Z_/\\-\"\\\\é0-9]{0,8}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn strings_survive(text in any::<String>()) {
        let mut out = String::from("x");
        write_string(&mut out, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&out[1..]).unwrap(), text);
    }

    #[test]
    fn long_strings_survive(text in "[ -~\\n\\t\"\\\\\u{1}\u{7f}\u{80}é\u{2028}]{0,200}") {
        let mut out = String::new();
        write_string(&mut out, &text);
        prop_assert_eq!(&out, &serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn keys_are_rewritten_alike_in_text_and_tree(value in any_json()) {
        let mut text = String::new();
        write_camelized_json(&mut text, &serde_json::to_string_pretty(&value).unwrap());
        let from_text: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(from_text, camelize_keys(value));
    }

    #[test]
    fn operations_come_back(html in any::<String>(), selector in any::<String>(), detail in any_json()) {
        let mut operations = Operations::new();
        operations.inner_html(&selector, html.as_str()).dispatch_event("#a", "e").with(|event| event.detail(detail.clone()));
        let read: Value = serde_json::from_str(&operations.message(Some("id"))).unwrap();
        prop_assert_eq!(&read["operations"][0]["html"], &Value::from(html));
        prop_assert_eq!(&read["operations"][0]["selector"], &Value::from(selector));
        prop_assert_eq!(&read["operations"][0]["reflexId"], &Value::from("id"));
        prop_assert_eq!(&read["operations"][1]["detail"], &camelize_keys(detail));
    }

    #[test]
    fn rewriting_leaves_nothing_to_rewrite_but_the_colons(key in "[a-zA-Z_\\-]{0,12}") {
        let once = camelize_key(&key).into_owned();
        prop_assert!(!once.contains('_'));
    }
}

#[test]
fn keys_of_the_table() {
    for (key, wire) in [
        ("inner_html", "innerHtml"),
        ("tag_name", "tagName"),
        ("URL", "uRL"),
        ("ID", "iD"),
        ("user[first_name]", "user[firstName]"),
        ("data-reflex", "data-reflex"),
        ("data-post_id", "data-postId"),
        ("a/b_c", "a::BC"),
        ("_x", "X"),
        ("a__b", "aB"),
        ("a_", "a"),
        ("some_URL", "someUrl"),
        ("innerHtml", "innerHtml"),
        ("", ""),
    ] {
        assert_eq!(camelize_key(key), wire);
    }
}
