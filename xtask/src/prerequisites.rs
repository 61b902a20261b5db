//! What a machine must have before the tests can run, and how it gets it.

use std::path::Path;
use std::process::Command;

use anyhow::{Error, Result, bail};

use crate::bundle::NpmPackage;
use crate::{checkout, run};

/// Something that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prerequisite {
    /// Runs the bundler and the browser tests.
    Node,
    /// Fetches what both need.
    Npm,
    /// The browser.
    Chromium,
    /// `e2e/node_modules`, as its lock file says.
    BrowserHarness,
}

use Prerequisite::{BrowserHarness, Chromium, Node, Npm};

impl Prerequisite {
    pub(crate) const ALL: [Self; 4] = [Node, Npm, Chromium, BrowserHarness];

    fn is_there(self) -> Result<bool> {
        Ok(match self {
            Node => run::answers("node", "--version"),
            Npm => run::answers("npm", "--version"),
            Chromium => Path::new(&chromium()).exists(),
            BrowserHarness => harness().is_installed().map_err(Error::msg)?,
        })
    }

    /// Debian's packages for it. Fonts: Chromium recommends none by itself, and needs one to lay out text.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Node => &["nodejs"],
            Npm => &["npm"],
            Chromium => &["chromium", "fonts-liberation"],
            BrowserHarness => &[],
        }
    }
}

/// The browser to use: `CHROMIUM`, or where Debian puts it.
pub(crate) fn chromium() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned())
}

/// Makes sure that everything in `needed` is there: installs what is missing if `install`, else
/// fails with the commands that would.
pub(crate) fn require(needed: &[Prerequisite], install: bool) -> Result<()> {
    let mut missing = Vec::new();
    for prerequisite in needed {
        if !prerequisite.is_there()? {
            missing.push(*prerequisite);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let commands = commands(&missing);
    if !install {
        bail!(
            "missing: {missing:?}\n`cargo xtask test --install` installs it; by hand:\n  {}",
            commands.join("\n  ")
        );
    }
    for command in &commands {
        println!("$ {command}");
        run::succeed(
            Command::new("sh")
                .current_dir(checkout::root())
                .args(["-c", command]),
        )?;
    }
    for prerequisite in missing {
        if !prerequisite.is_there()? {
            bail!("{prerequisite:?} is still missing after its installation");
        }
    }
    Ok(())
}

/// What a person would type, in the root of the checkout.
fn commands(missing: &[Prerequisite]) -> Vec<String> {
    let packages: Vec<_> = missing
        .iter()
        .flat_map(|prerequisite| prerequisite.packages())
        .copied()
        .collect();
    let mut commands = Vec::new();
    if !packages.is_empty() {
        let sudo = if is_root() { "" } else { "sudo " };
        commands.push(format!("{sudo}apt-get update"));
        commands.push(format!(
            "{sudo}env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {}",
            packages.join(" ")
        ));
    }
    if missing.contains(&BrowserHarness) {
        commands.push("npm ci --prefix e2e --ignore-scripts --no-audit --no-fund".to_owned());
    }
    commands
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn harness() -> NpmPackage {
    NpmPackage::new(checkout::path("e2e"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_missing_needs_no_command() {
        assert!(commands(&[]).is_empty());
    }

    #[test]
    fn one_command_installs_all_packages() {
        let commands = commands(&[Npm, Chromium, BrowserHarness]);
        assert_eq!(commands.len(), 3);
        assert!(commands[0].ends_with("apt-get update"));
        assert!(
            commands[1].ends_with(
                "apt-get install --yes --no-install-recommends npm chromium fonts-liberation"
            ),
            "{}",
            commands[1]
        );
        assert!(commands[2].starts_with("npm ci --prefix e2e"));
    }
}
