//! The fast way: one strict pass over the source that proves where an element ends.
//!
//! An HTML parser repairs: it closes elements nobody closed, moves text out of tables, ignores what does not fit.
//! Of HTML that needs no repair the source itself is the answer, from the end of a start tag to the matching end tag.
//! This pass accepts only such HTML, and gives up (`None`) at the first thing it is not certain of; it is allowed to
//! be too strict, never too generous. Every refusal below names the repair that it avoids.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use self::element::{Group, classify, is_foreign_element};
use self::token::StartTag;
pub(super) use self::wanted::Wanted;
use self::wanted::{Attributes, Found};

mod element;
mod token;
mod wanted;

/// Deepest nesting that is followed; browsers stop nesting at about this depth.
const DEPTH_MAX: usize = 500;

/// The inner HTML of the first match of each of `wanted` in a document; `None` when in doubt.
pub(super) fn document<'a>(
    html: &'a str,
    wanted: &[Wanted<'_>],
) -> Option<Vec<Option<Cow<'a, str>>>> {
    let mut scanner = Scanner::new(html, wanted)?;
    scanner.prologue()?;
    let body = scanner.content(Root::Body)?;
    let Some(body_end) = body else {
        // Everything was found before the end.
        return Some(scanner.results);
    };
    let first = scanner.white_space();
    scanner.expect_end_tag(b"html")?;
    let second = scanner.white_space();
    if scanner.at != html.len() {
        return None;
    }
    // White space behind </body> and </html> becomes part of the body.
    let root = scanner.stack.pop()?;
    for (index, result) in scanner.results.iter_mut().enumerate() {
        if root.wanted & (1 << index) != 0 {
            let inner = &html[root.content_start..body_end];
            if is_trimmed_differently(inner) {
                return None;
            }
            *result = Some(if first.is_empty() && second.is_empty() {
                Cow::Borrowed(inner)
            } else {
                Cow::Owned([inner, first, second].concat())
            });
        }
    }
    Some(scanner.results)
}

/// The inner HTML of the first match of `wanted` in a fragment that may begin with anything but a doctype, `<html`,
/// `<head` or `<body`; `None` when in doubt.
pub(super) fn fragment<'a>(html: &'a str, wanted: Wanted<'_>) -> Option<Option<Cow<'a, str>>> {
    let wanted = [wanted];
    let mut scanner = Scanner::new(html, &wanted)?;
    scanner.content(Root::Fragment)?;
    scanner.results.pop()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Body,
    Fragment,
}

/// An element whose end tag has not come yet.
struct Open {
    group: Group,
    name_start: usize,
    name_end: usize,
    content_start: usize,
    /// Bit i: it is the first match of the i-th wanted selector.
    wanted: u32,
    /// A table with rows directly in it: the parser puts a `tbody` between.
    implied_body: bool,
    /// What stands directly in a template or fragment; all of it must be of one kind.
    content: Content,
}

/// Kinds of content that a template, or a fragment, may consist of: the first tag decides how the rest is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Undecided,
    Flow,
    TableParts,
    Rows,
    Cells,
}

struct Scanner<'a, 'w> {
    html: &'a str,
    bytes: &'a [u8],
    at: usize,
    wanted: &'w [Wanted<'w>],
    results: Vec<Option<Cow<'a, str>>>,
    /// Bits of the selectors whose first match has begun, and ended.
    begun: u32,
    ended: u32,
    stack: Vec<Open>,
    /// How many of each are open; of all but tables, one more inside would end or move the one that is.
    paragraphs: u32,
    anchors: u32,
    nobrs: u32,
    buttons: u32,
    forms: u32,
    tables: u32,
    /// How many elements of SVG, and how many templates, are open.
    foreign: u32,
    templates: u32,
}

impl<'a, 'w> Scanner<'a, 'w> {
    fn new(html: &'a str, wanted: &'w [Wanted<'w>]) -> Option<Self> {
        let bytes = html.as_bytes();
        // The parser drops NUL here and replaces it there.
        if wanted.len() > 32 || memchr(0, bytes).is_some() {
            return None;
        }
        Some(Scanner {
            html,
            bytes,
            at: 0,
            wanted,
            results: vec![None; wanted.len()],
            begun: 0,
            ended: 0,
            stack: Vec::with_capacity(32),
            paragraphs: 0,
            anchors: 0,
            nobrs: 0,
            buttons: 0,
            forms: 0,
            tables: 0,
            foreign: 0,
            templates: 0,
        })
    }

    /// Whether everything wanted was found and nothing that follows can change it.
    ///
    /// What follows may be moved in front of a table that is still open, and so become the first match. A second
    /// `<html>` or `<body>` adds its attributes to the first, a `<frameset>` may even remove the body.
    fn may_stop(&self, root: Root) -> bool {
        self.ended.count_ones() as usize == self.wanted.len()
            && self.tables == 0
            && (root == Root::Fragment || !changes_the_root(&self.bytes[self.at..]))
    }

    /// Everything up to the end of the `<body>` tag. Of the elements there, none may be wanted.
    fn prologue(&mut self) -> Option<()> {
        self.white_space();
        if let Some(start) = self.bytes.get(self.at..self.at + 15)
            && start.eq_ignore_ascii_case(b"<!doctype html>")
        {
            self.at += 15;
        }
        self.space_and_comments()?;
        self.unwanted_start_tag(b"html")?;
        self.space_and_comments()?;
        self.unwanted_start_tag(b"head")?;
        loop {
            self.space_and_comments()?;
            if self.bytes[self.at..].starts_with(b"</") {
                self.expect_end_tag(b"head")?;
                break;
            }
            let tag = self.start_tag()?;
            let name = &self.bytes[tag.name_start..tag.name_end];
            if self.first_matches(name, &tag.attributes)? != 0 {
                return None;
            }
            // Anything else would end the head.
            match name {
                b"meta" | b"link" | b"base" => {}
                b"title" | b"script" | b"style" if !tag.self_closing => {
                    self.raw_text(&tag)?;
                }
                _ => return None,
            }
        }
        self.space_and_comments()?;
        let tag = self.start_tag()?;
        if &self.bytes[tag.name_start..tag.name_end] != b"body" || tag.self_closing {
            return None;
        }
        let wanted = self.first_matches(b"body", &tag.attributes)?;
        self.begun |= wanted;
        self.push(Group::Body, &tag, wanted)
    }

    fn unwanted_start_tag(&mut self, name: &[u8]) -> Option<()> {
        let tag = self.start_tag()?;
        let right = &self.bytes[tag.name_start..tag.name_end] == name && !tag.self_closing;
        (right && self.first_matches(name, &tag.attributes)? == 0).then_some(())
    }

    /// Follows the content of the body, or of a fragment. Gives the place where it ends, or `Some(None)` as soon as
    /// everything wanted has been found: what comes after a closed element cannot change it any more.
    fn content(&mut self, root: Root) -> Option<Option<usize>> {
        if root == Root::Fragment {
            self.stack.push(Open {
                group: Group::Template,
                name_start: 0,
                name_end: 0,
                content_start: 0,
                wanted: 0,
                implied_body: false,
                content: Content::Undecided,
            });
        }
        loop {
            let rest = &self.bytes[self.at..];
            let text = memchr(b'<', rest).unwrap_or(rest.len());
            if text > 0 {
                self.text(&rest[..text])?;
                self.at += text;
            }
            match self.bytes.get(self.at + 1) {
                Some(b'/') => {
                    if self.stack.len() == 1 {
                        // The end of the body; a fragment has no end tag here.
                        if root == Root::Fragment {
                            return None;
                        }
                        let end = self.at;
                        self.expect_end_tag(b"body")?;
                        return Some(Some(end));
                    }
                    self.end_tag()?;
                    if self.may_stop(root) {
                        return Some(None);
                    }
                }
                Some(b'!') => self.comment()?,
                Some(next) if next.is_ascii_alphabetic() => self.element()?,
                // At the end of a fragment everything must be closed; a lone `<` is left to the parser.
                Some(_) => return None,
                None => {
                    let whole = self.at == self.bytes.len()
                        && root == Root::Fragment
                        && self.stack.len() == 1;
                    return whole.then_some(Some(self.at));
                }
            }
        }
    }

    fn parent(&mut self) -> Option<&mut Open> {
        self.stack.last_mut()
    }

    /// Text is moved in front of a table that it stands in, so only white space may stand there.
    fn text(&mut self, text: &[u8]) -> Option<()> {
        let parent = self.stack.last_mut()?;
        let only_space = match parent.group {
            Group::Table | Group::Section | Group::Row | Group::Columns => true,
            Group::Template => {
                matches!(
                    parent.content,
                    Content::TableParts | Content::Rows | Content::Cells
                ) || parent.content == Content::Undecided
            }
            _ => return Some(()),
        };
        if !only_space || text.iter().all(u8::is_ascii_whitespace) {
            return Some(());
        }
        if parent.content == Content::Undecided && parent.group == Group::Template {
            parent.content = Content::Flow;
            return Some(());
        }
        None
    }

    /// Bits of the wanted selectors of which this element is the first match.
    fn first_matches(&self, name: &[u8], attributes: &Attributes) -> Option<u32> {
        let mut bits = 0;
        for (index, wanted) in self.wanted.iter().enumerate() {
            if self.begun & (1 << index) != 0 {
                continue;
            }
            match wanted.matches(name, attributes, self.bytes) {
                Found::Yes => bits |= 1 << index,
                Found::No => {}
                Found::Unsure => return None,
            }
        }
        Some(bits)
    }

    fn push(&mut self, group: Group, tag: &StartTag, wanted: u32) -> Option<()> {
        if self.stack.len() >= DEPTH_MAX {
            return None;
        }
        self.stack.push(Open {
            group,
            name_start: tag.name_start,
            name_end: tag.name_end,
            content_start: self.at,
            wanted,
            implied_body: false,
            content: Content::Undecided,
        });
        Some(())
    }

    /// A start tag in the content, with all of its text if it holds nothing but text.
    fn element(&mut self) -> Option<()> {
        let tag = self.start_tag()?;
        let name = &self.bytes[tag.name_start..tag.name_end];
        // What is inside a template is no part of the document that selectors look at.
        let wanted = if self.templates > 0 || self.begun.count_ones() as usize == self.wanted.len()
        {
            0
        } else {
            self.first_matches(name, &tag.attributes)?
        };
        if self.foreign > 0 {
            return self.foreign_element(&tag, wanted);
        }
        let group = classify(name);
        // Cannot be cut by slicing: see each group.
        if wanted != 0 && !group.is_sliceable() {
            return None;
        }
        self.admit(group)?;
        if group.is_void() {
            return Some(());
        }
        if tag.self_closing && group != Group::Svg {
            // The slash means nothing on these: the element would stay open.
            return None;
        }
        match group {
            Group::RawText => return self.raw_text(&tag),
            Group::Paragraph => self.paragraphs += 1,
            Group::Anchor => self.anchors += 1,
            Group::NoBreak => self.nobrs += 1,
            Group::Button => self.buttons += 1,
            Group::Form => self.forms += 1,
            Group::Table => self.tables += 1,
            Group::Svg if tag.self_closing => return Some(()),
            Group::Svg => self.foreign += 1,
            Group::Template => self.templates += 1,
            _ => {}
        }
        self.begun |= wanted;
        self.push(group, &tag, wanted)
    }

    /// Whether an element of this kind, here, is simply put into its parent.
    fn admit(&mut self, group: Group) -> Option<()> {
        let ends_paragraph = group.ends_paragraph();
        let (paragraphs, anchors, nobrs, buttons, forms) = (
            self.paragraphs,
            self.anchors,
            self.nobrs,
            self.buttons,
            self.forms,
        );
        let wants_table_body = self.wanted.iter().any(Wanted::wants_table_body);
        let parent = self.parent()?;
        let fits = match parent.group {
            Group::Table => {
                if group == Group::Row {
                    if wants_table_body {
                        return None;
                    }
                    parent.implied_body = true;
                }
                matches!(
                    group,
                    Group::Caption | Group::Columns | Group::Section | Group::Row
                )
            }
            Group::Section => group == Group::Row,
            Group::Row => group == Group::Cell,
            Group::Columns => group == Group::Column,
            Group::Select => matches!(group, Group::Option | Group::Options),
            Group::Options => group == Group::Option,
            Group::Option => false,
            Group::Ruby => !group.needs_parent() || group == Group::RubyText,
            Group::Template => {
                let content = match group {
                    Group::Caption | Group::Columns | Group::Section => Content::TableParts,
                    Group::Row => Content::Rows,
                    Group::Cell => Content::Cells,
                    Group::Option => Content::Flow,
                    other if other.needs_parent() => return None,
                    _ => Content::Flow,
                };
                let fits =
                    matches!(parent.content, Content::Undecided) || parent.content == content;
                parent.content = content;
                fits
            }
            // An option may stand in a datalist.
            _ => !group.needs_parent() || group == Group::Option,
        };
        if !fits || (ends_paragraph && paragraphs > 0) {
            return None;
        }
        let fine = match group {
            Group::Anchor => anchors == 0,
            Group::NoBreak => nobrs == 0,
            Group::Button => buttons == 0,
            Group::Form => forms == 0,
            Group::Heading => parent.group != Group::Heading,
            Group::ListItem | Group::Description => self.item_stands_alone(group),
            _ => true,
        };
        fine.then_some(())
    }

    /// A list item ends an item around it, unless a list or the like stands between them.
    fn item_stands_alone(&self, group: Group) -> bool {
        for open in self.stack.iter().rev() {
            if open.group == group {
                return false;
            }
            if open.group.bounds_items() {
                return true;
            }
        }
        true
    }

    /// An element inside `<svg>`: closed by its tag or by a slash, of SVG only.
    fn foreign_element(&mut self, tag: &StartTag, wanted: u32) -> Option<()> {
        let name = &self.bytes[tag.name_start..tag.name_end];
        // A slice of SVG would be read as HTML.
        if wanted != 0 || !is_foreign_element(name) {
            return None;
        }
        if self.parent()?.group == Group::ForeignText {
            return None;
        }
        if tag.self_closing {
            return Some(());
        }
        let group = match name {
            // HTML may stand in the first two, and style is no raw text here: only text is accepted.
            b"title" | b"desc" | b"style" => Group::ForeignText,
            _ => Group::Foreign,
        };
        self.foreign += 1;
        self.push(group, tag, 0)
    }

    fn end_tag(&mut self) -> Option<()> {
        let tag_start = self.at;
        let open = self.stack.last()?;
        let name = &self.bytes[open.name_start..open.name_end];
        let name_start = tag_start + 2;
        let name_end = name_start + name.len();
        if self.bytes.get(name_start..name_end)? != name {
            return None;
        }
        self.at = name_end;
        self.white_space();
        if *self.bytes.get(self.at)? != b'>' {
            return None;
        }
        self.at += 1;
        let open = self.stack.pop()?;
        match open.group {
            Group::Paragraph => self.paragraphs -= 1,
            Group::Anchor => self.anchors -= 1,
            Group::NoBreak => self.nobrs -= 1,
            Group::Button => self.buttons -= 1,
            Group::Form => self.forms -= 1,
            Group::Table => self.tables -= 1,
            Group::Svg | Group::Foreign | Group::ForeignText => self.foreign -= 1,
            Group::Template => self.templates -= 1,
            _ => {}
        }
        if open.wanted != 0 {
            if open.implied_body {
                return None;
            }
            let inner = &self.html[open.content_start..tag_start];
            if is_trimmed_differently(inner) {
                return None;
            }
            self.ended |= open.wanted;
            for (index, result) in self.results.iter_mut().enumerate() {
                if open.wanted & (1 << index) != 0 {
                    *result = Some(Cow::Borrowed(inner));
                }
            }
        }
        Some(())
    }
}

/// The client trims what it morphs with, no-break spaces included. The serialiser writes those as `&nbsp;`, which
/// stay; in a slice they would be lost.
fn is_trimmed_differently(inner: &str) -> bool {
    let is_space = |character: char| character.is_whitespace() || character == '\u{feff}';
    let start = inner.trim_start_matches(is_space);
    let end = inner.trim_end_matches(is_space);
    inner[..inner.len() - start.len()].contains('\u{a0}') || inner[end.len()..].contains('\u{a0}')
}

/// Whether there is anything in `rest` that looks like a tag for the root elements. It may be text that only looks
/// so: then the pass goes on instead of stopping.
fn changes_the_root(rest: &[u8]) -> bool {
    memchr_iter(b'<', rest).any(|at| {
        let after = &rest[at + 1..];
        let is = |name: &[u8]| {
            after
                .get(..name.len())
                .is_some_and(|there| there.eq_ignore_ascii_case(name))
        };
        match after.first().map(u8::to_ascii_lowercase) {
            Some(b'b') => is(b"body"),
            Some(b'h') => is(b"html"),
            Some(b'f') => is(b"frameset"),
            _ => false,
        }
    })
}
