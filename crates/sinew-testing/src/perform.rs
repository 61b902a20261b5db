//! CableReady operations, carried out on a page.

use std::fmt;

use dom_query::NodeId;
use serde_json::Value;

use crate::morph::{self, Morph};
use crate::page::{Page, fragment};

/// An operation that a tab has carried out.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// struct List;
///
/// #[reflex]
/// impl List {
///     async fn mark(&self, cx: &mut Reflex) {
///         cx.cable_ready().add_css_class("#list", "done");
///         cx.morph_nothing();
///     }
/// }
///
/// # async fn index(client: ClientTags) -> Html<String> {
/// #     Html(format!("<head>{client}</head><body><ul id=list></ul></body>"))
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = TestApp::new(Sinew::new(Router::new().route("/", get(index))).reflex(List));
/// # let mut tab = app.visit("/").await;
/// tab.stimulate("List#mark", ()).await;
/// let marked = tab.operations().iter().find(|it| it.name() == "addCssClass").expect("it is there");
/// assert_eq!(marked.selector(), Some("#list"));
/// assert_eq!(marked.option("name"), "done");
/// assert_eq!(marked.json()["operation"], "addCssClass");
/// assert_eq!(marked.matches(), 1);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Performed {
    operation: Value,
    matches: usize,
    problem: Option<String>,
}

impl Performed {
    /// Its name as it travels: `innerHtml`, `morph`, `dispatchEvent`.
    pub fn name(&self) -> &str {
        self.operation["operation"].as_str().unwrap_or_default()
    }

    /// What it was aimed at; `None` for the document.
    pub fn selector(&self) -> Option<&str> {
        self.operation["selector"].as_str()
    }

    /// One of its options as it travels, such as `"html"`; null when it has none of that name.
    pub fn option(&self, name: &str) -> &Value {
        &self.operation[name]
    }

    /// The whole operation.
    pub fn json(&self) -> &Value {
        &self.operation
    }

    /// How many elements of the page it changed. One for operations on the document.
    pub fn matches(&self) -> usize {
        self.matches
    }
}

impl fmt::Display for Performed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(selector) = self.selector() {
            write!(f, " {selector}")?;
        }
        if self.matches == 0 {
            f.write_str(" (nothing on the page matches)")?;
        }
        let options = self.operation.as_object().into_iter().flatten();
        for (name, value) in options {
            let is_told = matches!(
                &**name,
                "operation" | "selector" | "reflexId" | "stimulusReflex" | "payload" | "xpath"
            );
            if !is_told && !value.is_null() {
                let text = value.to_string();
                let cut: String = text.chars().take(160).collect();
                let more = if cut.len() < text.len() { "…" } else { "" };
                write!(f, " {name}={cut}{more}")?;
            }
        }
        if let Some(problem) = &self.problem {
            write!(f, " — {problem}")?;
        }
        Ok(())
    }
}

/// What an operation wants of the tab, beyond the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Visit(String),
    Reload,
    /// So many pages on, or back.
    Go(i64),
    /// The address changes and the page stays.
    Address {
        address: String,
        is_new: bool,
    },
}

/// A reply's operations: the reflex's own in the order in which the client carries them out, which
/// is backwards, and those that travelled with them and come after.
pub(crate) fn in_order(operations: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let (mut own, others): (Vec<_>, Vec<_>) = operations
        .into_iter()
        .partition(|operation| operation["stimulusReflex"].is_object());
    own.reverse();
    (own, others)
}

/// Carries out one operation. A page that has no place for it is left alone, as in the browser.
pub(crate) fn perform(page: &mut Page, operation: Value) -> (Performed, Option<Wish>) {
    let mut performed = Performed {
        matches: 0,
        operation,
        problem: None,
    };
    if performed.operation["cancel"] == true {
        return (performed, None);
    }
    let operation = &performed.operation;
    let name = operation["operation"].as_str().unwrap_or_default();
    let text = |key: &str| scalar(&operation[key]);
    let mut wish = None;
    let changes_elements = Change::of(name);
    let done = if let Some(change) = changes_elements {
        targets(page, operation).and_then(|targets| {
            for target in &targets {
                change_element(page, *target, change, operation)?;
            }
            Ok(targets.len())
        })
    } else {
        match name {
            "setTitle" => set_title(page, &text("title")),
            "setMeta" => set_meta(page, &text("name"), &text("content")),
            "redirectTo" => {
                wish = Some(Wish::Visit(text("url")));
                Ok(1)
            }
            "reload" => {
                wish = Some(Wish::Reload);
                Ok(1)
            }
            "go" => {
                wish = Some(Wish::Go(operation["delta"].as_i64().unwrap_or_default()));
                Ok(1)
            }
            "pushState" | "replaceState" => {
                if operation["url"].is_string() {
                    wish = Some(Wish::Address {
                        address: text("url"),
                        is_new: name == "pushState",
                    });
                }
                Ok(1)
            }
            // Recorded: there is nothing of it to be seen on the page.
            _ if operation["selector"].is_string() => {
                targets(page, operation).map(|targets| targets.len())
            }
            _ => Ok(1),
        }
    };
    if let Some(selector) = operation["focusSelector"].as_str() {
        page.focused = page.first(selector).ok().flatten();
    }
    match done {
        Ok(matches) => performed.matches = matches,
        Err(problem) => performed.problem = Some(problem),
    }
    (performed, wish)
}

#[derive(Clone, Copy)]
enum Change {
    Append,
    Prepend,
    InnerHtml,
    OuterHtml,
    InsertHtml,
    InsertText,
    Morph,
    Remove,
    Graft,
    Text,
    AddClass,
    RemoveClass,
    SetAttribute,
    RemoveAttribute,
    SetData,
    SetProperty,
    SetStyle,
    SetStyles,
    SetValue,
    Focus,
}

impl Change {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "append" => Self::Append,
            "prepend" => Self::Prepend,
            "innerHtml" => Self::InnerHtml,
            "outerHtml" | "replace" => Self::OuterHtml,
            "insertAdjacentHtml" => Self::InsertHtml,
            "insertAdjacentText" => Self::InsertText,
            "morph" => Self::Morph,
            "remove" => Self::Remove,
            "graft" => Self::Graft,
            "textContent" => Self::Text,
            "addCssClass" => Self::AddClass,
            "removeCssClass" => Self::RemoveClass,
            "setAttribute" => Self::SetAttribute,
            "removeAttribute" => Self::RemoveAttribute,
            "setDatasetProperty" => Self::SetData,
            "setProperty" => Self::SetProperty,
            "setStyle" => Self::SetStyle,
            "setStyles" => Self::SetStyles,
            "setValue" => Self::SetValue,
            "setFocus" => Self::Focus,
            _ => return None,
        })
    }
}

/// The elements an operation is aimed at: the first match, or every one.
fn targets(page: &Page, operation: &Value) -> Result<Vec<NodeId>, String> {
    let Some(selector) = operation["selector"].as_str() else {
        return Ok(vec![page.root()]);
    };
    if operation["xpath"] == true {
        return Ok(page.at_xpath(selector)?.into_iter().collect());
    }
    let mut all = page.all(selector)?;
    if operation["selectAll"] != true {
        all.truncate(1);
    }
    Ok(all)
}

fn change_element(
    page: &mut Page,
    target: NodeId,
    change: Change,
    operation: &Value,
) -> Result<(), String> {
    let html = || scalar(&operation["html"]);
    let name = || scalar(&operation["name"]);
    let value = || scalar(&operation["value"]);
    match change {
        Change::Append => insert_html(page, target, "beforeend", &html()),
        Change::Prepend => insert_html(page, target, "afterbegin", &html()),
        Change::InsertHtml => insert_html(page, target, position(operation), &html()),
        Change::InsertText => {
            let text = page.new_text(&scalar(&operation["text"]));
            insert(page, target, position(operation), &[text])
        }
        Change::InnerHtml => {
            page.empty(target);
            insert_html(page, target, "beforeend", &html())
        }
        Change::OuterHtml => {
            insert_html(page, target, "beforebegin", &html())?;
            page.remove(target);
            Ok(())
        }
        Change::Morph => {
            morph_element(page, target, operation);
            Ok(())
        }
        Change::Remove => {
            page.remove(target);
            Ok(())
        }
        Change::Graft => {
            if let Some(parent) = page.first(&scalar(&operation["parent"]))? {
                page.remove(target);
                page.append(parent, &[target]);
            }
            Ok(())
        }
        Change::Text => {
            page.node(target).set_text(scalar(&operation["text"]));
            Ok(())
        }
        Change::AddClass => {
            for class in classes(&operation["name"]) {
                page.node(target).add_class(&class);
            }
            Ok(())
        }
        Change::RemoveClass => {
            for class in classes(&operation["name"]) {
                page.node(target).remove_class(&class);
            }
            if page
                .attribute(target, "class")
                .is_some_and(|it| it.is_empty())
            {
                page.node(target).remove_attr("class");
            }
            Ok(())
        }
        Change::SetAttribute => {
            page.node(target).set_attr(&name(), &value());
            Ok(())
        }
        Change::RemoveAttribute => {
            page.node(target).remove_attr(&name());
            Ok(())
        }
        Change::SetData => {
            let name = format!("data-{}", dashed(&name()));
            page.node(target).set_attr(&name, &value());
            Ok(())
        }
        Change::SetProperty => {
            set_property(page, target, &name(), &operation["value"]);
            Ok(())
        }
        Change::SetStyle => {
            set_style(page, target, &name(), &value());
            Ok(())
        }
        Change::SetStyles => {
            for (name, value) in operation["styles"].as_object().into_iter().flatten() {
                set_style(page, target, name, &scalar(value));
            }
            Ok(())
        }
        Change::SetValue => {
            page.set_value(target, &value());
            Ok(())
        }
        Change::Focus => {
            page.focused = Some(target);
            Ok(())
        }
    }
}

fn position(operation: &Value) -> &str {
    operation["position"].as_str().unwrap_or("beforeend")
}

fn insert_html(page: &Page, target: NodeId, position: &str, html: &str) -> Result<(), String> {
    let context = match position {
        "beforebegin" | "afterend" => page.node(target).parent().map(|parent| parent.id),
        _ => Some(target),
    };
    let fragment = match context {
        Some(context) if page.node(context).is_element() => page.fragment_in(context, html),
        _ => fragment(html, html5ever::local_name!("body")),
    };
    insert(page, target, position, &page.adopt(&fragment))
}

fn insert(page: &Page, target: NodeId, position: &str, nodes: &[NodeId]) -> Result<(), String> {
    let before = |sibling: Option<NodeId>, parent: Option<NodeId>| match (sibling, parent) {
        (Some(sibling), _) => page.insert_before(sibling, nodes),
        (None, Some(parent)) => page.append(parent, nodes),
        (None, None) => {}
    };
    let node = page.node(target);
    let parent = node.parent().map(|parent| parent.id);
    match position.to_ascii_lowercase().as_str() {
        "beforebegin" => before(Some(target), parent),
        "afterbegin" => before(node.first_child().map(|it| it.id), Some(target)),
        "beforeend" => page.append(target, nodes),
        "afterend" => before(node.next_sibling().map(|it| it.id), parent),
        other => return Err(format!("{other:?} is not a position")),
    }
    Ok(())
}

fn morph_element(page: &mut Page, target: NodeId, operation: &Value) {
    let html = scalar(&operation["html"]);
    let content = morph::content(&html);
    let to = crate::page::content(&content);
    let permanent = operation["permanentAttributeName"].as_str();
    if operation["childrenOnly"] == true {
        Morph::new(page, target, &content, permanent).children(target, &to);
        return;
    }
    let Some(element) = to.children_it(false).find(|node| node.is_element()) else {
        page.remove(target);
        return;
    };
    if page.node(target).node_name() == element.node_name() {
        Morph::new(page, target, &content, permanent).element(target, &element);
    } else {
        let copy = page.copy(&element);
        page.insert_before(target, &[copy]);
        page.remove(target);
    }
}

fn set_title(page: &Page, title: &str) -> Result<usize, String> {
    let element = match page.first("title")? {
        Some(element) => element,
        None => {
            let element = page.new_element("title");
            if let Some(head) = page.first("head")? {
                page.append(head, &[element]);
            }
            element
        }
    };
    page.node(element).set_text(title);
    Ok(1)
}

fn set_meta(page: &Page, name: &str, content: &str) -> Result<usize, String> {
    let all = page.all("head meta")?;
    let found = all
        .into_iter()
        .find(|meta| page.attribute(*meta, "name").as_deref() == Some(name));
    let meta = match found {
        Some(meta) => meta,
        None => {
            let meta = page.new_element("meta");
            page.node(meta).set_attr("name", name);
            if let Some(head) = page.first("head")? {
                page.append(head, &[meta]);
            }
            meta
        }
    };
    page.node(meta).set_attr("content", content);
    Ok(1)
}

/// Properties that show: the others are recorded with the operation.
fn set_property(page: &mut Page, target: NodeId, name: &str, value: &Value) {
    let truth = !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0;
    match name {
        "value" => page.set_value(target, &scalar(value)),
        "checked" => page.set_checked(target, truth),
        "selected" => page.touch(target).checked = Some(truth),
        "disabled" | "hidden" | "readOnly" | "required" | "open" | "multiple" => {
            let name = name.to_ascii_lowercase();
            if truth {
                page.node(target).set_attr(&name, "");
            } else {
                page.node(target).remove_attr(&name);
            }
        }
        "textContent" | "innerText" => page.node(target).set_text(scalar(value)),
        "innerHTML" => {
            page.empty(target);
            // A target stands in the page, so there is a place for it.
            let _ = insert_html(page, target, "beforeend", &scalar(value));
        }
        "className" => page.node(target).set_attr("class", &scalar(value)),
        "id" | "title" | "href" | "src" | "placeholder" | "max" | "min" => {
            page.node(target).set_attr(name, &scalar(value));
        }
        _ => {}
    }
}

fn set_style(page: &Page, target: NodeId, name: &str, value: &str) {
    let name = dashed(name);
    let style = page.attribute(target, "style").unwrap_or_default();
    let mut declarations: Vec<String> = style
        .split(';')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .filter(|it| it.split(':').next().map(str::trim) != Some(&name))
        .map(str::to_owned)
        .collect();
    if !value.is_empty() {
        declarations.push(format!("{name}: {value}"));
    }
    let style = declarations.join("; ");
    page.node(target).set_attr("style", &style);
}

/// `fontSize` as `font-size`.
fn dashed(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

fn classes(names: &Value) -> Vec<String> {
    match names {
        Value::Array(names) => names.iter().map(scalar).collect(),
        name => scalar(name).split_whitespace().map(str::to_owned).collect(),
    }
}

/// A value as the browser writes it into a page.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;

    /// Carries operations out on a body, and looks at it.
    fn check(before: &str, operations: &[Value], after: &str) {
        let mut page = Page::parse(&format!("<body>{before}</body>"));
        for operation in operations {
            perform(&mut page, operation.clone());
        }
        let body = page.body().expect("a body");
        assert_eq!(&*page.node(body).inner_html(), after, "{operations:?}");
    }

    fn operation(name: &str, mut options: Value) -> Value {
        options["operation"] = name.into();
        options
    }

    #[test]
    fn markup_goes_where_it_is_sent() {
        let row = json!({"selector": "tbody", "html": "<tr><td>2</td></tr>"});
        check(
            "<table><tbody><tr><td>1</td></tr></tbody></table>",
            &[operation("append", row)],
            "<table><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>",
        );
        let around = |position| {
            let options = json!({"selector": "p", "html": "<i></i>", "position": position});
            operation("insertAdjacentHtml", options)
        };
        check(
            "<p>x</p>",
            &[
                around("beforebegin"),
                around("afterbegin"),
                around("beforeend"),
                around("afterend"),
            ],
            "<i></i><p><i></i>x<i></i></p><i></i>",
        );
        let all = json!({"selector": "b", "html": "y", "selectAll": true});
        check(
            "<b></b><b></b>",
            &[operation("innerHtml", all)],
            "<b>y</b><b>y</b>",
        );
        let replaced = json!({"selector": "p", "html": "<h1>a</h1>b"});
        check(
            "<p>x</p><p>y</p>",
            &[operation("outerHtml", replaced)],
            "<h1>a</h1>b<p>y</p>",
        );
        let grafted = json!({"selector": "i", "parent": "div"});
        check(
            "<i></i><div>x</div>",
            &[operation("graft", grafted)],
            "<div>x<i></i></div>",
        );
        let morphed = json!({"selector": "p", "html": " <p class=\"a\">y</p> "});
        check(
            "<p>x</p>",
            &[operation("morph", morphed)],
            r#"<p class="a">y</p>"#,
        );
    }

    #[test]
    fn what_is_set_is_seen() {
        let at = |name: &str, key: &str, value: &str| {
            operation(name, json!({"selector": "p", "name": key, "value": value}))
        };
        check(
            "<p></p>",
            &[
                at("setAttribute", "title", "t"),
                at("setDatasetProperty", "postId", "7"),
                at("setStyle", "fontSize", "2px"),
                at("setStyle", "color", "red"),
                at("setStyle", "fontSize", "3px"),
            ],
            r#"<p title="t" data-post-id="7" style="color: red; font-size: 3px"></p>"#,
        );
        let text = json!({"selector": "p", "text": "<b>"});
        check(
            "<p>x</p>",
            &[operation("textContent", text)],
            "<p>&lt;b&gt;</p>",
        );
        let cancelled = json!({"selector": "p", "cancel": true});
        check("<p>x</p>", &[operation("remove", cancelled)], "<p>x</p>");
    }

    #[test]
    fn an_xpath_is_a_place_too() {
        let removed = json!({"selector": "/html/body/p[2]", "xpath": true});
        check(
            "<p>1</p><p>2</p>",
            &[operation("remove", removed)],
            "<p>1</p>",
        );
    }

    #[test]
    fn every_operation_finds_its_target() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/operations");
        let page = r##"<p id="slot" class="a b"></p><ul id="list"></ul><p class="many"></p>
            <p id="graft"></p><div id="parent"></div><input id="field"><i id="xp"></i>
            <i id="box"></i><i id="morphed"></i><i id="outer"></i><i id="replace"></i>"##;
        let mut names = 0;
        for file in std::fs::read_dir(folder).expect("the fixtures") {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|it| it != "json") {
                continue;
            }
            let fixture = std::fs::read_to_string(path).expect("a text");
            let fixture: Value = serde_json::from_str(&fixture).expect("JSON");
            let mut page = Page::parse(page);
            let (performed, _) = perform(&mut page, fixture["example"].clone());
            assert_eq!(performed.problem, None, "{performed}");
            assert_eq!(performed.matches, 1, "{performed}");
            names += 1;
        }
        assert_eq!(names, 37);
    }

    /// A body as markup, without what the client notes in it about reflexes, and white space once.
    fn normal(html: &str) -> String {
        let page = Page::parse(html);
        let body = page.body().expect("a body");
        for id in page
            .chain(body)
            .into_iter()
            .chain(page.elements_below(body))
        {
            let node = page.node(id);
            node.remove_attrs(&["data-controller", "data-action"]);
            node.remove_class("stimulus-reflex-connected");
            if node.class().is_some_and(|class| class.is_empty()) {
                node.remove_attr("class");
            }
        }
        let html = page.node(body).inner_html();
        html.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The page that a recording begins with, with all carried out that came, and the body that the
    /// browser had in the end. Of those in which one person clicks and nothing else.
    fn replayed(recording: &Value) -> Option<(String, String)> {
        let steps = recording["steps"].as_array()?;
        let (goto, clicks) = steps.split_first()?;
        goto.get("goto")?;
        if clicks.is_empty() || clicks.iter().any(|step| step.get("click").is_none()) {
            return None;
        }
        let after = recording["dom_after"]["A"]["html"].as_str()?;
        let mut page = Page::parse(recording["html_before"].as_str()?);
        for frame in recording["frames"].as_array()? {
            let message: Value = serde_json::from_str(frame["data"].as_str()?).ok()?;
            if frame["dir"] != "in" || message["message"]["cableReady"] != true {
                continue;
            }
            let operations = message["message"]["operations"].as_array()?.clone();
            let (own, others) = in_order(operations);
            for operation in own.into_iter().chain(others) {
                let (_, wish) = perform(&mut page, operation);
                if matches!(wish, Some(Wish::Visit(_) | Wish::Reload | Wish::Go(_))) {
                    return None;
                }
            }
        }
        let before = page.node(page.root()).html();
        Some((normal(&before), normal(after)))
    }

    #[test]
    fn pages_become_what_they_became_in_the_recorded_browser() {
        let (mut compared, mut different) = (0, Vec::new());
        for (file, recording) in crate::recordings::all() {
            if let Some((ours, theirs)) = replayed(&recording) {
                compared += 1;
                if ours != theirs {
                    different.push(format!("{file}\n  {ours}\n  {theirs}"));
                }
            }
        }
        different.sort();
        assert_eq!(different, [""; 0], "of {compared}");
        assert!(compared > 20, "only {compared} recordings were compared");
    }
}
