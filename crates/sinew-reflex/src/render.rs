//! What a reflex may hand over as HTML.

/// Anything that turns into HTML text.
///
/// It is implemented for everything that converts into a `String`: strings of all kinds, maud's `Markup`, what askama and minijinja render.
/// A value that can only be displayed is written `value.to_string()`; nothing at all is written with [`maybe`].
///
/// ```
/// use sinew_reflex::Render;
///
/// assert_eq!("<b>bold</b>".render(), "<b>bold</b>");
/// assert_eq!(String::from("<b>bold</b>").render(), "<b>bold</b>");
/// ```
pub trait Render {
    /// The HTML, as it is: nothing is escaped here.
    fn render(self) -> String;
}

impl<T: Into<String>> Render for T {
    fn render(self) -> String {
        self.into()
    }
}

/// Nothing renders as the empty text, which empties the element that is morphed.
///
/// ```
/// use sinew_reflex::maybe;
///
/// assert_eq!(maybe(None::<&str>), "");
/// assert_eq!(maybe(Some("<i>x</i>")), "<i>x</i>");
/// ```
pub fn maybe<T: Render>(html: Option<T>) -> String {
    html.map(T::render).unwrap_or_default()
}
