//! Medians, ratios, and what of the targets is reached.

use std::fs;

use serde_json::Value;

use super::disk::Fsyncs;
use super::{Measured, SCENARIOS, SESSION_CONNECTIONS};

/// Server CPU may be at most so many times the floor's.
const CPU_TARGETS: [(&str, f64); 3] = [("nothing", 4.0), ("selector", 4.0), ("page", 20.0)];
/// Writing reflexes per second, as a multiple of what one `fsync` for each would allow.
const SESSION_TARGET: f64 = 10.0;

/// The steps of a page morph that are timed on their own, with what they are.
const PARTS: [(&str, &str); 4] = [
    ("handler_us", "handler (router, template, body)"),
    ("cut_us", "cut (the root out of the page)"),
    ("encode_us", "encode (JSON and frame)"),
    ("write_us", "write (the socket)"),
];

pub(super) struct Report {
    seconds: f64,
    rounds: usize,
    /// What the disk could do around the session scenario, round by round.
    fsyncs: Vec<Fsyncs>,
    parts: Vec<Value>,
    /// In the order of measurement: connections, scenario, one value for each round.
    rows: Vec<Row>,
}

struct Row {
    connections: usize,
    scenario: &'static str,
    rounds: Vec<Measured>,
}

impl Row {
    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }
}

impl Report {
    pub(super) fn new(seconds: f64, rounds: usize) -> Self {
        Self {
            seconds,
            rounds,
            fsyncs: Vec::new(),
            parts: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(super) fn add_fsyncs(&mut self, fsyncs: Fsyncs) {
        self.fsyncs.push(fsyncs);
    }

    pub(super) fn add_parts(&mut self, parts: Value) {
        self.parts.push(parts);
    }

    pub(super) fn add(&mut self, connections: usize, scenario: &'static str, measured: Measured) {
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.connections == connections && row.scenario == scenario);
        match row {
            Some(row) => row.rounds.push(measured),
            None => self.rows.push(Row {
                connections,
                scenario,
                rounds: vec![measured],
            }),
        }
    }

    pub(super) fn print(&self) {
        println!("{}\n", machine());
        println!(
            "Medians of {} rounds, {} s for each scenario and round.\n",
            self.rounds, self.seconds
        );
        self.print_rows();
        self.print_parts();
        self.print_targets();
    }

    fn print_rows(&self) {
        println!(
            "| connections | scenario | per second | p50 µs | p99 µs | server CPU µs | × floor | bytes in | bytes out |"
        );
        println!("|---:|---|---:|---:|---:|---:|---:|---:|---:|");
        for row in &self.rows {
            println!(
                "| {} | {} | {:.0} | {:.0} | {:.0} | {:.1} | {:.2} | {:.0} | {:.0} |",
                row.connections,
                row.scenario,
                row.median(|it| it.per_second),
                row.median(|it| it.p50_us),
                row.median(|it| it.p99_us),
                row.median(|it| it.cpu_us),
                self.ratio(row),
                row.median(|it| it.bytes_in),
                row.median(|it| it.bytes_out),
            );
        }
    }

    fn print_parts(&self) {
        println!("\n| part of a page morph | CPU µs |\n|---|---:|");
        let part = |name: &str| {
            median(
                self.parts
                    .iter()
                    .filter_map(|parts| parts[name].as_f64())
                    .collect(),
            )
        };
        for (name, what) in PARTS {
            println!("| {what} | {:.1} |", part(name));
        }
        let known: f64 = PARTS.iter().map(|(name, _)| part(name)).sum();
        for row in self.rows.iter().filter(|row| row.scenario == "page") {
            let all = row.median(|it| it.cpu_us);
            println!(
                "| the rest of {all:.1}, with {} connections (read, dispatch, runtime) | {:.1} |",
                row.connections,
                all - known
            );
        }
    }

    fn print_targets(&self) {
        println!("\n| target | measured | reached |\n|---|---:|---|");
        for row in &self.rows {
            for (scenario, target) in CPU_TARGETS {
                if row.scenario == scenario {
                    let ratio = self.ratio(row);
                    println!(
                        "| {scenario} with {} connections: server CPU at most {target:.0} × the floor's | {ratio:.2} | {} |",
                        row.connections,
                        yes(ratio <= target)
                    );
                }
            }
        }
        let session = self
            .rows
            .iter()
            .find(|row| row.scenario == "session" && row.connections == SESSION_CONNECTIONS);
        let Some(row) = session else {
            return;
        };
        let fsyncs = &self.fsyncs;
        let against = |of: fn(&Fsyncs) -> f64| {
            let rounds = row.rounds.iter().zip(fsyncs);
            let ratio = median(rounds.map(|(row, it)| row.per_second / of(it)).collect());
            (median(fsyncs.iter().map(of).collect()), ratio)
        };
        let (appended, ratio) = against(|it| it.appended);
        println!(
            "| session with {SESSION_CONNECTIONS} connections: at least {SESSION_TARGET:.0} × the fsyncs a second of 4 KiB appended ({appended:.0}) | {ratio:.2} | {} |",
            yes(ratio >= SESSION_TARGET)
        );
        let (in_place, ratio) = against(|it| it.in_place);
        println!(
            "| the same, against fdatasync of 4 KiB over and over in one place ({in_place:.0}) | {ratio:.2} | {} |",
            yes(ratio >= SESSION_TARGET)
        );
    }

    /// Server CPU in relation to the floor's of the same round.
    fn ratio(&self, row: &Row) -> f64 {
        let floor = self
            .rows
            .iter()
            .find(|floor| floor.connections == row.connections && floor.scenario == SCENARIOS[0]);
        let floor = floor.map_or(&[][..], |floor| &floor.rounds);
        median(
            row.rounds
                .iter()
                .zip(floor)
                .map(|(row, floor)| row.cpu_us / floor.cpu_us)
                .collect(),
        )
    }
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "NO" }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// Processors, kernel and how busy others keep them.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let information = read("/proc/cpuinfo");
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':']));
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{processors} × {model}, Linux {}, load {load} at the end",
        kernel.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let mut report = Report::new(1.0, 2);
        let cpu = |cpu_us| Measured {
            cpu_us,
            ..Measured::default()
        };
        // The machine was twice as slow in the second round.
        for (floor, nothing) in [(5.0, 15.0), (10.0, 30.0)] {
            report.add(1, "floor", cpu(floor));
            report.add(1, "nothing", cpu(nothing));
        }
        assert_eq!(report.ratio(&report.rows[1]), 3.0);
    }
}
