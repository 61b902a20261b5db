//! The page and its part in askama: templates are structs, checked when the program is built.

use askama::Template;
use sinew::prelude::*;

use crate::lunch::{self, Dish};

#[derive(Template)]
#[template(path = "askama/page.html")]
struct Page {
    client: ClientTags,
    dishes: Vec<Dish>,
    vote: String,
    clear: String,
}

/// The part that a reflex renders alone; the page includes the same file.
#[derive(Template)]
#[template(path = "askama/votes.html")]
struct Part {
    dishes: Vec<Dish>,
    vote: String,
}

pub(crate) fn page(client: ClientTags, dishes: Vec<Dish>) -> Result<String> {
    let page = Page {
        client,
        dishes,
        vote: lunch::vote(),
        clear: lunch::clear(),
    };
    Ok(page.render()?)
}

pub(crate) fn part(dishes: Vec<Dish>) -> Result<String> {
    Ok(Part {
        dishes,
        vote: lunch::vote(),
    }
    .render()?)
}
