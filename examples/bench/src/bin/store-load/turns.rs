//! Tasks that do the same thing over and over for a while.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bench_loads::histogram::Histogram;

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Computations for each key; not a number where nothing is computed.
    pub(crate) computed: f64,
}

/// Runs `turn` in so many tasks, one after the other in each, until the time is over. It is given the number of its
/// task and of its turn.
pub(crate) async fn run<F>(
    tasks: usize,
    time: Duration,
    turn: impl Fn(usize, u64) -> F + Clone + Send + 'static,
) -> Result<Measured>
where
    F: Future<Output = Result<()>> + Send,
{
    let begins = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let turn = turn.clone();
            tokio::spawn(async move {
                let mut times = Histogram::default();
                let mut turns = 0;
                while begins.elapsed() < time {
                    let before = Instant::now();
                    turn(task, turns).await?;
                    times.add(before.elapsed().as_micros() as u64);
                    turns += 1;
                }
                anyhow::Ok((turns, times))
            })
        })
        .collect();
    let (mut turns, mut times) = (0, Histogram::default());
    for task in running {
        let (more, these) = task.await??;
        turns += more;
        times.merge(&these);
    }
    ensure!(turns > 0, "not one turn was over in time");
    Ok(Measured {
        per_second: turns as f64 / begins.elapsed().as_secs_f64(),
        p50_ms: times.quantile_ms(0.5),
        p99_ms: times.quantile_ms(0.99),
        computed: f64::NAN,
    })
}
