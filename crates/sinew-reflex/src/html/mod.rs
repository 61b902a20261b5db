//! Cutting pieces out of HTML: the roots of a page morph, the target of a selector morph.
//!
//! Two ways lead to the same answer. The [`scan`](self) of the source proves, in one pass, that its nesting is what
//! an HTML5 parser would build, and slices; whatever it is not sure of goes to a real parser and is serialised again.

mod error;
mod roots;
mod selector;
mod serialize;
mod tree;

pub use error::HtmlError;
pub use roots::{Root, SelectorMorph, page_roots, selector_morph};
