//! The reflexes of the counter.

use maud::html;
use sinew::prelude::*;

pub(crate) struct Counter;

#[reflex]
impl Counter {
    /// Adds one. Nothing is said about what to morph, so the page is rendered again.
    async fn increment(&self, cx: &mut Reflex) -> Result {
        cx.session()
            .update("count", |count: i64| count.saturating_add(1))
            .await?;
        Ok(())
    }

    /// Starts again, and morphs the one element that changes.
    async fn reset(&self, cx: &mut Reflex) -> Result {
        cx.session().remove("count").await?;
        cx.morph("#count", html! { output #count aria-live="polite" { "0" } });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::visit;

    #[tokio::test]
    async fn increment_adds_one() {
        let mut tab = visit("/").await;
        tab.assert_text("#count", "0");
        tab.click("#increment").await;
        tab.click("#increment").await;
        tab.assert_text("#count", "2");
    }

    #[tokio::test]
    async fn reset_lasts() {
        let mut tab = visit("/").await;
        tab.click("#increment").await;
        tab.click("#reset").await;
        tab.assert_text("#count", "0");
        tab.reload().await;
        tab.assert_text("#count", "0");
    }
}
