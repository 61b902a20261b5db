//! The same calls as those of the recorded original, the same operations.

use serde_json::{Value, json};
use sinew_cable_ready::{ConsoleLevel, Operation, Operations, Storage, previous};

fn check(operations: &Operations, recorded: Value) {
    let written: Value = serde_json::from_str(&operations.to_json()).expect("it is JSON");
    assert_eq!(written, recorded);
}

#[test]
fn options() {
    let mut operations = Operations::new();
    operations
        .inner_html("#slot", "delayed")
        .with(|inner| inner.delay(std::time::Duration::from_millis(100)))
        .inner_html("#cancel-me", "cancelled")
        .with(|inner| inner.cancel())
        .text_content("#missing", "no such element")
        .inner_html("#positional", "positional selector")
        .append(previous(), "<i>same selector as before</i>")
        .dispatch_event("#slot", "custom:batch")
        .with(|event| event.batch("b1"));
    check(
        &operations,
        json!([
            {"selector": "#slot", "html": "delayed", "delay": 100, "operation": "innerHtml"},
            {"selector": "#cancel-me", "html": "cancelled", "cancel": true, "operation": "innerHtml"},
            {"selector": "#missing", "text": "no such element", "operation": "textContent"},
            {"html": "positional selector", "selector": "#positional", "operation": "innerHtml"},
            {"html": "<i>same selector as before</i>", "selector": "#positional", "operation": "append"},
            {"name": "custom:batch", "batch": "b1", "selector": "#slot", "operation": "dispatchEvent"},
        ]),
    );
}

#[test]
fn browser() {
    let mut operations = Operations::new();
    operations
        .console_log("hello")
        .with(|line| line.level(ConsoleLevel::Warn))
        .console_table(json!([{"a": 1, "b": 2}]))
        .with(|table| table.columns(["a", "b"]))
        .dispatch_event("#slot", "custom:event")
        .with(|event| event.detail(json!({"some_key": 1, "dashed-key": {"inner_key": 2}})))
        .dispatch_event(previous(), "custom:doc")
        .with(|event| event.detail(json!({"n": 1})))
        .set_title("New title")
        .set_meta("color", "blue")
        .set_cookie("from_ref=1; path=/")
        .set_storage_item(Storage::Local, "k", "v")
        .set_storage_item(Storage::Session, "gone", "x")
        .remove_storage_item(Storage::Session, "gone")
        .push_state("/ops?pushed=1")
        .with(|push| push.state(json!({"a": 1})).title("pushed"));
    check(
        &operations,
        json!([
            {"message": "hello", "level": "warn", "operation": "consoleLog"},
            {"data": [{"a": 1, "b": 2}], "columns": ["a", "b"], "operation": "consoleTable"},
            {"name": "custom:event", "selector": "#slot", "detail": {"someKey": 1, "dashed-key": {"innerKey": 2}}, "operation": "dispatchEvent"},
            {"name": "custom:doc", "detail": {"n": 1}, "selector": "#slot", "operation": "dispatchEvent"},
            {"title": "New title", "selector": "#slot", "operation": "setTitle"},
            {"name": "color", "content": "blue", "selector": "#slot", "operation": "setMeta"},
            {"cookie": "from_ref=1; path=/", "selector": "#slot", "operation": "setCookie"},
            {"key": "k", "value": "v", "type": "local", "selector": "#slot", "operation": "setStorageItem"},
            {"key": "gone", "value": "x", "type": "session", "selector": "#slot", "operation": "setStorageItem"},
            {"key": "gone", "type": "session", "selector": "#slot", "operation": "removeStorageItem"},
            {"url": "/ops?pushed=1", "state": {"a": 1}, "title": "pushed", "selector": "#slot", "operation": "pushState"},
        ]),
    );
}

#[test]
fn an_operation_of_the_application() {
    let mut operations = Operations::new();
    operations.custom("#slot", "my_custom_op", json!({"some_option": 1}));
    check(
        &operations,
        json!([{"selector": "#slot", "someOption": 1, "operation": "myCustomOp"}]),
    );
}

#[test]
fn a_selector_among_the_options_wins() {
    let mut operations = Operations::new();
    operations.custom(previous(), "x", json!({"selector": "#a"}));
    operations.custom("#b", "y", json!({"selector": null}));
    operations.reload();
    check(
        &operations,
        json!([
            {"selector": "#a", "operation": "x"},
            {"selector": null, "operation": "y"},
            {"operation": "reload"},
        ]),
    );
}

#[test]
fn raw_operations() {
    let mut operations = Operations::new();
    operations
        .apply(r##"[{"operation":"innerHtml","selector":"#a","html":"_x"},{"operation":"go"}]"##)
        .unwrap();
    operations
        .apply(r#" {"a_b":{"c_d":[{"e_f":"\u0061_b"}]},"operation":"x"} "#)
        .unwrap();
    check(
        &operations,
        json!([
            {"operation": "innerHtml", "selector": "#a", "html": "_x"},
            {"operation": "go"},
            {"aB": {"cD": [{"eF": "a_b"}]}, "operation": "x"},
        ]),
    );
    for bad in [
        "",
        "1",
        "[1]",
        "{}",
        "[{\"operation\":1}]",
        "{\"operation\":\"x\"",
        "[] []",
    ] {
        assert!(operations.apply(bad).is_err(), "{bad}");
    }
    assert_eq!(operations.len(), 3);
}

#[test]
fn options_are_set_once_and_the_selector_stands_where_it_was_given() {
    let operation = Operation::new("dispatch_event")
        .option("name", "a")
        .at(sinew_cable_ready::document())
        .option("some_key", 1)
        .option("name", "b")
        .option_json("payload", r#"{"as_is":1}"#);
    let mut operations = Operations::new();
    operations.push(operation);
    assert_eq!(
        operations.to_json(),
        r#"[{"name":"b","selector":null,"someKey":1,"payload":{"as_is":1},"operation":"dispatchEvent"}]"#
    );
}
