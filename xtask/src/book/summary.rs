//! Whether every document is in the book.

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
            "not in docs/SUMMARY.md: {forgotten:?}"
        );
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
