//! What can go wrong while cutting HTML.

/// A piece could not be cut out of a page or fragment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HtmlError {
    /// The selector is not CSS.
    #[error("unexpected text in the selector {0:?}")]
    BadSelector(String),
    /// The selector may be CSS, but of a kind that is not known here.
    #[error("the selector {0:?} is not supported")]
    UnsupportedSelector(String),
    /// The document has nothing in it but white space.
    #[error("the page is empty")]
    EmptyDocument,
}
