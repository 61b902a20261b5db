//! Forms as a browser sends them.

use dom_query::NodeId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::page::Page;
use crate::upload::{Body, Entry, Upload, multipart};

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

/// The fields of a form, in the order of the document, without those that are disabled.
pub(crate) fn fields(page: &Page, form: NodeId) -> Vec<NodeId> {
    let id = page.attribute(form, "id");
    let mut fields = page.elements_below(page.root());
    fields.retain(|field| {
        let is_field = matches!(&*page.tag(*field), "input" | "select" | "textarea");
        is_field
            && !page.is_disabled(*field)
            && match page.attribute(*field, "form") {
                Some(named) => Some(named) == id,
                None => page.closest(*field, "form") == Some(form),
            }
    });
    fields
}

/// Names and values of a form's fields, in the order of the document.
fn entries(page: &Page, form: NodeId) -> Vec<(String, Entry)> {
    let mut entries = Vec::new();
    for field in fields(page, form) {
        let tag = page.tag(field);
        let Some(name) = page
            .attribute(field, "name")
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        let value = |field| Entry::Text(page.value(field).unwrap_or_default());
        match &*tag {
            "select" => {
                for option in page.chosen(field) {
                    if !page.is_disabled(option) {
                        entries.push((name.clone(), Entry::Text(page.option_value(option))));
                    }
                }
            }
            "input" => match &*page.input_type(field) {
                "checkbox" | "radio" if !page.is_checked(field) => {}
                "submit" | "button" | "reset" | "image" => {}
                "file" => {
                    let chosen = page.files(field);
                    let files = chosen.iter().cloned().map(Entry::File);
                    entries.extend(files.map(|file| (name.clone(), file)));
                    if chosen.is_empty() {
                        entries.push((name, Entry::File(Upload::new("", []))));
                    }
                }
                _ => entries.push((name, value(field))),
            },
            _ => entries.push((name, value(field))),
        }
    }
    entries
}

/// The form as the reflex client sends it: with its submit button, pressed or not.
pub(crate) fn for_reflex(page: &Page, form: NodeId, element: NodeId) -> String {
    let mut entries: Vec<_> = entries(page, form)
        .into_iter()
        .map(|(name, entry)| match entry {
            Entry::Text(text) => (name, text),
            // The client writes a file as JavaScript writes any object.
            Entry::File(_) => (name, "[object File]".to_owned()),
        })
        .collect();
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

/// The form as a request without scripts carries it, in its address.
pub(crate) fn for_address(page: &Page, form: NodeId, button: Option<NodeId>) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, entry) in with_button(page, form, button) {
        match entry {
            Entry::Text(text) => out.append_pair(&name, &text),
            // Its name alone, as browsers do.
            Entry::File(file) => out.append_pair(&name, file.name()),
        };
    }
    out.finish()
}

/// The form as the body of a request without scripts.
pub(crate) fn for_body(
    page: &Page,
    form: NodeId,
    button: Option<NodeId>,
    encoding: &str,
    boundary: &str,
) -> Result<Body, String> {
    match &*encoding.to_ascii_lowercase() {
        "multipart/form-data" => Ok(multipart(&with_button(page, form, button), boundary)),
        "text/plain" => Err(format!(
            "{} is sent as text/plain, which this test kit does not do",
            page.called(form)
        )),
        _ => Ok(Body {
            content_type: "application/x-www-form-urlencoded".to_owned(),
            bytes: for_address(page, form, button).into_bytes(),
        }),
    }
}

fn with_button(page: &Page, form: NodeId, button: Option<NodeId>) -> Vec<(String, Entry)> {
    let mut entries = entries(page, form);
    if let Some(button) = button
        && let Some(name) = page.attribute(button, "name").filter(|it| !it.is_empty())
    {
        let value = page.value(button).unwrap_or_default();
        entries.push((name, Entry::Text(value)));
    }
    for (_, entry) in &mut entries {
        if let Entry::Text(text) = entry {
            // On the way to a server a line ends with both.
            *text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
    }
    entries
}
