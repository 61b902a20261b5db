//! `cargo xtask test`: everything that decides whether a change lands, and what CI runs.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::prerequisites::{self, Prerequisite};
use crate::run::{self, Counts};
use crate::{bench, book, checkout, client, golden, new_applications, package};

/// How one step ended.
struct Outcome {
    step: &'static str,
    counts: Counts,
    took: Duration,
    /// Said again in the summary, where it is not scrolled away.
    remark: Option<String>,
}

type Step = fn() -> Result<Counts>;

/// In the order of how soon each tells what is wrong.
const STEPS: [(&str, Step); 12] = [
    ("format", format),
    ("browser bundle", bundle),
    ("npm package", client::test),
    ("lints", lints),
    ("Rust tests", rust_tests),
    ("instruction counts", bench::instructions::check),
    ("documentation", documentation),
    ("book", book::test),
    ("recordings of the original", recordings),
    ("browser tests", browser_tests),
    ("new applications", new_applications::check),
    ("package without Node", package::check),
];

pub(crate) fn run(install: bool) -> Result<ExitCode> {
    let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true" || ci == "1");
    let started = Instant::now();
    let mut outcomes = Vec::new();

    let there = perform("prerequisites", || {
        prerequisites::require(&Prerequisite::ALL, install || is_ci)?;
        Ok(Counts::ONE_PASSED)
    });
    let can_go_on = there.counts.failed == 0;
    outcomes.push(there);
    if can_go_on {
        for (name, step) in STEPS {
            outcomes.push(match missing_component(name) {
                Some(component) if !is_ci => left_out(name, component),
                _ => perform(name, step),
            });
        }
    }

    println!(
        "\n{:<28} {:>7} {:>7} {:>9}",
        "step", "passed", "failed", "seconds"
    );
    let mut total = Counts::default();
    for outcome in &outcomes {
        let Counts { passed, failed } = outcome.counts;
        let seconds = outcome.took.as_secs_f64();
        println!(
            "{:<28} {passed:>7} {failed:>7} {seconds:>9.1}",
            outcome.step
        );
        if let Some(remark) = &outcome.remark {
            println!("    {}", remark.replace('\n', "\n    "));
        }
        total.add(outcome.counts);
    }
    println!("in {:.0} seconds", started.elapsed().as_secs_f64());
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn perform(step: &'static str, action: impl FnOnce() -> Result<Counts>) -> Outcome {
    println!("\n== {step}");
    let started = Instant::now();
    let (counts, remark) = match action() {
        Ok(counts) => (counts, None),
        Err(error) => (Counts::ONE_FAILED, Some(format!("{error:#}"))),
    };
    if let Some(remark) = &remark {
        println!("{remark}");
    }
    let took = started.elapsed();
    println!(
        "== {step}: {} passed, {} failed, {:.1} s",
        counts.passed,
        counts.failed,
        took.as_secs_f64()
    );
    Outcome {
        step,
        counts,
        took,
        remark,
    }
}

/// rustfmt and clippy are parts of the toolchain that a machine without rustup may lack, and that
/// Debian's package manager cannot add to it: aloud on a laptop, a failure in CI.
fn missing_component(step: &str) -> Option<&'static str> {
    let component = match step {
        "format" => "fmt",
        "lints" => "clippy",
        _ => return None,
    };
    (!run::has_component(component)).then_some(component)
}

fn left_out(step: &'static str, component: &str) -> Outcome {
    let remark = format!(
        "LEFT OUT: this toolchain has no `cargo {component}`; with rustup: `rustup component add rustfmt clippy`"
    );
    println!("\n== {step}\n{remark}");
    Outcome {
        step,
        counts: Counts::default(),
        took: Duration::ZERO,
        remark: Some(remark),
    }
}

fn format() -> Result<Counts> {
    run::counted(&mut run::cargo(["fmt", "--all", "--check"]))
}

fn bundle() -> Result<Counts> {
    println!("{}", client::make()?);
    Ok(Counts::ONE_PASSED)
}

fn lints() -> Result<Counts> {
    run::counted(&mut run::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn rust_tests() -> Result<Counts> {
    let mut counts = run::counted(&mut run::cargo([
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
    ]))?;
    // What a program says that was built without a feature is only to be had from one.
    counts.add(run::counted(&mut run::cargo([
        "test",
        "--package",
        "sinew",
        "--test",
        "it",
        "doctor::",
    ]))?);
    Ok(counts)
}

fn documentation() -> Result<Counts> {
    run::counted(
        run::cargo(["doc", "--workspace", "--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

fn recordings() -> Result<Counts> {
    golden::compare(&golden::Options::default())
}

fn browser_tests() -> Result<Counts> {
    golden::build_examples()?;
    let mut node = Command::new("node");
    node.current_dir(checkout::path("e2e"))
        // One file at a time: each starts servers and a browser of its own.
        .args(["--test", "--test-concurrency=1", "--test-reporter=tap"])
        .args(test_files()?)
        .env("COOKIES_BIN", checkout::example("cookies"))
        .env("DEMO_BIN", checkout::example("demo"))
        .env("REFERENCE_BIN", checkout::example("reference"))
        .env(
            "PAGE_FROM_FILE_BIN",
            checkout::example("examples/page_from_file"),
        )
        .env("CHROMIUM", prerequisites::chromium())
        .env("NGINX", prerequisites::nginx())
        .env("PROMETHEUS", prerequisites::prometheus());
    run::counted(&mut node)
}

/// By name, since what Node makes of a folder's name differs between its versions.
fn test_files() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["golden", "tests", "tests/demo"] {
        let path = checkout::path("e2e").join(folder);
        let entries =
            fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".test.mjs") {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    Ok(files)
}
