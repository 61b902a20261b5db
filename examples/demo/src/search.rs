//! A search that answers while one types.
//!
//! demo.js waits for 250 ms of silence and dispatches `settled`; the reflex morphs the results and
//! nothing else, so that the field being typed into is left alone. The form works without a script.

use maud::{Markup, html};
use sinew::prelude::*;

use crate::layout;

const INTRO: &str =
    "Capitals of the world. Stop typing for a quarter of a second, and the results are here.";

const CAPITALS: [(&str, &str); 48] = [
    ("Amsterdam", "Netherlands"),
    ("Ankara", "Türkiye"),
    ("Athens", "Greece"),
    ("Bangkok", "Thailand"),
    ("Beijing", "China"),
    ("Belgrade", "Serbia"),
    ("Berlin", "Germany"),
    ("Bern", "Switzerland"),
    ("Bogotá", "Colombia"),
    ("Bratislava", "Slovakia"),
    ("Brasília", "Brazil"),
    ("Brussels", "Belgium"),
    ("Bucharest", "Romania"),
    ("Budapest", "Hungary"),
    ("Buenos Aires", "Argentina"),
    ("Cairo", "Egypt"),
    ("Canberra", "Australia"),
    ("Copenhagen", "Denmark"),
    ("Dakar", "Senegal"),
    ("Dublin", "Ireland"),
    ("Hanoi", "Vietnam"),
    ("Helsinki", "Finland"),
    ("Jakarta", "Indonesia"),
    ("Kathmandu", "Nepal"),
    ("Lima", "Peru"),
    ("Lisbon", "Portugal"),
    ("Ljubljana", "Slovenia"),
    ("London", "United Kingdom"),
    ("Madrid", "Spain"),
    ("Manila", "Philippines"),
    ("Mexico City", "Mexico"),
    ("Montevideo", "Uruguay"),
    ("Nairobi", "Kenya"),
    ("New Delhi", "India"),
    ("Oslo", "Norway"),
    ("Ottawa", "Canada"),
    ("Paris", "France"),
    ("Prague", "Czechia"),
    ("Reykjavík", "Iceland"),
    ("Riga", "Latvia"),
    ("Rome", "Italy"),
    ("Santiago", "Chile"),
    ("Stockholm", "Sweden"),
    ("Tallinn", "Estonia"),
    ("Tokyo", "Japan"),
    ("Vienna", "Austria"),
    ("Warsaw", "Poland"),
    ("Wellington", "New Zealand"),
];

/// The reflex of this page.
pub(crate) struct Search;

#[reflex]
impl Search {
    /// Morphs the results, and keeps the address in step so that it can be shared.
    async fn run(&self, cx: &mut Reflex) -> Result {
        let term = cx.element().value().unwrap_or_default().to_owned();
        let query = query_of(&term);
        cx.morph("#results", results(&term));
        let address = cx.state::<SinewHandle>().path("/search") + &query;
        cx.cable_ready().replace_state(address);
        Ok(())
    }
}

/// `?q=term`, or nothing for an empty term.
fn query_of(term: &str) -> String {
    if term.is_empty() {
        return String::new();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("?{}", query.append_pair("q", term).finish())
}

fn results(term: &str) -> Markup {
    let wanted = term.trim().to_lowercase();
    let is_found = |text: &str| text.to_lowercase().contains(&wanted);
    let found: Vec<_> = CAPITALS
        .iter()
        .filter(|(city, country)| is_found(city) || is_found(country))
        .collect();
    html! {
        div #results {
            p #found role="status" { (found.len()) " of " (CAPITALS.len()) @if found.is_empty() { ": nothing is called “" (term) "”" } }
            ul.results aria-label="Results" {
                @for (city, country) in found {
                    li { strong { (city) } " " span.quiet { (country) } }
                }
            }
        }
    }
}

pub(crate) async fn page(params: PageParams, client: ClientTags) -> Markup {
    let term = params.get("q").unwrap_or_default();
    let content = html! {
        search {
            form action=(client.path("/search")) {
                label for="q" { "City or country" }
                input #q type="search" name="q" value=(term) autocomplete="off" maxlength="100"
                    data-settle data-reflex=(sinew::reflex!("settled" => Search::run));
            }
        }
        (results(term))
    };
    layout::page(&client, "/search", INTRO, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_encoded() {
        assert_eq!(query_of(""), "");
        assert_eq!(query_of("São & <x>"), "?q=S%C3%A3o+%26+%3Cx%3E");
    }

    #[test]
    fn results_are_escaped() {
        let html = results("<script>").into_string();
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }
}
