//! Which names can be given, and the sentence for each that cannot.

use anyhow::{Result, bail, ensure};

/// Characters a name may have: what file systems take with an ending added.
const NAME_CHARS_MAX: usize = 64;

/// Words that Rust keeps for itself, in the editions until 2024.
const KEYWORDS: [&str; 53] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue",
    "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that every toolchain brings, and those that an application depends on.
const CRATES: [&str; 14] = [
    "alloc",
    "argon2",
    "axum",
    "core",
    "maud",
    "proc-macro",
    "proc_macro",
    "rusqlite",
    "serde",
    "sinew",
    "sinew-testing",
    "std",
    "test",
    "tokio",
];

/// Folders into which cargo builds; a program cannot have their names.
const BUILD_FOLDERS: [&str; 4] = ["build", "deps", "examples", "incremental"];

/// Files that Windows does not let anybody make.
const WINDOWS_DEVICES: [&str; 6] = ["aux", "com1", "con", "lpt1", "nul", "prn"];

/// Types that a reflex sees without importing them: a reflex of the same name would hide them.
const TYPES: [&str; 22] = [
    "Box",
    "CableCar",
    "ChannelError",
    "ChannelResult",
    "ClientTags",
    "Err",
    "Error",
    "Extract",
    "Flash",
    "IsReflex",
    "Next",
    "None",
    "Ok",
    "Option",
    "PageParams",
    "Reflex",
    "Result",
    "Session",
    "Sinew",
    "SinewHandle",
    "Some",
    "Subscription",
];

/// Checks the name of a new application: of its folder, its package and its program.
pub(crate) fn check_application(name: &str) -> Result<()> {
    ensure!(
        !name.contains(['/', '\\']),
        "`{name}` is a path: change to its folder and give the name alone"
    );
    ensure!(
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)),
        "`{name}` cannot be the name of a package here: use lowercase letters, digits and hyphens, a letter first"
    );
    check_length(name)?;
    if KEYWORDS.contains(&name) {
        bail!("`{name}` is a keyword of Rust: give the application another name");
    }
    if CRATES.contains(&name) {
        bail!("`{name}` is the name of a crate that applications use: give yours another name");
    }
    if BUILD_FOLDERS.contains(&name) {
        bail!("`{name}` is the name of a folder that cargo builds into: choose another name");
    }
    if WINDOWS_DEVICES.contains(&name) {
        bail!("`{name}` cannot be a folder on Windows: choose another name");
    }
    Ok(())
}

/// Checks the name of a reflex: of its type, and of the module made of it.
pub(crate) fn check_reflex(name: &str) -> Result<()> {
    ensure!(
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric()),
        "`{name}` is not how a reflex is named: write it as a type, such as `{}`",
        camel_case(name)
    );
    check_length(name)?;
    if TYPES.contains(&name) {
        bail!(
            "`{name}` is a type that reflexes use: a reflex of that name would hide it; choose another name"
        );
    }
    let module = snake_case(name);
    if KEYWORDS.contains(&name) || KEYWORDS.contains(&&*module) {
        bail!("`{module}` is a keyword of Rust and cannot be a module: choose another name");
    }
    Ok(())
}

/// Checks the names of a reflex's actions.
pub(crate) fn check_actions(names: &[String]) -> Result<()> {
    for (index, name) in names.iter().enumerate() {
        ensure!(
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "`{name}` is not how an action is named: write it as a method, such as `{}`",
            snake_case(name)
        );
        check_length(name)?;
        if KEYWORDS.contains(&&**name) {
            bail!("`{name}` is a keyword of Rust: give the action another name");
        }
        ensure!(
            !names[..index].contains(name),
            "the action `{name}` is named twice"
        );
    }
    Ok(())
}

fn check_length(name: &str) -> Result<()> {
    ensure!(
        name.len() <= NAME_CHARS_MAX,
        "`{name}` is longer than {NAME_CHARS_MAX} characters"
    );
    Ok(())
}

/// `LineItems` → `line_items`; for a name in another form the nearest that makes sense.
pub(crate) fn snake_case(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_ascii_alphanumeric() {
            before = ' ';
            continue;
        }
        // A word begins after something else, at a capital after a small letter, and at the last
        // of several capitals: `HTTPServer` is `http_server`.
        let begins_word = letter.is_ascii_uppercase()
            && (!before.is_ascii_uppercase()
                || letters.peek().is_some_and(char::is_ascii_lowercase));
        if !out.is_empty() && (before == ' ' || begins_word) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
        before = letter;
    }
    if !out.starts_with(|first: char| first.is_ascii_lowercase()) {
        return "add".to_owned();
    }
    out
}

/// `line_items` → `LineItems`, for a name that was typed in another form.
fn camel_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let out: String = words
        .filter(|word| !word.is_empty())
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect();
    if out.starts_with(|first: char| first.is_ascii_uppercase()) {
        out
    } else {
        "Todos".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(outcome: Result<()>, part: &str) {
        let sentence = outcome.unwrap_err().to_string();
        assert!(sentence.contains(part), "{sentence}");
    }

    #[test]
    fn applications() {
        for name in ["shop", "my-shop", "shop_2", "tests"] {
            check_application(name).unwrap();
        }
        refused(check_application("apps/shop"), "is a path");
        for name in ["", "Shop", "2shop", "-shop", "my shop", "größe", ".", ".."] {
            refused(check_application(name), "lowercase letters");
        }
        refused(check_application("async"), "keyword");
        for name in ["test", "sinew", "tokio"] {
            refused(check_application(name), "name of a crate");
        }
        refused(check_application("deps"), "builds into");
        refused(check_application("nul"), "Windows");
        refused(check_application(&"a".repeat(65)), "longer than 64");
    }

    #[test]
    fn reflexes() {
        for name in ["Todos", "LineItems", "V2"] {
            check_reflex(name).unwrap();
        }
        refused(check_reflex("line_items"), "such as `LineItems`");
        refused(check_reflex("Admin::Users"), "such as `AdminUsers`");
        refused(check_reflex("2"), "such as `Todos`");
        refused(check_reflex("Session"), "would hide it");
        refused(check_reflex("Self"), "keyword");
        refused(check_reflex("Match"), "`match` is a keyword");
    }

    #[test]
    fn actions() {
        let check = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            check_actions(&names)
        };
        check(&["add", "remove_all", "add2"]).unwrap();
        refused(check(&["removeAll"]), "such as `remove_all`");
        refused(check(&["_add"]), "such as `add`");
        refused(check(&["move"]), "keyword");
        refused(check(&["add", "add"]), "named twice");
    }

    #[test]
    fn names_of_modules() {
        for (name, module) in [
            ("Todos", "todos"),
            ("LineItems", "line_items"),
            ("HTTPServer", "http_server"),
            ("V2Api", "v2_api"),
        ] {
            assert_eq!(snake_case(name), module);
        }
    }
}
