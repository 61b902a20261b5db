//! `sinew watch` with a program that needs nothing but the standard library, so that it builds in
//! a moment. With an application of ours, and a browser: `e2e/tests/watch.test.mjs`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take on a machine that does something else besides.
const PATIENCE: Duration = Duration::from_secs(120);

/// Answers every connection with its greeting, its argument and its process number.
const PROGRAM: &str = r#"
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::FromRawFd;

fn main() {
    assert_eq!(std::env::var("LISTEN_PID"), Ok(std::process::id().to_string()));
    assert_eq!(std::env::var("LISTEN_FDS").as_deref(), Ok("1"));
    let listener = unsafe { TcpListener::from_raw_fd(3) };
    listener.set_nonblocking(false).unwrap();
    let argument = std::env::args().nth(1).unwrap_or_default();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 1024]);
        write!(stream, "{} {} {}", greeting::TEXT, argument, std::process::id()).unwrap();
    }
}
"#;

struct Watcher {
    _folder: TempDir,
    child: Child,
    lines: Receiver<String>,
    address: SocketAddr,
    greeting: std::path::PathBuf,
}

impl Watcher {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write(
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\ngreeting = { path = \"../greeting\" }\n[workspace]\n",
        );
        write("app/src/main.rs", PROGRAM);
        write(
            "greeting/Cargo.toml",
            "[package]\nname = \"greeting\"\nedition = \"2024\"\n",
        );
        let greeting = folder.path().join("greeting/src/lib.rs");
        write("greeting/src/lib.rs", "pub const TEXT: &str = \"hello\";");

        let mut child = Command::new(env!("CARGO_BIN_EXE_sinew"))
            .args(["watch", "--port", "0", "--", "argument"])
            .current_dir(folder.path().join("app"))
            .env_remove("CARGO_TARGET_DIR")
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let (tell, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // An error means that the test is over.
                let _ = tell.send(line);
            }
        });
        let mut watcher = Self {
            _folder: folder,
            child,
            lines,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            greeting,
        };
        let line = watcher.expect("serving http://");
        let (_, rest) = line.split_once("http://").expect("an address");
        let address = rest.split(';').next().expect("an address");
        watcher.address = address.parse().expect("an address");
        watcher
    }

    /// Waits for a line with this text.
    fn expect(&self, text: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("no `{text}` in:\n{}", seen.join("\n"));
    }

    fn edit(&self, text: &str) {
        fs::write(&self.greeting, text).expect("written");
    }

    /// What the program answers, and its process.
    fn answer(&self) -> (String, i32) {
        let mut stream = TcpStream::connect(self.address).expect("accepted");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.write_all(b"?").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (text, pid) = answer.rsplit_once(' ').expect("a process");
        (text.to_owned(), pid.parse().expect("a number"))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_running(pid: i32) -> bool {
    // A process that has ended and whose end nobody has heard of is not running either.
    fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_change_of_a_path_dependency_replaces_the_program_on_the_same_socket() {
    let watcher = Watcher::start();
    // Nothing was built yet: this waits in the socket's queue.
    let (text, first) = watcher.answer();
    assert_eq!(text, "hello argument");

    watcher.expect("built in");
    watcher.edit("pub const TEXT: &str = \"good morning\";");
    watcher.expect("built in");
    let (text, second) = watcher.answer();
    assert_eq!(text, "good morning argument");
    assert_ne!(first, second);
}

#[test]
fn a_build_that_fails_leaves_the_program_serving() {
    let watcher = Watcher::start();
    watcher.expect("built in");
    let first = watcher.answer();
    watcher.edit("pub const TEXT: &str = 3;");
    watcher.expect("error[E0308]");
    watcher.expect("is still served by the program from before");
    assert_eq!(watcher.answer(), first);

    watcher.edit("pub const TEXT: &str = \"healed\";");
    watcher.expect("built in");
    assert_eq!(watcher.answer().0, "healed argument");
}

#[test]
fn what_changes_nothing_replaces_nothing() {
    let watcher = Watcher::start();
    watcher.expect("built in");
    let first = watcher.answer();
    let notes = watcher.greeting.with_file_name("notes.txt");
    fs::write(notes, "nothing to build").expect("written");
    watcher.expect("notes.txt changed");
    watcher.expect("Finished");
    assert_eq!(watcher.answer(), first);
}

#[test]
fn the_program_ends_with_a_watcher_that_is_told_to_stop() {
    let mut watcher = Watcher::start();
    watcher.expect("built in");
    let (_, program) = watcher.answer();
    let pid = i32::try_from(watcher.child.id()).expect("a number");
    kill_process(Pid::from_raw(pid).expect("a process"), Signal::INT).expect("told");
    assert!(watcher.child.wait().expect("ends").success());
    assert!(!is_running(program));
}

#[cfg(target_os = "linux")]
#[test]
fn the_program_ends_with_a_watcher_that_is_killed() {
    let mut watcher = Watcher::start();
    watcher.expect("built in");
    let (_, program) = watcher.answer();
    watcher.child.kill().expect("killed");
    watcher.child.wait().expect("ends");
    // Nobody is left who would tell: a process lets go of its socket, and then of itself.
    let deadline = std::time::Instant::now() + PATIENCE;
    while TcpStream::connect(watcher.address).is_ok() || is_running(program) {
        assert!(std::time::Instant::now() < deadline, "{program} goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_ends_by_itself_is_started_by_the_next_change() {
    let watcher = Watcher::start();
    watcher.expect("built in");
    let (_, program) = watcher.answer();
    let pid = Pid::from_raw(program).expect("a process");
    kill_process(pid, Signal::KILL).expect("killed");
    watcher.expect("the program ended (signal: 9 (SIGKILL))");
    watcher.edit("pub const TEXT: &str = \"again\";");
    watcher.expect("built in");
    assert_eq!(watcher.answer().0, "again argument");
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let address = taken.local_addr().expect("bound");
    let output = Command::new(env!("CARGO_BIN_EXE_sinew"))
        .args(["watch", "--listen", &address.to_string()])
        .output()
        .expect("runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains(&format!(
            "sinew: cannot listen on {address}: stop what listens there, or choose another port with `--port`"
        )),
        "{said}"
    );
}
