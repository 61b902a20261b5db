//! The load: connections that each send the next message when the last one was answered.
//!
//! One thread on epoll. Every answer is checked; one that is wrong ends the run with an error, so
//! that errors are never counted as speed. Prints one line of JSON.
//!
//! `bench-load ADDRESS SCENARIO CONNECTIONS SECONDS SERVER-PID`

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]

mod connection;
mod message;
mod server_cpu;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use connection::{Connection, Traffic};
use message::Scenario;
use mio::{Events, Interest, Poll, Token};

const READ_BYTES: usize = 64 * 1024;
/// How much longer than the measured time the load runs before it, so that caches are warm.
const WARM_UP_SHARE: f64 = 0.2;
/// A connection that waits longer has lost its answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, scenario, connections, seconds, server] = words.as_slice() else {
        anyhow::bail!("bench-load ADDRESS SCENARIO CONNECTIONS SECONDS SERVER-PID");
    };
    let address: SocketAddr = address.parse()?;
    let scenario = Scenario::from_name(scenario).context("unknown scenario")?;
    let connections: usize = connections.parse()?;
    let time = Duration::from_secs_f64(seconds.parse()?);
    let server: u32 = server.parse()?;

    let load = Load::open(address, scenario, connections)?;
    let measured = load.run(time, server)?;
    println!("{measured}");
    Ok(())
}

struct Load {
    poll: Poll,
    scenario: Scenario,
    connections: Vec<Connection>,
}

impl Load {
    fn open(address: SocketAddr, scenario: Scenario, count: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(count);
        for number in 0..count {
            let mut connection = Connection::open(address, scenario, number)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut connection.socket, Token(number), interest)?;
            connections.push(connection);
        }
        Ok(Self {
            poll,
            scenario,
            connections,
        })
    }

    fn run(mut self, time: Duration, server: u32) -> Result<serde_json::Value> {
        let mut message = self.scenario.message();
        let message_bytes = message.text.len();
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; READ_BYTES];
        let mut latencies: Vec<u32> = Vec::with_capacity(1 << 20);
        let mut traffic = Traffic::default();
        for connection in &mut self.connections {
            connection.send(&mut message, &mut traffic)?;
        }

        // The warm-up, then what is measured.
        let mut begins = Instant::now() + time.mul_f64(WARM_UP_SHARE);
        let mut is_measured = false;
        let mut cpu_before = 0;
        loop {
            let now = Instant::now();
            if now >= begins && !is_measured {
                is_measured = true;
                latencies.clear();
                traffic = Traffic::default();
                cpu_before = server_cpu::nanoseconds(server)?;
                begins = Instant::now();
            } else if is_measured && now >= begins + time {
                break;
            }
            self.poll.poll(&mut events, Some(ANSWER_TIME_MAX))?;
            ensure!(!events.is_empty(), "no answer within {ANSWER_TIME_MAX:?}");
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() {
                    connection.write_rest()?;
                }
                if event.is_readable()
                    && let Some(latency) =
                        connection.receive(&message, &mut buffer, &mut traffic)?
                {
                    latencies.push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
                    connection.send(&mut message, &mut traffic)?;
                }
            }
        }
        let cpu = server_cpu::nanoseconds(server)? - cpu_before;
        let took = begins.elapsed();

        ensure!(!latencies.is_empty(), "nothing was answered");
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |share: f64| f64::from(latencies[(count as f64 * share) as usize]) / 1e3;
        let each = |sum: u64| sum as f64 / count as f64;
        Ok(serde_json::json!({
            "messages": count,
            "message_bytes": message_bytes,
            "per_second": count as f64 / took.as_secs_f64(),
            "p50_us": at(0.50),
            "p99_us": at(0.99),
            "cpu_us": each(cpu) / 1e3,
            "bytes_in": each(traffic.sent),
            "bytes_out": each(traffic.received),
        }))
    }
}
