//! `docs/differences.md`: the table of differences that are on purpose, for readers.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::checkout;

const INTRODUCTION: &str = "\
# Differences from the original

Sinew is compared with recordings of StimulusReflex 3.5.5 on Rails, made with the unmodified npm clients: `cargo xtask golden`.
These are the differences that are on purpose; any other fails the comparison.
The page is written by `cargo xtask codegen` from `spec/golden/differences.json`.

";

pub(crate) fn write() -> Result<ExitCode> {
    let path = document();
    fs::write(&path, render()?).with_context(|| format!("cannot write {}", path.display()))?;
    println!("docs/differences.md is written");
    Ok(ExitCode::SUCCESS)
}

fn document() -> PathBuf {
    checkout::path("docs/differences.md")
}

fn render() -> Result<String> {
    let table = checkout::path("spec/golden/differences.json");
    let text =
        fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let table: Value = serde_json::from_str(&text).context("differences.json is no JSON")?;

    let mut page = INTRODUCTION.to_owned();
    page.push_str("## Everywhere\n\n| what differs | why |\n|---|---|\n");
    for row in rows(&table["everywhere"]) {
        writeln!(
            page,
            "| {} | {} |",
            text_of(row, "difference"),
            text_of(row, "reason")
        )?;
    }
    page.push_str("\n## By scenario\n\n| scenario | part | why |\n|---|---|---|\n");
    for row in rows(&table["rows"]) {
        let part = match text_of(row, "part") {
            "*" => "not compared",
            part => part,
        };
        writeln!(
            page,
            "| {} | {part} | {} |",
            text_of(row, "scenario"),
            text_of(row, "reason")
        )?;
    }
    let mut scenario = "";
    for row in rows(&table["rows"]) {
        let lines: Vec<_> = rows(&row["lines"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if lines.is_empty() {
            continue;
        }
        if scenario != text_of(row, "scenario") {
            scenario = text_of(row, "scenario");
            write!(page, "\n### {scenario}\n")?;
        }
        write!(
            page,
            "\n{}:\n\n```diff\n{}\n```\n",
            text_of(row, "part"),
            lines.join("\n")
        )?;
    }
    Ok(page)
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text_of<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_as_the_table_makes_it() {
        let page = fs::read_to_string(document()).unwrap_or_default();
        assert!(
            page == render().unwrap(),
            "docs/differences.md is not what spec/golden/differences.json makes: run `cargo xtask codegen`"
        );
    }
}
