//! One PostgreSQL server.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::certificates::{Authority, NAMES};
use crate::ports::free_port;
use crate::process::Process;
use crate::redis::{pause, wait_until};

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a server is started on another port when somebody took its port.
const PORT_ATTEMPTS: usize = 5;

/// Who runs the server when the tests run as root, which PostgreSQL refuses to be.
const SYSTEM_USER: &str = "postgres";

/// Where Debian puts the programs of each version, which is in nobody's `PATH`.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";

const PACKAGE: &str = "postgresql";

/// What a server is started with. Begins as one without TLS.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing runs until `start`"]
pub struct PostgresOptions {
    tls: bool,
    lines: Vec<String>,
}

impl PostgresOptions {
    /// The port offers TLS; [`PostgresServer::ca_file`] signs the certificate, which is of
    /// `localhost` and 127.0.0.1.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// One more line of the configuration, such as `max_connections = 10`.
    pub fn config(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Makes an empty cluster of databases, starts the server and waits until it answers.
    ///
    /// # Panics
    ///
    /// PostgreSQL is not installed, or it does not start; the message has its log.
    pub fn start(self) -> PostgresServer {
        let directory = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir()
            .expect("a temporary directory");
        let owner = Owner::of_servers();
        if self.tls {
            Authority::new().write_into(directory.path(), &NAMES.map(str::to_owned));
            protect(&directory.path().join("server.key"));
        }
        let password = format!("secret-{:08x}", std::process::id());
        let password_file = directory.path().join("password");
        fs::write(&password_file, &password).expect("writable");
        owner.give(directory.path());
        initialize(&owner, directory.path(), &password_file);
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port();
            if let Some(process) = self.run(&owner, directory.path(), port) {
                return PostgresServer {
                    process: Some(process),
                    port,
                    password,
                    options: self,
                    owner,
                    databases: AtomicUsize::new(0),
                    directory,
                };
            }
        }
        panic!("no port stayed free for the PostgreSQL server");
    }

    /// `None`: another process has the port.
    fn run(&self, owner: &Owner, directory: &Path, port: u16) -> Option<Process> {
        let data = directory.join("data");
        fs::write(data.join("postgresql.conf"), self.file(directory, port)).expect("writable");
        let log = directory.join("log");
        let (program, mut arguments) = owner.command("postgres");
        arguments.extend(["-D".to_owned(), data.display().to_string()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let process = Process::start(&program, PACKAGE, &arguments, &log);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if psql(directory, port, "postgres", "select 1").as_deref() == Ok("1") {
                return Some(process);
            }
            let said = fs::read_to_string(&log).unwrap_or_default();
            if said.contains("Address already in use") {
                return None;
            }
            assert!(
                Instant::now() < deadline && !said.contains("FATAL:  could not"),
                "the PostgreSQL server does not start: {said}"
            );
            pause();
        }
    }

    /// Nothing has to survive the machine's end, so nothing waits for a disk.
    fn file(&self, directory: &Path, port: u16) -> String {
        let directory = directory.display();
        let mut lines = vec![
            "listen_addresses = '127.0.0.1'".to_owned(),
            format!("port = {port}"),
            format!("unix_socket_directories = '{directory}'"),
            "fsync = off".to_owned(),
            "full_page_writes = off".to_owned(),
            "shared_buffers = 16MB".to_owned(),
            "autovacuum = off".to_owned(),
        ];
        if self.tls {
            lines.push("ssl = on".to_owned());
            lines.push(format!("ssl_cert_file = '{directory}/server.crt'"));
            lines.push(format!("ssl_key_file = '{directory}/server.key'"));
        }
        lines.extend(self.lines.iter().cloned());
        lines.join("\n") + "\n"
    }
}

/// A private PostgreSQL server. Everything it kept is gone with it.
///
/// Its superuser is `postgres`, with a password over TCP and without one over the Unix socket,
/// whose directory belongs to the server alone.
#[derive(Debug)]
pub struct PostgresServer {
    /// `None` while it is stopped. Dropped before its directory.
    process: Option<Process>,
    port: u16,
    password: String,
    options: PostgresOptions,
    owner: Owner,
    databases: AtomicUsize,
    directory: TempDir,
}

impl PostgresServer {
    /// A server without TLS.
    ///
    /// # Panics
    ///
    /// As [`PostgresOptions::start`].
    pub fn start() -> Self {
        Self::options().start()
    }

    /// What a server can be started with.
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    /// The URL of the database `postgres`, with the superuser's password.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes another database, and is its URL with the superuser's password.
    ///
    /// # Panics
    ///
    /// The server does not answer.
    pub fn create_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.query(&format!("create database {name}"));
        self.url_of(&name)
    }

    fn url_of(&self, database: &str) -> String {
        let (password, port) = (&self.password, self.port);
        format!("postgres://postgres:{password}@127.0.0.1:{port}/{database}")
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket.
    pub fn socket_directory(&self) -> &Path {
        self.directory.path()
    }

    /// The certificate of the authority that signed the server's, in PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }

    /// What `psql` prints for a statement in the database `postgres`, unaligned and without
    /// headings.
    ///
    /// # Panics
    ///
    /// The server does not answer, or not as wished.
    pub fn query(&self, sql: &str) -> String {
        psql(self.directory.path(), self.port, "postgres", sql).expect("the server answers")
    }

    /// Stops all of its processes where they are (SIGSTOP): connections stay open, new ones are
    /// accepted by the kernel, and nothing answers.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Shuts it down in order; connections are closed and nothing listens on its port then.
    pub fn stop(&mut self) {
        self.end(Signal::INT);
    }

    /// Ends it in the middle of its work, as a crash would: it recovers when it is started
    /// again, and what is in unlogged tables is lost.
    pub fn crash(&mut self) {
        self.end(Signal::QUIT);
    }

    /// Starts it again on the same port, with what it kept.
    ///
    /// # Panics
    ///
    /// It does not start, or somebody took its port.
    pub fn start_again(&mut self) {
        let directory = self.directory.path();
        let process = self.options.run(&self.owner, directory, self.port);
        self.process = Some(process.expect("the port is still free"));
    }

    /// Shuts it down in order and starts it again.
    ///
    /// # Panics
    ///
    /// As [`start_again`](Self::start_again).
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// The server waits for its own processes, and removes this file as the last thing.
    fn end(&mut self, signal: Signal) {
        let Some(process) = self.process.take() else {
            return;
        };
        let pid_file = self.directory.path().join("data/postmaster.pid");
        send(process.pid(), signal);
        signal_tree(process.pid(), Signal::CONT);
        wait_until("the end of the PostgreSQL server", || !pid_file.exists());
    }

    fn signal_all(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the server runs");
        signal_tree(process.pid(), signal);
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // Its processes end by themselves after it, and would write into the directory.
        if !thread::panicking() {
            self.end(Signal::QUIT);
        }
    }
}

/// The first process first: it cannot start another one then.
fn signal_tree(pid: u32, signal: Signal) {
    send(pid, signal);
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    for child in children.unwrap_or_default().split_whitespace() {
        send(child.parse().expect("a process id"), signal);
    }
}

/// One that has ended meanwhile is no trouble.
fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process id is positive");
    let _ = kill_process(pid, signal);
}

/// Who the server's processes are run as.
#[derive(Debug)]
struct Owner {
    /// User and group, when they are not those of the tests.
    other: Option<(u32, u32)>,
}

impl Owner {
    fn of_servers() -> Self {
        let other = geteuid().is_root().then(|| {
            let id = |kind: &str| {
                let output = Command::new("id").args([kind, SYSTEM_USER]).output();
                let output = output.expect("the command `id`");
                let text = String::from_utf8_lossy(&output.stdout);
                text.trim().parse().unwrap_or_else(|_| {
                    panic!("no user {SYSTEM_USER}: apt-get install {PACKAGE}");
                })
            };
            (id("-u"), id("-g"))
        });
        Self { other }
    }

    fn give(&self, directory: &Path) {
        let Some((user, group)) = self.other else {
            return;
        };
        let files = fs::read_dir(directory).expect("readable");
        let files = files.map(|file| file.expect("readable").path());
        for path in files.chain([directory.to_owned()]) {
            chown(path, Some(user), Some(group)).expect("root may give files away");
        }
    }

    /// The program and its first arguments.
    fn command(&self, program: &str) -> (String, Vec<String>) {
        let program = program_path(program);
        let Some((user, group)) = self.other else {
            return (program, Vec::new());
        };
        let arguments = vec![
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
            program,
        ];
        ("setpriv".to_owned(), arguments)
    }
}

/// The newest that Debian has installed, or the one in the `PATH`.
fn program_path(program: &str) -> String {
    let versions = fs::read_dir(DEBIAN_VERSIONS).into_iter().flatten();
    let newest = versions
        .filter_map(|version| {
            let path = version.ok()?.path();
            let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let program = path.join("bin").join(program);
            program.exists().then_some((number, program))
        })
        .max();
    match newest {
        Some((_, path)) => path.display().to_string(),
        None => program.to_owned(),
    }
}

fn protect(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("its owner may");
}

fn initialize(owner: &Owner, directory: &Path, password_file: &Path) {
    let (program, arguments) = owner.command("initdb");
    let output = Command::new(&program)
        .args(arguments)
        .args(["--username=postgres", "--encoding=UTF8", "--locale=C"])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        .args(["--no-sync", "--no-instructions"])
        .arg("--pgdata")
        .arg(directory.join("data"))
        .arg("--pwfile")
        .arg(password_file)
        .current_dir(directory)
        .output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}): apt-get install {PACKAGE}")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "initdb failed: {said}");
}

/// What `psql` prints, or says when it fails.
fn psql(directory: &Path, port: u16, database: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set=ON_ERROR_STOP=1", "--username=postgres"])
        .arg(format!("--host={}", directory.display()))
        .arg(format!("--port={port}"))
        .arg(format!("--dbname={database}"))
        .args(["--command", sql])
        .output()
        .expect("psql is not installed: apt-get install postgresql-client");
    let text = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}
