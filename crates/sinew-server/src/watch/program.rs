//! The running program, from its start with the socket to its end.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::Arguments;
use crate::cargo::{Executable, Target};

/// How long a program may take to end when it is told to, 5 seconds. Then it is killed.
///
/// One that serves with Sinew needs 2 at most in development.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// A program that was started and whose end nobody has heard of yet.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    executable: Executable,
}

impl Program {
    /// Starts the program with the listening socket.
    pub(crate) fn start(
        executable: Executable,
        target: &Target,
        arguments: &Arguments,
        listener: &TcpListener,
    ) -> Result<Self> {
        let socket = OwnedFd::from(listener.try_clone()?);
        let child = Command::new(this_program()?)
            .args(["launch", "--parent", &std::process::id().to_string(), "--"])
            .arg(&executable.path)
            .args(&arguments.arguments)
            // As `cargo run` does.
            .env("CARGO_MANIFEST_DIR", &target.folder)
            .stdin(Stdio::from(socket))
            .kill_on_drop(true)
            .spawn()
            .context("the program cannot be started")?;
        Ok(Self { child, executable })
    }

    /// What was started.
    pub(crate) fn executable(&self) -> &Executable {
        &self.executable
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.pid() {
            // An error means that it has ended, which the next line hears of.
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = tokio::time::timeout(STOP_TIME_MAX, self.child.wait()).await;
        if ended.is_err() {
            super::say("the program did not stop when it was told to, and is killed");
            self.child.kill().await?;
        }
        Ok(())
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()?).ok()?)
    }
}

/// Waits until the program has ended by itself; forever when there is none.
pub(crate) async fn ended(program: Option<&mut Program>) -> Result<ExitStatus> {
    match program {
        Some(program) => Ok(program.child.wait().await?),
        None => std::future::pending().await,
    }
}

/// This command, even after it was built anew meanwhile.
fn this_program() -> Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe().context("this command does not know where it is")
}
