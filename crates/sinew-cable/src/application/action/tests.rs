use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn action(data: &str) -> Option<Option<String>> {
    let data = RawValue::from_string(data.to_owned()).expect("JSON");
    let action = read_action(&data)?;
    Some(action.map(|action| action.in_data(&data).to_owned()))
}

#[test]
fn the_action_is_found_wherever_it_stands() {
    let said = |action: &str| Some(Some(action.to_owned()));
    assert_eq!(action(r#"{"action":"echo"}"#), said("echo"));
    assert_eq!(
        action(" {\n\"a\" : [1, \"}\"] ,\t\"action\" : \"e\\u0063ho\" } "),
        said("echo")
    );
    assert_eq!(
        action(r#"{"n":-1.5e3,"t":true,"z":null,"action":"x","o":{"action":1}}"#),
        said("x")
    );
    assert_eq!(action(r#"{"\u0061ction":"x"}"#), said("x"));
    assert_eq!(action(r#"{"action":"one","action":"two"}"#), said("two"));
    assert_eq!(
        action(r#"{"text":"\\\"action\\\":\\","action":"x"}"#),
        said("x")
    );
}

#[test]
fn data_without_an_action_is_told_from_what_is_none() {
    for none in [
        "{}",
        r#"{"Action":"x"}"#,
        r#"{"o":{"action":"x"}}"#,
        r#"{"a":["action","x"]}"#,
    ] {
        assert_eq!(action(none), Some(None), "{none}");
    }
    for broken in [
        "[]",
        r#"["action"]"#,
        "1",
        r#""action""#,
        "null",
        r#"{"action":1}"#,
        r#"{"action":null}"#,
    ] {
        assert_eq!(action(broken), None, "{broken}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["action", "[a\"\\\\{}:,\u{e9}]{0,4}", ".*"]
}

proptest! {
    #[test]
    fn it_is_what_a_general_reader_finds(value in value(), is_pretty in any::<bool>()) {
        let text = match is_pretty {
            true => serde_json::to_string_pretty(&value),
            false => serde_json::to_string(&value),
        };
        let expected = match &value {
            Value::Object(fields) => match fields.get("action") {
                None => Some(None),
                Some(Value::String(action)) => Some(Some(action.clone())),
                Some(_) => None,
            },
            _ => None,
        };
        prop_assert_eq!(action(&text.expect("serializes")), expected);
    }
}
