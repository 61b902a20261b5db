//! A counter in the session: the smallest reflex worth clicking.

use maud::{Markup, html};
use sinew::prelude::*;

use crate::layout;

const INTRO: &str =
    "Each click calls a method in Rust; the answer is this page, rendered again and morphed.";

/// The reflexes of this page.
pub(crate) struct Counter;

#[reflex]
impl Counter {
    /// Adds `data-step`, or one. Nothing is said about what to morph, so the page is rendered again.
    async fn increment(&self, cx: &mut Reflex) -> Result {
        let step = cx
            .element()
            .dataset()
            .get("step")
            .and_then(|step| step.parse().ok())
            .unwrap_or(1);
        cx.session()
            .update("count", move |count: i64| count.saturating_add(step))
            .await?;
        Ok(())
    }

    /// Starts again, and morphs the one element that changes.
    async fn reset(&self, cx: &mut Reflex) -> Result {
        cx.session().remove("count").await?;
        cx.morph("#count", html! { output #count { "0" } });
        Ok(())
    }
}

pub(crate) async fn page(session: Session, client: ClientTags) -> Result<Markup> {
    let count: i64 = session.get_or_default("count").await?;
    let content = html! {
        div.count {
            output #count aria-live="polite" { (count) }
            span.quiet { "clicks, kept in your session" }
        }
        div.actions {
            button.primary #increment type="button" data-reflex=(sinew::reflex!("click" => Counter::increment)) { "Add one" }
            button #by-ten type="button" data-step="10" data-reflex=(sinew::reflex!("click" => Counter::increment)) { "Add ten" }
            button #reset type="button" data-reflex=(sinew::reflex!("click" => Counter::reset)) { "Start again" }
        }
    };
    Ok(layout::page(&client, "/", INTRO, content))
}
