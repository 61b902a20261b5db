//! The page under measurement: about 10 KB of HTML with one root.

use axum::{Router, routing::get};
use maud::{DOCTYPE, Markup, html};
use sinew::prelude::*;

use crate::reflexes::Bench;

/// So many that the page has about 10 KB.
const ROWS: u32 = 48;

pub(crate) fn router() -> Router {
    Router::new().route("/bench", get(page))
}

/// One row of the page, which is also the partial that `selector` sends.
pub(crate) fn row(number: u32, clicks: u64) -> Markup {
    html! {
        li #{ "row-" (number) } .row {
            span.title { "Row number " (number) " of the page under measurement" }
            button.action data-reflex=(sinew::reflex!("click" => Bench::selector)) { "Change" }
            output { (clicks) }
        }
    }
}

/// The page's one root.
pub(crate) fn root() -> Markup {
    html! {
        main #bench data-reflex-root="#bench" {
            h1 { "Bench" }
            ul #rows { @for number in 0..ROWS { (row(number, 0)) } }
        }
    }
}

async fn page(client: ClientTags) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Bench" } (client) }
            body { (root()) }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_has_about_ten_kilobytes() {
        let bytes = super::root().0.len();
        assert!((9_500..=10_500).contains(&bytes), "{bytes} bytes");
    }
}
