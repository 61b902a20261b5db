use serde_json::{Value, json};

use super::*;

/// The reflex calls of a recording of the original, each with the operation that answered it.
fn recorded(name: &str) -> Vec<(Value, Value)> {
    let path = format!(
        "{}/../../spec/golden/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("the recording is there");
    let recording: Value = serde_json::from_str(&text).expect("recordings are JSON");
    let mut calls = Vec::new();
    let mut answers = Vec::new();
    for frame in recording["frames"].as_array().expect("it has frames") {
        let Ok(data) = serde_json::from_str::<Value>(frame["data"].as_str().unwrap_or("")) else {
            continue;
        };
        match frame["dir"].as_str() {
            Some("out") if data["command"] == "message" => {
                let call = data["data"].as_str().expect("data is text");
                calls.push(serde_json::from_str(call).expect("data is JSON"));
            }
            Some("in") if data["message"]["cableReady"] == true => {
                answers.push(data["message"]["operations"][0].clone());
            }
            _ => {}
        }
    }
    assert_eq!(calls.len(), answers.len());
    calls.into_iter().zip(answers).collect()
}

fn element(attrs: &Value, dataset: &Value) -> Element {
    let raw = |value: &Value| RawValue::from_string(value.to_string()).expect("it is JSON");
    Element::from_call(Some(&raw(attrs)), Some(&raw(dataset)))
}

fn of_dataset(dataset: Value) -> Element {
    element(&json!({}), &dataset)
}

/// Keys travel in lower camel case, values as they are.
fn on_the_wire(payload: Value) -> Value {
    sinew_cable_ready::camelize_keys(payload)
}

/// What `DatasetReflex#show` of the reference application answers.
fn show(element: &Element) -> Value {
    let attributes = serde_json::to_value(element.attributes()).unwrap();
    json!({
        "dataset": element.dataset(),
        "attrs": attributes,
        "data_attrs": element.dataset().attributes().map(|(name, value)| (name.to_owned(), value.clone())).collect::<Map<_, _>>(),
        "attributes": attributes,
    })
}

#[test]
fn the_recorded_calls_show_what_they_showed() {
    for name in [
        "079-args-element-argument",
        "095-dataset-combined",
        "096-dataset-ancestors",
        "098-dataset-siblings",
        "099-dataset-children",
        "101-dataset-selectord",
        "104-dataset-both",
    ] {
        for (call, answer) in recorded(name) {
            let shown = on_the_wire(show(&element(&call["attrs"], &call["dataset"])));
            // The same keys in the same order.
            assert_eq!(shown.to_string(), answer["payload"].to_string(), "{name}");
        }
    }
}

#[test]
fn the_recorded_call_casts_as_it_did() {
    for (call, answer) in recorded("105-dataset-casts") {
        let element = element(&call["attrs"], &call["dataset"]);
        let dataset = element.dataset();
        let payload = json!({
            "numeric": element.numeric("count").unwrap(),
            "bool_true": element.boolean("yes"),
            "bool_false": element.boolean("no"),
            "bool_blank": element.boolean("blank"),
            "bool_missing": element.boolean("missing"),
            "klass": element.get("class"),
            "tag": element.tag_name(),
            "id": element.id(),
            "value": element.value(),
            "via_dataset": dataset.get("count"),
            "dashed": dataset.get("long-name"),
            "under": dataset.get("long_name"),
        });
        assert_eq!(on_the_wire(payload), answer["payload"]);
    }
    for (call, answer) in recorded("106-dataset-badnum") {
        let element = element(&call["attrs"], &call["dataset"]);
        let error = element.numeric("word").unwrap_err();
        assert_eq!(answer["error"], format!("{error} "));
    }
    for (call, _) in recorded("108-dataset-content2") {
        let element = element(&call["attrs"], &call["dataset"]);
        assert_eq!(
            (element.get("inner_html"), element.get("text_content")),
            (None, None)
        );
    }
}

#[test]
fn the_recorded_fields_have_their_values() {
    for name in [
        "082-form-submit",
        "083-form-change-select",
        "084-form-change-multi-select",
        "085-form-change-checkbox-group",
    ] {
        for (call, answer) in recorded(name) {
            let element = element(&call["attrs"], &call["dataset"]);
            let payload = &answer["payload"];
            assert_eq!(json!(element.value()), payload["value"], "{name}");
            assert_eq!(json!(element.values()), payload["values"], "{name}");
            assert_eq!(json!(element.checked()), payload["checked"], "{name}");
            assert_eq!(json!(element.get("name")), payload["name"], "{name}");
        }
    }
}

#[test]
fn names_with_dashes_and_underscores() {
    let element = element(
        &json!({"aria-label": "x", "viewBox": "0", "tag_name": "DIV"}),
        &json!({"dataset": {"data-user-id": "1"}}),
    );
    assert_eq!(element.get("aria-label"), Some("x"));
    assert_eq!(element.get("aria_label"), Some("x"));
    assert_eq!(element.get("view_box"), Some("0"));
    assert_eq!(element.get("tag-name"), Some("DIV"));
    assert_eq!(element.dataset().get("user-id"), Some("1"));
    assert_eq!(element.dataset().get("user_id"), Some("1"));
    assert_eq!(element.dataset().get("data-user-id"), Some("1"));
    assert_eq!(element.get("user_id"), None);
}

#[test]
fn plurals() {
    let element = of_dataset(json!({
        "dataset": {"data-ids": "2", "data-child": "a"},
        "datasetAll": {
            "data-id": ["3", "4"], "data-child": ["a", "b"], "data-library": ["x"], "data-men": ["m"],
        },
    }));
    let dataset = element.dataset();
    // A plain attribute of that name comes first.
    assert_eq!(dataset.all("ids"), ["2", "3", "4"]);
    assert_eq!(dataset.all("children"), ["a", "b"]);
    assert_eq!(dataset.all("libraries"), ["x"]);
    assert_eq!(dataset.all("men"), ["m"]);
    assert_eq!(dataset.all("child"), ["a"]);
    assert!(dataset.all("nothing").is_empty());
    assert_eq!(dataset.get("ids"), None);
}

#[test]
fn numbers_are_those_of_ruby() {
    let number = |text: &str| of_dataset(json!({"dataset": {"data-n": text}})).numeric("n");
    for (text, value) in [
        ("1", 1.0),
        ("-1.5", -1.5),
        (" 2\n", 2.0),
        ("1_000.5", 1000.5),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("+.5", 0.5),
        ("0x1F", 31.0),
    ] {
        assert_eq!(number(text), Ok(value), "{text}");
    }
    for text in [
        "", " ", "abc", "1.", "1__0", "_1", "1_", "e3", "1e", "NaN", "Infinity", "1 2", "0x",
        "--1", ".",
    ] {
        assert_eq!(
            number(text),
            Err(ElementError::NotANumber(text.to_owned())),
            "{text}"
        );
    }
    assert_eq!(
        Element::default().numeric("n"),
        Err(ElementError::Missing("n".to_owned()))
    );
}

#[test]
fn yes_and_no() {
    let flag = |text: &str| of_dataset(json!({"dataset": {"data-f": text}})).boolean("f");
    for no in ["false", "FALSE", "f", "F", "0", "off", "OFF"] {
        assert!(!flag(no), "{no}");
    }
    for yes in ["true", "1", "", "no", "False", "anything"] {
        assert!(flag(yes), "{yes}");
    }
    assert!(Element::default().boolean("f"));
}

#[test]
fn an_element_is_found_by_its_id() {
    let of = |id: &str| element(&json!({"id": id}), &json!({})).to_dom_id();
    assert_eq!(of("a-b"), Ok("#a-b".to_owned()));
    assert_eq!(of(" "), Err(ElementError::WithoutId));
    assert_eq!(Element::default().to_dom_id(), Err(ElementError::WithoutId));
}

#[test]
fn what_is_no_object_is_empty() {
    for odd in [
        json!(null),
        json!("x"),
        json!([1]),
        json!({"dataset": 1, "datasetAll": []}),
    ] {
        let element = element(&odd, &odd);
        assert!(element.dataset().iter().next().is_none(), "{odd}");
        assert_eq!(element.id(), None);
    }
}
