//! The table of environment variables, as the chapter about configuration shows it.

use std::fmt::Write as _;

use sinew::{postgres, redis};
use sinew_web::config::VARIABLES;

/// The variables as rows of a table in Markdown, in the order in which they are read.
pub fn table() -> String {
    let mut table = "| variable | default | meaning |\n|---|---|---|\n".to_owned();
    let edge = VARIABLES.iter().map(|it| (it.name, it.default, it.meaning));
    let redis = redis::VARIABLES
        .iter()
        .map(|it| (it.name, it.default, it.meaning));
    let postgres = postgres::VARIABLES
        .iter()
        .map(|it| (it.name, it.default, it.meaning));
    for (name, default, meaning) in edge.chain(redis).chain(postgres) {
        let cell = |text: &str| text.replace('|', "\\|");
        // Writing into a String does not fail.
        let _ = writeln!(
            table,
            "| `{name}` | {} | {} |",
            cell(default),
            cell(meaning)
        );
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_chapter_lists_every_variable() {
        let chapter = include_str!("../../../docs/guide/configuration.md");
        let written = chapter
            .split_once("<!-- variables:begin -->\n")
            .and_then(|(_, rest)| rest.split_once("<!-- variables:end -->"))
            .map(|(table, _)| table.trim());
        assert_eq!(
            written,
            Some(super::table().trim()),
            "docs/guide/configuration.md is out of date: run `cargo xtask codegen`"
        );
    }
}
