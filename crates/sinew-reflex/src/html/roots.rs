//! The two questions asked of HTML: what stands inside the roots of a page, and inside the target of a morph.

use std::borrow::Cow;

use dom_query::Matcher;

use super::error::HtmlError;
use super::scan::{self, Wanted};
use super::{selector, tree};

/// A root of a page morph that the page has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root<'a> {
    /// Which of the given selectors it is, counted from 0.
    pub selector: usize,
    /// What stands inside its first match.
    pub html: Cow<'a, str>,
}

/// Cuts the roots of a page morph out of a rendered page.
///
/// Selectors are taken without the white space around them, blank ones are left out, none at all means `body`.
/// Of several matches the first counts; a selector that matches nothing has no root. The roots come in the order
/// of their selectors, each with its inner HTML, which in a browser becomes the same tree that the whole page would.
///
/// ```
/// use sinew_reflex::html::{HtmlError, Root, page_roots};
///
/// let page = "<!doctype html><html><head><title>t</title></head><body><p id=\"a\">A</p><p>B</p></body></html>";
/// assert_eq!(page_roots(page, &["#gone", " #a"])?, [Root { selector: 1, html: "A".into() }]);
/// assert_eq!(page_roots(page, &[])?[0].html, "<p id=\"a\">A</p><p>B</p>");
/// assert_eq!(page_roots(" ", &[]), Err(HtmlError::EmptyDocument));
/// # Ok::<(), HtmlError>(())
/// ```
///
/// # Errors
///
/// [`HtmlError::BadSelector`] and [`HtmlError::UnsupportedSelector`] for a selector that cannot be used,
/// [`HtmlError::EmptyDocument`] if there is nothing in the page but white space.
pub fn page_roots<'a>(document: &'a str, selectors: &[&str]) -> Result<Vec<Root<'a>>, HtmlError> {
    if document.trim().is_empty() {
        return Err(HtmlError::EmptyDocument);
    }
    match page_roots_by_scan(document, selectors) {
        Some(roots) => Ok(roots),
        None => page_roots_by_tree(document, selectors),
    }
}

/// What to do with the HTML of a selector morph.
///
/// ```
/// use sinew_reflex::html::{SelectorMorph, selector_morph};
///
/// let morph = selector_morph("<ul id=\"list\"><li>1</li></ul>", "#list")?;
/// let SelectorMorph::Morph(children) = morph else { panic!("the list is in it") };
/// assert_eq!(children, "<li>1</li>");
/// # Ok::<(), sinew_reflex::html::HtmlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorMorph<'a> {
    /// The target is in it: morph the target's children into this inner HTML of it.
    Morph(Cow<'a, str>),
    /// The target is not in it: the whole of it becomes the target's inner HTML.
    InnerHtml,
}

/// Decides how `html` gets into the first match of `selector` on the page.
///
/// Reads `html` as a document, as a `<body>` or `<head>`, or as any fragment, as it begins; rows, cells, list items
/// and options may stand alone.
///
/// ```
/// use sinew_reflex::html::{SelectorMorph, selector_morph};
///
/// assert_eq!(selector_morph("<tr id=\"r\"><td>1</td></tr>", "#r")?, SelectorMorph::Morph("<td>1</td>".into()));
/// assert_eq!(selector_morph("<td>1</td>", "#r")?, SelectorMorph::InnerHtml);
/// # Ok::<(), sinew_reflex::html::HtmlError>(())
/// ```
///
/// # Errors
///
/// [`HtmlError::BadSelector`] for what no browser would take for CSS. A selector that only our engine does not know
/// gives [`SelectorMorph::InnerHtml`].
pub fn selector_morph<'a>(html: &'a str, selector: &str) -> Result<SelectorMorph<'a>, HtmlError> {
    match selector_morph_by_scan(html, selector) {
        Some(morph) => Ok(morph),
        None => selector_morph_by_tree(html, selector),
    }
}

/// The fast way of [`page_roots`]; `None` when in doubt.
#[doc(hidden)]
pub fn page_roots_by_scan<'a>(document: &'a str, selectors: &[&str]) -> Option<Vec<Root<'a>>> {
    let (places, wanted): (Vec<usize>, Vec<Wanted<'_>>) = usable(selectors)
        .map(|(index, selector)| Some((index, Wanted::parse(selector)?)))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .unzip();
    let found = scan::document(document, &wanted)?;
    Some(
        places
            .into_iter()
            .zip(found)
            .filter_map(|(selector, html)| {
                Some(Root {
                    selector,
                    html: html?,
                })
            })
            .collect(),
    )
}

/// The fast way of [`selector_morph`]; `None` when in doubt.
#[doc(hidden)]
pub fn selector_morph_by_scan<'a>(html: &'a str, selector: &str) -> Option<SelectorMorph<'a>> {
    let wanted = Wanted::parse(selector.trim())?;
    if tree::infer(html) != tree::Inference::Template {
        return None;
    }
    Some(match scan::fragment(html, wanted)? {
        Some(inner) => SelectorMorph::Morph(inner),
        None => SelectorMorph::InnerHtml,
    })
}

/// The slow way of [`page_roots`], always right.
#[doc(hidden)]
pub fn page_roots_by_tree<'a>(
    document: &str,
    selectors: &[&str],
) -> Result<Vec<Root<'a>>, HtmlError> {
    let matchers = usable(selectors)
        .map(|(index, selector)| Ok((index, matcher(selector)?)))
        .collect::<Result<Vec<_>, HtmlError>>()?;
    let tree = tree::document(document);
    Ok(matchers
        .into_iter()
        .filter_map(|(selector, matcher)| {
            let html = tree::first_match(tree.root(), false, &matcher)?;
            Some(Root {
                selector,
                html: Cow::Owned(html),
            })
        })
        .collect())
}

/// The slow way of [`selector_morph`], always right.
#[doc(hidden)]
pub fn selector_morph_by_tree<'a>(
    html: &str,
    selector: &str,
) -> Result<SelectorMorph<'a>, HtmlError> {
    let matcher = match matcher(selector.trim()) {
        Ok(matcher) => matcher,
        Err(HtmlError::UnsupportedSelector(_)) => return Ok(SelectorMorph::InnerHtml),
        Err(error) => return Err(error),
    };
    Ok(match tree::fragment_match(html, &matcher) {
        Some(html) => SelectorMorph::Morph(Cow::Owned(html)),
        None => SelectorMorph::InnerHtml,
    })
}

/// The selectors to use with their places: trimmed, without blank ones, `body` if none is left.
fn usable<'s>(selectors: &'s [&'s str]) -> impl Iterator<Item = (usize, &'s str)> {
    let mut given = selectors
        .iter()
        .map(|selector| selector.trim())
        .enumerate()
        .filter(|(_, selector)| !selector.is_empty())
        .peekable();
    let default = given.peek().is_none().then_some((0, "body"));
    given.chain(default)
}

fn matcher(selector: &str) -> Result<Matcher, HtmlError> {
    Matcher::new(selector).map_err(|_| {
        if selector::is_plausible(selector) {
            HtmlError::UnsupportedSelector(selector.to_owned())
        } else {
            HtmlError::BadSelector(selector.to_owned())
        }
    })
}
