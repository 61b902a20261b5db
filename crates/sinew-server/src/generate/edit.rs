//! The two lines that make a reflex known, put into the text of a source file.

/// How the comment begins below which reflexes are registered.
const MARK: &str = "// `sinew generate reflex`";

/// The text with `mod module;` among its modules, sorted as rustfmt does; `None` when it is there
/// already.
pub(super) fn with_module(text: &str, module: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.iter().any(|line| module_of(line) == Some(module)) {
        return None;
    }
    let is_module = |line: &&str| module_of(line).is_some();
    let at = match lines.iter().position(is_module) {
        // Within the first group of modules: past an empty line another begins.
        Some(first) => {
            let group = lines[first..].iter();
            let before = group.map_while(|line| module_of(line).filter(|it| *it < module));
            first + before.count()
        }
        // After the documentation.
        None => {
            let is_header = |line: &&&str| line.starts_with("//!") || line.is_empty();
            lines.iter().take_while(is_header).count()
        }
    };
    let line = format!("pub(crate) mod {module};");
    let is_first_after_text = at > 0 && at == lines.len() && lines[at - 1].starts_with("//!");
    lines.insert(at, &line);
    if is_first_after_text {
        lines.insert(at, "");
    }
    Some(lines.join("\n") + "\n")
}

/// The module that a line declares.
fn module_of(line: &str) -> Option<&str> {
    let (visibility, rest) = line.trim_end().split_once("mod ")?;
    let is_visibility = visibility.is_empty() || visibility.starts_with("pub");
    rest.strip_suffix(';').filter(|_| is_visibility)
}

/// The text with the reflex registered below the mark; `None` when it has no mark.
pub(super) fn with_registration(text: &str, module: &str, name: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let mark = lines
        .iter()
        .position(|line| line.trim_start().starts_with(MARK))?;
    let indent = &lines[mark][..lines[mark].len() - lines[mark].trim_start().len()];
    // As the others there are written.
    let path = if text.contains("(reflexes::") {
        "reflexes"
    } else {
        "crate::reflexes"
    };
    let line = format!("{indent}.reflex({path}::{module}::{name})");
    lines.insert(mark + 1, &line);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn module(before: &str, after: &str) {
        assert_eq!(with_module(before, "carts").as_deref(), Some(after));
    }

    #[test]
    fn modules_are_sorted() {
        module(
            "//! Reflexes.\n\npub(crate) mod beds;\npub(crate) mod tables;\n",
            "//! Reflexes.\n\npub(crate) mod beds;\npub(crate) mod carts;\npub(crate) mod tables;\n",
        );
        module(
            "mod beds;\nmod boats;\n\nuse sinew::Sinew;\n",
            "mod beds;\nmod boats;\npub(crate) mod carts;\n\nuse sinew::Sinew;\n",
        );
        module("mod dogs;\n", "pub(crate) mod carts;\nmod dogs;\n");
    }

    #[test]
    fn the_first_module_stands_after_the_documentation() {
        module("", "pub(crate) mod carts;\n");
        module(
            "//! Reflexes.\n",
            "//! Reflexes.\n\npub(crate) mod carts;\n",
        );
    }

    #[test]
    fn a_module_is_not_added_twice() {
        assert_eq!(with_module("mod carts;\n", "carts"), None);
        assert_eq!(with_module("pub mod carts;\n", "carts"), None);
    }

    #[test]
    fn registered_below_the_mark_as_deep_as_it() {
        let before = "    Sinew::new(router)\n        // `sinew generate reflex` adds its line below this one.\n        .reflex(reflexes::beds::Beds)\n";
        let after = with_registration(before, "carts", "Carts").unwrap();
        assert!(after.contains(
            "this one.\n        .reflex(reflexes::carts::Carts)\n        .reflex(reflexes::beds::Beds)\n"
        ));
        let alone = "    // `sinew generate reflex` here\n";
        let after = with_registration(alone, "carts", "Carts").unwrap();
        assert!(after.ends_with("\n    .reflex(crate::reflexes::carts::Carts)\n"));
        assert_eq!(with_registration("fn main() {}\n", "carts", "Carts"), None);
    }
}
