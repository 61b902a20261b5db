//! The slow and certain way: an HTML5 parser's tree.

use dom_query::{Document, Matcher, NodeRef};
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{LocalName, ParseOpts, QualName, local_name, ns};

use super::serialize::inner_html;

/// Parses a whole document.
pub(super) fn document(html: &str) -> Document {
    Document::from(html)
}

/// Parses a fragment inside an element called `context`.
pub(super) fn fragment(html: &str, context: LocalName) -> Document {
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

/// The inner HTML of the first element below `root`, itself included if `with_root`, that matches.
pub(super) fn first_match(root: NodeRef<'_>, with_root: bool, matcher: &Matcher) -> Option<String> {
    if with_root && matcher.match_element(&root) {
        return Some(inner_html(root));
    }
    let found = root
        .descendants_it()
        .find(|node| node.is_element() && matcher.match_element(node))?;
    Some(inner_html(found))
}

/// How a fragment of HTML is to be read, told from how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inference {
    /// A document: starts with a doctype or `<html`.
    Document,
    /// Only the `<body` or `<head` it starts with.
    Body,
    Head,
    /// A piece of anything, table rows and cells included.
    Template,
}

pub(super) fn infer(html: &str) -> Inference {
    let start = html.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let begins = |tag: &str| {
        start
            .get(..tag.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(tag))
            && !start[tag.len()..]
                .starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
    };
    let doctype = start
        .get(..9)
        .filter(|there| there.eq_ignore_ascii_case("<!doctype"))
        .map(|_| &start[9..])
        .is_some_and(|rest| {
            let name = rest.trim_start();
            name.len() < rest.len()
                && name
                    .get(..4)
                    .is_some_and(|name| name.eq_ignore_ascii_case("html"))
        });
    if doctype || begins("<html") {
        Inference::Document
    } else if begins("<body") {
        Inference::Body
    } else if begins("<head") {
        Inference::Head
    } else {
        Inference::Template
    }
}

/// The inner HTML of the first match of `matcher` in a fragment.
pub(super) fn fragment_match(html: &str, matcher: &Matcher) -> Option<String> {
    match infer(html) {
        Inference::Document => first_match(document(html).root(), false, matcher),
        Inference::Template => {
            let tree = fragment(html, local_name!("template"));
            first_match(fragment_root(&tree), false, matcher)
        }
        Inference::Body => plucked(html, "body", matcher),
        Inference::Head => plucked(html, "head", matcher),
    }
}

fn plucked(html: &str, name: &str, matcher: &Matcher) -> Option<String> {
    let tree = fragment(html, local_name!("html"));
    let element = fragment_root(&tree)
        .children_it(false)
        .find(|node| node.node_name().is_some_and(|found| *found == *name))?;
    first_match(element, true, matcher)
}

/// The parser puts what it reads into an `html` element of its own, which is no part of the fragment.
fn fragment_root(tree: &Document) -> NodeRef<'_> {
    let root = tree.root();
    root.first_child().unwrap_or(root)
}
