//! `sinew watch`: runs an application while it is being written.
//!
//! The socket is bound once, here. After each change the program is built while the one from
//! before goes on serving; only a build that succeeds replaces it. Who connects in between waits
//! in the socket's queue, and is answered by the new one.

mod files;
mod program;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use self::files::Files;
use self::program::Program;
use crate::cargo::{self, Outcome, Selection, Target};

/// Builds the application, runs it, and does so again after each change of its files.
///
/// The listening socket stays open all the while: no visitor is refused, and a build that fails
/// leaves the program from before serving. The program takes the socket over by systemd's protocol
/// (LISTEN_FDS), as `Sinew::serve` does by itself. Ctrl-C ends both.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Where to listen; SINEW_LISTEN, or PORT at 127.0.0.1, or 127.0.0.1:3000, if it is not given.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The port to listen on at 127.0.0.1; 0 is any that is free.
    #[arg(long, value_name = "NUMBER", conflicts_with = "listen")]
    port: Option<u16>,
    /// What the program gets as its arguments.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // One thread, the first one: the program ends with the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(watch(arguments))
}

async fn watch(arguments: &Arguments) -> Result<()> {
    let mut stop = pin!(told_to_stop()?);
    let target = Target::find(&arguments.selection)?;
    let address = address(arguments, |name| std::env::var(name).ok())?;
    let listener = bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    // Before the first build: what is changed while that runs counts.
    let mut files = Files::watch(&target.folders, &target.output)?;
    say(&format!(
        "watching {} and serving {url}; Ctrl-C ends",
        target.described()
    ));

    let mut program: Option<Program> = None;
    'changes: loop {
        let began = Instant::now();
        let outcome = tokio::select! {
            outcome = cargo::build(&target, &arguments.selection) => outcome?,
            () = &mut stop => break,
        };
        match outcome {
            Outcome::Failed if program.is_some() => say(&format!(
                "the build failed; {url} is still served by the program from before"
            )),
            Outcome::Failed => say("the build failed; change something, and it is tried again"),
            Outcome::Built(executable) => {
                let is_new = program
                    .as_ref()
                    .is_none_or(|program| *program.executable() != executable);
                if is_new {
                    let built = began.elapsed();
                    let stopping = Instant::now();
                    if let Some(old) = program.take() {
                        old.stop().await?;
                    }
                    let stopped = stopping.elapsed();
                    program = Some(Program::start(executable, &target, arguments, &listener)?);
                    say(&format!(
                        "built in {:.1} s, replaced in {:.1} s: {url}",
                        built.as_secs_f64(),
                        stopped.as_secs_f64(),
                    ));
                }
            }
        }
        loop {
            tokio::select! {
                changed = files.changed() => {
                    let path = changed?;
                    say(&format!("{} changed", target.shown(&path)));
                    break;
                }
                status = program::ended(program.as_mut()) => {
                    program = None;
                    say(&format!(
                        "the program ended ({}); whoever connects waits until a change makes it start again",
                        status?
                    ));
                }
                () = &mut stop => break 'changes,
            }
        }
    }
    if let Some(program) = program {
        program.stop().await?;
    }
    Ok(())
}

/// Where the program is to be reached.
fn address(arguments: &Arguments, lookup: impl Fn(&str) -> Option<String>) -> Result<SocketAddr> {
    let at_loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    if let Some(listen) = arguments.listen {
        return Ok(listen);
    }
    if let Some(port) = arguments.port {
        return Ok(at_loopback(port));
    }
    let set = |name| lookup(name).filter(|value| !value.trim().is_empty());
    if let Some(listen) = set("SINEW_LISTEN") {
        return listen.trim().parse().with_context(|| {
            format!(
                "SINEW_LISTEN is `{listen}`, expected an address and a port, such as `0.0.0.0:3000`"
            )
        });
    }
    let Some(port) = set("PORT") else {
        return Ok(at_loopback(3000));
    };
    let number = port.trim().parse();
    number
        .map(at_loopback)
        .with_context(|| format!("PORT is `{port}`, expected a port between 0 and 65535"))
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    // tokio's queue of waiting connections is longer than that of the standard library.
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| {
        format!("cannot listen on {address}: stop what listens there, or choose another port with `--port`")
    })?;
    Ok(listener.into_std()?)
}

/// Ctrl-C, the end of the terminal, or SIGTERM.
fn told_to_stop() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// A line of ours among those of cargo and of the program.
fn say(line: &str) {
    eprintln!("sinew: {line}");
}
