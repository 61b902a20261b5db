//! Messages that are answered to whoever sent them, one at a time for each client.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Scenario, Station};
use crate::children::pause;
use crate::fleet::Manner;
use crate::options::{Options, TargetName};
use crate::protocol::Order;
use crate::report::{Column, Report};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 6] = [
    Column::new("per_second", "answers a second", 0),
    Column::ratio("cpu_us", "server CPU µs each", 2),
    Column::ratio("per_core_second", "answers a second of server CPU", 0),
    Column::new("p50_ms", "p50 ms", 2),
    Column::new("p99_ms", "p99 ms", 2),
    Column::new("unexpected", "wrong answers", 0),
];

/// Data of a message.
const BYTES: usize = 64;
const SECONDS: f64 = 2.0;
/// How much of the measured time passes before it, so that caches are warm.
const WARM_UP_SHARE: f64 = 0.2;

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    let clients = Scenario::Echo.connections(options);
    let bytes = options.bytes.unwrap_or(BYTES) as u32;
    let time = options.seconds_or(SECONDS);
    let mut stations = Vec::new();
    for name in names {
        let manner = Manner {
            is_bare_echo: *name == TargetName::Bare,
            ..Manner::plain(clients)
        };
        stations.push(Station::open(name, Messages::Echoed, manner, options)?);
    }
    for round in 1..=options.rounds {
        for Station { target, fleet } in &mut stations {
            eprintln!("  round {round} of {}: {}", options.rounds, target.name);
            fleet.tell(&Order::Echo { bytes })?;
            pause(time.mul_f64(WARM_UP_SHARE));
            fleet.tell(&Order::Reset { broadcast: 0 })?;
            let (begins, before) = (Instant::now(), target.cpu_us()?);
            pause(time);
            let counts = fleet.count()?;
            let (cpu, took) = (target.cpu_us()? - before, begins.elapsed());
            let finished = fleet.counts_after(&Order::Finish)?;
            ensure!(
                counts.echoed > 0 && finished.ended == 0,
                "connections of {} ended: {:?}",
                target.name,
                finished.reasons
            );
            let each = cpu / counts.echoed as f64;
            report.add(
                Scenario::Echo,
                &target.name,
                clients,
                vec![
                    counts.echoed as f64 / took.as_secs_f64(),
                    each,
                    1e6 / each,
                    counts.echo.quantile_ms(0.5),
                    counts.echo.quantile_ms(0.99),
                    finished.unexpected as f64,
                ],
            );
        }
    }
    Ok(())
}
