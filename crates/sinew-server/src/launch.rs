//! The last step before a watched program begins: it becomes that program.
//!
//! systemd's socket activation hands over sockets from number 3 on, and names in `LISTEN_PID` the
//! process they are meant for. Only that process itself knows its number before the program runs,
//! so the watcher starts this command, and this command becomes the program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Moves the socket from standard input to number 3, whatever was there, and becomes the program.
const HAND_OVER: &str = r#"LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; unset LISTEN_FDNAMES; exec "$@" 3<&0 </dev/null"#;

/// Becomes a program that finds the socket of standard input by systemd's protocol.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The number of the process without which the program shall not be.
    #[arg(long)]
    parent: u32,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    end_with(arguments.parent)?;
    let error = Command::new("sh")
        .args(["-c", HAND_OVER, "sh"])
        .args(&arguments.program)
        .exec();
    Err(error).context("sh cannot be run")
}

/// A watcher that is killed takes the program along, where the system can do that. Elsewhere the
/// program goes on, and its port stays taken until it is ended by hand.
fn end_with(parent: u32) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};

        set_parent_process_death_signal(Some(Signal::TERM))
            .context("the end of the watcher cannot be waited for")?;
        // It may have ended before it could be waited for.
        let now = getppid().map(|pid| pid.as_raw_nonzero().get());
        anyhow::ensure!(
            now == i32::try_from(parent).ok(),
            "the watcher has ended already"
        );
    }
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
    Ok(())
}
