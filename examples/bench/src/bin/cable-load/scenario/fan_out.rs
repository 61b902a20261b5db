//! Broadcasts to everybody, the next one when the last receiver has the one before.

use std::time::Duration;

use anyhow::Result;

use super::{Scenario, Station};
use crate::driver::Driver;
use crate::fleet::{Fleet, Manner};
use crate::options::{Options, TargetName};
use crate::protocol::{Counts, Order};
use crate::report::{Column, Report, median};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 8] = [
    Column::ratio("cpu_us", "server CPU µs a delivery", 2),
    Column::ratio("last_ms", "last receiver ms", 1),
    Column::new("p50_ms", "p50 ms", 1),
    Column::new("p99_ms", "p99 ms", 1),
    Column::new("max_ms", "max ms", 1),
    Column::new("delivered", "delivered", 0),
    Column::new("lost", "lost", 0),
    Column::new("duplicates", "twice", 0),
];

const BYTES: usize = 200;
const BROADCASTS: u32 = 20;
/// Those who do not have a broadcast by then have lost it.
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(20);

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    let clients = Scenario::FanOut.connections(options);
    let mut stations = Vec::new();
    for name in names {
        let manner = Manner::plain(clients);
        let station = Station::open(name, Messages::FannedOut, manner, options)?;
        let driver = Driver::connect(&station.target)?;
        stations.push((station, driver));
    }
    let bytes = options.bytes.unwrap_or(BYTES);
    let broadcasts = options.broadcasts.unwrap_or(BROADCASTS);
    for round in 1..=options.rounds {
        for (Station { target, fleet }, driver) in &mut stations {
            eprintln!("  round {round} of {}: {}", options.rounds, target.name);
            // The first one finds sleeping processors and cold caches.
            broadcast(fleet, driver, 1, bytes)?;
            let before = target.cpu_us()?;
            let sent = broadcast(fleet, driver, broadcasts, bytes)?;
            let cpu = target.cpu_us()? - before;
            let counts = sent.counts;
            let expected = u64::from(clients) * u64::from(broadcasts);
            report.add(
                Scenario::FanOut,
                &target.name,
                clients,
                vec![
                    cpu / counts.delivered as f64,
                    median(sent.last_ms),
                    counts.delivery.quantile_ms(0.5),
                    counts.delivery.quantile_ms(0.99),
                    counts.delivery.max_ms(),
                    counts.delivered as f64,
                    expected.saturating_sub(counts.delivered) as f64,
                    counts.duplicates as f64,
                ],
            );
        }
    }
    Ok(())
}

/// What came of some broadcasts.
pub(super) struct Sent {
    pub(super) counts: Counts,
    /// For each that came to all: how long that took.
    pub(super) last_ms: Vec<f64>,
}

pub(super) fn broadcast(
    fleet: &mut Fleet,
    driver: &mut Driver,
    broadcasts: u32,
    bytes: usize,
) -> Result<Sent> {
    let broadcast = driver.next();
    fleet.tell(&Order::Reset { broadcast })?;
    // What they counted before they were told is answered before this.
    fleet.count()?;
    let mut last_ms = Vec::new();
    for _ in 0..broadcasts {
        let asked = driver.broadcast(0, bytes)?;
        if let Some(last) = fleet.delivered(asked.number, 0, DELIVERY_TIME_MAX)? {
            last_ms.push(last.saturating_sub(asked.at_us) as f64 / 1e3);
        }
    }
    Ok(Sent {
        counts: fleet.count()?,
        last_ms,
    })
}
