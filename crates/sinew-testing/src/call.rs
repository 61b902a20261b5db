//! The call that the browser client would send for an element.

use dom_query::NodeId;
use serde_json::{Map, Value, json};

use crate::form;
use crate::page::Page;

/// The version of the client that is played here.
const VERSION: &str = "3.5.5";
const PERMANENT: &str = "data-reflex-permanent";

/// What a tab adds to a call.
pub(crate) struct Caller<'a> {
    pub(crate) id: &'a str,
    pub(crate) url: &'a str,
    pub(crate) tab_id: &'a str,
}

/// The call as JSON.
pub(crate) fn call(
    page: &Page,
    element: NodeId,
    target: &str,
    args: &Value,
    caller: &Caller<'_>,
) -> Value {
    let controller = page
        .closest(element, "[data-controller]")
        .unwrap_or(element);
    let form_selector = page.attribute(element, "data-reflex-form-selector");
    let form = form_selector
        .as_deref()
        .and_then(|selector| {
            page.closest(element, selector)
                .or_else(|| page.first(selector).ok().flatten())
        })
        .or_else(|| page.closest(element, "form"));
    let serializes = page.attribute(element, "data-reflex-serialize-form");
    let form_data = match form {
        Some(form) if serializes.as_deref() != Some("false") => {
            form::for_reflex(page, form, element)
        }
        _ => String::new(),
    };
    let asks = |name| {
        page.attribute(element, name)
            .is_some_and(|it| it != "false")
    };
    let markup = |asked: bool, text: String| if asked { text } else { String::new() };
    let suppress = if page.has_attribute(element, "data-reflex-suppress-logging") {
        json!({})
    } else {
        json!(false)
    };
    let mut call = json!({
        "attrs": attributes(page, element),
        "dataset": {
            "dataset": dataset(page, element),
            "datasetAll": dataset_all(page, element),
        },
        "selectors": roots(page, element),
        "id": caller.id,
        "resolveLate": false,
        "suppressLogging": suppress,
        "xpathController": page.xpath(controller),
        "xpathElement": page.xpath(element),
        "inner_html": markup(
            asks("data-reflex-include-inner-html"),
            page.node(element).inner_html().to_string(),
        ),
        "text_content": markup(
            asks("data-reflex-include-text-content"),
            page.node(element).text().to_string(),
        ),
        "reflexController": "stimulus-reflex",
        "permanentAttributeName": PERMANENT,
        "target": target,
        "args": args,
        "url": caller.url,
        "tabId": caller.tab_id,
        "version": VERSION,
        "formData": form_data,
    });
    if let Some(selector) = form_selector {
        call["formSelector"] = Value::String(selector);
    }
    call
}

fn attributes(page: &Page, element: NodeId) -> Map<String, Value> {
    let mut attributes = Map::new();
    for attribute in page.node(element).attrs() {
        attributes.insert(
            attribute.name.local.to_string(),
            attribute.value.to_string().into(),
        );
    }
    let tag = page.tag(element);
    let checked = page.is_checkable(element) && page.is_checked(element);
    let selected = tag == "option"
        && page
            .closest(element, "select")
            .is_some_and(|select| page.chosen(select).contains(&element));
    attributes.insert("checked".into(), checked.into());
    attributes.insert("selected".into(), selected.into());
    attributes.insert("tag_name".into(), tag.to_ascii_uppercase().into());
    if let Some(values) = grouped_values(page, element) {
        attributes.insert("value".into(), values.join(",").into());
        attributes.insert("values".into(), values.into());
    } else if let Some(value) = page.value(element) {
        attributes.insert("value".into(), value.into());
    }
    attributes
}

/// The chosen values of a select, or of a group of boxes or buttons with one name.
fn grouped_values(page: &Page, element: NodeId) -> Option<Vec<String>> {
    if page.tag(element) == "select" {
        let chosen = page.chosen(element);
        return Some(chosen.iter().map(|it| page.option_value(*it)).collect());
    }
    if !page.is_checkable(element) {
        return None;
    }
    let kind = page.input_type(element);
    let name = page.attribute(element, "name");
    let group: Vec<_> = page
        .elements_below(page.root())
        .into_iter()
        .filter(|other| {
            page.is_checkable(*other)
                && page.input_type(*other) == kind
                && page.attribute(*other, "name") == name
        })
        .collect();
    (group.len() > 1 && name.is_some()).then(|| {
        let checked = group.iter().filter(|other| page.is_checked(**other));
        checked.filter_map(|other| page.value(*other)).collect()
    })
}

fn data_attributes(page: &Page, element: NodeId) -> impl Iterator<Item = (String, Value)> {
    page.node(element).attrs().into_iter().filter_map(|it| {
        let name = it.name.local.to_string();
        name.starts_with("data-")
            .then(|| (name, Value::String(it.value.to_string())))
    })
}

/// The element's data attributes, and those of the elements its tokens name; the element's own and
/// the nearer ones go first.
fn dataset(page: &Page, element: NodeId) -> Map<String, Value> {
    let mut dataset: Map<String, Value> = data_attributes(page, element).collect();
    for other in named_elements(page, element, "data-reflex-dataset") {
        for (name, value) in data_attributes(page, other) {
            dataset.entry(name).or_insert(value);
        }
    }
    dataset
}

fn dataset_all(page: &Page, element: NodeId) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for other in named_elements(page, element, "data-reflex-dataset-all") {
        for (name, value) in data_attributes(page, other) {
            let list = all.entry(name).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(value);
            }
        }
    }
    all
}

fn named_elements(page: &Page, element: NodeId, attribute: &str) -> Vec<NodeId> {
    let Some(tokens) = page
        .attribute(element, attribute)
        .filter(|it| !it.is_empty())
    else {
        return Vec::new();
    };
    let mut elements = vec![element];
    for token in tokens.split(' ') {
        match token {
            "combined" | "ancestors" => elements.extend(page.chain(element).into_iter().skip(1)),
            "parent" => elements.extend(page.chain(element).into_iter().skip(1).take(1)),
            "siblings" => {
                let parent = page.node(element).parent();
                let siblings = parent.map(|it| it.element_children()).unwrap_or_default();
                let siblings = siblings.iter().map(|it| it.id);
                elements.extend(siblings.filter(|id| *id != element));
            }
            "children" => {
                let children = page.node(element).element_children();
                elements.extend(children.iter().map(|it| it.id));
            }
            "descendants" => elements.extend(page.elements_below(element)),
            selector => elements.extend(page.all(selector).unwrap_or_default()),
        }
    }
    elements
}

/// The roots of the page morph, from the nearest `data-reflex-root` that has one on the page.
fn roots(page: &Page, element: NodeId) -> Vec<String> {
    for node in page.chain(element) {
        let Some(list) = page.attribute(node, "data-reflex-root") else {
            continue;
        };
        let roots: Vec<String> = list
            .split(',')
            .filter(|selector| page.first(selector).ok().flatten().is_some())
            .map(str::to_owned)
            .collect();
        if !roots.is_empty() {
            return roots;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {

    use super::*;

    /// The first call of a recording, with the page and the element it was made for: of those in
    /// which a person comes and clicks one thing.
    fn recorded(recording: &Value) -> Option<(Page, NodeId, Value)> {
        let steps = recording["steps"].as_array()?;
        let [goto, click, ..] = &steps[..] else {
            return None;
        };
        goto.get("goto")?;
        let selector = click.get("click")?.as_str()?;
        let page = Page::parse(recording["html_before"].as_str()?);
        let clicked = page.first(selector).ok()??;
        let element = page.closest(clicked, "[data-reflex]")?;
        let frames = recording["frames"].as_array()?.iter();
        let call = frames
            .filter(|frame| frame["dir"] == "out")
            .filter_map(|frame| serde_json::from_str::<Value>(frame["data"].as_str()?).ok())
            .find(|command| command["command"] == "message")?;
        let call: Value = serde_json::from_str(call["data"].as_str()?).ok()?;
        let reflexes = page.attribute(element, "data-reflex")?;
        let target = call["target"].as_str()?;
        reflexes
            .contains(&format!("click->{target}"))
            .then_some((page, element, call))
    }

    /// Takes out the two attributes that the client writes into the page when it finds a reflex.
    fn without_scanned(call: &mut Value) {
        for at in ["/attrs", "/dataset/dataset", "/dataset/datasetAll"] {
            if let Some(Value::Object(attributes)) = call.pointer_mut(at) {
                attributes.retain(|name, _| name != "data-controller" && name != "data-action");
            }
        }
    }

    #[test]
    fn a_call_is_the_one_that_the_recorded_client_made() {
        let (mut compared, mut different) = (0, Vec::new());
        for (file, recording) in crate::recordings::all() {
            let Some((page, element, theirs)) = recorded(&recording) else {
                continue;
            };
            let said = |name: &str| theirs[name].as_str().unwrap_or_default();
            let caller = Caller {
                id: said("id"),
                url: said("url"),
                tab_id: said("tabId"),
            };
            let mut ours = call(&page, element, said("target"), &theirs["args"], &caller);
            compared += 1;
            // The controller is the page's own script's affair; some clients were older on purpose.
            for name in ["xpathController", "reflexController", "version"] {
                ours[name] = theirs[name].clone();
            }
            let mut theirs = theirs;
            for call in [&mut ours, &mut theirs] {
                without_scanned(call);
            }
            let names = theirs.as_object().into_iter().flatten();
            for (name, value) in names {
                if &ours[name] != value {
                    different.push(format!("{file} {name}: {} not {value}", ours[name]));
                }
            }
        }
        different.sort();
        assert_eq!(different, [""; 0], "of {compared}");
        assert!(compared > 30, "only {compared} recordings were compared");
    }
}
