//! What kind of element a tag opens, as far as the parser's repairs depend on it.

/// Elements that the parser treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Put where it stands, whatever is around it: phrasing, formatting, custom elements.
    Plain,
    /// Ends an open paragraph.
    Block,
    /// Ends an open paragraph, and is no boundary for list items: an item in it would end one around it.
    OpenBlock,
    /// Drops a newline at its start.
    Preformatted,
    /// Ends a heading it stands in.
    Heading,
    Paragraph,
    /// Ends an item of its kind around it, unless a list or the like is between.
    ListItem,
    Description,
    /// One in another is taken apart.
    Anchor,
    NoBreak,
    Button,
    Form,
    /// Without content and end tag.
    Void,
    VoidBlock,
    /// Holds nothing but text.
    RawText,
    Table,
    Caption,
    Columns,
    Column,
    Section,
    Row,
    Cell,
    Select,
    Options,
    Option,
    Ruby,
    RubyText,
    Template,
    Svg,
    /// Elements in SVG, and those there that hold only text.
    Foreign,
    ForeignText,
    Body,
    /// Repaired in ways that are not followed here.
    Refused,
}

impl Group {
    pub(super) fn is_void(self) -> bool {
        matches!(self, Group::Void | Group::VoidBlock | Group::Column)
    }

    pub(super) fn ends_paragraph(self) -> bool {
        matches!(
            self,
            Group::Block
                | Group::OpenBlock
                | Group::Preformatted
                | Group::Heading
                | Group::Paragraph
                | Group::ListItem
                | Group::Description
                | Group::Form
                | Group::VoidBlock
                | Group::Table
        )
    }

    /// Whether it is dropped or wrapped outside of the one parent it belongs into.
    pub(super) fn needs_parent(self) -> bool {
        matches!(
            self,
            Group::Caption
                | Group::Columns
                | Group::Column
                | Group::Section
                | Group::Row
                | Group::Cell
                | Group::Options
                | Group::Option
                | Group::RubyText
                | Group::Body
                | Group::Refused
        )
    }

    /// Whether an item inside it leaves an item around it alone.
    pub(super) fn bounds_items(self) -> bool {
        matches!(
            self,
            Group::Block | Group::Cell | Group::Caption | Group::Template | Group::Body
        )
    }

    /// Whether what is between its tags can be used as it stands.
    ///
    /// Not so for elements whose content is read by rules of their own (`pre`, `textarea`, scripts, SVG, templates)
    /// nor for those that have none.
    pub(super) fn is_sliceable(self) -> bool {
        !matches!(
            self,
            Group::Preformatted
                | Group::RawText
                | Group::Void
                | Group::VoidBlock
                | Group::Column
                | Group::Svg
                | Group::Template
                | Group::Foreign
                | Group::ForeignText
        )
    }
}

/// The kind of an HTML element, by its name in lower case.
pub(super) fn classify(name: &[u8]) -> Group {
    match name {
        b"div" | b"address" | b"dialog" | b"search" => Group::OpenBlock,
        b"article" | b"aside" | b"blockquote" | b"center" | b"details" | b"dir" | b"dl"
        | b"fieldset" | b"figcaption" | b"figure" | b"footer" | b"header" | b"hgroup" | b"main"
        | b"menu" | b"nav" | b"ol" | b"section" | b"summary" | b"ul" => Group::Block,
        b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Group::Heading,
        b"p" => Group::Paragraph,
        b"li" => Group::ListItem,
        b"dd" | b"dt" => Group::Description,
        b"pre" => Group::Preformatted,
        b"a" => Group::Anchor,
        b"nobr" => Group::NoBreak,
        b"button" => Group::Button,
        b"form" => Group::Form,
        b"area" | b"base" | b"br" | b"embed" | b"img" | b"input" | b"link" | b"meta" | b"param"
        | b"source" | b"track" | b"wbr" => Group::Void,
        b"hr" => Group::VoidBlock,
        b"script" | b"style" | b"textarea" | b"title" | b"iframe" => Group::RawText,
        b"table" => Group::Table,
        b"caption" => Group::Caption,
        b"colgroup" => Group::Columns,
        b"col" => Group::Column,
        b"tbody" | b"thead" | b"tfoot" => Group::Section,
        b"tr" => Group::Row,
        b"td" | b"th" => Group::Cell,
        b"select" => Group::Select,
        b"optgroup" => Group::Options,
        b"option" => Group::Option,
        b"ruby" => Group::Ruby,
        b"rt" | b"rp" => Group::RubyText,
        b"template" => Group::Template,
        b"svg" => Group::Svg,
        b"html" | b"head" | b"body" | b"frameset" | b"frame" | b"noframes" | b"noembed"
        | b"plaintext" | b"xmp" | b"listing" | b"image" | b"isindex" | b"keygen" | b"menuitem"
        | b"command" | b"nextid" | b"applet" | b"marquee" | b"object" | b"math" | b"rb"
        | b"rtc" | b"basefont" | b"bgsound" | b"selectedcontent" => Group::Refused,
        // Names are compared as they stand; the parser would lower them.
        _ if name.iter().any(u8::is_ascii_uppercase) => Group::Refused,
        _ => Group::Plain,
    }
}

/// Whether a tag inside `<svg>` stays inside: many HTML tags end it, some elements let HTML in.
pub(super) fn is_foreign_element(name: &[u8]) -> bool {
    let mut lower = [0_u8; 16];
    let Some(lower) = lower.get_mut(..name.len()) else {
        // No tag that matters is as long.
        return true;
    };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    !matches!(
        &*lower,
        b"b" | b"big"
            | b"blockquote"
            | b"body"
            | b"br"
            | b"center"
            | b"code"
            | b"dd"
            | b"div"
            | b"dl"
            | b"dt"
            | b"em"
            | b"embed"
            | b"font"
            | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"head"
            | b"hr"
            | b"i"
            | b"img"
            | b"li"
            | b"listing"
            | b"menu"
            | b"meta"
            | b"nobr"
            | b"ol"
            | b"p"
            | b"pre"
            | b"ruby"
            | b"s"
            | b"small"
            | b"span"
            | b"strong"
            | b"strike"
            | b"sub"
            | b"sup"
            | b"table"
            | b"tt"
            | b"u"
            | b"ul"
            | b"var"
            | b"foreignobject"
            | b"script"
            | b"math"
            | b"svg"
    )
}
