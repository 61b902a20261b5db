//! The words behind `cargo xtask`.

use anyhow::{Result, bail};

/// What was typed, less what has been understood.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn from_environment() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// The first word, if it is no option.
    pub(crate) fn command(&mut self) -> Option<String> {
        let is_word = self.0.first().is_some_and(|word| !word.starts_with('-'));
        is_word.then(|| self.0.remove(0))
    }

    /// Whether `name` was given.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != name);
        self.0.len() < before
    }

    /// The word after `name`, if `name` was given.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        if at + 1 == self.0.len() {
            bail!("{name} needs a value");
        }
        self.0.remove(at);
        Ok(Some(self.0.remove(at)))
    }

    /// Everything that is left, for a program that understands it.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0
    }

    /// Refuses whatever nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        match self.0.first() {
            Some(word) => bail!("`{word}` is not understood here"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Arguments {
        Arguments(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_are_taken_wherever_they_stand() {
        let mut arguments = typed("golden --keep out --install --filter 024");
        assert_eq!(arguments.command().as_deref(), Some("golden"));
        assert_eq!(arguments.value("--filter").unwrap().as_deref(), Some("024"));
        assert!(arguments.flag("--install"));
        assert!(!arguments.flag("--bless"));
        assert_eq!(arguments.value("--keep").unwrap().as_deref(), Some("out"));
        arguments.finish().unwrap();
    }

    #[test]
    fn a_misspelt_option_is_refused() {
        let mut arguments = typed("test --instal");
        arguments.command();
        assert!(!arguments.flag("--install"));
        let refusal = arguments.finish().unwrap_err().to_string();
        assert_eq!(refusal, "`--instal` is not understood here");
    }

    #[test]
    fn an_option_without_its_value_is_refused() {
        let refusal = typed("--filter").value("--filter").unwrap_err();
        assert_eq!(refusal.to_string(), "--filter needs a value");
    }
}
