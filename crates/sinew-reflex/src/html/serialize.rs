//! Writing a parsed tree as HTML.

use std::io;

use dom_query::{NodeRef, SerializableNodeRef};
use html5ever::serialize::{AttrRef, Serialize, Serializer, TraversalScope};
use html5ever::{LocalName, QualName, local_name, ns};

/// The HTML of what stands inside `node`, so that a browser that parses it gets the same tree.
pub(super) fn inner_html(node: NodeRef<'_>) -> String {
    let mut writer = HtmlWriter {
        out: String::new(),
        open: Vec::new(),
        newline_matters: false,
    };
    let scope = match node.qual_name_ref() {
        Some(name) => {
            writer.open.push(name.clone());
            TraversalScope::ChildrenOnly(Some(name.clone()))
        }
        None => TraversalScope::ChildrenOnly(None),
    };
    SerializableNodeRef::from(node)
        .serialize(&mut writer, scope)
        .expect("writing to a string does not fail");
    writer.out
}

struct HtmlWriter {
    out: String,
    /// The elements around what is written next.
    open: Vec<QualName>,
    /// True right after `<pre>`, `<textarea>` or `<listing>`, where a parser drops one newline.
    newline_matters: bool,
}

/// Elements without an end tag.
fn is_void(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("area")
            | local_name!("base")
            | local_name!("basefont")
            | local_name!("bgsound")
            | local_name!("br")
            | local_name!("col")
            | local_name!("embed")
            | local_name!("frame")
            | local_name!("hr")
            | local_name!("img")
            | local_name!("input")
            | local_name!("keygen")
            | local_name!("link")
            | local_name!("meta")
            | local_name!("param")
            | local_name!("source")
            | local_name!("track")
            | local_name!("wbr")
    )
}

/// Elements whose text is written as it is.
fn is_raw_text(name: &QualName) -> bool {
    name.ns == ns!(html)
        && matches!(
            name.local,
            local_name!("style")
                | local_name!("script")
                | local_name!("xmp")
                | local_name!("iframe")
                | local_name!("noembed")
                | local_name!("noframes")
                | local_name!("plaintext")
        )
}

impl HtmlWriter {
    fn escape(&mut self, text: &str, attribute: bool) {
        let mut start = 0;
        for (index, character) in text.char_indices() {
            let entity = match character {
                '&' => "&amp;",
                '\u{a0}' => "&nbsp;",
                '"' if attribute => "&quot;",
                '<' if !attribute => "&lt;",
                '>' if !attribute => "&gt;",
                _ => continue,
            };
            self.out.push_str(&text[start..index]);
            self.out.push_str(entity);
            start = index + character.len_utf8();
        }
        self.out.push_str(&text[start..]);
    }
}

impl Serializer for HtmlWriter {
    fn start_elem<'a, AttrIter>(&mut self, name: QualName, attributes: AttrIter) -> io::Result<()>
    where
        AttrIter: Iterator<Item = AttrRef<'a>>,
    {
        self.out.push('<');
        self.out.push_str(&name.local);
        for (attribute, value) in attributes {
            self.out.push(' ');
            match attribute.ns {
                ns!(xml) => self.out.push_str("xml:"),
                ns!(xmlns) if attribute.local != local_name!("xmlns") => {
                    self.out.push_str("xmlns:");
                }
                ns!(xlink) => self.out.push_str("xlink:"),
                _ => {}
            }
            self.out.push_str(&attribute.local);
            self.out.push_str("=\"");
            self.escape(value, true);
            self.out.push('"');
        }
        self.out.push('>');
        self.newline_matters = name.ns == ns!(html)
            && matches!(
                name.local,
                local_name!("pre") | local_name!("textarea") | local_name!("listing")
            );
        self.open.push(name);
        Ok(())
    }

    fn end_elem(&mut self, name: QualName) -> io::Result<()> {
        self.newline_matters = false;
        self.open.pop();
        if name.ns == ns!(html) && is_void(&name.local) {
            return Ok(());
        }
        self.out.push_str("</");
        self.out.push_str(&name.local);
        self.out.push('>');
        Ok(())
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        // The parser will drop the first newline, so that a second one is needed to keep it.
        if self.newline_matters && text.starts_with('\n') {
            self.out.push('\n');
        }
        self.newline_matters = false;
        if self.open.last().is_some_and(is_raw_text) {
            self.out.push_str(text);
        } else {
            self.escape(text, false);
        }
        Ok(())
    }

    fn write_comment(&mut self, text: &str) -> io::Result<()> {
        self.newline_matters = false;
        self.out.push_str("<!--");
        self.out.push_str(text);
        self.out.push_str("-->");
        Ok(())
    }

    fn write_doctype(&mut self, name: &str) -> io::Result<()> {
        self.out.push_str("<!DOCTYPE ");
        self.out.push_str(name);
        self.out.push('>');
        Ok(())
    }

    fn write_processing_instruction(&mut self, target: &str, data: &str) -> io::Result<()> {
        self.out.push_str("<?");
        self.out.push_str(target);
        self.out.push(' ');
        self.out.push_str(data);
        self.out.push('>');
        Ok(())
    }
}
