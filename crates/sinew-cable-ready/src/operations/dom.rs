//! Operations that insert, replace and remove.

use std::borrow::Cow;

use super::{Operation, Operations, Position, Target};

/// # Elements and their content
///
/// ```
/// use sinew_cable_ready::{Operations, Position};
///
/// let mut operations = Operations::new();
/// operations
///     .append("#list", "<li>3</li>")
///     .prepend("#list", "<li>1</li>")
///     .insert_adjacent_html("#last", Position::AfterEnd, "<li>4</li>")
///     .insert_adjacent_text("#count", Position::BeforeEnd, "4 < 5")
///     .inner_html("#hint", "<b>saved</b>")
///     .text_content("#name", "Ann <3")
///     .outer_html("#row_1", "<li id=\"row_1\">one</li>")
///     .replace("#row_2", "<li id=\"row_2\">two</li>")
///     .graft("#card_7", "#done")
///     .remove("#row_3");
///
/// let json: serde_json::Value = serde_json::from_str(&operations.to_json())?;
/// assert_eq!(
///     json[0],
///     serde_json::json!({"selector": "#list", "html": "<li>3</li>", "operation": "append"})
/// );
/// assert_eq!(json[2]["position"], "afterend");
/// assert_eq!(json[3]["text"], "4 < 5");
/// assert_eq!(json[5]["text"], "Ann <3");
/// assert_eq!(json[7]["operation"], "replace");
/// assert_eq!(json[8]["parent"], "#done");
/// assert_eq!(json[9]["selector"], "#row_3");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Operations {
    /// Inserts `html` after the last child of the target.
    pub fn append(&mut self, target: impl Into<Target>, html: impl Into<String>) -> &mut Self {
        self.html("append", target, html)
    }

    /// Inserts `html` before the first child of the target.
    pub fn prepend(&mut self, target: impl Into<Target>, html: impl Into<String>) -> &mut Self {
        self.html("prepend", target, html)
    }

    /// Inserts `html` next to or inside the target.
    pub fn insert_adjacent_html(
        &mut self,
        target: impl Into<Target>,
        position: Position,
        html: impl Into<String>,
    ) -> &mut Self {
        self.push(
            Operation::new("insertAdjacentHtml")
                .at(target)
                .text("position", position.as_str())
                .text("html", html.into()),
        )
    }

    /// Inserts `text` next to or inside the target, as text: `<` stays a character.
    pub fn insert_adjacent_text(
        &mut self,
        target: impl Into<Target>,
        position: Position,
        text: impl Into<String>,
    ) -> &mut Self {
        self.push(
            Operation::new("insertAdjacentText")
                .at(target)
                .text("position", position.as_str())
                .text("text", text.into()),
        )
    }

    /// Replaces what is inside the target. Nothing is kept: prefer [`morph`](Self::morph) where people type.
    pub fn inner_html(&mut self, target: impl Into<Target>, html: impl Into<String>) -> &mut Self {
        self.html("innerHtml", target, html)
    }

    /// Replaces the target itself.
    pub fn outer_html(&mut self, target: impl Into<Target>, html: impl Into<String>) -> &mut Self {
        self.html("outerHtml", target, html)
    }

    /// Replaces the target itself; the same as [`outer_html`](Self::outer_html) with events of its own.
    pub fn replace(&mut self, target: impl Into<Target>, html: impl Into<String>) -> &mut Self {
        self.html("replace", target, html)
    }

    /// Replaces what is inside the target by text: `<` stays a character.
    pub fn text_content(
        &mut self,
        target: impl Into<Target>,
        text: impl Into<String>,
    ) -> &mut Self {
        self.push(
            Operation::new("textContent")
                .at(target)
                .text("text", text.into()),
        )
    }

    /// Removes the target.
    pub fn remove(&mut self, target: impl Into<Target>) -> &mut Self {
        self.push(Operation::new("remove").at(target))
    }

    /// Moves the target into the first match of the CSS selector `parent`, behind its last child.
    ///
    /// Without such a parent nothing happens, silently.
    pub fn graft(
        &mut self,
        target: impl Into<Target>,
        parent: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        self.push(Operation::new("graft").at(target).text("parent", parent))
    }

    /// Turns the target into `html` with as few changes as possible.
    ///
    /// `html` is one element that takes the target's place; with
    /// [`children_only`](Operation::children_only) it is what stands inside the target.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.morph("#list", "<li>1</li>").with(|operation| operation.children_only());
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r##"[{"selector":"#list","html":"<li>1</li>","childrenOnly":true,"operation":"morph"}]"##
    /// );
    /// ```
    pub fn morph(&mut self, target: impl Into<Target>, html: impl Into<String>) -> &mut Self {
        self.html("morph", target, html)
    }

    fn html(
        &mut self,
        name: &'static str,
        target: impl Into<Target>,
        html: impl Into<String>,
    ) -> &mut Self {
        self.push(Operation::new(name).at(target).text("html", html.into()))
    }
}
