//! The programs under measurement: started here, ended here.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const START_TIME_MAX: Duration = Duration::from_secs(20);
const START_POLL_INTERVAL: Duration = Duration::from_millis(20);

#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells that another process listens"
)]
fn pause() {
    thread::sleep(START_POLL_INTERVAL);
}

/// A program that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The bare echo.
pub(super) struct Floor {
    process: Process,
    port: u16,
}

impl Floor {
    pub(super) fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().expect("stdout was piped above");
        let process = Process(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line
            .trim()
            .parse()
            .context("the floor did not print its port")?;
        Ok(Self { process, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn id(&self) -> u32 {
        self.process.0.id()
    }
}

/// The application.
pub(super) struct Server {
    process: Process,
    port: u16,
}

impl Server {
    pub(super) fn start(program: &Path, data: &Path) -> Result<Self> {
        // Free a moment ago; nobody else is likely to take it in between.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(program)
            .env("PORT", port.to_string())
            .env("SINEW_DATA_DIR", data)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut process = Process(child);
        let begins = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = process.0.try_wait()? {
                bail!("{} ended with {status}", program.display());
            }
            if begins.elapsed() > START_TIME_MAX {
                bail!("{} does not listen on port {port}", program.display());
            }
            pause();
        }
        Ok(Self { process, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn id(&self) -> u32 {
        self.process.0.id()
    }
}
