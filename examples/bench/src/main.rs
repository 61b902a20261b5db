//! The application under measurement.
//!
//! It binds `127.0.0.1:$PORT`, runs as production with a fixed secret, accepts anonymous sockets
//! and a missing `Origin`, and limits neither rates nor connections. `SINEW_DATA_DIR` says where
//! the embedded store lives. `BENCH_PING_SECONDS` sets the time between two pings of a connection;
//! `BENCH_LIMITS=default` leaves the bounds of connections as applications have them.
//!
//! `bench --shards 64` drives connections on as many threads, which accept them by themselves;
//! `--descriptor-tables` gives each a descriptor table of its own, where one holds too few sockets.
//!
//! `bench parts` does not serve: it times the steps of a page morph one by one and prints them.
//! `cargo xtask bench reflex` runs all of it.

mod channel;
mod direct;
mod page;
mod parts;
mod reflexes;

use std::sync::Arc;
use std::time::Duration;

use sinew::prelude::*;
use sinew::{
    Config,
    cable::{InProcessStreams, Streams},
    config::{Environment, Secret},
};

/// A bound that no closed loop meets.
const BEYOND_REACH: usize = 1 << 20;

#[tokio::main]
async fn main() -> Result {
    let mut config = config()?;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "parts" => return parts::print().await,
            "--shards" => {
                let number = arguments.next().ok_or("--shards needs a number")?;
                config.edge.shard_threads = number.parse()?;
            }
            "--descriptor-tables" => config.edge.own_descriptors = Some(own_descriptors),
            other => return Err(format!("`{other}` is no argument of this program").into()),
        }
    }
    let streams: Arc<dyn Streams> = Arc::new(InProcessStreams::new());
    Sinew::new(page::router())
        .config(config)
        .streams(Arc::clone(&streams))
        .reflex(reflexes::Bench::default())
        .channel(channel::BenchChannel::new(streams))
        .channel(direct::InPlaceBenchChannel)
        .direct_channel(Arc::new(direct::DirectBenchChannel))
        .serve()
        .await
}

/// No code of this process passes descriptors between threads, opens files once it serves, or starts
/// threads from those of the shards.
fn own_descriptors() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    return nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).map_err(std::io::Error::from);
    #[cfg(not(target_os = "linux"))]
    return Err(std::io::ErrorKind::Unsupported.into());
}

fn config() -> Result<Config> {
    let mut config = Config::from_env()?;
    if std::env::var_os("SINEW_DATA_DIR").is_none() {
        // One for each port, since several of them run side by side.
        let port = config.edge.listen.port();
        config.edge.data_directory.push(format!("bench-{port}"));
    }
    config.edge.environment = Environment::Production;
    config.edge.configured_secret = Some(Secret::new("bench-application-this-is-not-a-secret")?);
    config.anonymous = true;
    // A line for each reflex would measure the log.
    config.reflex.log = false;
    config.reflex.lane_calls_max = BEYOND_REACH;
    config.reflex.connection_calls_max = BEYOND_REACH;
    if std::env::var("BENCH_LIMITS").as_deref() != Ok("default") {
        config.cable.outbox_messages_max = BEYOND_REACH;
        config.cable.outbox_bytes_max = 1 << 30;
        config.cable.incoming_messages_per_second = 0;
        config.cable.incoming_bytes_per_second = 0;
    }
    if let Ok(seconds) = std::env::var("BENCH_PING_SECONDS") {
        config.cable.ping_interval = Duration::from_secs_f64(seconds.parse()?);
    }
    Ok(config)
}
