//! The recordings of the original in a real browser, for the tests that compare with them.

use std::path::Path;

use serde_json::Value;

/// Every recording, with the name of its file.
pub(crate) fn all() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/golden");
    let files = std::fs::read_dir(folder).expect("the recordings");
    files
        .filter_map(|file| {
            let file = file.expect("a file");
            // Folders stand there as well.
            let text = std::fs::read_to_string(file.path()).ok()?;
            let name = file.file_name().to_string_lossy().into_owned();
            Some((name, serde_json::from_str(&text).unwrap_or_default()))
        })
        .collect()
}
