//! The table of findings, as the chapter about the doctor shows it.

use std::fmt::Write as _;

use sinew::doctor::KINDS;

/// The kinds of findings as rows of a table in Markdown.
pub fn table() -> String {
    let mut table =
        "| code | severity | what | why it hurts | what to do |\n|---|---|---|---|---|\n"
            .to_owned();
    for kind in KINDS {
        let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;");
        // Writing into a String does not fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} |",
            kind.code,
            kind.severity,
            cell(kind.what),
            cell(kind.why),
            cell(kind.fix)
        );
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_chapter_lists_every_finding() {
        let chapter = include_str!("../../../docs/guide/doctor.md");
        let written = chapter
            .split_once("<!-- findings:begin -->\n")
            .and_then(|(_, rest)| rest.split_once("<!-- findings:end -->"))
            .map(|(table, _)| table.trim());
        assert_eq!(
            written,
            Some(super::table().trim()),
            "docs/guide/doctor.md is out of date: run `cargo xtask codegen`"
        );
    }
}
