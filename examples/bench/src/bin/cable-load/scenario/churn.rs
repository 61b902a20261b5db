//! Clients that connect, subscribe and go, over and over.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Scenario, Station};
use crate::children::pause;
use crate::fleet::Manner;
use crate::options::{Options, TargetName};
use crate::protocol::Order;
use crate::report::{Column, Report};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 5] = [
    Column::new("per_second", "subscriptions a second", 0),
    Column::ratio("cpu_us", "server CPU µs each", 1),
    Column::new("p50_ms", "p50 ms", 1),
    Column::new("p99_ms", "p99 ms", 1),
    Column::new("failed", "failed", 0),
];

const SECONDS: f64 = 2.0;
const WARM_UP_SHARE: f64 = 0.2;

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    let in_flight = options.in_flight;
    let time = options.seconds_or(SECONDS);
    for round in 1..=options.rounds {
        for name in names {
            // A fresh server each round: what it keeps of those who left is not its neighbour's.
            let manner = Manner::plain(in_flight);
            let Station { target, mut fleet } =
                Station::start(name, Messages::FannedOut, manner, options)?;
            eprintln!("  round {round} of {}: {}", options.rounds, target.name);
            fleet.tell_shares(in_flight, |in_flight| Order::Churn { in_flight })?;
            pause(time.mul_f64(WARM_UP_SHARE));
            fleet.tell(&Order::Reset { broadcast: 0 })?;
            let (begins, before) = (Instant::now(), target.cpu_us()?);
            pause(time);
            let counts = fleet.count()?;
            let (cpu, took) = (target.cpu_us()? - before, begins.elapsed());
            fleet.counts_after(&Order::Finish)?;
            ensure!(
                counts.churned > 0,
                "nobody could subscribe to {}: {:?}",
                target.name,
                counts.reasons
            );
            let failed: u64 = counts.reasons.values().sum();
            report.add(
                Scenario::Churn,
                &target.name,
                in_flight,
                vec![
                    counts.churned as f64 / took.as_secs_f64(),
                    cpu / counts.churned as f64,
                    counts.opening.quantile_ms(0.5),
                    counts.opening.quantile_ms(0.99),
                    failed as f64,
                ],
            );
        }
    }
    Ok(())
}
