//! The votes, and the two attributes by which a page calls the reflex.

use std::collections::BTreeMap;

use serde::Serialize;
use sinew::Session;

use crate::Lunch;

/// The field of the session.
pub(crate) const FIELD: &str = "votes";

/// Votes by dish.
pub(crate) type Votes = BTreeMap<String, u32>;

const MENU: [&str; 3] = ["Soup", "Fish & chips", "Salad"];

/// One line of the page.
#[derive(Serialize)]
pub(crate) struct Dish {
    pub(crate) name: &'static str,
    pub(crate) votes: u32,
}

/// The dishes with the votes of this visitor.
pub(crate) async fn dishes(session: &Session) -> sinew::Result<Vec<Dish>> {
    Ok(count(&session.get_or_default(FIELD).await?))
}

/// The dishes with these votes.
pub(crate) fn count(votes: &Votes) -> Vec<Dish> {
    MENU.map(|name| Dish {
        name,
        votes: votes.get(name).copied().unwrap_or(0),
    })
    .into()
}

/// The value of `data-reflex` for a vote. A method that does not exist would not compile.
pub(crate) fn vote() -> String {
    sinew::reflex!("click" => Lunch::vote).to_string()
}

/// The value of `data-reflex` for starting again.
pub(crate) fn clear() -> String {
    sinew::reflex!("click" => Lunch::clear).to_string()
}
