//! Running other programs: in the checkout's root, counted, and told as a sentence when they fail.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::checkout;

/// How many checks a program said it made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Counts {
    pub(crate) const ONE_PASSED: Self = Self {
        passed: 1,
        failed: 0,
    };
    pub(crate) const ONE_FAILED: Self = Self {
        passed: 0,
        failed: 1,
    };

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// What one line of output adds: the summaries of Rust's and Node's test runners and of the
    /// comparison with the recordings.
    fn of_line(line: &str) -> Self {
        let mut counts = Self::default();
        let number_before = |word: &str| -> usize {
            line.split_once(word)
                .and_then(|(before, _)| before.trim_end().rsplit(' ').next())
                .and_then(|number| number.parse().ok())
                .unwrap_or(0)
        };
        let number_after = |start: &str| line.strip_prefix(start).and_then(|n| n.parse().ok());
        if line.starts_with("test result: ") {
            counts.passed = number_before(" passed;");
            counts.failed = number_before(" failed;");
        } else if line.contains(" scenarios as expected, ") {
            counts.passed = number_before(" scenarios as expected,");
            counts.failed = number_before(" with unexplained differences");
        } else if let Some(passed) = number_after("# pass ") {
            counts.passed = passed;
        } else if let Some(failed) = number_after("# fail ") {
            counts.failed = failed;
        }
        counts
    }
}

/// The cargo that runs this program.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(checkout::root()).args(arguments);
    command
}

/// Whether the toolchain has `cargo fmt`, `cargo clippy` and the like.
pub(crate) fn has_component(component: &str) -> bool {
    cargo([component, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Whether a program can be started and says its version.
pub(crate) fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Runs to the end.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{} ended with {status}", spelled(command));
    }
    Ok(())
}

/// Runs to the end, passing its output on as it comes, and counts what it says it checked.
///
/// A failure that the program counted no failed check for counts as one.
pub(crate) fn counted(command: &mut Command) -> Result<Counts> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let stdout = child.stdout.take().expect("stdout was piped above");
    let mut counts = Counts::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        counts.add(Counts::of_line(line.trim_end()));
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        eprintln!("{} ended with {status}", spelled(command));
        counts.failed = 1;
    }
    if status.success() && counts == Counts::default() {
        counts.passed = 1;
    }
    Ok(counts)
}

fn spelled(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, passed: usize, failed: usize) {
        assert_eq!(Counts::of_line(line), Counts { passed, failed }, "{line}");
    }

    #[test]
    fn summaries_are_counted_and_nothing_else_is() {
        check(
            "test result: FAILED. 11 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            11,
            2,
        );
        check("# pass 7", 7, 0);
        check("# fail 3", 0, 3);
        check(
            "118 scenarios as expected, 4 with unexplained differences",
            118,
            4,
        );
        check("test passing ... ok", 0, 0);
        check("# tests 7", 0, 0);
    }

    #[test]
    fn a_program_that_counts_nothing_is_one_check() {
        assert_eq!(
            counted(&mut Command::new("true")).unwrap(),
            Counts::ONE_PASSED
        );
        assert_eq!(
            counted(&mut Command::new("false")).unwrap(),
            Counts::ONE_FAILED
        );
    }
}
