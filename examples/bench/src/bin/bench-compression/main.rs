//! What compressed messages save and cost, with and without them in turns: bytes, processor, memory.
//!
//! Everything is in one process, on a shard with a thread of its own and real sockets on loopback. The threads that play
//! the browsers are not counted; every message is inflated and checked by one of them. Prints tables in Markdown.

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]

mod browsers;
mod codec;
mod cpu;
mod markup;
mod served;

use std::fs;

use anyhow::Result;

fn main() -> Result<()> {
    println!("{}\n", machine());
    codec::print();
    codec::print_memory()?;
    served::print()
}

/// What else the machine does is seen in its load.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let models: Vec<&str> = cpuinfo
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    format!(
        "{} × {}, Linux {}, load {} at the beginning.",
        models.len(),
        models.first().unwrap_or(&"a processor"),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or("unknown"),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
