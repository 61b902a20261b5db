//! Which target an operation has that was given none.

use sinew_cable_ready::{
    DomId, Operation, Operations, Scope, document, previous, write_message, xpath,
};

fn json(build: impl FnOnce(&mut Operations)) -> String {
    let mut operations = Operations::new();
    build(&mut operations);
    operations.to_json()
}

#[test]
fn the_last_target_is_remembered_with_its_kind() {
    assert_eq!(
        json(|ops| {
            ops.remove(xpath("//p"))
                .append(previous(), "x")
                .remove("#a")
                .append(previous(), "y");
        }),
        r##"[{"selector":"//p","xpath":true,"operation":"remove"},{"html":"x","selector":"//p","xpath":true,"operation":"append"},{"selector":"#a","operation":"remove"},{"html":"y","selector":"#a","operation":"append"}]"##
    );
}

#[test]
fn operations_on_the_document_inherit_too() {
    assert_eq!(
        json(|ops| {
            ops.inner_html("#a", "x").set_title("t");
        }),
        r##"[{"selector":"#a","html":"x","operation":"innerHtml"},{"title":"t","selector":"#a","operation":"setTitle"}]"##
    );
}

#[test]
fn the_document_said_aloud_ends_the_memory() {
    assert_eq!(
        json(|ops| {
            ops.remove("#a")
                .dispatch_event(document(), "e")
                .set_title("t");
        }),
        r##"[{"selector":"#a","operation":"remove"},{"selector":null,"name":"e","operation":"dispatchEvent"},{"title":"t","operation":"setTitle"}]"##
    );
}

#[test]
fn nothing_is_remembered_at_the_start_and_after_sending() {
    let mut operations = Operations::new();
    operations.append(previous(), "x");
    assert_eq!(
        operations.to_json(),
        r#"[{"html":"x","operation":"append"}]"#
    );
    operations.remove("#a");
    let sent = operations.take();
    assert_eq!(sent.len(), 2);
    operations.reload();
    assert_eq!(operations.to_json(), r#"[{"operation":"reload"}]"#);
}

#[test]
fn amending_the_target_amends_the_memory() {
    assert_eq!(
        json(|ops| {
            ops.remove("#a")
                .set_title("t")
                .with(|title| title.at("#b"))
                .append(previous(), "x");
        }),
        r##"[{"selector":"#a","operation":"remove"},{"title":"t","selector":"#b","operation":"setTitle"},{"html":"x","selector":"#b","operation":"append"}]"##
    );
    // Amending something else leaves it as it was.
    assert_eq!(
        json(|ops| {
            ops.remove("#a")
                .append(previous(), "x")
                .with(|append| append.cancel())
                .reload();
        }),
        r##"[{"selector":"#a","operation":"remove"},{"html":"x","cancel":true,"selector":"#a","operation":"append"},{"selector":"#a","operation":"reload"}]"##
    );
}

#[test]
fn a_reflex_id_stands_behind_the_options() {
    let mut operations = Operations::new();
    operations.inner_html("#a", "x").reload();
    operations.apply(r#"{"operation":"go","delta":1}"#).unwrap();
    let mut message = String::new();
    write_message(&mut message, &operations, Scope::Reflex(Some("r\"1")));
    assert_eq!(
        message,
        r##"{"cableReady":true,"operations":[{"selector":"#a","html":"x","reflexId":"r\"1","operation":"innerHtml"},{"reflexId":"r\"1","selector":"#a","operation":"reload"},{"operation":"go","delta":1,"reflexId":"r\"1"}],"version":"5.0.6"}"##
    );
    let mut without = String::new();
    Operation::new("reload").write(&mut without, Scope::Reflex(None));
    assert_eq!(without, r#"{"reflexId":null,"operation":"reload"}"#);
}

#[test]
fn a_batch_and_a_delay() {
    assert_eq!(
        json(|ops| {
            ops.remove(DomId::record("User", 1)).with(|remove| {
                remove
                    .batch("b1")
                    .delay(std::time::Duration::from_micros(100_900))
            });
        }),
        r##"[{"selector":"#user_1","batch":"b1","delay":100,"operation":"remove"}]"##
    );
}

#[test]
fn a_class_name_with_spaces_is_several() {
    assert_eq!(
        json(|ops| {
            ops.add_css_class("#a", " b  c ");
        }),
        r##"[{"selector":"#a","name":["b","c"],"operation":"addCssClass"}]"##
    );
}
