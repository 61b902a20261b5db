use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn check(text: &str, expected: Value) {
    let params = Params::from_urlencoded(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    // As text, so that the order of the keys counts.
    assert_eq!(json!(params).to_string(), expected.to_string(), "{text}");
}

#[test]
fn names_nest_as_in_rack() {
    check("", json!({}));
    check("a=1&b=2", json!({"a": "1", "b": "2"}));
    check("a=1&a=2", json!({"a": "2"}));
    check("c=&d&e=f=g", json!({"c": "", "d": null, "e": "f=g"}));
    check("&&a=1& b=2&", json!({"a": "1", "b": "2"}));
    check("u[n]=1&u[m]=2", json!({"u": {"n": "1", "m": "2"}}));
    check("a[b][]=1&a[b][]=2", json!({"a": {"b": ["1", "2"]}}));
    check(
        "items[0][n]=a&items[1][n]=b",
        json!({"items": {"0": {"n": "a"}, "1": {"n": "b"}}}),
    );
    check("a[b]=1&a=2", json!({"a": "2"}));
    check("a&a[b]=1", json!({"a": {"b": "1"}}));
    check("a[]&a[]=1", json!({"a": [null, "1"]}));
    check("=1&[]=2&[a]=3", json!({"[]": "2", "[a]": "3"}));
    check("a[=1&b]=2", json!({"a[": "1", "b]": "2"}));
    check("a[b=1", json!({"a": {"[b": "1"}}));
    check("a[]b=1", json!({"a": [{"b": "1"}]}));
}

#[test]
fn lists_of_objects() {
    // A key that the last object has not yet goes into it, one that it has begins the next.
    check("a[][b]=1&a[][c]=2", json!({"a": [{"b": "1", "c": "2"}]}));
    check("a[][b]=1&a[][b]=2", json!({"a": [{"b": "1"}, {"b": "2"}]}));
    check(
        "a[][b]=1&a[][c]=2&a[][b]=3&a[][c]=4",
        json!({"a": [{"b": "1", "c": "2"}, {"b": "3", "c": "4"}]}),
    );
    check("a[][b][]=1&a[][b][]=2", json!({"a": [{"b": ["1", "2"]}]}));
    check(
        "a[][b][c]=1&a[][d]=2",
        json!({"a": [{"b": {"c": "1"}, "d": "2"}]}),
    );
    check("a[][]=1", json!({"a": [["1"]]}));
    check("a[][][]=1", json!({"a": [{"[]": ["1"]}]}));
    check("a[]=1&a[][b]=2", json!({"a": ["1", {"b": "2"}]}));
}

#[test]
fn encoding() {
    check(
        "a%5Bb%5D=Zo%C3%AB%20+%2B%26",
        json!({"a": {"b": "Zoë  +&"}}),
    );
    assert_eq!(
        Params::from_urlencoded("a=%zz"),
        Err(ParamsError::BadPercentEncoding("%zz".to_owned()))
    );
    assert!(matches!(
        Params::from_urlencoded("a=1%"),
        Err(ParamsError::BadPercentEncoding(_))
    ));
    assert_eq!(
        Params::from_urlencoded("a=%ff").unwrap_err().to_string(),
        "invalid encoding for parameter: \u{fffd}"
    );
}

#[test]
fn one_name_used_in_two_ways() {
    for (text, message) in [
        ("a=1&a[b]=2", "expected Hash (got String) for param `a'"),
        ("a[]=1&a[b]=2", "expected Hash (got Array) for param `a'"),
        ("a[b]=1&a[]=2", "expected Array (got Hash) for param `a'"),
        (
            "x[a]=1&x[a][]=2",
            "expected Array (got String) for param `a'",
        ),
    ] {
        assert_eq!(
            Params::from_urlencoded(text).unwrap_err().to_string(),
            message
        );
    }
}

#[test]
fn limits() {
    let deep = |levels: usize| format!("a{}=1", "[b]".repeat(levels - 1));
    assert!(Params::from_urlencoded(&deep(PARAMS_DEPTH_MAX)).is_ok());
    assert_eq!(
        Params::from_urlencoded(&deep(PARAMS_DEPTH_MAX + 1)),
        Err(ParamsError::TooDeep)
    );
    assert_eq!(
        Params::from_urlencoded(&format!("a{}=1", "[]".repeat(10_000))),
        Err(ParamsError::TooDeep)
    );
    let many = |pairs: usize| vec!["a=1"; pairs].join("&");
    assert!(Params::from_urlencoded(&many(PARAMS_PAIRS_MAX)).is_ok());
    assert_eq!(
        Params::from_urlencoded(&many(PARAMS_PAIRS_MAX + 1)),
        Err(ParamsError::TooMany)
    );
    let long = "a".repeat(PARAMS_BYTES_MAX);
    assert!(Params::from_urlencoded(&long).is_ok());
    assert_eq!(
        Params::from_urlencoded(&format!("{long}a")),
        Err(ParamsError::TooLong {
            bytes: PARAMS_BYTES_MAX + 1
        })
    );
}

#[test]
fn the_stronger_source_wins() {
    let javascript = json!({"tab": "params", "extra": "p", "nested": {"a": [1]}, "user": {"name": "js", "age": 3}});
    let params = Params::merge(&Sources {
        query: "tab=two&user[name]=url",
        path: &[
            ("id".to_owned(), "42".to_owned()),
            ("user_id".to_owned(), "7".to_owned()),
        ],
        form: "user[name]=form&user[news]=1&id=evil&late=1",
        params: javascript.as_object(),
    })
    .unwrap();
    assert_eq!(
        json!(params).to_string(),
        json!({
            "tab": "two",
            "user": {"name": "url", "news": "1", "age": 3},
            "id": "42",
            "user_id": "7",
            "late": "1",
            "extra": "p",
            "nested": {"a": [1]},
        })
        .to_string()
    );
}

/// Each recorded call with the parameters that the original made of it.
#[test]
fn the_recorded_parameters() {
    for (name, path) in [
        ("080-args-introspect", Some("42")),
        ("081-args-params-option", Some("42")),
        ("082-form-submit", None),
        ("083-form-change-select", None),
        ("084-form-change-multi-select", None),
        ("085-form-change-checkbox-group", None),
        ("088-form-serialize-true", None),
        ("090-form-selector", None),
        ("091-form-outside", None),
        ("092-form-serialize-option", None),
        ("093-form-params-conflict", None),
    ] {
        let file = format!(
            "{}/../../spec/golden/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let recording = std::fs::read_to_string(file).expect("the recording is there");
        let recording: Value = serde_json::from_str(&recording).expect("recordings are JSON");
        let frames = recording["frames"].as_array().expect("it has frames");
        let data = |frame: &Value| serde_json::from_str::<Value>(frame["data"].as_str()?).ok();
        let mut calls = frames
            .iter()
            .filter(|frame| frame["dir"] == "out")
            .filter_map(data)
            .filter_map(|frame| serde_json::from_str::<Value>(frame["data"].as_str()?).ok());
        let mut answered = 0;
        for answer in frames
            .iter()
            .filter(|frame| frame["dir"] == "in")
            .filter_map(data)
        {
            let payload = &answer["message"]["operations"][0]["payload"];
            if payload.is_null() {
                continue;
            }
            let call = calls.next().expect("an answer has a call");
            let query = call["url"].as_str().and_then(|url| url.split_once('?'));
            let path: Vec<(String, String)> = path
                .map(|id| ("id".to_owned(), id.to_owned()))
                .into_iter()
                .collect();
            let params = Params::merge(&Sources {
                query: query.map_or("", |(_, query)| query),
                path: &path,
                form: call["formData"].as_str().unwrap_or(""),
                params: call["params"].as_object(),
            })
            .expect("the recorded parameters are sound");
            assert_eq!(json!(params), payload["params"], "{name}");
            answered += 1;
        }
        assert!(answered > 0, "{name}");
    }
}

#[test]
fn by_path() {
    let params = Params::from_urlencoded("a[b][]=1&a[b][]=2&i[0][n]=x&t=y").unwrap();
    assert_eq!(params.get("t"), Some("y"));
    assert_eq!(params.get("a[b][1]"), Some("2"));
    assert_eq!(params.get("i[0][n]"), Some("x"));
    assert_eq!(params.value("a[b]"), Some(&json!(["1", "2"])));
    for nothing in ["", "x", "a", "a[c]", "a[b][2]", "a[b", "a[b]x", "t[u]"] {
        assert_eq!(params.get(nothing), None, "{nothing}");
    }
}

#[test]
fn read_into_a_type() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Item {
        n: f32,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Order {
        id: u64,
        title: String,
        note: String,
        gift: bool,
        price: Option<i32>,
        size: Size,
        tags: Vec<String>,
        items: Vec<Item>,
        #[serde(default)]
        missing: bool,
        code: (u8, char),
    }
    let params = Params::from_urlencoded(
        "id=7&title=t&note=&gift=on&price=&size=large&tags[]=1&tags[]=b&items[3][n]=1.5&items[9][n]=2&code[]=1&code[]=x&more=1",
    )
    .unwrap();
    let order: Order = params.parse().unwrap();
    assert_eq!(
        order,
        Order {
            id: 7,
            title: "t".to_owned(),
            note: String::new(),
            gift: true,
            price: None,
            size: Size::Large,
            tags: vec!["1".to_owned(), "b".to_owned()],
            items: vec![Item { n: 1.5 }, Item { n: 2.0 }],
            missing: false,
            code: (1, 'x'),
        }
    );
    assert_eq!(params.parse_at::<u8>("items[9][n]"), Ok(2));
    assert_eq!(
        params.parse_at::<u8>("title").unwrap_err().to_string(),
        "invalid type: string \"t\", expected u8"
    );
    assert_eq!(
        params
            .parse_at::<Vec<Item>>("code")
            .unwrap_err()
            .to_string(),
        "invalid type: string \"1\", expected struct Item"
    );
    assert!(params.parse_at::<String>("nowhere").is_err());

    // Numbers and flags from JavaScript fit texts as well.
    let from_javascript = Params::from(
        json!({"a": 1, "b": true, "c": -2.5})
            .as_object()
            .unwrap()
            .clone(),
    );
    #[derive(serde::Deserialize)]
    struct Texts {
        a: String,
        b: String,
        c: f64,
    }
    let texts: Texts = from_javascript.parse().unwrap();
    assert_eq!((&*texts.a, &*texts.b, texts.c), ("1", "true", -2.5));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-c\\[\\]=&%+ 0-9é]{0,60}") {
        if let Ok(params) = Params::from_urlencoded(&text) {
            prop_assert!(params.as_map().keys().all(|key| !key.is_empty()));
        }
    }

    #[test]
    fn flat_pairs_come_back(pairs in proptest::collection::btree_map("[a-zé ]{1,8}", any::<String>(), 0..8)) {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let params = Params::from_urlencoded(&text.join("&")).unwrap();
        prop_assert_eq!(json!(params), json!(pairs));
    }
}
