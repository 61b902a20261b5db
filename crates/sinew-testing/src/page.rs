//! The page of a tab: a parsed document, and what a person has typed and chosen in it.

use std::collections::HashMap;

use dom_query::{Document, Matcher, NodeData, NodeId, NodeRef};
use html5ever::tendril::TendrilSink as _;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{LocalName, ParseOpts, QualName, ns};

use crate::upload::Upload;

/// What a field holds beyond its attributes, as a browser keeps it in properties.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    pub(crate) value: Option<String>,
    /// Whether a person typed it: only then a browser finds it too short.
    pub(crate) is_typed: bool,
    /// What a person has chosen in a file field.
    pub(crate) files: Vec<Upload>,
    /// Of a checkbox or radio button; of an option, whether it is chosen.
    pub(crate) checked: Option<bool>,
}

/// A document as a browser has it.
pub(crate) struct Page {
    document: Document,
    touched: HashMap<NodeId, Touched>,
    /// The field that was used last, as it has the focus.
    pub(crate) focused: Option<NodeId>,
}

impl Page {
    pub(crate) fn parse(html: &str) -> Self {
        Self {
            document: Document::from(html),
            touched: HashMap::new(),
            focused: None,
        }
    }

    pub(crate) fn node(&self, id: NodeId) -> NodeRef<'_> {
        self.document.tree.get_unchecked(&id)
    }

    pub(crate) fn body(&self) -> Option<NodeId> {
        self.document.body().map(|node| node.id)
    }

    /// The root element.
    pub(crate) fn root(&self) -> NodeId {
        self.document.html_root().id
    }

    /// Every match, in the order of the document.
    pub(crate) fn all(&self, selector: &str) -> Result<Vec<NodeId>, String> {
        let matcher = matcher(selector)?;
        let root = self.document.root();
        Ok(root
            .descendants_it()
            .filter(|node| node.is_element() && matcher.match_element(node))
            .map(|node| node.id)
            .collect())
    }

    pub(crate) fn first(&self, selector: &str) -> Result<Option<NodeId>, String> {
        Ok(self.all(selector)?.into_iter().next())
    }

    /// The element itself or the nearest around it that matches.
    pub(crate) fn closest(&self, id: NodeId, selector: &str) -> Option<NodeId> {
        let matcher = matcher(selector).ok()?;
        self.chain(id)
            .into_iter()
            .find(|id| matcher.match_element(&self.node(*id)))
    }

    /// The element and those around it, from the inside out.
    pub(crate) fn chain(&self, id: NodeId) -> Vec<NodeId> {
        let node = self.node(id);
        let around = node.ancestors_it(None).filter(NodeRef::is_element);
        std::iter::once(id)
            .chain(around.map(|node| node.id))
            .collect()
    }

    pub(crate) fn elements_below(&self, id: NodeId) -> Vec<NodeId> {
        let node = self.node(id);
        let below = node.descendants_it().filter(NodeRef::is_element);
        below.map(|node| node.id).collect()
    }

    /// The tag in lower case.
    pub(crate) fn tag(&self, id: NodeId) -> String {
        let name = self.node(id).node_name();
        name.map(|name| name.to_ascii_lowercase())
            .unwrap_or_default()
    }

    pub(crate) fn attribute(&self, id: NodeId, name: &str) -> Option<String> {
        self.node(id).attr(name).map(|value| value.to_string())
    }

    pub(crate) fn has_attribute(&self, id: NodeId, name: &str) -> bool {
        self.node(id).has_attr(name)
    }

    /// What is to be read in the element: white space collapsed, blocks apart, without what is
    /// hidden or never shown.
    pub(crate) fn text(&self, id: NodeId) -> String {
        let mut text = String::new();
        read(&self.node(id), &mut text);
        collapse(&text)
    }

    /// An element to be read on a screen: a line for each element in it that holds more than text,
    /// and cut after `characters_max`.
    pub(crate) fn markup(&self, id: NodeId, characters_max: usize) -> String {
        let mut html = String::new();
        write_lines(&self.node(id), 0, &mut html);
        let mut cut: String = html.trim_end().chars().take(characters_max).collect();
        if cut.len() < html.trim_end().len() {
            cut.push('…');
        }
        cut
    }

    pub(crate) fn title(&self) -> String {
        let title = self.first("title").ok().flatten();
        title.map(|id| self.text(id)).unwrap_or_default()
    }

    // Fields.

    pub(crate) fn touch(&mut self, id: NodeId) -> &mut Touched {
        self.touched.entry(id).or_default()
    }

    /// Forgets what was typed and chosen: the attributes speak again.
    pub(crate) fn untouch(&mut self, id: NodeId) {
        self.touched.remove(&id);
    }

    /// The type of an input, `text` when it says none.
    pub(crate) fn input_type(&self, id: NodeId) -> String {
        self.attribute(id, "type")
            .filter(|kind| !kind.is_empty())
            .map_or_else(|| "text".to_owned(), |kind| kind.to_ascii_lowercase())
    }

    pub(crate) fn is_checkable(&self, id: NodeId) -> bool {
        self.tag(id) == "input" && matches!(&*self.input_type(id), "checkbox" | "radio")
    }

    pub(crate) fn is_text_field(&self, id: NodeId) -> bool {
        match &*self.tag(id) {
            "textarea" => true,
            "input" => !matches!(
                &*self.input_type(id),
                "checkbox" | "radio" | "submit" | "button" | "reset" | "image" | "file" | "hidden"
            ),
            _ => false,
        }
    }

    pub(crate) fn is_checked(&self, id: NodeId) -> bool {
        let touched = self.touched.get(&id).and_then(|touched| touched.checked);
        touched.unwrap_or_else(|| self.has_attribute(id, "checked"))
    }

    /// Checks a box, or a radio button, which unchecks the others of its group.
    pub(crate) fn set_checked(&mut self, id: NodeId, checked: bool) {
        if checked && self.input_type(id) == "radio" {
            let name = self.attribute(id, "name").unwrap_or_default();
            let form = self.closest(id, "form");
            let radios = self.all("input[type=radio]").unwrap_or_default();
            for other in radios {
                let same_group = self.attribute(other, "name").unwrap_or_default() == name;
                if same_group && !name.is_empty() && self.closest(other, "form") == form {
                    self.touch(other).checked = Some(false);
                }
            }
        }
        self.touch(id).checked = Some(checked);
    }

    pub(crate) fn options(&self, select: NodeId) -> Vec<NodeId> {
        let below = self.elements_below(select);
        below
            .into_iter()
            .filter(|id| self.tag(*id) == "option")
            .collect()
    }

    pub(crate) fn option_value(&self, option: NodeId) -> String {
        self.attribute(option, "value")
            .unwrap_or_else(|| self.text(option))
    }

    /// The chosen options; of a plain select its first, when nothing says otherwise.
    pub(crate) fn chosen(&self, select: NodeId) -> Vec<NodeId> {
        let options = self.options(select);
        let chosen: Vec<NodeId> = options
            .iter()
            .copied()
            .filter(|id| {
                let touched = self.touched.get(id).and_then(|touched| touched.checked);
                touched.unwrap_or_else(|| self.has_attribute(*id, "selected"))
            })
            .collect();
        if self.has_attribute(select, "multiple") {
            chosen
        } else if let Some(last) = chosen.last() {
            vec![*last]
        } else {
            options.into_iter().take(1).collect()
        }
    }

    pub(crate) fn choose(&mut self, select: NodeId, option: NodeId) {
        if !self.has_attribute(select, "multiple") {
            for other in self.options(select) {
                self.touch(other).checked = Some(false);
            }
        }
        self.touch(option).checked = Some(true);
    }

    /// The `value` property; `None` for elements that have none.
    pub(crate) fn value(&self, id: NodeId) -> Option<String> {
        match &*self.tag(id) {
            "select" => {
                let chosen = self.chosen(id);
                let first = chosen.first().map(|option| self.option_value(*option));
                Some(first.unwrap_or_default())
            }
            "option" => Some(self.option_value(id)),
            tag @ ("input" | "textarea" | "button" | "output" | "data") => {
                let typed = self.touched.get(&id).and_then(|it| it.value.clone());
                Some(typed.unwrap_or_else(|| match tag {
                    "textarea" | "output" => {
                        let text = self.node(id).text();
                        text.strip_prefix('\n').unwrap_or(&text).to_owned()
                    }
                    _ if self.is_checkable(id) => {
                        let value = self.attribute(id, "value");
                        value.unwrap_or_else(|| "on".to_owned())
                    }
                    _ => self.attribute(id, "value").unwrap_or_default(),
                }))
            }
            _ => None,
        }
    }

    pub(crate) fn set_value(&mut self, id: NodeId, value: &str) {
        if self.tag(id) == "select" {
            let options = self.options(id);
            for option in options {
                let chosen = self.option_value(option) == value;
                self.touch(option).checked = Some(chosen);
            }
        } else {
            let touched = self.touch(id);
            touched.value = Some(value.to_owned());
            touched.is_typed = false;
        }
    }

    pub(crate) fn type_into(&mut self, id: NodeId, text: &str) {
        let touched = self.touch(id);
        touched.value = Some(text.to_owned());
        touched.is_typed = true;
    }

    pub(crate) fn is_typed(&self, id: NodeId) -> bool {
        self.touched.get(&id).is_some_and(|it| it.is_typed)
    }

    pub(crate) fn files(&self, id: NodeId) -> &[Upload] {
        self.touched.get(&id).map_or(&[], |it| &it.files)
    }

    /// What names an element in a sentence: its id, else its tag with its name.
    pub(crate) fn called(&self, id: NodeId) -> String {
        let said = |name| self.attribute(id, name).filter(|it| !it.is_empty());
        match (said("id"), said("name")) {
            (Some(id), _) => format!("#{id}"),
            (None, Some(name)) => format!("{}[name={name:?}]", self.tag(id)),
            (None, None) => self.tag(id),
        }
    }

    /// Whether it is still in the document.
    pub(crate) fn is_there(&self, id: NodeId) -> bool {
        self.chain(id).contains(&self.root())
    }

    /// Whether a click or a key gives it the focus.
    pub(crate) fn is_focusable(&self, id: NodeId) -> bool {
        match &*self.tag(id) {
            "input" | "textarea" | "select" | "button" => !self.is_disabled(id),
            "a" | "area" => self.has_attribute(id, "href") || self.has_attribute(id, "tabindex"),
            "summary" => true,
            _ => self.has_attribute(id, "tabindex") || self.has_attribute(id, "contenteditable"),
        }
    }

    /// Whether a person cannot use it, because it or a fieldset around it is disabled.
    pub(crate) fn is_disabled(&self, id: NodeId) -> bool {
        let usable = matches!(
            &*self.tag(id),
            "button" | "input" | "select" | "textarea" | "option" | "fieldset"
        );
        usable
            && (self.has_attribute(id, "disabled")
                || self.closest(id, "fieldset[disabled]").is_some())
    }

    // Changing the tree.

    /// Puts copies of a fragment's nodes into this document; they are nowhere in it yet.
    pub(crate) fn adopt(&self, fragment: &Document) -> Vec<NodeId> {
        content(fragment)
            .children_it(false)
            .map(|child| self.copy(&child))
            .collect()
    }

    /// A copy of an element without its children.
    pub(crate) fn copy_alone(&self, node: &NodeRef<'_>) -> NodeId {
        let data = node.query_or(NodeData::Fragment, |node| node.data.clone());
        self.document.tree.create_node(data)
    }

    pub(crate) fn copy(&self, node: &NodeRef<'_>) -> NodeId {
        let mut data = node.query_or(NodeData::Fragment, |node| node.data.clone());
        let mut inert = None;
        if let NodeData::Element(element) = &mut data {
            inert = element.template_contents.take();
        }
        let tree = &self.document.tree;
        if let (Some(inert), NodeData::Element(element)) = (inert, &mut data) {
            let kept = tree.create_node(NodeData::Fragment);
            for child in node.tree.get_unchecked(&inert).children_it(false) {
                let child = self.copy(&child);
                tree.append_child_of(&kept, &child);
            }
            element.template_contents = Some(kept);
        }
        let copy = tree.create_node(data);
        for child in node.children_it(false) {
            let child = self.copy(&child);
            tree.append_child_of(&copy, &child);
        }
        copy
    }

    pub(crate) fn append(&self, parent: NodeId, nodes: &[NodeId]) {
        for node in nodes {
            self.document.tree.append_child_of(&parent, node);
        }
    }

    pub(crate) fn insert_before(&self, sibling: NodeId, nodes: &[NodeId]) {
        for node in nodes {
            self.document.tree.insert_before_of(&sibling, node);
        }
    }

    pub(crate) fn remove(&self, id: NodeId) {
        self.document.tree.remove_from_parent(&id);
    }

    pub(crate) fn empty(&self, id: NodeId) {
        for child in self.document.tree.child_ids_of(&id) {
            self.document.tree.remove_from_parent(&child);
        }
    }

    pub(crate) fn new_text(&self, text: &str) -> NodeId {
        self.document.tree.new_text(text).id
    }

    pub(crate) fn new_element(&self, name: &str) -> NodeId {
        self.document.tree.new_element(name).id
    }

    /// Parses HTML as an element of this kind would hold it.
    pub(crate) fn fragment_in(&self, id: NodeId, html: &str) -> Document {
        fragment(html, LocalName::from(&*self.tag(id)))
    }

    /// The element at an XPath of the form that the client writes: steps from the root, or from an id.
    pub(crate) fn at_xpath(&self, expression: &str) -> Result<Option<NodeId>, String> {
        let unknown = || format!("the XPath {expression:?} is beyond this test kit");
        let (mut at, rest) = if let Some(rest) = expression.strip_prefix("//*[@id='") {
            let (id, rest) = rest.split_once("']").ok_or_else(unknown)?;
            let found = self
                .elements_below(self.document.root().id)
                .into_iter()
                .find(|node| self.attribute(*node, "id").as_deref() == Some(id));
            match found {
                Some(found) => (found, rest),
                None => return Ok(None),
            }
        } else {
            (
                self.document.root().id,
                expression.strip_prefix('.').unwrap_or(expression),
            )
        };
        for step in rest.split('/').filter(|step| !step.is_empty()) {
            let (name, position) = match step.split_once('[') {
                None => (step, 1),
                Some((name, position)) => {
                    let position = position.strip_suffix(']').ok_or_else(unknown)?;
                    (name, position.parse::<usize>().map_err(|_| unknown())?)
                }
            };
            if !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            {
                return Err(unknown());
            }
            let children = self.node(at).element_children();
            let mut same = children.iter().filter(|child| self.tag(child.id) == name);
            match same.nth(position.saturating_sub(1)) {
                Some(child) => at = child.id,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The XPath by which the client names an element.
    pub(crate) fn xpath(&self, id: NodeId) -> String {
        let mut steps = String::new();
        for node in self.chain(id) {
            let tag = self.tag(node);
            if let Some(id) = self.attribute(node, "id").filter(|id| !id.is_empty()) {
                return format!("//*[@id='{id}']{steps}");
            }
            if tag == "body" {
                return format!("/html/body{steps}");
            }
            if tag == "html" {
                return format!("/html{steps}");
            }
            let mut position = 1;
            let mut before = self.node(node).prev_element_sibling();
            while let Some(sibling) = before {
                if self.tag(sibling.id) == tag {
                    position += 1;
                }
                before = sibling.prev_element_sibling();
            }
            steps = format!("/{tag}[{position}]{steps}");
        }
        steps
    }
}

/// Parses a fragment inside an element called `context`.
pub(crate) fn fragment(html: &str, context: LocalName) -> Document {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            scripting_enabled: false,
            drop_doctype: true,
            ..TreeBuilderOpts::default()
        },
        ..ParseOpts::default()
    };
    html5ever::parse_fragment(
        Document::fragment_sink(),
        options,
        QualName::new(None, ns!(html), context),
        Vec::new(),
        false,
    )
    .one(html)
}

/// Whose children a fragment's nodes are: the parser puts them below an element of its own.
pub(crate) fn content(fragment: &Document) -> NodeRef<'_> {
    let root = fragment.root();
    root.first_child().unwrap_or(root)
}

fn matcher(selector: &str) -> Result<Matcher, String> {
    Matcher::new(selector).map_err(|_| format!("{selector:?} is not a CSS selector"))
}

/// Writes an element's markup with an indentation that shows what is in what.
fn write_lines(node: &NodeRef<'_>, depth: usize, out: &mut String) {
    let indentation = "  ".repeat(depth);
    let holds_elements = |node: &NodeRef<'_>| node.children_it(false).any(|it| it.is_element());
    if !node.is_element() {
        let html = node.html();
        if !html.trim().is_empty() {
            out.push_str(&format!("{indentation}{}\n", html.trim()));
        }
        return;
    }
    let name = node.node_name().unwrap_or_default();
    if !holds_elements(node) || (INLINE.contains(&&*name) && depth > 0) || &*name == "p" {
        out.push_str(&format!("{indentation}{}\n", node.html().trim()));
        return;
    }
    // The start tag is what stands before the children.
    let (html, inside) = (node.html(), node.inner_html());
    let tag = html.find(&*inside).map_or(&*html, |at| &html[..at]);
    out.push_str(&format!("{indentation}{tag}\n"));
    for child in node.children_it(false) {
        write_lines(&child, depth + 1, out);
    }
    out.push_str(&format!("{indentation}</{name}>\n"));
}

/// Elements that stand in a line with what is around them.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "kbd", "label", "mark",
    "output", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "u", "var",
];

fn read(node: &NodeRef<'_>, text: &mut String) {
    if node.is_text() {
        text.push_str(&node.text());
        return;
    }
    for child in node.children_it(false) {
        let name = child.node_name().filter(|_| child.is_element());
        match name.as_deref() {
            Some("script" | "style" | "template" | "noscript") => {}
            Some(_) if child.has_attr("hidden") => {}
            Some(name) if !INLINE.contains(&name) => {
                text.push(' ');
                read(&child, text);
                text.push(' ');
            }
            _ => read(&child, text),
        }
    }
}

/// Text as it is read: white space counts once, and not at the ends.
pub(crate) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_a_person_reads() {
        let page = Page::parse(
            "<ul><li>one<li><b>t</b>wo\n</ul><p hidden>secret</p><script>code()</script>",
        );
        assert_eq!(page.text(page.body().expect("a body")), "one two");
    }

    #[test]
    fn markup_shows_what_is_in_what() {
        let page = Page::parse("<ul id=l><li class='a'>1 <b>x</b><li>2</ul> tail");
        let body = page.body().expect("a body");
        let expected = "<body>\n  <ul id=\"l\">\n    <li class=\"a\">\n      1\n      <b>x</b>\n    </li>\n    \
            <li>2</li>\n  </ul>\n  tail\n</body>";
        assert_eq!(page.markup(body, 1_000), expected);
        assert_eq!(page.markup(body, 9), "<body>\n  …");
    }

    #[test]
    fn an_xpath_leads_back_to_its_element() {
        let page = Page::parse("<p>a</p><div id=d><p>b</p><p><i>c</i></p></div><p>d</p>");
        for id in page.elements_below(page.root()) {
            let xpath = page.xpath(id);
            if xpath != "/html/head[1]" {
                assert_eq!(page.at_xpath(&xpath), Ok(Some(id)), "{xpath}");
            }
        }
        let inner = page.first("i").expect("a selector").expect("a match");
        assert_eq!(page.xpath(inner), "//*[@id='d']/p[2]/i[1]");
        assert!(page.at_xpath("//p[last()]").is_err());
    }

    #[test]
    fn one_radio_button_of_a_group_is_checked() {
        let mut page =
            Page::parse("<input type=radio name=a checked><input type=radio name=a id=b>");
        let radios = page.all("input").expect("a selector");
        page.set_checked(radios[1], true);
        let checked: Vec<_> = radios.iter().map(|id| page.is_checked(*id)).collect();
        assert_eq!(checked, [false, true]);
    }
}
