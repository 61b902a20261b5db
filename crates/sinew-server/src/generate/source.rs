//! The source text of a new reflex.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// A module with the reflex and, if the application's tests have `visit`, a test for each action.
pub(super) fn of(name: &str, actions: &[String], with_tests: bool) -> String {
    let mut methods = Vec::new();
    let mut tests = Vec::new();
    for action in actions {
        methods.push(format!(
            "    /// Nothing is said about what to morph, so the page is rendered again.
    async fn {action}(&self, _cx: &mut Reflex) -> Result {{
        Ok(())
    }}
"
        ));
        tests.push(format!(
            "    #[tokio::test]
    async fn {action}_succeeds() {{
        let mut tab = visit(\"/\").await;
        tab.stimulate(\"{name}#{action}\", ()).await;
        assert!(tab.outcome().is_success());
    }}
"
        ));
    }
    let mut text = format!(
        "//! The reflexes of `{name}`.

use sinew::prelude::*;

pub(crate) struct {name};

#[reflex]
impl {name} {{
{}}}
",
        methods.join("\n")
    );
    if with_tests {
        // Writing into a String does not fail.
        let _ = write!(
            text,
            "
#[cfg(test)]
mod tests {{
    use crate::tests::visit;

{}}}
",
            tests.join("\n")
        );
    }
    text
}

/// The text as rustfmt writes it, where long names make a difference; as it is without rustfmt.
pub(super) fn formatted(text: String) -> String {
    let format = || {
        let mut rustfmt = Command::new("rustfmt")
            .args(["--edition", "2024", "--emit", "stdout", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        rustfmt.stdin.take()?.write_all(text.as_bytes()).ok()?;
        let output = rustfmt.wait_with_output().ok()?;
        let formatted = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !formatted.is_empty()).then_some(formatted)
    };
    format().unwrap_or(text)
}
