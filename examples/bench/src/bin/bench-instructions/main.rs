//! The hot path, driven a given number of times, for its instructions to be counted.
//!
//! `bench-instructions SCENARIO COUNT` repeats one scenario and prints nothing. It opens no socket, and what it is fed
//! is always the same, so that a run differs from the next one in next to nothing. Run under `valgrind` with a count
//! and with twice that count, the difference is what the repetitions cost, without start and end:
//! `cargo xtask bench instructions` does that.

mod application;
#[path = "../../channel.rs"]
mod channel;
mod driver;
#[allow(dead_code, reason = "shared by source: the load uses all of it")]
#[path = "../bench-load/message.rs"]
mod message;
#[allow(dead_code, reason = "shared by source: the server uses all of it")]
#[path = "../../page.rs"]
mod page;
mod pipe;
#[path = "../../reflexes.rs"]
mod reflexes;
mod words;

use anyhow::{Context as _, Result, bail};
use application::Application;
use message::{Reflex, Scenario};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, count] = words.as_slice() else {
        bail!("bench-instructions SCENARIO COUNT");
    };
    let count = count.parse().context("the count is a number")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(scenario, count))
}

async fn run(scenario: &str, count: usize) -> Result<()> {
    match scenario {
        "frame decode, 64 bytes" => words::decode(count),
        "frame encode, 64 bytes" => words::encode(count),
        "command parse" => words::parse(count),
        "connect and leave" => Application::start()?.connect(count).await,
        "subscribe and unsubscribe" => Application::start()?.subscribe(count).await,
        "echo, direct channel" => Application::start()?.echo_direct(count).await,
        "echo, channel" => Application::start()?.call(Scenario::Echo, count).await,
        "echo, channel, with its task" => pipe::echo(&Application::start()?, count).await,
        "broadcast, each of 1000" => Application::start()?.broadcast(count).await,
        "broadcast, each of 1000, with its task" => {
            pipe::broadcast(&Application::start()?, count).await
        }
        "reflex, nothing" => {
            let scenario = Scenario::Reflex(Reflex::Nothing);
            Application::start()?.call(scenario, count).await
        }
        "reflex, selector" => {
            let scenario = Scenario::Reflex(Reflex::Selector);
            Application::start()?.call(scenario, count).await
        }
        unknown => bail!("there is no scenario {unknown:?}"),
    }
}
