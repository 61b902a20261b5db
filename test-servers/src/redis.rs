//! One Redis server.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificates::{Authority, NAMES};
use crate::clock;
use crate::ports::free_port;
use crate::process::Process;

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a server that does not answer yet is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How often a server is started on another port when somebody took its port.
const PORT_ATTEMPTS: usize = 5;

/// What a server is started with. Begins as a plain server without a password that keeps
/// nothing on disk.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing runs until `start`"]
pub struct RedisOptions {
    authority: Option<Authority>,
    /// Of the certificate; [`NAMES`] if it is empty.
    names: Vec<String>,
    password: Option<String>,
    users: Vec<(String, String)>,
    lines: Vec<String>,
    sentinel: bool,
    program: Option<PathBuf>,
    clock_ahead_seconds: Option<i64>,
}

impl RedisOptions {
    /// The port speaks TLS only; an authority of its own, [`RedisServer::ca_file`], signs its
    /// certificate, which is of `localhost` and 127.0.0.1. Clients need no certificate. Servers
    /// that are started with clones of these options have the same authority.
    pub fn tls(self) -> Self {
        self.tls_by(&Authority::new())
    }

    /// As [`tls`](Self::tls), signed by this authority. Replicas, sentinels and the nodes of a
    /// cluster speak TLS with each other, too, and believe this authority.
    pub fn tls_by(mut self, authority: &Authority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// The names and addresses that the certificate is of, and no others.
    pub fn certificate_names(mut self, names: &[&str]) -> Self {
        self.names = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// The default user has a password.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Another user, who may do everything (ACL).
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// One more line of the configuration, such as `maxmemory 4mb`.
    pub fn config(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Another program than the `redis-server` that is installed, such as
    /// [`old_redis_server`](crate::old_redis_server).
    ///
    /// ```
    /// use test_servers::{RedisServer, old_redis_server};
    ///
    /// let redis = RedisServer::options().program(old_redis_server()).start();
    /// assert!(redis.command(&["GETEX", "greeting"]).starts_with("ERR unknown command"));
    /// ```
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Its clock is so many seconds ahead of the machine's, or behind if they are negative.
    /// Debian's package `libfaketime` is needed.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use test_servers::RedisServer;
    ///
    /// let redis = RedisServer::options().clock_ahead(3600).start();
    /// let time = redis.command(&["TIME"]);
    /// let seconds = time.lines().next().and_then(|seconds| seconds.parse().ok()).expect("a number");
    /// let theirs = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    /// let ahead = theirs.duration_since(SystemTime::now()).expect("ahead");
    /// assert!(ahead > Duration::from_secs(3000));
    /// ```
    pub fn clock_ahead(mut self, seconds: i64) -> Self {
        self.clock_ahead_seconds = Some(seconds);
        self
    }

    pub(crate) fn default_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    pub(crate) fn sentinel(mut self) -> Self {
        self.sentinel = true;
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    ///
    /// `redis-server` or `redis-cli` is not installed, or it does not start; the message has its log.
    pub fn start(self) -> RedisServer {
        let directory = tempfile::Builder::new()
            .prefix("redis-")
            .tempdir()
            .expect("a temporary directory");
        if let Some(authority) = &self.authority {
            let names = match self.names.as_slice() {
                [] => &NAMES.map(str::to_owned),
                names => names,
            };
            authority.write_into(directory.path(), names);
        }
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port();
            if let Some(process) = self.run(directory.path(), port) {
                return RedisServer {
                    process,
                    port,
                    options: self,
                    directory,
                };
            }
        }
        panic!("no port stayed free for the Redis server");
    }

    /// `None`: another process has the port.
    fn run(&self, directory: &Path, port: u16) -> Option<Process> {
        let file = directory.join("redis.conf");
        // A sentinel rewrites its file, and goes on from there.
        if !self.sentinel || !file.exists() {
            fs::write(&file, self.file(directory, port)).expect("writable");
        }
        let log = directory.join("log");
        let file = file.display().to_string();
        let mut arguments = vec![file.as_str()];
        if self.sentinel {
            arguments.push("--sentinel");
        }
        let process = self.launch(&arguments, &log);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            // The socket file is opened after the port.
            let answer = cli(directory, self.password.as_deref(), &["PING"]);
            if answer.as_deref() == Some("PONG") {
                return Some(process);
            }
            let said = fs::read_to_string(&log).unwrap_or_default();
            if said.contains("Address already in use") {
                return None;
            }
            assert!(
                Instant::now() < deadline && !said.contains("FATAL"),
                "the Redis server does not start: {said}"
            );
            pause();
        }
    }

    fn launch(&self, arguments: &[&str], log: &Path) -> Process {
        let program = match &self.program {
            Some(program) => program.display().to_string(),
            None => "redis-server".to_owned(),
        };
        let Some(seconds) = self.clock_ahead_seconds else {
            return Process::start(&program, "redis-server", arguments, log);
        };
        // `env` becomes the server, so that its process id is the one that is known.
        let environment = clock::environment(seconds);
        let before = environment.iter().chain([&program]).map(String::as_str);
        let arguments: Vec<&str> = before.chain(arguments.iter().copied()).collect();
        Process::start("env", "coreutils", &arguments, log)
    }

    fn file(&self, directory: &Path, port: u16) -> String {
        let directory = directory.display();
        let mut file = format!(
            "bind 127.0.0.1\ndir {directory}\nunixsocket {directory}/redis.sock\ndaemonize no\n"
        );
        if self.authority.is_some() {
            let _ = writeln!(
                file,
                "port 0\ntls-port {port}\ntls-cert-file {directory}/server.crt\n\
                 tls-key-file {directory}/server.key\ntls-ca-cert-file {directory}/ca.crt\n\
                 tls-auth-clients no\ntls-replication yes\ntls-cluster yes"
            );
        } else {
            let _ = writeln!(file, "port {port}");
        }
        if !self.sentinel {
            let _ = writeln!(
                file,
                "save \"\"\nappendonly no\nrepl-diskless-sync-delay 0\nlua-time-limit 500"
            );
        }
        if let Some(password) = &self.password {
            let _ = writeln!(file, "requirepass {password}");
        }
        for (name, password) in &self.users {
            let _ = writeln!(file, "user {name} on >{password} ~* &* +@all");
        }
        for line in &self.lines {
            let _ = writeln!(file, "{line}");
        }
        file
    }
}

/// A private Redis server. Everything it kept is gone with it.
#[derive(Debug)]
pub struct RedisServer {
    // Dropped before its directory.
    process: Process,
    port: u16,
    options: RedisOptions,
    directory: TempDir,
}

impl RedisServer {
    /// A plain server without a password.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`].
    pub fn start() -> Self {
        Self::options().start()
    }

    /// What a server can be started with.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// Its URL, with the password of the default user if there is one.
    pub fn url(&self) -> String {
        let scheme = if self.options.authority.is_some() {
            "rediss"
        } else {
            "redis"
        };
        let port = self.port;
        match &self.options.password {
            Some(password) => format!("{scheme}://:{password}@127.0.0.1:{port}"),
            None => format!("{scheme}://127.0.0.1:{port}"),
        }
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.options.password.as_deref()
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// The certificate of the authority that signed the server's, in PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What `redis-cli` prints for a command, without the last line feed.
    ///
    /// # Panics
    ///
    /// The server does not answer.
    pub fn command(&self, arguments: &[&str]) -> String {
        cli(
            self.directory.path(),
            self.options.password.as_deref(),
            arguments,
        )
        .expect("the server answers")
    }

    /// Stops it where it is (SIGSTOP): connections stay open, new ones are accepted by the
    /// kernel, and nothing answers.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.process.thaw();
    }

    /// Ends it at once; nothing listens on its port then.
    pub fn kill(&mut self) {
        self.process.kill();
        if self.options.clock_ahead_seconds.is_some() {
            clock::clean_up(self.process.pid());
        }
    }

    /// Starts it again on the same port after [`kill`](Self::kill), empty.
    ///
    /// # Panics
    ///
    /// It does not start, or somebody took its port.
    pub fn start_again(&mut self) {
        self.process = self
            .options
            .run(self.directory.path(), self.port)
            .expect("the port is still free");
    }

    /// Ends it and starts it again on the same port, empty.
    ///
    /// # Panics
    ///
    /// As [`start_again`](Self::start_again).
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `redis-cli` prints; `None`: it could not connect.
fn cli(directory: &Path, password: Option<&str>, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("redis-cli");
    command
        .arg("-s")
        .arg(directory.join("redis.sock"))
        .args(arguments);
    if let Some(password) = password {
        command.env("REDISCLI_AUTH", password);
    }
    let output = command
        .output()
        .expect("redis-cli is not installed: apt-get install redis-tools");
    let text = String::from_utf8_lossy(&output.stdout);
    output
        .status
        .success()
        .then(|| text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// Asks until `condition` holds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + START_TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        pause();
    }
}

/// Another process tells nobody when it has become what it is waited for.
#[allow(clippy::disallowed_methods)]
pub(crate) fn pause() {
    thread::sleep(POLL_INTERVAL);
}
