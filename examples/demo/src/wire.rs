//! What the last click sent and received: demo.js listens to the connection and writes it down.

use maud::{Markup, html};
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "Three ways to answer a click, and every word that goes over the wire for it.";

/// The reflexes of this page: one for each kind of answer.
pub(crate) struct Wire;

#[reflex]
impl Wire {
    /// The whole page.
    async fn page(&self, cx: &mut Reflex) -> Result {
        count(cx).await?;
        Ok(())
    }

    /// One element.
    async fn selector(&self, cx: &mut Reflex) -> Result {
        let count = count(cx).await?;
        cx.morph("#clicks", clicks(count));
        Ok(())
    }

    /// No HTML at all: one operation.
    async fn nothing(&self, cx: &mut Reflex) -> Result {
        let count = count(cx).await?;
        cx.cable_ready().text_content("#clicks", count.to_string());
        cx.morph_nothing();
        Ok(())
    }
}

async fn count(cx: &Reflex) -> Result<i64> {
    let session = cx.session();
    Ok(session
        .update("wire", |count: i64| count.saturating_add(1))
        .await?)
}

fn clicks(count: i64) -> Markup {
    html! { output #clicks { (count) } }
}

pub(crate) async fn page(session: Session, client: ClientTags) -> Result<Markup> {
    let count: i64 = session.get_or_default("wire").await?;
    let content = html! {
        div.count { (clicks(count)) span.quiet { "clicks on this page" } }
        div.actions {
            button.primary #by-page type="button" data-reflex=(sinew::reflex!("click" => Wire::page)) { "Morph the page" }
            button #by-selector type="button" data-reflex=(sinew::reflex!("click" => Wire::selector)) { "Morph one element" }
            button #by-nothing type="button" data-reflex=(sinew::reflex!("click" => Wire::nothing)) { "One operation" }
        }
        // Written by the browser: a page morph leaves it alone.
        div.wire #wire data-reflex-permanent {
            p #wire-summary role="status" { "Click, and look here." }
            h2 #wire-sent-name { "Sent" }
            pre #wire-sent tabindex="0" role="region" aria-labelledby="wire-sent-name" {}
            h2 #wire-received-name { "Received" }
            pre #wire-received tabindex="0" role="region" aria-labelledby="wire-received-name" {}
        }
    };
    Ok(layout::page(&client, "/wire", INTRO, content))
}
