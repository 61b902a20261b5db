//! The pages that a tab has been to.

use http::Method;
use std::panic::Location;
use url::Url;

use super::Tab;

/// Addresses in the order in which they were gone to, and where among them the tab is.
pub(super) struct History {
    addresses: Vec<Url>,
    at: usize,
}

impl History {
    pub(super) fn new(first: &Url) -> Self {
        Self {
            addresses: vec![first.clone()],
            at: 0,
        }
    }

    /// Goes on from here; what was ahead is no more. The same address again is no new entry.
    pub(super) fn push(&mut self, url: &Url) {
        if self.addresses[self.at] != *url {
            self.addresses.truncate(self.at + 1);
            self.addresses.push(url.clone());
            self.at += 1;
        }
    }

    pub(super) fn replace(&mut self, url: &Url) {
        self.addresses[self.at] = url.clone();
    }

    /// So many pages on, or back; `None` where there are not so many, and nothing is moved.
    pub(super) fn go(&mut self, delta: i64) -> Option<Url> {
        let at = self.at.checked_add_signed(isize::try_from(delta).ok()?)?;
        let to = self.addresses.get(at)?.clone();
        self.at = at;
        Some(to)
    }
}

/// Back and forward.
///
/// ```
/// # use axum::{Router, response::Html, routing::get};
/// # use sinew::prelude::*;
/// # use sinew_testing::TestApp;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let router = Router::new()
///     .route("/", get(async || Html("<a href=/about>About</a>")))
///     .route("/about", get(async || Html("<h1>About</h1>")));
/// let mut tab = TestApp::new(Sinew::new(router)).visit("/").await;
/// tab.click("a").await;
/// tab.assert_path("/about");
/// tab.back().await;
/// tab.assert_path("/");
/// tab.forward().await;
/// tab.assert_text("h1", "About");
/// # }
/// ```
impl Tab {
    /// Goes back to the page before, as the browser's button does: it is asked for again.
    ///
    /// Addresses that `push_state` has pushed count as pages.
    ///
    /// # Panics
    ///
    /// When this is the tab's first page.
    #[track_caller]
    pub fn back(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let to = self.history.go(-1);
            let to = to.ok_or_else(|| "there is no page to go back to".to_owned());
            let to = self.or_fail(caller, None, to);
            let done = self.return_to(&to).await;
            self.or_fail(caller, None, done);
        }
    }

    /// Goes forward to the page that [`back`](Self::back) came from.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn forward(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let begun = self.begin().await;
            self.or_fail(caller, None, begun);
            let to = self.history.go(1);
            let to = to.ok_or_else(|| "there is no page to go forward to".to_owned());
            let to = self.or_fail(caller, None, to);
            let done = self.return_to(&to).await;
            self.or_fail(caller, None, done);
        }
    }

    async fn return_to(&mut self, to: &Url) -> Result<(), String> {
        self.load(Method::GET, to.as_str(), None).await?;
        self.follow().await
    }
}
