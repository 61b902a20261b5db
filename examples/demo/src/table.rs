//! A table that sorts and pages. Its state is the address: links work without a script, can be
//! shared, and Back goes back.

use maud::{Markup, html};
use serde::Deserialize;
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "The lightest elements. A click morphs the table and pushes an address; each link is an ordinary link as well.";
const ROWS_PER_PAGE: usize = 8;

struct Element {
    number: usize,
    symbol: &'static str,
    name: &'static str,
    mass: f64,
}

/// Symbol, name and standard atomic mass, by atomic number.
const ELEMENTS: [(&str, &str, f64); 36] = [
    ("H", "Hydrogen", 1.008),
    ("He", "Helium", 4.003),
    ("Li", "Lithium", 6.94),
    ("Be", "Beryllium", 9.012),
    ("B", "Boron", 10.81),
    ("C", "Carbon", 12.011),
    ("N", "Nitrogen", 14.007),
    ("O", "Oxygen", 15.999),
    ("F", "Fluorine", 18.998),
    ("Ne", "Neon", 20.18),
    ("Na", "Sodium", 22.99),
    ("Mg", "Magnesium", 24.305),
    ("Al", "Aluminium", 26.982),
    ("Si", "Silicon", 28.085),
    ("P", "Phosphorus", 30.974),
    ("S", "Sulfur", 32.06),
    ("Cl", "Chlorine", 35.45),
    ("Ar", "Argon", 39.95),
    ("K", "Potassium", 39.098),
    ("Ca", "Calcium", 40.078),
    ("Sc", "Scandium", 44.956),
    ("Ti", "Titanium", 47.867),
    ("V", "Vanadium", 50.942),
    ("Cr", "Chromium", 51.996),
    ("Mn", "Manganese", 54.938),
    ("Fe", "Iron", 55.845),
    ("Co", "Cobalt", 58.933),
    ("Ni", "Nickel", 58.693),
    ("Cu", "Copper", 63.546),
    ("Zn", "Zinc", 65.38),
    ("Ga", "Gallium", 69.723),
    ("Ge", "Germanium", 72.63),
    ("As", "Arsenic", 74.922),
    ("Se", "Selenium", 78.971),
    ("Br", "Bromine", 79.904),
    ("Kr", "Krypton", 83.798),
];

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Column {
    #[default]
    Number,
    Symbol,
    Name,
    Mass,
}

impl Column {
    const ALL: [(Self, &str, &str); 4] = [
        (Self::Number, "number", "No."),
        (Self::Symbol, "symbol", "Symbol"),
        (Self::Name, "name", "Name"),
        (Self::Mass, "mass", "Mass"),
    ];

    fn key(self) -> &'static str {
        let mut columns = Self::ALL.iter();
        columns
            .find(|(column, ..)| *column == self)
            .map_or("number", |(_, key, _)| key)
    }
}

/// What of the table is shown, as the address says it: `?sort=mass&down=1&page=2`.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct View {
    sort: Column,
    down: bool,
    page: usize,
}

impl View {
    /// What cannot be understood is the first page, in the usual order.
    fn of(params: &sinew::reflex::params::Params) -> Self {
        params.parse().unwrap_or_default()
    }

    fn pages() -> usize {
        ELEMENTS.len().div_ceil(ROWS_PER_PAGE)
    }

    fn page(self) -> usize {
        self.page.clamp(1, Self::pages())
    }

    /// A query alone: it leads to this page, wherever that is.
    fn address(self) -> String {
        let (sort, down) = (self.sort.key(), u8::from(self.down));
        format!("?sort={sort}&down={down}&page={}", self.page())
    }

    fn rows(self) -> Vec<Element> {
        let elements = ELEMENTS.iter().zip(1..);
        let mut rows: Vec<Element> = elements
            .map(|(&(symbol, name, mass), number)| Element {
                number,
                symbol,
                name,
                mass,
            })
            .collect();
        match self.sort {
            Column::Number => {}
            Column::Symbol => rows.sort_by_key(|row| row.symbol),
            Column::Name => rows.sort_by_key(|row| row.name),
            Column::Mass => rows.sort_by(|one, other| one.mass.total_cmp(&other.mass)),
        }
        if self.down {
            rows.reverse();
        }
        let skipped = (self.page() - 1) * ROWS_PER_PAGE;
        rows.into_iter().skip(skipped).take(ROWS_PER_PAGE).collect()
    }
}

/// The reflex of this page.
pub(crate) struct Table;

#[reflex]
impl Table {
    /// Shows what the link leads to.
    async fn show(&self, cx: &mut Reflex) -> Result {
        let query = cx
            .element()
            .get("href")
            .and_then(|href| href.split_once('?'));
        let query = query.map_or("", |(_, query)| query);
        let view = View::of(&sinew::reflex::params::Params::from_urlencoded(query)?);
        cx.morph("#table", table(view));
        cx.cable_ready().push_state(view.address());
        Ok(())
    }
}

fn table(view: View) -> Markup {
    let show = sinew::reflex!("click" => Table::show);
    let (page, pages) = (view.page(), View::pages());
    let turn = |id: &str, label: &str, to: usize| {
        let is_there = (1..=pages).contains(&to);
        let href = is_there.then(|| View { page: to, ..view }.address());
        html! {
            // Without an address it is no link, but keeps its place and the focus.
            a.button id=(id) href=[&href] data-reflex=[href.as_ref().map(|_| show)]
                role=[(!is_there).then_some("link")] aria-disabled=[(!is_there).then_some("true")]
                tabindex=[(!is_there).then_some("0")] { (label) }
        }
    };
    html! {
        div #table {
            div.scroll {
                table {
                    caption.hidden { "Chemical elements" }
                    thead { tr {
                        @for (column, key, label) in Column::ALL {
                            @let is_sorted = view.sort == column;
                            @let down = is_sorted && !view.down;
                            th scope="col" .number[matches!(column, Column::Number | Column::Mass)]
                                aria-sort=[is_sorted.then_some(if view.down { "descending" } else { "ascending" })] {
                                a #{ "sort-" (key) } href=(View { sort: column, down, page: 1 }.address()) data-reflex=(show) {
                                    (label)
                                    @if is_sorted { span aria-hidden="true" { @if view.down { " ↓" } @else { " ↑" } } }
                                }
                            }
                        }
                    } }
                    tbody {
                        @for row in view.rows() {
                            tr #{ "element-" (row.number) } {
                                td.number { (row.number) } td { (row.symbol) } th scope="row" { (row.name) }
                                td.number { (format!("{:.3}", row.mass)) }
                            }
                        }
                    }
                }
            }
            nav.row.between aria-label="Pages of the table" {
                (turn("previous", "Previous", page - 1))
                span #page role="status" { "Page " (page) " of " (pages) }
                (turn("next", "Next", page + 1))
            }
        }
    }
}

pub(crate) async fn page(params: PageParams, client: ClientTags) -> Markup {
    layout::page(&client, "/table", INTRO, table(View::of(&params)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sinew::reflex::params::Params;

    #[test]
    fn an_address_leads_to_the_view_it_was_made_of() {
        let view = View {
            sort: Column::Mass,
            down: true,
            page: 2,
        };
        let address = view.address();
        let (_, query) = address.split_once('?').expect("a query");
        let again = View::of(&Params::from_urlencoded(query).expect("parameters"));
        assert_eq!(again.address(), address);
    }

    #[test]
    fn nonsense_is_the_first_page() {
        for query in ["", "page=x", "sort=colour", "page=0", "down=maybe"] {
            let view = View::of(&Params::from_urlencoded(query).expect("parameters"));
            assert_eq!(view.address(), "?sort=number&down=0&page=1", "{query}");
        }
        let last = View {
            page: usize::MAX,
            ..View::default()
        };
        assert_eq!(last.rows().len(), ELEMENTS.len() % ROWS_PER_PAGE);
    }
}
