//! What Redis does when it is asked for nothing else: `redis-benchmark` on the same server.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use test_servers::RedisServer;

use crate::VALUE_BYTES;
use crate::turns::Measured;

/// About what one connection gets answered in a second; only says how many requests fill the time.
const REQUESTS_A_SECOND: f64 = 40_000.0;

pub(crate) struct Floor {
    pub(crate) name: &'static str,
    pub(crate) measured: Measured,
}

/// SET and GET, with a connection for each task.
pub(crate) fn measure(redis: &RedisServer, tasks: usize, time: Duration) -> Result<[Floor; 2]> {
    let requests = (time.as_secs_f64() * REQUESTS_A_SECOND).max(1_000.0);
    let output = Command::new("redis-benchmark")
        .args(["-h", "127.0.0.1", "-p", &redis.port().to_string()])
        .args(["-c", &tasks.to_string(), "-n", &format!("{requests:.0}")])
        .args([
            "-d",
            &VALUE_BYTES.to_string(),
            "-r",
            "1000",
            "-t",
            "set,get",
            "--csv",
        ])
        .output()
        .context("`redis-benchmark` of Debian's redis-tools")?;
    ensure!(
        output.status.success(),
        "redis-benchmark: {}",
        output.status
    );
    let text = String::from_utf8(output.stdout)?;
    Ok([
        Floor {
            name: "SET",
            measured: line(&text, "SET")?,
        },
        Floor {
            name: "GET",
            measured: line(&text, "GET")?,
        },
    ])
}

/// One line: `"SET","42000.00","0.9","0.1","0.8","1.2","1.5","3.0"`, in the order of the first line's headings.
fn line(csv: &str, test: &str) -> Result<Measured> {
    let mut lines = csv
        .lines()
        .map(|line| -> Vec<&str> { line.split(',').map(|cell| cell.trim_matches('"')).collect() });
    let headings = lines.next().context("redis-benchmark said nothing")?;
    let cells = lines
        .find(|cells| cells.first() == Some(&test))
        .with_context(|| format!("redis-benchmark did not measure {test}"))?;
    let number = |heading: &str| -> Result<f64> {
        let at = headings.iter().position(|it| *it == heading);
        let cell = at.and_then(|at| cells.get(at));
        let cell = cell.with_context(|| format!("redis-benchmark has no `{heading}`"))?;
        cell.parse()
            .with_context(|| format!("`{cell}` is no number"))
    };
    Ok(Measured {
        per_second: number("rps")?,
        p50_ms: number("p50_latency_ms")?,
        p99_ms: number("p99_latency_ms")?,
        computed: f64::NAN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\
        \"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n\
        \"SET\",\"50000.00\",\"0.5\",\"0.1\",\"0.4\",\"0.8\",\"1.25\",\"3.0\"\n";

    #[test]
    fn a_line_is_read_by_its_headings() {
        let measured = line(CSV, "SET").expect("it is there");
        assert_eq!((measured.per_second, measured.p99_ms), (50_000.0, 1.25));
        assert!(line(CSV, "GET").is_err());
    }
}
