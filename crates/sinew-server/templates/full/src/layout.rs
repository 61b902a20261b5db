//! What every page has around it.

use axum::http::{HeaderName, header::CACHE_CONTROL};
use maud::{DOCTYPE, Markup, html};
use sinew::prelude::*;

use crate::accounts::Account;

/// What the application is called on its pages.
const NAME: &str = "App name";

/// A page with a header of its own.
pub(crate) type Page = ([(HeaderName, &'static str); 1], Markup);

/// A page for somebody who has signed in: with the client, and so with reflexes.
pub(crate) fn page(client: &ClientTags, account: &Account, title: &str, content: Markup) -> Page {
    let signed_in = html! {
        span.quiet { (account.name) }
        // Another session needs another socket, which a page that is loaded anew has.
        form method="post" action="/sign-out" data-turbo="false" { button #sign-out { "Sign out" } }
    };
    // Who uses this browser next sees nothing of it by going back.
    let headers = [(CACHE_CONTROL, "no-store")];
    (headers, document(Some(client), title, signed_in, content))
}

/// A page for everybody: plain HTML, without the client, a session or a socket.
pub(crate) fn public_page(title: &str, content: Markup) -> Markup {
    document(None, title, html! {}, content)
}

fn document(client: Option<&ClientTags>, title: &str, header: Markup, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // What a page shows lives on the server: a remembered copy would be out of date.
                meta name="turbo-cache-control" content="no-cache";
                title { (title) " · " (NAME) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
                @if let Some(client) = client { (client) }
            }
            body {
                header.site {
                    a.brand href="/" { (NAME) }
                    (header)
                }
                main {
                    h1 { (title) }
                    (content)
                }
            }
        }
    }
}
