//! Morphing a part of the page into another: elements that stay the same stay themselves.

use std::collections::{HashMap, HashSet};

use dom_query::{Document, NodeId, NodeRef};

use crate::page::{self, Page};

/// One morph.
pub(crate) struct Morph<'a> {
    page: &'a mut Page,
    /// Elements with this attribute keep what they have, and so does the field with the focus.
    permanent: Option<&'a str>,
    /// Elements of the page by their id: they are moved rather than made anew.
    keyed: HashMap<String, NodeId>,
    wanted: HashSet<String>,
}

impl<'a> Morph<'a> {
    pub(crate) fn new(
        page: &'a mut Page,
        target: NodeId,
        to: &Document,
        permanent: Option<&'a str>,
    ) -> Self {
        let keyed = page
            .elements_below(target)
            .into_iter()
            .filter_map(|id| Some((page.attribute(id, "id")?, id)))
            .collect();
        let wanted = to
            .root()
            .descendants_it()
            .filter_map(|node| node.id_attr())
            .map(|id| id.to_string())
            .collect();
        Self {
            page,
            permanent,
            keyed,
            wanted,
        }
    }

    /// Makes one element like another, children and all.
    pub(crate) fn element(&mut self, from: NodeId, to: &NodeRef<'_>) {
        if let Some(permanent) = self.permanent {
            let selector = format!("[{permanent}]");
            if self.page.closest(from, &selector).is_some() {
                return;
            }
            if self.page.focused == Some(from) && self.page.is_text_field(from) {
                // What somebody is typing is theirs.
                self.attributes(from, to, Some("value"));
                return;
            }
        }
        let tag = self.page.tag(from);
        let is_field = matches!(&*tag, "input" | "textarea" | "select");
        if !is_field && is_equal(&self.page.node(from), to) {
            return;
        }
        self.attributes(from, to, None);
        self.children(from, to);
        if is_field {
            self.page.untouch(from);
            for below in self.page.elements_below(from) {
                self.page.untouch(below);
            }
        }
    }

    fn attributes(&mut self, from: NodeId, to: &NodeRef<'_>, except: Option<&str>) {
        let node = self.page.node(from);
        for attribute in node.attrs() {
            let name = &*attribute.name.local;
            if Some(name) != except && !to.has_attr(name) {
                node.remove_attr(name);
            }
        }
        for attribute in to.attrs() {
            let name = &*attribute.name.local;
            if Some(name) != except && node.attr(name).as_ref() != Some(&attribute.value) {
                node.set_attr(name, &attribute.value);
            }
        }
    }

    /// Makes the children of one element like those of another.
    pub(crate) fn children(&mut self, parent: NodeId, to: &NodeRef<'_>) {
        let node = self.page.node(parent);
        let mut left: Vec<NodeId> = node.children_it(false).map(|child| child.id).collect();
        for wanted in to.children_it(false) {
            // What came before may have taken some of them elsewhere.
            left.retain(|id| self.is_child(*id, parent));
            let Some(found) = self.counterpart(parent, &left, &wanted) else {
                self.add(parent, left.first().copied(), &wanted);
                continue;
            };
            if let Some(id) = wanted.id_attr() {
                self.keyed.remove(&*id);
            }
            let is_next = left.first() == Some(&found);
            left.retain(|id| *id != found);
            if !is_next {
                self.page.remove(found);
                self.insert(parent, left.first().copied(), found);
            }
            self.node(found, &wanted);
        }
        for id in left {
            if self.is_child(id, parent) {
                self.page.remove(id);
            }
        }
    }

    /// Makes a new node; what is in it may have been elsewhere on the page.
    fn add(&mut self, parent: NodeId, before: Option<NodeId>, wanted: &NodeRef<'_>) {
        if wanted.is_element() && !wanted.has_name("template") {
            let copy = self.page.copy_alone(wanted);
            self.insert(parent, before, copy);
            self.children(copy, wanted);
        } else {
            let copy = self.page.copy(wanted);
            self.insert(parent, before, copy);
        }
    }

    fn is_child(&self, id: NodeId, parent: NodeId) -> bool {
        let now = self.page.node(id).parent();
        now.is_some_and(|now| now.id == parent)
    }

    fn node(&mut self, from: NodeId, to: &NodeRef<'_>) {
        if to.is_element() {
            self.element(from, to);
        } else if to.is_text() {
            let node = self.page.node(from);
            if node.text() != to.text() {
                node.set_text(to.text());
            }
        }
    }

    /// The node of the page that becomes `wanted`: by its id, or the next one of its kind.
    fn counterpart(&self, parent: NodeId, left: &[NodeId], wanted: &NodeRef<'_>) -> Option<NodeId> {
        if let Some(id) = wanted.id_attr() {
            let found = self.keyed.get(&*id).copied()?;
            let is_same = self.page.node(found).node_name() == wanted.node_name();
            let is_around = self.page.chain(parent).contains(&found);
            return (is_same && !is_around).then_some(found);
        }
        if !wanted.is_element() {
            let next = left.first().copied()?;
            let is_text = self.page.node(next).is_text() && wanted.is_text();
            return is_text.then_some(next);
        }
        left.iter().copied().find(|id| {
            let node = self.page.node(*id);
            let is_spoken_for = node
                .id_attr()
                .is_some_and(|id| self.wanted.contains(id.as_ref()));
            node.is_element() && node.node_name() == wanted.node_name() && !is_spoken_for
        })
    }

    fn insert(&self, parent: NodeId, before: Option<NodeId>, node: NodeId) {
        match before {
            Some(sibling) => self.page.insert_before(sibling, &[node]),
            None => self.page.append(parent, &[node]),
        }
    }
}

/// Whether two trees are written alike, whatever was typed into them.
fn is_equal(one: &NodeRef<'_>, other: &NodeRef<'_>) -> bool {
    one.html() == other.html()
}

/// Parses what a morph brings.
pub(crate) fn content(html: &str) -> Document {
    page::fragment(html.trim(), html5ever::local_name!("template"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with `before` as its body, morphed as a page morph would.
    fn morphed(before: &str, touch: impl FnOnce(&mut Page), after: &str) -> Page {
        let mut page = Page::parse(&format!("<body>{before}</body>"));
        touch(&mut page);
        let body = page.body().expect("a body");
        let to = content(after);
        Morph::new(&mut page, body, &to, Some("data-reflex-permanent"))
            .children(body, &page::content(&to));
        page
    }

    fn check(before: &str, after: &str) -> Page {
        let page = morphed(before, |_| {}, after);
        let body = page.body().expect("a body");
        assert_eq!(&*page.node(body).inner_html(), after);
        page
    }

    fn id_of(page: &Page, selector: &str) -> NodeId {
        page.first(selector).expect("a selector").expect("a match")
    }

    #[test]
    fn the_page_is_afterwards_what_was_sent() {
        check("", "<p>new</p>");
        check("<p>old</p>", "");
        check("a<p>b</p>c", "<p>c</p>b<i>a</i>");
        check(
            "<ul><li>1</li><li>2</li></ul>",
            "<ul><li>0</li><li>1</li><li>2</li></ul>",
        );
        check(
            r#"<p class="a" id="x">1</p>"#,
            r#"<p id="x" title="t">1</p>"#,
        );
        check(
            r#"<p id="a">a</p><p id="b">b</p><p id="c">c</p>"#,
            r#"<p id="c">c</p><div><p id="a">a</p></div><p id="d">d</p>"#,
        );
        check(
            "<table><tbody><tr><td>1</td></tr></tbody></table>",
            "<table><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>",
        );
        check("<!-- a --><b>x</b>", "<!-- b --><b>x</b>");
        check("<p>x</p>", "<template><p>inert</p></template>");
    }

    #[test]
    fn elements_with_an_id_stay_themselves_wherever_they_go() {
        let mut was = None;
        let page = morphed(
            r#"<p>first</p><p id="a">a</p>"#,
            |page| was = Some(id_of(page, "#a")),
            r#"<div><p id="a">b</p></div><p>first</p>"#,
        );
        assert_eq!(Some(id_of(&page, "#a")), was);
        assert_eq!(page.text(id_of(&page, "#a")), "b");
    }

    #[test]
    fn what_was_typed_stays_where_the_page_says_nothing_new() {
        let typed = |page: &mut Page| {
            let field = id_of(page, "input");
            page.touch(field).value = Some("typed".to_owned());
        };
        let form = r#"<form><input name="a"></form>"#;
        let page = morphed(form, typed, &format!("{form}<p>more</p>"));
        assert_eq!(page.value(id_of(&page, "input")).as_deref(), Some("typed"));

        // A form that changed is morphed with its fields, and they say what the server says.
        let changed = r#"<form class="b"><input name="a"></form>"#;
        let page = morphed(form, typed, changed);
        assert_eq!(page.value(id_of(&page, "input")).as_deref(), Some(""));
    }

    #[test]
    fn permanent_elements_are_left_alone() {
        let page = morphed(
            r#"<div data-reflex-permanent><b>mine</b></div>"#,
            |_| {},
            r#"<div data-reflex-permanent><b>theirs</b></div>"#,
        );
        assert_eq!(page.text(id_of(&page, "b")), "mine");
    }
}
