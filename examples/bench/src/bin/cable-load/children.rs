//! Processes that end with this one, however it ends.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Children that run now.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A process that ends with this value.
pub(crate) struct Ends(Child);

impl Ends {
    pub(crate) fn new(child: Child) -> Self {
        running(|all| all.push(child.id()));
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// With SIGKILL, and waits until it is no more.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
        running(|all| all.retain(|id| *id != self.0.id()));
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.kill();
    }
}

fn running<T>(change: impl FnOnce(&mut Vec<u32>) -> T) -> T {
    change(
        &mut RUNNING
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    )
}

/// Ends all of them when this process is told to end.
///
/// # Errors
///
/// When no thread or runtime could be had to wait for that.
pub(crate) fn end_on_signal(clean_up: fn()) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    thread::Builder::new().spawn(move || {
        let told = runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok::<(), io::Error>(())
        });
        if told.is_ok() {
            running(|all| {
                for id in all.drain(..) {
                    if let Some(id) = Pid::from_raw(id.cast_signed()) {
                        // It may have ended by itself already.
                        let _ = kill_process(id, Signal::KILL);
                    }
                }
            });
            clean_up();
            std::process::exit(130);
        }
    })?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement lasts as long as it was asked to, and nothing tells that another process listens"
)]
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}
