//! What is measured. Each scenario measures every server in turns, over and over.

mod avalanche;
mod churn;
mod echo;
mod fan_out;
mod hold;
mod idle;
mod slow_reader;

use anyhow::{Context as _, Result, bail};

use crate::fleet::{Fleet, Manner};
use crate::options::{Options, TargetName};
use crate::report::{Column, Report};
use crate::target::{self, Messages, Target};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Echo,
    FanOut,
    Churn,
    Idle,
    Avalanche,
    SlowReader,
    Hold,
}

/// What one round of one server came to: a value for each column, in their order.
pub(crate) type Values = Vec<f64>;

impl Scenario {
    const ALL: [Self; 7] = [
        Self::Echo,
        Self::FanOut,
        Self::Churn,
        Self::Idle,
        Self::Avalanche,
        Self::SlowReader,
        Self::Hold,
    ];

    /// All that are over in minutes.
    pub(crate) const BENCHMARKS: [Self; 6] = [
        Self::Echo,
        Self::FanOut,
        Self::Churn,
        Self::Idle,
        Self::Avalanche,
        Self::SlowReader,
    ];

    pub(crate) fn from_name(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|it| it.name() == name) {
            Some(scenario) => Ok(scenario),
            None => bail!("there is no scenario `{name}`\n\n{}", crate::options::HELP),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::FanOut => "fan-out",
            Self::Churn => "churn",
            Self::Idle => "idle",
            Self::Avalanche => "avalanche",
            Self::SlowReader => "slow-reader",
            Self::Hold => "hold",
        }
    }

    /// What is measured of each server.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Echo => &echo::COLUMNS,
            Self::FanOut => &fan_out::COLUMNS,
            Self::Churn => &churn::COLUMNS,
            Self::Idle => &idle::COLUMNS,
            Self::Avalanche => &avalanche::COLUMNS,
            Self::SlowReader => &slow_reader::COLUMNS,
            Self::Hold => &hold::COLUMNS,
        }
    }

    fn connections(self, options: &Options) -> u32 {
        let default = match self {
            Self::Echo => 200,
            _ => 10_000,
        };
        options.connections.unwrap_or(default)
    }
}

/// Runs what was asked for.
pub(crate) fn run_all(options: &Options) -> Result<Report> {
    let mut report = Report::new(options);
    for &scenario in &options.scenarios {
        run(scenario, options, &mut report).with_context(|| scenario.name().to_owned())?;
    }
    Ok(report)
}

fn run(scenario: Scenario, options: &Options, report: &mut Report) -> Result<()> {
    let names = targets(scenario, options);
    match scenario {
        Scenario::Echo => echo::run(&names, options, report),
        Scenario::FanOut => fan_out::run(&names, options, report),
        Scenario::Churn => churn::run(&names, options, report),
        Scenario::Idle => idle::run(&names, options, report),
        Scenario::Avalanche => avalanche::run(&names, options, report),
        Scenario::SlowReader => slow_reader::run(&names, options, report),
        Scenario::Hold => hold::run(&names, options, report),
    }
}

/// The servers that take part.
fn targets(scenario: Scenario, options: &Options) -> Vec<TargetName> {
    let mut names = options.targets.clone();
    if names.is_empty() {
        names = vec![TargetName::Bare, TargetName::Bench];
        if scenario == Scenario::Echo {
            names.push(TargetName::InPlace);
        }
        if target::has_any_cable() {
            names.push(TargetName::AnyCable);
        }
    }
    // Without an application there is nobody who would echo.
    names.retain(|name| scenario != Scenario::Echo || *name != TargetName::AnyCable);
    names
}

/// A server and its clients, ready.
struct Station {
    target: Target,
    fleet: Fleet,
}

impl Station {
    /// Starts the server and connects all clients.
    fn open(
        name: &TargetName,
        messages: Messages,
        manner: Manner,
        options: &Options,
    ) -> Result<Self> {
        let mut station = Self::start(name, messages, manner, options)?;
        station.connect(manner.clients)?;
        Ok(station)
    }

    /// Connects all clients, and accepts no fewer.
    fn connect(&mut self, clients: u32) -> Result<()> {
        let standing = self.fleet.open()?;
        if standing.gone > 0 {
            let counts = self.fleet.count()?;
            bail!(
                "{} of {clients} clients were refused by {}: {:?}",
                standing.gone,
                self.target.name,
                counts.reasons
            );
        }
        Ok(())
    }

    /// Starts the server and the workers. Nobody connects yet.
    fn start(
        name: &TargetName,
        messages: Messages,
        manner: Manner,
        options: &Options,
    ) -> Result<Self> {
        let target = Target::start(name, messages, options)?;
        eprintln!("  {}: {} clients", target.name, manner.clients);
        let fleet = Fleet::start(&target, manner, options)?;
        Ok(Self { target, fleet })
    }
}
