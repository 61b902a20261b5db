//! Connections that stay for long, with a broadcast to the next room of them each second.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Scenario, Station};
use crate::children::pause;
use crate::driver::Driver;
use crate::fleet::Manner;
use crate::options::{Options, TargetName};
use crate::process::Kernel;
use crate::protocol::{Counts, Order};
use crate::report::{Column, Report};
use crate::target::Messages;

pub(super) const COLUMNS: [Column; 16] = [
    Column::new("subscribed", "subscribed at the end", 0),
    Column::new("seconds", "held s", 0),
    Column::new("opened_per_second", "opened a second", 0),
    Column::new("server_mib", "server MiB", 0),
    Column::new("server_bytes", "server bytes each", 0),
    Column::new("kernel_mib", "kernel MiB, both ends", 0),
    Column::new("client_mib", "load tool MiB", 0),
    Column::new("cpu_percent", "server CPU %", 1),
    Column::new("pings", "pings", 0),
    Column::new("broadcasts", "broadcasts", 0),
    Column::new("delivered", "delivered", 0),
    Column::new("lost", "lost", 0),
    Column::new("p50_ms", "p50 ms", 1),
    Column::new("p99_ms", "p99 ms", 1),
    Column::new("max_ms", "max ms", 1),
    Column::new("ended", "ended", 0),
];

const SECONDS: f64 = 60.0;
const BYTES: usize = 200;
const INTERVAL: Duration = Duration::from_secs(1);
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(20);
/// Points of the charts.
const SAMPLES: u32 = 60;

pub(super) fn run(names: &[TargetName], options: &Options, report: &mut Report) -> Result<()> {
    for _ in 1..=options.rounds {
        for name in names {
            hold(name, options, report)?;
        }
    }
    Ok(())
}

/// What can be seen of a server and its clients at one moment.
struct Sample {
    at: Instant,
    cpu_us: f64,
    resident_bytes: f64,
    counts: Counts,
}

impl Sample {
    fn take(station: &mut Station) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            cpu_us: station.target.cpu_us()?,
            resident_bytes: station.target.resident_bytes(),
            counts: station.fleet.count()?,
        })
    }
}

fn hold(name: &TargetName, options: &Options, report: &mut Report) -> Result<()> {
    let clients = Scenario::Hold.connections(options);
    let time = options.seconds_or(SECONDS);
    let manner = Manner {
        room_clients: options.room,
        ..Manner::plain(clients)
    };
    let mut station = Station::start(name, Messages::FannedOut, manner, options)?;
    let (server, kernel) = (station.target.resident_bytes(), Kernel::now());
    let begins = Instant::now();
    station.connect(clients)?;
    let opened = f64::from(clients) / begins.elapsed().as_secs_f64();
    eprintln!("  {clients} subscribed, {opened:.0} a second");

    let mut driver = Driver::connect(&station.target)?;
    station.fleet.tell(&Order::Reset { broadcast: 0 })?;
    let first = Sample::take(&mut station)?;
    let rooms = clients.div_ceil(options.room);
    let bytes = options.bytes.unwrap_or(BYTES);
    let mut samples = vec![first];
    let mut expected = 0;
    while samples[0].at.elapsed() < time {
        let tick = samples[0].at + INTERVAL * driver.next();
        pause(tick.saturating_duration_since(Instant::now()));
        let room = driver.next() % rooms;
        expected += u64::from(options.room.min(clients - room * options.room));
        let asked = driver.broadcast(room, bytes)?;
        let last = station
            .fleet
            .delivered(asked.number, room, DELIVERY_TIME_MAX)?;
        if last.is_none() {
            eprintln!("  broadcast {} did not come to everybody", asked.number);
        }
        let passed = samples[0].at.elapsed();
        if passed >= time / SAMPLES * samples.len() as u32 {
            samples.push(Sample::take(&mut station)?);
            say(passed, &samples);
        }
    }
    let Station { target, fleet } = &mut station;
    let counts = fleet.count()?;
    let cpu_us = target.cpu_us()? - samples[0].cpu_us;
    let seconds = samples[0].at.elapsed().as_secs_f64();
    let resident = target.resident_bytes();
    let slab = Kernel::now().slab_bytes as f64 - kernel.slab_bytes as f64;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    add_series(report, &target.name, &samples);
    report.add(
        Scenario::Hold,
        &target.name,
        clients,
        vec![
            f64::from(counts.standing.subscribed),
            seconds,
            opened,
            mib(resident),
            (resident - server) / f64::from(clients),
            mib(slab),
            mib(counts.resident_bytes as f64),
            cpu_us / seconds / 1e4,
            counts.pings as f64,
            f64::from(driver.next()),
            counts.delivered as f64,
            expected.saturating_sub(counts.delivered) as f64,
            counts.delivery.quantile_ms(0.5),
            counts.delivery.quantile_ms(0.99),
            counts.delivery.max_ms(),
            counts.ended as f64,
        ],
    );
    Ok(())
}

fn say(passed: Duration, samples: &[Sample]) {
    let [.., before, now] = samples else { return };
    eprintln!(
        "  {:.0} s: {} subscribed, server {:.0} MiB, CPU {:.1} %, p99 {:.1} ms up to now",
        passed.as_secs_f64(),
        now.counts.standing.subscribed,
        now.resident_bytes / f64::from(1 << 20),
        cpu_percent(before, now),
        now.counts.delivery.quantile_ms(0.99),
    );
}

fn cpu_percent(before: &Sample, after: &Sample) -> f64 {
    (after.cpu_us - before.cpu_us) / (after.at - before.at).as_secs_f64() / 1e4
}

fn add_series(report: &mut Report, server: &str, samples: &[Sample]) {
    let seconds = |it: &Sample| (it.at - samples[0].at).as_secs_f64();
    let memory = samples
        .iter()
        .map(|it| (seconds(it), it.resident_bytes / f64::from(1 << 20)));
    report.add_series(server, "server memory, MiB", memory.collect());
    let each = |of: fn(&Sample, &Sample) -> f64| {
        let pairs = samples.windows(2);
        pairs
            .map(|it| (seconds(&it[1]), of(&it[0], &it[1])))
            .collect()
    };
    report.add_series(server, "server CPU, % of one processor", each(cpu_percent));
    let pings = |before: &Sample, after: &Sample| {
        let pings = after.counts.pings - before.counts.pings;
        pings as f64 / (after.at - before.at).as_secs_f64()
    };
    report.add_series(server, "pings a second", each(pings));
}
