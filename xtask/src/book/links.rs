//! Links of the built book: each must lead to a file that is there, and to an anchor in it.
//!
//! Addresses outside of the book are looked at, not visited: a test must not fail because somebody
//! else's server is down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

/// What was found.
pub(super) struct Found {
    /// Pages read.
    pub(super) pages: usize,
    /// Links followed.
    pub(super) links: usize,
    /// One sentence for each link that leads nowhere.
    pub(super) problems: Vec<String>,
}

struct PageLinks {
    anchors: BTreeSet<String>,
    links: Vec<String>,
}

/// Reads every page below `root` and follows its links.
pub(super) fn follow(root: &Path) -> Result<Found> {
    let mut files = BTreeSet::new();
    gather(root, Path::new(""), &mut files)?;
    let mut pages = BTreeMap::new();
    for file in files.iter().filter(|file| is_page(file)) {
        let html = fs::read_to_string(root.join(file))
            .with_context(|| format!("cannot read {}", file.display()))?;
        pages.insert(file.clone(), read(&html));
    }
    let mut found = Found {
        pages: pages.len(),
        links: 0,
        problems: Vec::new(),
    };
    for (file, page) in &pages {
        // Links of the page for lost visitors are relative to wherever they were.
        if file == Path::new("404.html") {
            continue;
        }
        for link in &page.links {
            found.links += 1;
            if let Some(problem) = problem(file, link, &files, &pages) {
                found
                    .problems
                    .push(format!("{}: `{link}` {problem}", file.display()));
            }
        }
    }
    Ok(found)
}

fn is_page(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "html")
}

fn gather(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let path = root.join(folder);
    let entries = fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let entry = entry?;
        let file = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            gather(root, &file, found)?;
        } else {
            found.insert(file);
        }
    }
    Ok(())
}

/// What is wrong with a link of a page, if anything.
fn problem(
    page: &Path,
    link: &str,
    files: &BTreeSet<PathBuf>,
    pages: &BTreeMap<PathBuf, PageLinks>,
) -> Option<String> {
    if let Some((scheme, rest)) = link.split_once(':')
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    {
        return outside(scheme, rest);
    }
    let (address, anchor) = match link.split_once('#') {
        Some((address, anchor)) => (address, Some(anchor)),
        None => (link, None),
    };
    let address = address.split('?').next().unwrap_or_default();
    let target = if address.is_empty() {
        page.to_owned()
    } else {
        let folder = page.parent().unwrap_or(Path::new(""));
        let Some(target) = normal(&folder.join(decoded(address))) else {
            return Some("leads out of the book".to_owned());
        };
        if address.ends_with('/') || target.as_os_str().is_empty() {
            target.join("index.html")
        } else {
            target
        }
    };
    if !files.contains(&target) {
        return Some("leads nowhere".to_owned());
    }
    let anchor = anchor.filter(|anchor| !anchor.is_empty())?;
    let page = pages.get(&target)?;
    (!page.anchors.contains(&decoded(anchor)))
        .then(|| format!("has no such place in {}", target.display()))
}

/// An address that is not ours must at least look like one.
fn outside(scheme: &str, rest: &str) -> Option<String> {
    let is_fine = match scheme {
        "http" | "https" => rest.strip_prefix("//").is_some_and(|rest| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            !rest.contains(char::is_whitespace)
                && (host.contains('.') || host.starts_with("localhost"))
                && !host.starts_with('.')
        }),
        "data" | "mailto" => true,
        _ => false,
    };
    (!is_fine).then(|| "is no address".to_owned())
}

/// The path without `.` and `..`; nothing when it leaves the book.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => out.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Anchors and links of a page, as mdBook writes them: attributes in double quotes, in tags only.
fn read(html: &str) -> PageLinks {
    let mut page = PageLinks {
        anchors: BTreeSet::new(),
        links: Vec::new(),
    };
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let is_script = rest.starts_with("script");
        let (tag, after) = split_tag(rest);
        rest = after;
        for (name, value) in attributes(tag) {
            match name {
                "id" | "name" => {
                    page.anchors.insert(unescaped(value));
                }
                "href" | "src" => page.links.push(unescaped(value)),
                _ => {}
            }
        }
        if is_script {
            rest = rest.find("</script").map_or("", |end| &rest[end..]);
        }
    }
    page
}

/// The inside of a tag, and what follows it: a `>` between quotes does not end it.
fn split_tag(text: &str) -> (&str, &str) {
    let mut is_quoted = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'>' if !is_quoted => return (&text[..index], &text[index + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let (before, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        rest = after;
        let name = before.rsplit(char::is_whitespace).next()?;
        Some((name, value))
    })
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A book of these pages, its links followed.
    fn book(name: &str, pages: &[(&str, &str)]) -> Vec<String> {
        let root = std::env::temp_dir().join(format!("sinew-book-{name}-{}", std::process::id()));
        for (file, html) in pages {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, html).unwrap();
        }
        let found = follow(&root).unwrap();
        fs::remove_dir_all(&root).unwrap();
        found.problems
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let problems = book(
            "fine",
            &[
                (
                    "index.html",
                    r##"<h1 id="top">A</h1><a href="guide/one.html#a-b">1</a> <a href="#top">t</a>
                        <a href="https://example.org/x">out</a> <img src="guide/way.svg">"##,
                ),
                (
                    "guide/one.html",
                    r#"<h2 id="a-b">B</h2><a href="../index.html">up</a> <a href="../">up</a>"#,
                ),
                ("guide/way.svg", "<svg/>"),
            ],
        );
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn every_way_to_lead_nowhere_is_found() {
        let problems = book(
            "broken",
            &[(
                "index.html",
                r##"<a href="missing.html">1</a> <a href="#nowhere">2</a>
                    <a href="../outside.md">3</a> <a href="https://nohost">4</a>
                    <a href="javascript:x">5</a> <img src="gone.png">
                    <!-- <a href="commented.html"> --> <code>&lt;a href="shown.html"&gt;</code>
                    <script>var a = '<a href="scripted.html">'</script>"##,
            )],
        );
        assert_eq!(
            problems,
            [
                "index.html: `missing.html` leads nowhere",
                "index.html: `#nowhere` has no such place in index.html",
                "index.html: `../outside.md` leads out of the book",
                "index.html: `https://nohost` is no address",
                "index.html: `javascript:x` is no address",
                "index.html: `gone.png` leads nowhere",
            ]
        );
    }

    #[test]
    fn addresses_are_decoded_before_they_are_looked_up() {
        assert_eq!(decoded("a%20b%C3%A9"), "a bé");
        assert_eq!(decoded("100%"), "100%");
    }
}
