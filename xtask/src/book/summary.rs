//! The book's table of contents: whether every document is in it, and its list of decisions.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Documents that are no pages: the table of contents itself.
const OUTSIDE: [&str; 1] = ["SUMMARY.md"];

/// The documents below `docs` that `SUMMARY.md` does not name, in order.
pub(super) fn forgotten(docs: &Path) -> Result<Vec<String>> {
    let summary = docs.join("SUMMARY.md");
    let summary = fs::read_to_string(&summary)
        .with_context(|| format!("cannot read {}", summary.display()))?;
    let mut documents = Vec::new();
    gather(docs, "", &mut documents)?;
    documents.retain(|name| !OUTSIDE.contains(&&**name) && !names(&summary, name));
    documents.sort();
    Ok(documents)
}

/// The line below which the decisions stand, to the end of the file.
const DECISIONS: &str = "- [Decisions](adr/README.md)\n";

/// Writes the list of decisions into `SUMMARY.md`, which mdBook wants to name every page.
pub(super) fn write_decisions(docs: &Path) -> Result<()> {
    let path = docs.join("SUMMARY.md");
    let summary = fs::read_to_string(&path)?;
    let (before, _) = summary
        .split_once(DECISIONS)
        .with_context(|| format!("{} has no line {DECISIONS}", path.display()))?;
    let mut documents = Vec::new();
    gather(&docs.join("adr"), "adr/", &mut documents)?;
    documents.retain(|document| document != "adr/README.md");
    documents.sort();
    let mut summary = format!("{before}{DECISIONS}");
    for document in documents {
        let text = fs::read_to_string(docs.join(&document))?;
        let title = text.lines().next().unwrap_or_default();
        let title = title.trim_start_matches('#').trim();
        summary.push_str(&format!("  - [{title}]({document})\n"));
    }
    fs::write(&path, summary).with_context(|| format!("cannot write {}", path.display()))
}

fn names(summary: &str, document: &str) -> bool {
    summary.contains(&format!("]({document})")) || summary.contains(&format!("](./{document})"))
}

fn gather(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{name}/"), found)?;
        } else if name.ends_with(".md") {
            found.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout;

    #[test]
    fn every_document_is_a_page_of_the_book() {
        let forgotten = forgotten(&checkout::path("docs")).unwrap();
        assert!(
            forgotten.is_empty(),
            "not in docs/SUMMARY.md: {forgotten:?}; `cargo xtask codegen` adds decisions"
        );
    }

    #[test]
    fn decisions_are_listed_in_their_order() {
        let folder = std::env::temp_dir().join(format!("sinew-decisions-{}", std::process::id()));
        fs::create_dir_all(folder.join("adr")).unwrap();
        let before = "- [One](one.md)\n";
        let stale = format!("{before}{DECISIONS}  - [Gone](adr/0000-gone.md)\n");
        fs::write(folder.join("SUMMARY.md"), stale).unwrap();
        fs::write(folder.join("adr/README.md"), "# Decisions\n").unwrap();
        fs::write(folder.join("adr/0002-b.md"), "# 0002 Second\n\nText.\n").unwrap();
        fs::write(folder.join("adr/0001-a.md"), "# 0001 First\n").unwrap();
        write_decisions(&folder).unwrap();
        let summary = fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let list = "  - [0001 First](adr/0001-a.md)\n  - [0002 Second](adr/0002-b.md)\n";
        assert_eq!(summary, format!("{before}{DECISIONS}{list}"));
    }

    #[test]
    fn a_document_that_is_not_named_is_found() {
        let folder = std::env::temp_dir().join(format!("sinew-summary-{}", std::process::id()));
        fs::create_dir_all(folder.join("part")).unwrap();
        fs::write(folder.join("SUMMARY.md"), "- [One](one.md)\n").unwrap();
        fs::write(folder.join("one.md"), "").unwrap();
        fs::write(folder.join("part/two.md"), "").unwrap();
        let forgotten = forgotten(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(forgotten, ["part/two.md"]);
    }
}
