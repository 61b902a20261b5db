//! One process that does not outlive its owner.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Starts the program in the background, says its process id, and waits until its own standard
/// input is closed, which the kernel does when the owner dies in whatever way.
const KEEPER: &str =
    r#""$@" & child=$!; echo "$child"; read -r _; kill -KILL "$child" 2>/dev/null; wait "$child""#;

/// A program that runs until it is stopped, dropped, or the process that started it ends.
#[derive(Debug)]
pub struct Process {
    keeper: Child,
    /// Closed to end the program.
    leash: Option<ChildStdin>,
    pid: u32,
}

impl Process {
    /// Starts `program`, its output going to `log`.
    ///
    /// # Panics
    ///
    /// The program is not there: the message names `package`, Debian's package of it.
    pub fn start(program: &str, package: &str, arguments: &[&str], log: &Path) -> Self {
        let found = Command::new("sh")
            .args(["-c", r#"command -v "$1" >/dev/null"#, "sh", program])
            .status()
            .expect("a shell");
        assert!(
            found.success(),
            "{program} is not installed: apt-get install {package}"
        );
        let log = File::create(log).expect("a log file in the server's directory");
        // Only what the shell itself says comes back through the pipe.
        let redirected = KEEPER.replacen(r#""$@""#, r#""$@" >&2"#, 1);
        let mut keeper = Command::new("sh")
            .args(["-c", &redirected, "sh", program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let output = keeper.stdout.take().expect("piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the process id");
        Self {
            leash: keeper.stdin.take(),
            keeper,
            pid: line.trim().parse().expect("the process id"),
        }
    }

    /// The process id of the program itself.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Stops it where it is (SIGSTOP): its sockets stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen one go on (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it at once (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        self.leash.take();
        // The shell ends after the program, whose port is free then.
        let _ = self.keeper.wait();
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid.cast_signed()).expect("a process id is positive");
        kill_process(pid, signal).expect("the server runs");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
