//! One subscriber in ten stops reading: what the others notice, and what becomes of it.

use anyhow::Result;

use super::fan_out::{Sent, broadcast};
use super::{Scenario, Station};
use crate::driver::Driver;
use crate::fleet::Manner;
use crate::options::{Options, TargetName};
use crate::process::Kernel;
use crate::protocol::{Counts, Order};
use crate::report::{Column, Report};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 9] = [
    Column::new("p99_all_ms", "p99 ms, all read", 1),
    Column::new("p99_ms", "p99 ms of those who read", 1),
    Column::new("p99_ratio", "×", 2),
    Column::new("lost", "lost by them", 0),
    Column::new("stalled", "stalled", 0),
    Column::new("cut_off", "cut off", 0),
    Column::new("server_mib_all", "server peak MiB, all read", 0),
    Column::new("server_mib", "server peak MiB", 0),
    Column::new("kernel_mib", "kernel queues MiB", 0),
];

const STALLED_EVERY: u32 = 10;
/// With [`BROADCASTS`], more than a socket and the server together keep for one client.
const BYTES: usize = 16 * 1024;
const BROADCASTS: u32 = 100;

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    let clients = Scenario::SlowReader.connections(options);
    let mut options = options.clone();
    if !options
        .server_env
        .iter()
        .any(|(name, _)| name == "BENCH_LIMITS")
    {
        let limits = ("BENCH_LIMITS".to_owned(), "default".to_owned());
        options.server_env.push(limits);
    }
    for round in 1..=options.rounds {
        for name in names {
            eprintln!("  round {round} of {}", options.rounds);
            let all = measure(name, clients, 0, &options)?;
            let some = measure(name, clients, STALLED_EVERY, &options)?;
            let reading = u64::from(clients - some.finally.stalled);
            let expected = reading * u64::from(broadcasts(&options));
            let p99 = |of: &Measured| of.sent.counts.delivery.quantile_ms(0.99);
            report.add(
                Scenario::SlowReader,
                &some.server,
                clients,
                vec![
                    p99(&all),
                    p99(&some),
                    p99(&some) / p99(&all),
                    expected.saturating_sub(some.sent.counts.delivered) as f64,
                    f64::from(some.finally.stalled),
                    f64::from(some.finally.stalled_cut_off),
                    all.server_mib,
                    some.server_mib,
                    some.kernel_mib,
                ],
            );
        }
    }
    Ok(())
}

fn broadcasts(options: &Options) -> u32 {
    options.broadcasts.unwrap_or(BROADCASTS)
}

struct Measured {
    server: String,
    sent: Sent,
    /// After those who had stalled read again.
    finally: Counts,
    server_mib: f64,
    kernel_mib: f64,
}

fn measure(
    name: &TargetName,
    clients: u32,
    stalled_every: u32,
    options: &Options,
) -> Result<Measured> {
    let manner = Manner {
        stalled_every,
        ..Manner::plain(clients)
    };
    let Station { target, mut fleet } = Station::open(name, Messages::FannedOut, manner, options)?;
    let mut driver = Driver::connect(&target)?;
    let bytes = options.bytes.unwrap_or(BYTES);
    let before = Kernel::now().tcp_queue_bytes;
    let sent = broadcast(&mut fleet, &mut driver, broadcasts(options), bytes)?;
    let kernel = Kernel::now().tcp_queue_bytes.saturating_sub(before);
    let peak = target.resident_bytes_peak();
    let finally = fleet.counts_after(&Order::Resume {
        broadcast: driver.next() - 1,
    })?;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    Ok(Measured {
        server: target.name,
        sent,
        finally,
        server_mib: mib(peak),
        kernel_mib: mib(kernel as f64),
    })
}
