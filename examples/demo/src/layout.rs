//! What every page has around it: head, navigation, footer.

use maud::{DOCTYPE, Markup, html};
use sinew::prelude::*;

/// Address and name of every page, in the order of the navigation.
const PAGES: [(&str, &str); 8] = [
    ("/", "Counter"),
    ("/todos", "Todos"),
    ("/search", "Search"),
    ("/form", "Form"),
    ("/chat", "Chat"),
    ("/job", "Job"),
    ("/table", "Table"),
    ("/wire", "Wire"),
];

/// The page at `path`, which is one of [`PAGES`], with `content` below its heading.
pub(crate) fn page(client: &ClientTags, path: &str, intro: &str, content: Markup) -> Markup {
    let name = PAGES
        .iter()
        .find(|(address, _)| *address == path)
        .map_or("Sinew", |(_, name)| name);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // What these pages show lives on the server: a remembered copy would be out of date.
                meta name="turbo-cache-control" content="no-cache";
                title { (name) " · Sinew" }
                link rel="icon" href=(client.path("/icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(client.path("/style.css"));
                (client)
                script type="module" src=(client.path("/demo.js")) {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.site {
                    a.brand href=(client.path("/")) { "Sinew" }
                    nav aria-label="Pages" {
                        ul {
                            @for (address, name) in PAGES {
                                li { a href=(client.path(address)) aria-current=[(address == path).then_some("page")] { (name) } }
                            }
                        }
                    }
                }
                main #main tabindex="-1" {
                    h1 { (name) }
                    p.quiet { (intro) }
                    (content)
                }
                footer.site.quiet { "HTML rendered in Rust, changed over one WebSocket." }
            }
        }
    }
}
