//! What this disk and this store can do: synced writes per second, and commits of a session
//! per second with 1, 20 and 200 writers.
//!
//! `cargo run --release --example commit_rate -p sinew-embedded [directory] [seconds]`

#![allow(clippy::print_stdout, reason = "what it measures is its output")]

use std::error::Error;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sinew_embedded::EmbeddedStore;
use sinew_store::{SessionId, Sessions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().unwrap_or_else(|| "target".into());
    let seconds = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let lasting = Duration::from_secs(seconds);
    let directory = tempfile::tempdir_in(parent)?;

    let runtime = tokio::runtime::Runtime::new()?;
    println!("| what | per second | p50 | p99 |");
    println!("|---|---|---|---|");
    for round in 1..=2 {
        let synced = synced_writes(directory.path(), lasting)?;
        print_row(
            &format!("write and sync of one 4 KiB page, round {round}"),
            synced,
        );
        for writers in [1, 20, 200] {
            let data = directory.path().join(format!("{round} {writers}"));
            let sessions = Sessions::new(Arc::new(EmbeddedStore::open(data)?));
            let committed = runtime.block_on(commits(sessions, writers, lasting));
            print_row(&format!("session commit, {writers} writers"), committed);
        }
    }
    Ok(())
}

fn print_row(what: &str, (rate, mut times): (f64, Vec<Duration>)) {
    times.sort_unstable();
    let quantile = |of: usize| times[(times.len() - 1) * of / 100];
    println!(
        "| {what} | {rate:.0} | {:.0?} | {:.0?} |",
        quantile(50),
        quantile(99)
    );
}

/// What one writer could do at best: the floor that a group commit has to beat.
fn synced_writes(
    directory: &Path,
    lasting: Duration,
) -> Result<(f64, Vec<Duration>), Box<dyn Error>> {
    let mut file = std::fs::File::create(directory.join("page"))?;
    let page = [7; 4096];
    file.write_all(&page)?;
    file.sync_all()?;
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < lasting {
        let before = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(before.elapsed());
    }
    Ok((times.len() as f64 / start.elapsed().as_secs_f64(), times))
}

/// Each writer has a session of its own and writes one field of it, as `Bench#session` does.
async fn commits(sessions: Sessions, writers: usize, lasting: Duration) -> (f64, Vec<Duration>) {
    let mut tasks = tokio::task::JoinSet::new();
    let start = Instant::now();
    for _ in 0..writers {
        let sessions = sessions.clone();
        tasks.spawn(async move {
            let id = SessionId::generate();
            let mut times = Vec::new();
            while start.elapsed() < lasting {
                let before = Instant::now();
                let session = sessions.open(id);
                session.set("count", &times.len()).await.expect("fits");
                session.commit().await.expect("is stored");
                times.push(before.elapsed());
            }
            times
        });
    }
    let times = tasks.join_all().await.concat();
    (times.len() as f64 / start.elapsed().as_secs_f64(), times)
}
