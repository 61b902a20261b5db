//! `cargo xtask bench store`: what sessions and the cache cost in each store, beside bare GETs and SETs of Redis.
//!
//! Redis and PostgreSQL are started here, on ports of their own, and stopped at the end. Everything is measured in one
//! run, in turns: what else the machine does meanwhile falls on all alike, and ratios hold better than numbers.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it measures is told to whoever runs it"
)]

mod cache;
mod floor;
mod options;
mod report;
mod session;
mod stores;
mod turns;

use anyhow::Result;

use options::Options;
use report::Report;
use stores::Stores;

/// Bytes of a value, and of a session's largest field.
const VALUE_BYTES: usize = 256;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    /// A session is opened, read, changed and saved.
    Session,
    /// A value that is there.
    Hit,
    /// A value that is not: looked for, computed, kept.
    Miss,
    /// The same new value for all at once, which takes a millisecond to compute.
    Herd,
}

impl Scenario {
    const ALL: [Self; 4] = [Self::Session, Self::Hit, Self::Miss, Self::Herd];

    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Hit => "cache hit",
            Self::Miss => "cache miss",
            Self::Herd => "cache herd",
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::from_words(std::env::args().skip(1))?;
    let stores = Stores::start().await?;
    let mut report = Report::default();
    for round in 1..=options.rounds {
        for &tasks in &options.tasks {
            eprintln!("round {round} of {}, {tasks} tasks", options.rounds);
            for floor in floor::measure(&stores.redis, tasks, options.seconds)? {
                report.add(floor.name, "redis-benchmark", tasks, floor.measured);
            }
            for scenario in Scenario::ALL {
                let measured = match scenario {
                    Scenario::Session => session::measure(&stores, tasks, options.seconds).await?,
                    _ => cache::measure(scenario, &stores, tasks, options.seconds).await?,
                };
                for (store, measured) in measured {
                    report.add(scenario.name(), store, tasks, measured);
                }
            }
        }
    }
    report.print();
    if let Some(file) = &options.json {
        std::fs::write(file, report.json())?;
    }
    Ok(())
}
