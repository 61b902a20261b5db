//! The table of metrics, as the chapter about operating shows it.

use std::fmt::Write as _;

use sinew::metrics::METRICS;

/// The metrics as rows of a table in Markdown, in the order in which they are exposed.
pub fn table() -> String {
    let mut table = "| metric | kind | label | meaning |\n|---|---|---|---|\n".to_owned();
    for metric in METRICS {
        let label = metric.label.map(|label| format!("`{label}`"));
        // Writing into a String does not fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind,
            label.unwrap_or_default(),
            metric.meaning
        );
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_chapter_lists_every_metric() {
        let chapter = include_str!("../../../docs/guide/operating.md");
        let written = chapter
            .split_once("<!-- metrics:begin -->\n")
            .and_then(|(_, rest)| rest.split_once("<!-- metrics:end -->"))
            .map(|(table, _)| table.trim());
        assert_eq!(
            written,
            Some(super::table().trim()),
            "docs/guide/operating.md is out of date: run `cargo xtask codegen`"
        );
    }
}
