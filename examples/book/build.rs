//! Takes the programs out of the book, as a reader would: every code block that begins with the path
//! of a file (`// src/main.rs`) becomes that file, in a folder named after its chapter; what a chapter
//! makes of a file later on goes to a folder of its own, `counter-2`.
//! What remains of a chapter is the documentation of its module, so that the other blocks are tests.

use std::collections::HashMap;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var("OUT_DIR").expect("cargo sets it for build scripts");
    let guide = Path::new("../../docs/guide");
    println!("cargo::rerun-if-changed={}", guide.display());
    for entry in fs::read_dir(guide)? {
        let path = entry?.path();
        let (Some(chapter), Some(ending)) = (path.file_stem(), path.extension()) else {
            continue;
        };
        if ending != "md" {
            continue;
        }
        let folder = Path::new(&out).join(chapter);
        let (files, rest) = taken_out(&fs::read_to_string(&path)?);
        let mut times_shown = HashMap::<_, usize>::new();
        for (file, content) in files {
            let times = times_shown.entry(file.clone()).or_default();
            *times += 1;
            let folder = match times {
                1 => folder.clone(),
                times => Path::new(&out).join(format!("{}-{times}", chapter.display())),
            };
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap_or(&folder))?;
            fs::write(file, content)?;
        }
        fs::write(folder.with_extension("md"), rest)?;
    }
    Ok(())
}

/// Path and content of each code block that names a file in its first line, and the chapter with
/// these blocks marked as text, line for line the same.
fn taken_out(chapter: &str) -> (Vec<(String, String)>, String) {
    let (mut files, mut rest) = (Vec::new(), String::new());
    let mut lines = chapter.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("```") {
            rest.extend([line, "\n"]);
            continue;
        }
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let named = block.first().and_then(|first| first.strip_prefix("// "));
        let file = named.filter(|file| file.starts_with("src/") && !file.contains(' '));
        rest.extend([if file.is_some() { "```text" } else { line }, "\n"]);
        for line in &block {
            rest.extend([*line, "\n"]);
        }
        rest.push_str("```\n");
        if let Some(file) = file {
            files.push((file.to_owned(), block.join("\n") + "\n"));
        }
    }
    (files, rest)
}
