//! `cargo xtask bench instructions`: how many instructions the hot path takes, beside what it took when somebody last
//! looked.
//!
//! A processor that does something else meanwhile changes times, not counts. They depend on the compiler, on the
//! system's allocator and a little on the random keys of hash tables; the tolerance is for these.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::program;
use crate::run::Counts;
use crate::{checkout, client, run};

/// What `examples/bench` can repeat, and how often for one figure: enough that the noise of start and end, some hundred
/// thousand instructions, is below one percent of it.
const SCENARIOS: [(&str, u64); 12] = [
    ("frame decode, 64 bytes", 20_000),
    ("frame encode, 64 bytes", 20_000),
    ("command parse", 2_000),
    ("connect and leave", 8_000),
    ("subscribe and unsubscribe", 10_000),
    ("echo, direct channel", 10_000),
    ("echo, channel", 5_000),
    ("echo, channel, with its task", 5_000),
    ("broadcast, each of 1000", 400_000),
    ("broadcast, each of 1000, with its task", 400_000),
    ("reflex, nothing", 3_000),
    ("reflex, selector", 3_000),
];

/// How many times as often a scenario is repeated whose count is beyond its tolerance, before that is believed: what
/// start and end add by chance then weighs less.
const SECOND_LOOK: u64 = 4;

const KEPT: &str = "examples/bench/instructions.json";

/// What the repository holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The compiler that made what was counted.
    rustc: String,
    /// By how many percent a count may differ, either way.
    tolerance_percent: f64,
    /// The same when another compiler made it.
    other_rustc_tolerance_percent: f64,
    /// Instructions each time.
    instructions: BTreeMap<String, u64>,
}

/// A scenario, what it took then, and what it takes now.
struct Line {
    name: &'static str,
    kept: Option<u64>,
    counted: u64,
}

impl Line {
    fn percent(&self) -> Option<f64> {
        let kept = self.kept.filter(|kept| *kept > 0)? as f64;
        Some((self.counted as f64 / kept - 1.0) * 100.0)
    }

    fn is_within(&self, tolerance: f64) -> bool {
        self.percent()
            .is_some_and(|percent| percent.abs() <= tolerance)
    }
}

/// Counts and compares, or writes down what was counted.
pub(crate) fn run(accept: bool) -> Result<ExitCode> {
    if accept {
        let counted = count()?;
        write(&counted)?;
        return Ok(ExitCode::SUCCESS);
    }
    check()?;
    Ok(ExitCode::SUCCESS)
}

/// The step of `cargo xtask test`: each scenario is a check.
pub(crate) fn check() -> Result<Counts> {
    if !cfg!(target_arch = "x86_64") {
        println!("LEFT OUT: the counts in {KEPT} are those of x86-64");
        return Ok(Counts::default());
    }
    let kept = read()?;
    let tolerance = if kept.rustc == rustc()? {
        kept.tolerance_percent
    } else {
        println!(
            "counted with {}, another compiler than this: the tolerance is wider",
            kept.rustc
        );
        kept.other_rustc_tolerance_percent
    };
    let mut lines = compare(&kept, &count()?);
    for (line, (_, count)) in lines.iter_mut().zip(SCENARIOS) {
        if line.kept.is_some() && !line.is_within(tolerance) {
            line.counted = each(line.name, SECOND_LOOK * count)?;
        }
    }
    let (table, counts) = judge(&lines, tolerance);
    if counts.failed > 0 {
        bail!("{table}\n{}", advice(tolerance));
    }
    println!("{table}");
    Ok(counts)
}

fn compare(kept: &Kept, counted: &[(&'static str, u64)]) -> Vec<Line> {
    let line = |(name, counted): &(&'static str, u64)| Line {
        name,
        kept: kept.instructions.get(*name).copied(),
        counted: *counted,
    };
    counted.iter().map(line).collect()
}

/// A table for people, and how many lines of it are as they were.
fn judge(lines: &[Line], tolerance: f64) -> (String, Counts) {
    let mut table = format!(
        "{:<40} {:>9} {:>9} {:>8}\n",
        "instructions", "kept", "counted", "change"
    );
    let mut counts = Counts::default();
    for line in lines {
        let kept = line.kept.map_or("none".to_owned(), |kept| kept.to_string());
        let change = line
            .percent()
            .map_or("new".to_owned(), |percent| format!("{percent:+.1} %"));
        let is_within = line.is_within(tolerance);
        let mark = match (is_within, line.percent()) {
            (true, _) => "",
            (false, Some(percent)) if percent < 0.0 => "  less",
            (false, Some(_)) => "  MORE",
            (false, None) => "  NEW",
        };
        table += &format!(
            "{:<40} {kept:>9} {:>9} {change:>8}{mark}\n",
            line.name, line.counted
        );
        if is_within {
            counts.passed += 1;
        } else {
            counts.failed += 1;
        }
    }
    (table, counts)
}

fn advice(tolerance: f64) -> String {
    format!(
        "What is marked differs by more than {tolerance} %: find out why (docs/benchmarks.md says how). If it is meant \
         to be so,\n`cargo xtask bench instructions --accept` writes the counts to {KEPT}. That also holds for what \
         takes less:\nwhat is kept stays true, and the next change is held to it."
    )
}

fn path() -> PathBuf {
    checkout::path(KEPT)
}

fn read() -> Result<Kept> {
    let text = fs::read_to_string(path()).with_context(|| format!("cannot read {KEPT}"))?;
    serde_json::from_str(&text).with_context(|| format!("{KEPT} is not as expected"))
}

/// Keeps the tolerances.
fn write(counted: &[(&'static str, u64)]) -> Result<()> {
    let before = read()?;
    let (table, _) = judge(&compare(&before, counted), f64::INFINITY);
    println!("{table}");
    let kept = Kept {
        rustc: rustc()?,
        instructions: counted
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
        ..before
    };
    let mut text = serde_json::to_string_pretty(&kept)?;
    text.push('\n');
    fs::write(path(), text).with_context(|| format!("cannot write {KEPT}"))?;
    println!("written to {KEPT}");
    Ok(())
}

/// Builds the program and counts each scenario.
fn count() -> Result<Vec<(&'static str, u64)>> {
    eprintln!("{}", client::make()?);
    run::succeed(&mut run::cargo([
        "build",
        "--release",
        "--package",
        "bench",
        "--bin",
        "bench-instructions",
    ]))?;
    let count = |(name, count)| Ok((name, each(name, count)?));
    SCENARIOS.into_iter().map(count).collect()
}

/// What one repetition takes: what as many again add to so many, so that start and end are not in it.
fn each(scenario: &str, count: u64) -> Result<u64> {
    let once = instructions(scenario, count)?;
    let twice = instructions(scenario, 2 * count)?;
    let more = twice
        .checked_sub(once)
        .with_context(|| format!("twice {scenario} took less than once"))?;
    Ok(more / count)
}

/// Instructions of a whole run.
fn instructions(scenario: &str, count: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program("bench-instructions"))
        .args([scenario, &count.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{scenario} failed:\n{said}");
    collected(&said).with_context(|| format!("valgrind gave no count:\n{said}"))
}

/// The count in what callgrind says at the end.
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))?;
    count.trim().parse().ok()
}

/// `1.95.0`
fn rustc() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    let version = text.split_whitespace().nth(1);
    Ok(version
        .context("rustc does not say its version")?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kept: Option<u64>, counted: u64) -> Line {
        Line {
            name: "echo",
            kept,
            counted,
        }
    }

    #[track_caller]
    fn check(kept: Option<u64>, counted: u64, failed: usize, mark: &str) {
        let (table, counts) = judge(&[line(kept, counted)], 3.0);
        assert_eq!(counts.failed, failed, "{table}");
        assert_eq!(counts.passed, 1 - failed, "{table}");
        assert!(
            table.lines().any(|line| line.ends_with(mark)),
            "{mark} in {table}"
        );
    }

    #[test]
    fn a_count_beyond_its_tolerance_fails_whichever_way() {
        check(Some(1000), 1000, 0, "+0.0 %");
        check(Some(1000), 1029, 0, "+2.9 %");
        check(Some(1000), 1031, 1, "+3.1 %  MORE");
        check(Some(1000), 969, 1, "-3.1 %  less");
        check(None, 1000, 1, "new  NEW");
    }

    #[test]
    fn every_scenario_and_no_other_is_kept() {
        let kept = read().expect("it is there");
        let names: Vec<_> = kept.instructions.keys().map(String::as_str).collect();
        let mut scenarios = SCENARIOS.map(|(name, _)| name);
        scenarios.sort_unstable();
        assert_eq!(names, scenarios);
    }

    #[test]
    fn count_is_found_in_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 647827\n==7==\n";
        assert_eq!(collected(said), Some(647_827));
        assert_eq!(collected("==7== nothing"), None);
    }
}
