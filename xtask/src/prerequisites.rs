//! What a machine must have before the tests can run, and how it gets it.

mod old_redis;

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
    /// The proxy of the browser tests.
    Nginx,
    /// Counts the instructions of the hot path.
    Valgrind,
    /// Scrapes the metrics in the browser tests.
    Prometheus,
    /// Takes a test's network away.
    IpRoute,
    /// `e2e/node_modules`, as its lock file says.
    BrowserHarness,
    /// The servers of the tests of `sinew-redis`, and what asks them.
    Redis,
    /// The servers of the tests of `sinew-postgres`, and what asks them.
    Postgres,
    /// Shares sessions with Sinew in the tests.
    Rails,
    /// Moves the clock of a test's server.
    Faketime,
    /// A Redis that is older than the stores need.
    OldRedis,
}

/// The oldest Node that the bundler and the browser driver run on.
const NODE_MAJOR_MIN: u32 = 18;

use Prerequisite::{
    BrowserHarness, Chromium, Faketime, IpRoute, Nginx, Node, Npm, OldRedis, Postgres, Prometheus,
    Rails, Redis, Valgrind,
};

impl Prerequisite {
    pub(crate) const ALL: [Self; 13] = [
        Node,
        Npm,
        Chromium,
        Nginx,
        Valgrind,
        Prometheus,
        IpRoute,
        BrowserHarness,
        Redis,
        Postgres,
        Rails,
        Faketime,
        OldRedis,
    ];

    fn is_there(self) -> Result<bool> {
        Ok(match self {
            Node => node_major().is_some_and(|major| major >= NODE_MAJOR_MIN),
            Npm => run::answers("npm", "--version"),
            Chromium => Path::new(&chromium()).exists(),
            Nginx => Path::new(&nginx()).exists(),
            Valgrind => run::answers("valgrind", "--version"),
            Prometheus => Path::new(&prometheus()).exists(),
            IpRoute => run::answers("ip", "-Version"),
            BrowserHarness => harness().is_installed().map_err(Error::msg)?,
            Redis => {
                run::answers("redis-server", "--version") && run::answers("redis-cli", "--version")
            }
            Postgres => has_postgres() && run::answers("psql", "--version"),
            Rails => has_rails(),
            Faketime => has_faketime(),
            OldRedis => run::answers(&old_redis::server().display().to_string(), "--version"),
        })
    }

    fn name(self) -> String {
        match self {
            Node => format!("Node {NODE_MAJOR_MIN} or newer"),
            Npm => "npm".to_owned(),
            Chromium => format!("Chromium ({})", chromium()),
            Nginx => format!("nginx ({})", nginx()),
            Valgrind => "valgrind".to_owned(),
            Prometheus => format!("Prometheus ({})", prometheus()),
            IpRoute => "iproute2".to_owned(),
            BrowserHarness => "the packages of e2e/package-lock.json".to_owned(),
            Redis => "redis-server and redis-cli".to_owned(),
            Postgres => "PostgreSQL (initdb and psql)".to_owned(),
            Rails => "Ruby with Rails' libraries and a Redis client".to_owned(),
            Faketime => "libfaketime".to_owned(),
            OldRedis => format!("an old Redis ({})", old_redis::server().display()),
        }
    }

    /// Debian's packages for it. Fonts: Chromium recommends none by itself, and needs one to lay out text. Rails: not
    /// the package `rails`, which pulls in Debian's Node and clashes with another.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Node => &["nodejs"],
            Npm => &["npm"],
            Chromium => &["chromium", "fonts-liberation"],
            Nginx => &["nginx-light"],
            Valgrind => &["valgrind"],
            Prometheus => &["prometheus"],
            IpRoute => &["iproute2"],
            BrowserHarness => &[],
            Redis => &["redis-server", "redis-tools"],
            Postgres => &["postgresql"],
            Rails => &["ruby-railties", "ruby-actionpack", "ruby-redis"],
            Faketime => &["libfaketime"],
            OldRedis => old_redis::packages(),
        }
    }
}

/// The browser to use: `CHROMIUM`, or where Debian puts it.
pub(crate) fn chromium() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned())
}

/// The proxy to use: `NGINX`, or where Debian puts it, which is in no ordinary user's `PATH`.
pub(crate) fn nginx() -> String {
    std::env::var("NGINX").unwrap_or_else(|_| "/usr/sbin/nginx".to_owned())
}

/// What scrapes the metrics: `PROMETHEUS`, or where Debian puts it.
pub(crate) fn prometheus() -> String {
    std::env::var("PROMETHEUS").unwrap_or_else(|_| "/usr/bin/prometheus".to_owned())
}

/// Debian keeps the programs of each version in a folder of their own, outside of the `PATH`.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut programs = versions
        .flatten()
        .map(|version| version.path().join("bin/initdb"));
    programs.any(|initdb| initdb.exists()) || run::answers("initdb", "--version")
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
        let names: Vec<_> = missing.iter().map(|missing| missing.name()).collect();
        bail!(
            "missing: {}\n`cargo xtask test --install` installs it; by hand:\n  {}",
            names.join(", "),
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
            bail!(
                "{} is still missing after its installation",
                prerequisite.name()
            );
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
    if missing.contains(&OldRedis) {
        commands.extend(old_redis::commands());
    }
    commands
}

/// Debian keeps it in a folder of the architecture.
fn has_faketime() -> bool {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten();
    let mut libraries = folders
        .flatten()
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    libraries.any(|library| library.exists())
}

fn has_rails() -> bool {
    Command::new("ruby")
        .args([
            "-e",
            r#"require "rails"; require "action_controller/railtie"; require "redis""#,
        ])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn node_major() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
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
