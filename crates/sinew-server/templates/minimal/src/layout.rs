//! What every page has around it.

use maud::{DOCTYPE, Markup, html};
use sinew::prelude::*;

/// What the application is called on its pages.
const NAME: &str = "App name";

pub(crate) fn page(client: &ClientTags, title: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // What a page shows lives on the server: a remembered copy would be out of date.
                meta name="turbo-cache-control" content="no-cache";
                title { (title) " · " (NAME) }
                link rel="icon" href=(client.path("/icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(client.path("/style.css"));
                (client)
            }
            body {
                header.site { a.brand href=(client.path("/")) { (NAME) } }
                main {
                    h1 { (title) }
                    (content)
                }
            }
        }
    }
}
