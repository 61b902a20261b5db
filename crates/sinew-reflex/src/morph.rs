//! Page and selector morphs: HTML becomes operations.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::html::{HtmlError, SelectorMorph, page_roots, selector_morph};
use crate::log;
use crate::page::{Page, PageRequest};
use crate::reflex::{Morph, Reflex};
use crate::reply::Status;
use crate::run::{guard, status};
use crate::span;
use crate::statistics::count;

/// Turns the morphs of a reflex into its reply.
///
/// The client carries out reflex operations from the last to the first, so they are written in reverse.
pub(crate) fn selector(cx: &mut Reflex) -> Result<String> {
    let morphs = std::mem::take(&mut cx.morphs);
    if morphs.is_empty() {
        // The client would wait for an operation that never comes.
        return Ok(status(cx, Status::Nothing));
    }
    let mut cuts = Vec::with_capacity(morphs.len());
    for (selector, html) in &morphs {
        cuts.push(cut(|| selector_morph(html, selector))?.map_err(bad_html)?);
    }
    let mut reply = cx.reply();
    for ((selector, html), cut) in morphs.iter().zip(&cuts).rev() {
        match cut {
            SelectorMorph::Morph(inside) => reply.morph(selector, inside, Morph::Selector),
            SelectorMorph::InnerHtml => reply.inner_html(selector, html, Morph::Selector),
        }
    }
    count(&cx.shared().counters.selectors);
    let operations = morphs.iter().zip(&cuts).map(|((selector, _), cut)| {
        let operation = match cut {
            SelectorMorph::Morph(_) => "morph",
            SelectorMorph::InnerHtml => "inner_html",
        };
        (&**selector, operation)
    });
    span::ended(cx.span(), cx.morph, "morph");
    log::morphed(cx, &operations.collect::<Vec<_>>());
    Ok(reply.finish())
}

/// Runs the page handler with the reflex's url, session and assigned values.
pub(crate) async fn page(cx: &mut Reflex) -> Result<Page> {
    let mut request = cx.request()?;
    // What a form holds reaches the page as well: a live search filters by it.
    if cx.has_client_params() {
        request.extensions_mut().insert(cx.params().await?);
    }
    let request = PageRequest {
        request,
        session: cx.try_session().cloned(),
        flash: cx.flash().clone(),
    };
    let shared = Arc::clone(cx.shared());
    let render = async {
        shared.renderer.render(request).await.map_err(|error| {
            Error::of(ErrorKind::Page, "the page could not be rendered").with_source(error)
        })
    };
    guard(
        &shared,
        shared.config.page_time_limit,
        "the page handler",
        render,
    )
    .await
}

/// Turns the answer of a page handler into the reply.
pub(crate) fn page_reply(cx: &mut Reflex, page: &Page) -> Result<String> {
    match (page.status, &page.location) {
        (200..=299, _) => roots(cx, page),
        (300..=399, Some(location)) => {
            // The page leads elsewhere: the browser is sent after it, and the reflex ends.
            cx.operations.redirect_to(location.as_str());
            cx.morph = Morph::Nothing;
            Ok(status(cx, Status::Nothing))
        }
        (401 | 403, _) => Ok(status(cx, Status::Forbidden)),
        (status, _) => Err(Error::of(
            ErrorKind::Page,
            format!("the page handler answered with status {status}"),
        )),
    }
}

fn roots(cx: &mut Reflex, page: &Page) -> Result<String> {
    let Ok(document) = std::str::from_utf8(&page.body) else {
        return Err(Error::of(ErrorKind::Page, "the page is not UTF-8"));
    };
    let data = Arc::clone(cx.shared_data());
    let selectors = data.selectors()?;
    let selectors: Vec<&str> = selectors.iter().map(|selector| &**selector).collect();
    let roots = match cut(|| page_roots(document, &selectors))? {
        Ok(roots) => roots,
        Err(HtmlError::EmptyDocument) => {
            // A handler with nothing to show leaves the page as it is.
            cx.morph = Morph::Nothing;
            return Ok(status(cx, Status::Nothing));
        }
        Err(error) => return Err(bad_html(error)),
    };
    if roots.is_empty() {
        return Err(Error::of(
            ErrorKind::Page,
            format!(
                "the page has none of the elements to morph: {}",
                selectors.join(", ")
            ),
        ));
    }
    let mut reply = cx.reply();
    for root in roots.iter().rev() {
        reply.morph(selectors[root.selector], &root.html, Morph::Page);
    }
    count(&cx.shared().counters.pages);
    let operations = roots.iter().map(|root| (selectors[root.selector], "morph"));
    span::ended(cx.span(), cx.morph, "morph");
    log::morphed(cx, &operations.collect::<Vec<_>>());
    Ok(reply.finish())
}

/// Cuts HTML; should a parser give up by panicking, it is this reflex's error.
fn cut<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| Error::of(ErrorKind::Page, "the html could not be read"))
}

fn bad_html(error: HtmlError) -> Error {
    Error::of(ErrorKind::Morph, error.to_string())
}
