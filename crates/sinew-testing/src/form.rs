//! Forms as a browser sends them.

use dom_query::NodeId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::page::Page;

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Names and values of a form's fields, in the order of the document.
///
/// A file is never chosen here: `no_file` stands for it.
fn entries(page: &Page, form: NodeId, no_file: &str) -> Vec<(String, String)> {
    let id = page.attribute(form, "id");
    let mut entries = Vec::new();
    for field in page.elements_below(page.root()) {
        let tag = page.tag(field);
        if !matches!(&*tag, "input" | "select" | "textarea") || page.is_disabled(field) {
            continue;
        }
        let belongs = match page.attribute(field, "form") {
            Some(named) => Some(named) == id,
            None => page.closest(field, "form") == Some(form),
        };
        let Some(name) = page
            .attribute(field, "name")
            .filter(|name| belongs && !name.is_empty())
        else {
            continue;
        };
        match &*tag {
            "select" => {
                for option in page.chosen(field) {
                    if !page.is_disabled(option) {
                        entries.push((name.clone(), page.option_value(option)));
                    }
                }
            }
            "input" => match &*page.input_type(field) {
                "checkbox" | "radio" if !page.is_checked(field) => {}
                "submit" | "button" | "reset" | "image" => {}
                "file" => entries.push((name, no_file.to_owned())),
                _ => entries.push((name, page.value(field).unwrap_or_default())),
            },
            _ => entries.push((name, page.value(field).unwrap_or_default())),
        }
    }
    entries
}

/// The form as the reflex client sends it: with its submit button, pressed or not.
pub(crate) fn for_reflex(page: &Page, form: NodeId, element: NodeId) -> String {
    // The client writes a file as JavaScript writes any object.
    let mut entries = entries(page, form, "[object File]");
    let is_submit = |id: NodeId| page.tag(id) == "input" && page.input_type(id) == "submit";
    let name = |id: NodeId| page.attribute(id, "name").filter(|name| !name.is_empty());
    let first = page
        .elements_below(form)
        .into_iter()
        .find(|id| is_submit(*id));
    let button = if is_submit(element) && name(element).is_some() {
        Some(element)
    } else {
        first
    };
    if let Some((name, button)) = button.and_then(|button| Some((name(button)?, button))) {
        entries.push((name, page.value(button).unwrap_or_default()));
    }
    let pairs = entries.iter().map(|(name, value)| {
        format!(
            "{}={}",
            utf8_percent_encode(name, COMPONENT),
            utf8_percent_encode(value, COMPONENT)
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The form as a request without scripts carries it.
pub(crate) fn for_request(page: &Page, form: NodeId, button: Option<NodeId>) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(entries(page, form, ""));
    if let Some(button) = button
        && let Some(name) = page.attribute(button, "name")
    {
        out.append_pair(&name, &page.value(button).unwrap_or_default());
    }
    out.finish()
}
