//! The server is killed and started again, and all of its clients come back at once.

use std::time::Instant;

use anyhow::Result;

use super::{Scenario, Station};
use crate::fleet::Manner;
use crate::options::{Options, TargetName};
use crate::protocol::Order;
use crate::report::{Column, Report};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 6] = [
    Column::ratio("back_ms", "all subscribed after ms", 0),
    Column::new("killed_ms", "of that, after the kill ms", 0),
    Column::ratio("cpu_us", "server CPU µs each", 1),
    Column::new("p99_ms", "p99 of one ms", 0),
    Column::new("attempts_failed", "attempts that failed", 0),
    Column::new("back", "back", 0),
];

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    let clients = Scenario::Avalanche.connections(options);
    for round in 1..=options.rounds {
        for name in names {
            if matches!(name, TargetName::Url { .. }) {
                eprintln!("  a server that was not started here is not killed here");
                continue;
            }
            eprintln!("  round {round} of {}", options.rounds);
            let manner = Manner::plain(clients);
            let Station {
                mut target,
                mut fleet,
            } = Station::open(name, Messages::FannedOut, manner, options)?;
            fleet.tell(&Order::Return)?;
            fleet.tell(&Order::Reset { broadcast: 0 })?;
            fleet.count()?;
            let (killed, listens) = target.kill_and_restart()?;
            let standing = fleet.settle(2 * u64::from(clients))?;
            let back = Instant::now();
            let cpu = target.cpu_us()?;
            let counts = fleet.count()?;
            let ended = counts.ended;
            let reasons: u64 = counts.reasons.values().sum();
            report.add(
                Scenario::Avalanche,
                &target.name,
                clients,
                vec![
                    (back - listens).as_secs_f64() * 1e3,
                    (back - killed).as_secs_f64() * 1e3,
                    cpu / f64::from(clients),
                    counts.opening.quantile_ms(0.99),
                    reasons.saturating_sub(ended) as f64,
                    f64::from(standing.subscribed),
                ],
            );
        }
    }
    Ok(())
}
