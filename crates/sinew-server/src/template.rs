//! The files of a new application.
//!
//! They lie in `templates/` as what they will be: readable Rust, HTML and CSS. Where an application
//! has its own name they say `app-name` or `App name`.

/// A file of an application: its path there, and what is in it.
type File = (&'static str, &'static str);

/// `path there => file below templates/`.
macro_rules! files {
    ($($path:literal => $file:literal,)*) => {
        &[$(($path, include_str!(concat!("../templates/", $file))),)*]
    };
}

/// One page, one reflex. A manifest has another name here, since cargo leaves folders with a
/// `Cargo.toml` out of packages; so has `.gitignore`, since git would follow it.
const MINIMAL: &[File] = files! {
    ".gitignore" => "shared/gitignore",
    "Cargo.toml" => "minimal/manifest.toml",
    "README.md" => "minimal/README.md",
    "src/application.rs" => "minimal/src/application.rs",
    "src/assets.rs" => "shared/src/assets.rs",
    "src/icon.svg" => "shared/src/icon.svg",
    "src/layout.rs" => "minimal/src/layout.rs",
    "src/main.rs" => "minimal/src/main.rs",
    "src/pages.rs" => "minimal/src/pages.rs",
    "src/reflexes/counter.rs" => "minimal/src/reflexes/counter.rs",
    "src/reflexes/mod.rs" => "minimal/src/reflexes/mod.rs",
    "src/style.css" => "minimal/src/style.css",
    "src/tests.rs" => "minimal/src/tests.rs",
};

/// Accounts, a database, and a list for each account.
const FULL: &[File] = files! {
    ".gitignore" => "shared/gitignore",
    "Cargo.toml" => "full/manifest.toml",
    "README.md" => "full/README.md",
    "migrations/0001_accounts.sql" => "full/migrations/0001_accounts.sql",
    "migrations/0002_todos.sql" => "full/migrations/0002_todos.sql",
    "src/accounts/attempts.rs" => "full/src/accounts/attempts.rs",
    "src/accounts/mod.rs" => "full/src/accounts/mod.rs",
    "src/accounts/pages.rs" => "full/src/accounts/pages.rs",
    "src/accounts/passwords.rs" => "full/src/accounts/passwords.rs",
    "src/application.rs" => "full/src/application.rs",
    "src/assets.rs" => "shared/src/assets.rs",
    "src/database.rs" => "full/src/database.rs",
    "src/icon.svg" => "shared/src/icon.svg",
    "src/layout.rs" => "full/src/layout.rs",
    "src/main.rs" => "full/src/main.rs",
    "src/pages.rs" => "full/src/pages.rs",
    "src/reflexes/mod.rs" => "full/src/reflexes/mod.rs",
    "src/reflexes/todos.rs" => "full/src/reflexes/todos.rs",
    "src/same_origin.rs" => "full/src/same_origin.rs",
    "src/style.css" => "full/src/style.css",
    "src/tests.rs" => "full/src/tests.rs",
    "src/todos.rs" => "full/src/todos.rs",
};

/// What kind of application is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Minimal,
    Full,
}

/// The files of an application called `name`. `sinew` and `testing` say in its manifest where
/// these two crates come from: `version = "0.1"`, `path = "…"`.
pub(crate) fn files(
    variant: Variant,
    name: &str,
    sinew: &str,
    testing: &str,
) -> Vec<(&'static str, String)> {
    let files = match variant {
        Variant::Minimal => MINIMAL,
        Variant::Full => FULL,
    };
    let title = title(name);
    let filled = files.iter().map(|(path, text)| {
        let text = text
            .replace("app-name", name)
            .replace("App name", &title)
            .replace("sinew-testing-source", testing)
            .replace("sinew-source", sinew);
        (*path, text)
    });
    filled.collect()
}

/// `my-shop` → `My shop`.
fn title(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.trim().chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_filled_in_everywhere() {
        for variant in [Variant::Minimal, Variant::Full] {
            let files = files(variant, "my-shop", "version = \"0.1\"", "path = \"t\"");
            for (path, text) in &files {
                for left in ["app-name", "App name", "-source"] {
                    assert!(!text.contains(left), "{path} still has {left}");
                }
                assert!(text.ends_with('\n'), "{path}");
            }
            let text = |wanted| &files.iter().find(|(path, _)| *path == wanted).unwrap().1;
            assert!(text("Cargo.toml").contains("name = \"my-shop\"\n"));
            assert!(text("Cargo.toml").contains("sinew-testing = { path = \"t\" }\n"));
            assert!(text("README.md").starts_with("# My shop\n"));
        }
    }

    #[test]
    fn every_template_is_used() {
        fn walk(folder: &Path, found: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.insert(fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut there = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        walk(&folder, &mut there);
        let used = MINIMAL.iter().chain(FULL).map(|(_, text)| *text);
        let used: BTreeSet<String> = used.map(str::to_owned).collect();
        assert!(there == used, "a file in templates/ is not listed here");
    }
}
