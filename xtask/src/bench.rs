//! `cargo xtask bench`: what a message costs, beside the least it could cost.
//!
//! Everything is measured in one run, in turns: what else the machine does meanwhile falls on all of
//! them alike, and the ratios hold better than the numbers.

mod disk;
pub(crate) mod instructions;
mod processes;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{checkout, client, run};
use processes::{Floor, Server};
use report::Report;

/// What is measured, in this order: the floor first, which the others are compared with.
pub(crate) const SCENARIOS: [&str; 6] = ["floor", "echo", "nothing", "selector", "page", "session"];

/// How often everything is repeated; the tables hold medians.
const ROUNDS: usize = 3;
/// With how many connections sessions are compared with what the disk can do.
pub(crate) const SESSION_CONNECTIONS: usize = 200;
const SECONDS_DEFAULT: f64 = 2.0;
const CONNECTIONS_DEFAULT: [usize; 3] = [1, 20, 200];

/// What was asked for on the command line.
pub(crate) struct Options {
    /// How long each scenario is measured in each round.
    seconds: f64,
    connections: Vec<usize>,
}

impl Options {
    pub(crate) fn new(seconds: Option<String>, connections: Option<String>) -> Result<Self> {
        let seconds = match seconds {
            None => SECONDS_DEFAULT,
            Some(seconds) => seconds.parse().context("--seconds needs a number")?,
        };
        ensure!(
            (0.1..=60.0).contains(&seconds),
            "--seconds is between 0.1 and 60"
        );
        let connections: Vec<usize> = match connections {
            None => CONNECTIONS_DEFAULT.to_vec(),
            Some(list) => {
                let numbers = list.split(',').map(|number| number.trim().parse());
                numbers
                    .collect::<Result<_, _>>()
                    .context("--connections needs numbers: 1,20,200")?
            }
        };
        let is_sound = connections.iter().all(|count| (1..=5_000).contains(count));
        ensure!(
            is_sound && !connections.is_empty(),
            "--connections are between 1 and 5000"
        );
        Ok(Self {
            seconds,
            connections,
        })
    }
}

/// What the load measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) cpu_us: f64,
    pub(crate) bytes_in: f64,
    pub(crate) bytes_out: f64,
}

pub(crate) fn run(what: Option<&str>, options: &Options) -> Result<ExitCode> {
    match what {
        Some("reflex") => reflex(options),
        Some("compression") => compression(),
        _ => bail!(
            "cargo xtask bench reflex [--seconds S] [--connections 1,20,200]\n\
             cargo xtask bench cable [SCENARIO…]\n\
             cargo xtask bench compression\n\
             cargo xtask bench store [OPTION…]\n\
             cargo xtask bench instructions [--accept]"
        ),
    }
}

/// Everything about it is known by the program that conducts it.
pub(crate) fn cable(words: &[String]) -> Result<ExitCode> {
    build()?;
    run::succeed(Command::new(program("cable-load")).args(words))?;
    Ok(ExitCode::SUCCESS)
}

/// The same for stores.
pub(crate) fn store(words: &[String]) -> Result<ExitCode> {
    build_with(&["--features", "stores"])?;
    run::succeed(Command::new(program("store-load")).args(words))?;
    Ok(ExitCode::SUCCESS)
}

/// One program measures and prints all of it.
fn compression() -> Result<ExitCode> {
    build()?;
    run::succeed(&mut Command::new(program("bench-compression")))?;
    Ok(ExitCode::SUCCESS)
}

fn build() -> Result<()> {
    build_with(&[])
}

fn build_with(options: &[&str]) -> Result<()> {
    eprintln!("{}", client::make()?);
    let build = ["build", "--release", "--package", "bench"];
    run::succeed(run::cargo(build).args(options))
}

fn reflex(options: &Options) -> Result<ExitCode> {
    build()?;

    let data = DataDirectory::create()?;
    let floor = Floor::start(&program("bench-floor"))?;
    let server = Server::start(&program("bench"), data.path())?;
    let mut report = Report::new(options.seconds, ROUNDS);
    for round in 1..=ROUNDS {
        for &connections in &options.connections {
            for scenario in SCENARIOS {
                eprintln!("round {round} of {ROUNDS}, {connections} connections, {scenario}");
                let (port, process) = match scenario {
                    "floor" => (floor.port(), floor.id()),
                    _ => (server.port(), server.id()),
                };
                let compared = scenario == "session" && connections == SESSION_CONNECTIONS;
                let before = compared
                    .then(|| disk::fsyncs_per_second(data.path()))
                    .transpose()?;
                let measured = load(port, process, scenario, connections, options.seconds)
                    .with_context(|| format!("{scenario} with {connections} connections"))?;
                if let Some(before) = before {
                    // Of the two, what is harder to be measured against: other programs use the disk as well.
                    let after = disk::fsyncs_per_second(data.path())?;
                    report.add_fsyncs(before.faster(after));
                }
                report.add(connections, scenario, measured);
            }
        }
        report.add_parts(parts()?);
    }
    drop((server, floor));
    report.print();
    Ok(ExitCode::SUCCESS)
}

fn program(name: &str) -> PathBuf {
    checkout::target().join("release").join(name)
}

fn load(
    port: u16,
    process: u32,
    scenario: &str,
    connections: usize,
    seconds: f64,
) -> Result<Measured> {
    let mut load = Command::new(program("bench-load"));
    load.args([format!("127.0.0.1:{port}"), scenario.to_owned()]);
    load.args([
        connections.to_string(),
        seconds.to_string(),
        process.to_string(),
    ]);
    let line = json_line(&mut load)?;
    let number = |name: &str| {
        line[name]
            .as_f64()
            .with_context(|| format!("no {name} in {line}"))
    };
    Ok(Measured {
        per_second: number("per_second")?,
        p50_us: number("p50_us")?,
        p99_us: number("p99_us")?,
        cpu_us: number("cpu_us")?,
        bytes_in: number("bytes_in")?,
        bytes_out: number("bytes_out")?,
    })
}

/// The steps of a page morph, timed in a process of their own.
fn parts() -> Result<Value> {
    json_line(Command::new(program("bench")).arg("parts"))
}

fn json_line(command: &mut Command) -> Result<Value> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    ensure!(
        output.status.success(),
        "{:?} ended with {}",
        command.get_program(),
        output.status
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A folder of this run's own, on the disk the checkout is on.
struct DataDirectory(PathBuf);

impl DataDirectory {
    fn create() -> Result<Self> {
        let path = checkout::target().join(format!("bench-data-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} was not removed: {error}", self.0.display());
        }
    }
}
