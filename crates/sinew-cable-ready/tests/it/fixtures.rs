//! Every operation against its fixture in `spec/operations`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use sinew_cable_ready::{ConsoleLevel, OPERATION_NAMES, Operations, Position, Storage, xpath};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/operations")
}

fn every_operation() -> Operations {
    Operations::new()
        .append("#list", "<li class=\"new\">appended</li>")
        .prepend("#list", "<li>prepended</li>")
        .insert_adjacent_html("#list", Position::AfterEnd, "<p>adjacent html</p>")
        .insert_adjacent_text("#list", Position::BeforeBegin, "adjacent <text>")
        .inner_html(".many", "every one")
        .with(|operation| operation.select_all())
        .outer_html("#outer", "<div id=\"outer\">outer replaced</div>")
        .replace("#replace", "<section id=\"replace\">replaced</section>")
        .with(|operation| operation.focus("#field"))
        .text_content("#slot", "<not html>")
        .remove(xpath("//*[@id='xp']"))
        .graft("#graft", "#parent")
        .morph("#morphed", "<p>children only</p>")
        .with(|morph| {
            morph
                .children_only()
                .permanent_attribute("data-reflex-permanent")
        })
        .add_css_class("#slot", ["a", "b"])
        .remove_css_class("#slot", "old")
        .set_attribute("#slot", "title", "a title")
        .remove_attribute("#slot", "hidden")
        .set_dataset_property("#slot", "fooBar", "baz")
        .set_property("#box", "checked", true)
        .set_style("#slot", "color", "red")
        .set_styles(
            "#slot",
            json!({"background_color": "yellow", "font-size": "20px"}),
        )
        .set_value("#field", "typed by server")
        .dispatch_event("#slot", "custom:event")
        .with(|event| event.detail(json!({"some_key": 1, "dashed-key": {"inner_key": 2}})))
        .scroll_into_view("#slot")
        .with(|scroll| scroll.behavior("smooth").block("center").inline("nearest"))
        .set_focus("#field")
        .take()
        .into_iter()
        // Those about the document would inherit a selector.
        .chain(
            Operations::new()
                .set_meta("color", "blue")
                .set_title("New title")
                .clear_storage(Storage::Local)
                .set_storage_item(Storage::Local, "k", "v")
                .remove_storage_item(Storage::Session, "gone")
                .set_cookie("from_ref=1; path=/")
                .go(-1)
                .push_state("/ops?pushed=1")
                .with(|push| push.state(json!({"a_key": 1})).title("pushed"))
                .replace_state("/ops?replaced=1")
                .redirect_to("/counter")
                .with(|redirect| redirect.replace_history().without_turbo())
                .reload()
                .console_log("hello")
                .with(|line| line.level(ConsoleLevel::Warn))
                .console_table(json!([{"a_b": 1, "b": 2}]))
                .with(|table| table.columns(["aB", "b"]))
                .notification("Saved")
                .with(|note| note.options(json!({"body": "All of it"})))
                .take(),
        )
        .fold(Operations::new(), |mut all, operation| {
            all.extend([operation]);
            all
        })
}

#[test]
fn each_operation_is_written_as_its_fixture_says() {
    let mut seen = BTreeSet::new();
    for operation in &every_operation() {
        let path = folder().join(format!("{}.json", operation.name()));
        let fixture = std::fs::read_to_string(&path).expect("every operation has a fixture");
        let fixture: Value = serde_json::from_str(&fixture).expect("fixtures are JSON");
        let mut written = String::new();
        // Alone, so that nothing is inherited.
        let alone = if fixture["target"] == "element" {
            operation.clone()
        } else {
            operation.clone().at(sinew_cable_ready::previous())
        };
        alone.write(&mut written, sinew_cable_ready::Scope::Plain);
        assert_eq!(written, fixture["example"].to_string(), "{path:?}");
        seen.insert(operation.name().to_owned());
    }
    assert_eq!(seen, OPERATION_NAMES.map(str::to_owned).into());
}

#[test]
fn there_is_no_other_fixture() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the folder is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .collect();
    assert_eq!(files, OPERATION_NAMES.map(str::to_owned).into());
}
