//! Cutting pieces out of HTML: the roots of a page morph, the target of a selector morph.
//!
//! Two ways lead to the same answer. A strict pass over the source proves that its nesting is what an HTML5 parser
//! would build, and slices; whatever it is not sure of goes to a real parser and is serialised again.

mod error;
mod roots;
mod scan;
mod selector;
mod serialize;
mod tree;

pub use error::HtmlError;
pub use roots::{Root, SelectorMorph, page_roots, selector_morph};

/// The two ways apart from each other, to measure and compare them.
#[doc(hidden)]
pub mod ways {
    pub use super::roots::{
        page_roots_by_scan, page_roots_by_tree, selector_morph_by_scan, selector_morph_by_tree,
    };
}

#[cfg(test)]
mod tests;
