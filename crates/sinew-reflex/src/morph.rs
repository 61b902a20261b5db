//! Page and selector morphs: HTML becomes operations.

use crate::error::{Error, ErrorKind, Result};
use crate::page::{Page, PageRequest};
use crate::reflex::{Morph, Reflex};
use crate::reply::{Reply, Status};
use crate::run::{guard, log, status};
use crate::statistics::count;

/// Turns the morphs of a reflex into its reply.
///
/// The client carries out reflex operations from the last to the first, so they are written in reverse.
pub(crate) fn selector(cx: &mut Reflex) -> Result<String> {
    let _ = (Reply::new, ErrorKind::Morph);
    Err(Error::of(ErrorKind::Morph, "selector morphs"))
}

/// What a page morph came to.
pub(crate) enum Outcome {
    Page(Page),
}

impl Outcome {
    pub(crate) fn write(self, cx: &mut Reflex) -> Result<String> {
        let Self::Page(page) = self;
        let _ = (page, count, log, status, Status::Nothing, Morph::Page);
        Err(Error::of(ErrorKind::Page, "page morphs"))
    }
}

/// Runs the page handler.
pub(crate) async fn page(cx: &mut Reflex) -> Result<Outcome> {
    let request = PageRequest {
        request: cx.request()?,
        session: cx.try_session().cloned(),
        flash: cx.flash().clone(),
    };
    let shared = std::sync::Arc::clone(cx.shared());
    let render = async {
        shared.renderer.render(request).await.map_err(|error| {
            Error::of(ErrorKind::Page, "the page could not be rendered").with_source(error)
        })
    };
    let page = guard(
        &shared,
        shared.config.page_time_limit,
        "the page handler",
        render,
    )
    .await?;
    Ok(Outcome::Page(page))
}
