//! A process of its own: killed as soon as a click was answered, or told to stop.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use sinew::config::{Environment, Secret};

use crate::application::counter;
use crate::browser::Browser;
use crate::server::config;

/// Where the child keeps its data; without it the child's test does nothing.
const DIRECTORY: &str = "TEST_PROCESS_DIRECTORY";
/// What the child's environment shall be, production unless it is set.
const ENVIRONMENT: &str = "TEST_PROCESS_ENVIRONMENT";
/// Set when its connections shall be accepted by shards.
const SHARDS: &str = "TEST_PROCESS_SHARDS";
/// Where it shall listen; on a free port unless it is set.
const ADDRESS: &str = "TEST_PROCESS_ADDRESS";
const KILLS: usize = 3;

/// Not a test of its own: what the tests below start.
#[tokio::test]
async fn child_that_serves() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let mut config = config();
    config.cable = sinew::Config::from_env().expect("good variables").cable;
    config.edge.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.edge.data_directory = directory.into();
    config.edge.configured_secret = Some(Secret::new("0123456789".repeat(4)).expect("a secret"));
    if let Ok(name) = std::env::var(ENVIRONMENT) {
        config.edge.environment = Environment::from_name(Some(&name)).expect("an environment");
    }
    if let Ok(address) = std::env::var(ADDRESS) {
        config.edge.listen = address.parse().expect("an address");
    }
    config.edge.shard_threads = match std::env::var(SHARDS).as_deref() {
        Ok("with tables of their own") => {
            config.edge.own_descriptors = own_descriptors();
            2
        }
        Ok(_) => 2,
        Err(_) => 0,
    };
    let served = counter().config(config).serve().await;
    served.expect("serves until it is told to stop");
}

#[cfg(target_os = "linux")]
fn own_descriptors() -> Option<fn() -> std::io::Result<()>> {
    use nix::sched::{CloneFlags, unshare};

    Some(|| unshare(CloneFlags::CLONE_FILES).map_err(std::io::Error::from))
}

#[cfg(not(target_os = "linux"))]
fn own_descriptors() -> Option<fn() -> std::io::Result<()>> {
    None
}

/// Ends with the test, however that ends.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a child and reads from its log where it listens.
pub(crate) fn start(directory: &Path) -> (Process, SocketAddr) {
    let program = std::env::current_exe().expect("this program");
    start_with(Command::new(program).args(CHILD), directory)
}

/// The arguments with which this program is the child.
pub(crate) const CHILD: [&str; 3] = ["--exact", "process::child_that_serves", "--nocapture"];

/// Starts the child as production and gives what it logs until it listens.
pub(crate) fn log_of_start(command: &mut Command, directory: &Path) -> Vec<String> {
    let (mut log, process, _) = start_and_log(command, directory);
    drop(process);
    // The last line is the one that says where it listens.
    log.pop();
    log
}

fn start_with(command: &mut Command, directory: &Path) -> (Process, SocketAddr) {
    let (_, process, address) = start_and_log(command, directory);
    (process, address)
}

fn start_and_log(command: &mut Command, directory: &Path) -> (Vec<String>, Process, SocketAddr) {
    let mut child = command
        .env(DIRECTORY, directory)
        .env("RUST_LOG", "info")
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let process = Process(child);
    let mut log = Vec::new();
    let address = lines.find_map(|line| {
        let line = line.expect("text");
        log.push(line.clone());
        let (_, address) = line.split_once("listening on http://")?;
        Some(address.parse().expect("an address"))
    });
    // What it logs later is read too, or it would stop at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (log, process, address.expect("the child listens"))
}

#[tokio::test]
async fn answered_click_survives_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut cookie = None;
    for kills in 0..=KILLS {
        let (process, address) = start(directory.path());
        let mut browser = Browser::at(address);
        browser.cookie = cookie;
        assert_eq!(browser.get("/count").await.body, kills.to_string());
        browser.get("/").await;
        let mut tab = browser.tab("/").await;
        let reply = tab.perform("Counter#increment", json!([])).await;
        // `kill` is SIGKILL.
        drop(process);
        assert_eq!(reply.html(), format!("<p id=\"count\">{}</p>", kills + 1));
        cookie = browser.cookie;
    }
}

#[tokio::test]
async fn process_that_is_told_to_stop_says_goodbye() {
    let directory = tempfile::tempdir().expect("a directory");
    says_goodbye(&|| start(directory.path())).await;
}

#[tokio::test]
async fn shards_that_accept_by_themselves_serve_pages_and_the_cable() {
    for how in ["as they are", "with tables of their own"] {
        let directory = tempfile::tempdir().expect("a directory");
        let start = || {
            let program = std::env::current_exe().expect("this program");
            let mut command = Command::new(program);
            start_with(command.args(CHILD).env(SHARDS, how), directory.path())
        };
        says_goodbye(&start).await;
    }
}

#[tokio::test]
async fn shards_do_not_share_a_port_with_another_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let command = || {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(CHILD).env(SHARDS, "as they are");
        command
    };
    let (_first, address) = start_with(&mut command(), directory.path());
    let another = tempfile::tempdir().expect("a directory");
    let output = command()
        .env(ADDRESS, address.to_string())
        .env(DIRECTORY, another.path())
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    let taken = format!(
        "port {} of 127.0.0.1 is taken by another program",
        address.port()
    );
    assert!(said.contains(&taken), "{said}");
}

async fn says_goodbye(start: &dyn Fn() -> (Process, SocketAddr)) {
    let (mut process, address) = start();
    let mut browser = Browser::at(address);
    browser.get("/").await;
    let mut tab = browser.tab("/").await;
    tab.perform("Counter#increment", json!([])).await;

    tell_to_stop(&process);
    tab.cable.expect_disconnect("server_restart", true).await;
    tab.cable.expect_close(1001).await;
    let ended = tokio::task::spawn_blocking(move || process.0.wait());
    let status = ended.await.expect("no panic").expect("ends");
    assert!(status.success(), "{status}");

    // The next process finds everything, and the browser is who it was.
    let (_process, address) = start();
    let mut next = Browser::at(address);
    next.cookie = browser.cookie;
    assert_eq!(next.get("/count").await.body, "1");
    next.tab("/").await;
}

#[tokio::test]
async fn connection_accepted_before_the_process_is_told_to_stop_is_answered() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut process, address) = start(directory.path());
    let mut accepted = std::net::TcpStream::connect(address).expect("accepted");
    // Who is answered after it was accepted after it.
    let mut idle = std::net::TcpStream::connect(address).expect("accepted");
    let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    idle.write_all(request).expect("open");
    let answer = "alive\n";
    let mut read = Vec::new();
    while !read.ends_with(answer.as_bytes()) {
        let mut byte = [0];
        idle.read_exact(&mut byte).expect("the rest of the answer");
        read.push(byte[0]);
    }

    tell_to_stop(&process);
    // Idle connections are closed when the process stops.
    assert_eq!(idle.read(&mut [0; 1]).expect("closed"), 0);
    accepted.write_all(request).expect("open");
    let mut late = String::new();
    accepted.read_to_string(&mut late).expect("answered");
    assert!(late.ends_with(answer), "{late}");
    let ended = tokio::task::spawn_blocking(move || process.0.wait());
    assert!(ended.await.expect("no panic").expect("ends").success());
}

fn tell_to_stop(process: &Process) {
    let told = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", process.0.id())])
        .status();
    assert!(told.expect("a shell").success());
}

/// Gives a program the socket of standard input by systemd's protocol.
const HAND_OVER: &str =
    r#"LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec "$@" 3<&0 </dev/null"#;

/// A process that is given its socket as systemd gives it.
fn start_with_socket(directory: &Path, listener: &TcpListener) -> Process {
    let socket = listener.try_clone().expect("a second handle");
    let mut command = Command::new("sh");
    command
        .args(["-c", HAND_OVER, "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(CHILD)
        .env(ENVIRONMENT, "development")
        .stdin(Stdio::from(OwnedFd::from(socket)));
    let (process, address) = start_with(&mut command, directory);
    assert_eq!(address, listener.local_addr().expect("bound"));
    process
}

#[tokio::test]
async fn visitors_wait_in_a_socket_that_the_process_was_given() {
    let directory = tempfile::tempdir().expect("a directory");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let address = listener.local_addr().expect("bound");
    let mut first = start_with_socket(directory.path(), &listener);
    let mut browser = Browser::at(address);
    browser.get("/").await;
    let mut tab = browser.tab("/").await;
    tab.perform("Counter#increment", json!([])).await;

    tell_to_stop(&first);
    tab.cable.expect_disconnect("server_restart", true).await;
    let ended = tokio::task::spawn_blocking(move || first.0.wait());
    assert!(ended.await.expect("no panic").expect("ends").success());
    // Nobody listens, and yet nobody is refused.
    let mut next = Browser::at(address);
    next.cookie = browser.cookie;
    let (waits, second) = tokio::join!(next.get("/count"), async {
        start_with_socket(directory.path(), &listener)
    });
    assert_eq!(waits.body, "1");
    drop(second);
}

#[tokio::test]
async fn connection_that_says_nothing_does_not_hold_up_a_rebuild() {
    let directory = tempfile::tempdir().expect("a directory");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let mut process = start_with_socket(directory.path(), &listener);
    let address = listener.local_addr().expect("bound");
    let mut silent = std::net::TcpStream::connect(address).expect("accepted");
    // Who is answered after it was accepted after it.
    let mut browser = Browser::at(address);
    browser.get("/").await;

    tell_to_stop(&process);
    let ended = tokio::task::spawn_blocking(move || process.0.wait());
    assert!(ended.await.expect("no panic").expect("ends").success());
    assert_eq!(silent.read(&mut [0; 1]).expect("closed"), 0);
}

#[tokio::test]
async fn socket_that_cannot_be_served_is_named() {
    let (socket, _other) = UnixStream::pair().expect("sockets");
    let directory = tempfile::tempdir().expect("a directory");
    let output = Command::new("sh")
        .args(["-c", HAND_OVER, "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(CHILD)
        .env(DIRECTORY, directory.path())
        .stdin(Stdio::from(OwnedFd::from(socket)))
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("LISTEN_FDS announces a socket that cannot be served: pass one TCP socket"),
        "{said}"
    );
}
