//! Clients that connect, subscribe and stay: what they cost while nothing happens but pings.

use std::time::Instant;

use anyhow::Result;

use super::{Scenario, Station};
use crate::children::pause;
use crate::fleet::Manner;
use crate::options::{Options, TargetName};
use crate::process::Kernel;
use crate::protocol::Order;
use crate::report::{Column, Report};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 7] = [
    Column::ratio("server_bytes", "server bytes each", 0),
    Column::new("kernel_bytes", "kernel bytes each, both ends", 0),
    Column::new("client_bytes", "load tool bytes each", 0),
    Column::new("cpu_percent", "server CPU %", 2),
    Column::new("pings_per_second", "pings a second", 0),
    Column::new("opened_per_second", "opened a second", 0),
    Column::new("ended", "ended", 0),
];

/// So long that every connection is pinged twice.
const SECONDS: f64 = 8.0;

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    let clients = Scenario::Idle.connections(options);
    let time = options.seconds_or(SECONDS);
    for round in 1..=options.rounds {
        for name in names {
            eprintln!("  round {round} of {}", options.rounds);
            let manner = Manner::plain(clients);
            let mut station = Station::start(name, Messages::FannedOut, manner, options)?;
            let client_before = station.fleet.count()?.resident_bytes;
            let (server, kernel) = (station.target.resident_bytes(), Kernel::now());
            let begins = Instant::now();
            station.connect(clients)?;
            let opened = f64::from(clients) / begins.elapsed().as_secs_f64();

            let Station { target, mut fleet } = station;
            fleet.tell(&Order::Reset { broadcast: 0 })?;
            let (begins, before) = (Instant::now(), target.cpu_us()?);
            pause(time);
            let counts = fleet.count()?;
            let (cpu, took) = (target.cpu_us()? - before, begins.elapsed().as_secs_f64());
            let each = |bytes: f64| bytes / f64::from(clients);
            let slab = Kernel::now().slab_bytes as f64 - kernel.slab_bytes as f64;
            report.add(
                Scenario::Idle,
                &target.name,
                clients,
                vec![
                    each(target.resident_bytes() - server),
                    each(slab),
                    each(counts.resident_bytes.saturating_sub(client_before) as f64),
                    cpu / took / 1e4,
                    counts.pings as f64 / took,
                    opened,
                    counts.ended as f64,
                ],
            );
        }
    }
    Ok(())
}
