//! The pages.

use maud::{Markup, html};
use sinew::prelude::*;

use crate::layout;
use crate::reflexes::counter::Counter;

pub(crate) async fn counter(session: Session, client: ClientTags) -> Result<Markup> {
    let count: i64 = session.get_or_default("count").await?;
    let content = html! {
        p.quiet { "Each click calls a method in Rust. The count is kept in your session." }
        output #count aria-live="polite" { (count) }
        div.row {
            button.primary #increment type="button" data-reflex=(sinew::reflex!("click" => Counter::increment)) { "Add one" }
            button #reset type="button" data-reflex=(sinew::reflex!("click" => Counter::reset)) { "Start again" }
        }
    };
    Ok(layout::page(&client, "Counter", content))
}
