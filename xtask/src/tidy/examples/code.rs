//! The code blocks of a doc comment, and what their code uses.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

/// One code block that is run.
#[derive(Debug, Default)]
pub(super) struct Example {
    names: BTreeSet<String>,
    /// Names after a dot or after `fn`.
    members: BTreeSet<String>,
    /// Names after `::`, with the name before it where there is one.
    paths: BTreeSet<(Option<String>, String)>,
}

impl Example {
    /// Reads code as it stands in a doc comment, hidden lines included.
    fn read(code: &str) -> Result<Self, String> {
        let shown: Vec<_> = code.lines().map(unhidden).collect();
        let tokens: TokenStream = shown
            .join("\n")
            .parse()
            .map_err(|error| format!("an example is not Rust: {error}"))?;
        let mut example = Self::default();
        example.take(tokens);
        Ok(example)
    }

    fn take(&mut self, tokens: TokenStream) {
        // The last three tokens, the newest last: `Name :: name` reaches back that far.
        let mut before: [Option<String>; 3] = [const { None }; 3];
        for token in tokens {
            if let TokenTree::Ident(name) = &token {
                self.name(&name.to_string(), &before);
            }
            let text = match token {
                TokenTree::Group(group) => {
                    self.take(group.stream());
                    String::new()
                }
                token => token.to_string(),
            };
            before.rotate_left(1);
            before[2] = Some(text);
        }
    }

    fn name(&mut self, name: &str, before: &[Option<String>; 3]) {
        match before.each_ref().map(|token| token.as_deref()) {
            [_, _, Some("." | "fn")] => {
                self.members.insert(name.to_owned());
            }
            [qualifier, Some(":"), Some(":")] => {
                let qualifier = qualifier.filter(|token| is_name(token)).map(str::to_owned);
                self.paths.insert((qualifier, name.to_owned()));
            }
            _ => {}
        }
        self.names.insert(name.to_owned());
    }

    /// Whether it would fail if the answer were another.
    pub(super) fn asserts(&self) -> bool {
        let calls_suite = |(qualifier, _): &(Option<String>, String)| {
            qualifier.as_deref().is_some_and(|name| name == "contract")
        };
        self.names.iter().any(|name| name.starts_with("assert"))
            || self.paths.iter().any(calls_suite)
    }

    /// Whether the code has this name anywhere.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a method of this name is called or written, of whatever type.
    pub(super) fn uses(&self, method: &str) -> bool {
        self.members.contains(method) || self.paths.iter().any(|(_, name)| name == method)
    }

    /// Whether a method of this name is called, as far as can be seen on this type.
    pub(super) fn uses_on(&self, owner: &str, method: &str) -> bool {
        let is_on_owner = |qualifier: &Option<String>| {
            qualifier
                .as_deref()
                .is_none_or(|name| name == owner || name == "Self")
        };
        self.members.contains(method)
            || self
                .paths
                .iter()
                .any(|(qualifier, name)| name == method && is_on_owner(qualifier))
    }
}

/// The examples of a doc comment, and what is wrong with those that cannot be read.
pub(super) fn examples(docs: &str) -> (Vec<Example>, Vec<String>) {
    let mut examples = Vec::new();
    let mut faults = Vec::new();
    let mut lines = docs.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let code: Vec<_> = lines
            .by_ref()
            .take_while(|line| !line.trim_start().starts_with("```"))
            .collect();
        match fate(language) {
            Fate::Run => match Example::read(&code.join("\n")) {
                Ok(example) => examples.push(example),
                Err(fault) => faults.push(fault),
            },
            Fate::NotRun => {}
            Fate::Ignored => faults.push("an example is marked `ignore`".to_owned()),
        }
    }
    (examples, faults)
}

enum Fate {
    Run,
    NotRun,
    Ignored,
}

/// What becomes of a block, by what stands behind its opening backticks.
fn fate(language: &str) -> Fate {
    let mut words = language
        .split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty());
    if words.clone().any(|word| word.starts_with("ignore")) {
        return Fate::Ignored;
    }
    if words.all(|word| word == "rust" || word == "should_panic" || word.starts_with("edition")) {
        Fate::Run
    } else {
        Fate::NotRun
    }
}

/// A line of an example without the mark that hides it from readers.
fn unhidden(line: &str) -> &str {
    let start = line.trim_start();
    match start.strip_prefix('#') {
        Some("") => "",
        Some(rest) if rest.starts_with(' ') => rest,
        Some(rest) if rest.starts_with('#') => rest,
        _ => line,
    }
}

fn is_name(token: &str) -> bool {
    token
        .chars()
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
}
