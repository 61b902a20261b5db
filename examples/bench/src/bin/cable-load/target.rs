//! The servers under measurement: started here, ended here, or running already.

use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use url::Url;

use crate::children::{self, Ends};
use crate::options::{Options, TargetName};
use crate::process;

const START_TIME_MAX: Duration = Duration::from_secs(30);
const START_POLL_INTERVAL: Duration = Duration::from_millis(2);

const CHANNEL: &str = r#"{"channel":"BenchChannel","room":"{room}"}"#;
const IN_PLACE_CHANNEL: &str = r#"{"channel":"InPlaceBenchChannel"}"#;
const PUBLIC_STREAM: &str = r#"{"channel":"$pubsub","stream_name":"bench_{room}"}"#;

/// What the bare loop does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Messages {
    Echoed,
    FannedOut,
}

/// How a broadcast is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The action `broadcast` of the channel.
    Action,
    /// A request to this path.
    Http(String),
}

/// One server, with what a client has to know of it.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) identifier: String,
    pub(crate) trigger: Trigger,
    program: Option<Program>,
    /// Those to measure: all that listen on its ports, if they run on this machine and may be looked at.
    processes: Vec<u32>,
}

/// What was started, so that it can be started again.
struct Program {
    command: Command,
    child: Ends,
}

impl Target {
    /// Starts the server, or finds it.
    pub(crate) fn start(name: &TargetName, messages: Messages, options: &Options) -> Result<Self> {
        let TargetName::Url { name, urls } = name else {
            return Self::start_program(name, messages, options);
        };
        let parsed: Vec<Url> = urls
            .iter()
            .map(|url| url.parse().with_context(|| format!("`{url}` is no URL")))
            .collect::<Result<_>>()?;
        let addresses = parsed.iter().map(address).collect::<Result<Vec<_>>>()?;
        let first = &parsed[0];
        let path = match first.query() {
            Some(query) => format!("{}?{query}", first.path()),
            None => first.path().to_owned(),
        };
        let here = addresses.iter().filter(|it| it.ip().is_loopback());
        let mut processes: Vec<_> = here.filter_map(|it| process::listener(it.port())).collect();
        processes.sort_unstable();
        processes.dedup();
        Ok(Self {
            name: name.clone(),
            host: format!(
                "{}:{}",
                first.host_str().unwrap_or_default(),
                addresses[0].port()
            ),
            path,
            identifier: options
                .identifier
                .clone()
                .unwrap_or_else(|| CHANNEL.to_owned()),
            trigger: Trigger::Action,
            program: None,
            processes,
            addresses,
        })
    }

    fn start_program(name: &TargetName, messages: Messages, options: &Options) -> Result<Self> {
        // Free a moment ago; nobody else is likely to take it in between.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (label, mut command) = match name {
            TargetName::Bare => ("bare loop", bare(messages, address, options)?),
            TargetName::AnyCable => ("anycable-go", any_cable(address)),
            TargetName::Rails => ("Action Cable", rails(address)),
            TargetName::InPlace => ("sinew, in place", bench(address, options)?),
            _ => ("sinew", bench(address, options)?),
        };
        command.stdin(Stdio::null());
        if !options.is_verbose {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let (identifier, trigger) = match name {
            TargetName::AnyCable => (PUBLIC_STREAM, Trigger::Http("/_broadcast".to_owned())),
            TargetName::InPlace => (IN_PLACE_CHANNEL, Trigger::Action),
            _ => (CHANNEL, Trigger::Action),
        };
        let identifier = options.identifier.as_deref().unwrap_or(identifier);
        let child = start(&mut command, address)?;
        Ok(Self {
            name: label.to_owned(),
            addresses: vec![address],
            host: address.to_string(),
            path: "/cable".to_owned(),
            identifier: identifier.to_owned(),
            trigger,
            processes: vec![child.id()],
            program: Some(Program { command, child }),
        })
    }

    /// Microseconds on a processor up to now; not a number for a server elsewhere.
    pub(crate) fn cpu_us(&self) -> Result<f64> {
        self.sum(process::cpu_us)
    }

    /// Resident memory; not a number for a server elsewhere.
    pub(crate) fn resident_bytes(&self) -> f64 {
        let bytes = self.sum(|it| process::resident_bytes(it).map(|bytes| bytes as f64));
        bytes.unwrap_or(f64::NAN)
    }

    /// The most resident memory it ever had; not a number for a server elsewhere.
    pub(crate) fn resident_bytes_peak(&self) -> f64 {
        let bytes = self.sum(|it| process::resident_bytes_peak(it).map(|bytes| bytes as f64));
        bytes.unwrap_or(f64::NAN)
    }

    fn sum(&self, of: impl Fn(u32) -> Result<f64>) -> Result<f64> {
        match self.processes.is_empty() {
            true => Ok(f64::NAN),
            false => self.processes.iter().map(|it| of(*it)).sum(),
        }
    }

    /// Ends it with SIGKILL, which it is not told of, and starts it again on the same port.
    /// When it was killed, and when it listened again.
    pub(crate) fn kill_and_restart(&mut self) -> Result<(Instant, Instant)> {
        let program = self.program.as_mut().context("it was not started here")?;
        let killed = Instant::now();
        program.child.kill();
        program.child = start(&mut program.command, self.addresses[0])?;
        self.processes = vec![program.child.id()];
        Ok((killed, Instant::now()))
    }
}

/// Starts it and waits until it listens.
fn start(command: &mut Command, address: SocketAddr) -> Result<Ends> {
    let program = command.get_program().to_owned();
    let child: Child = command
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let mut child = Ends::new(child);
    let begins = Instant::now();
    while TcpStream::connect(address).is_err() {
        if let Some(status) = child.status()? {
            bail!(
                "{} ended with {status} before it listened on {address}; --verbose shows why",
                program.display()
            );
        }
        if begins.elapsed() > START_TIME_MAX {
            bail!("{} does not listen on {address}", program.display());
        }
        children::pause(START_POLL_INTERVAL);
    }
    Ok(child)
}

fn bench(address: SocketAddr, options: &Options) -> Result<Command> {
    let mut command = Command::new(sibling("bench")?);
    command
        .args(&options.server_args)
        .env("SINEW_LISTEN", address.to_string())
        .env("SINEW_DATA_DIR", data_directory(address))
        .env("RUST_LOG", if options.is_verbose { "info" } else { "off" })
        .envs(options.server_env.iter().cloned());
    Ok(command)
}

fn bare(messages: Messages, address: SocketAddr, options: &Options) -> Result<Command> {
    let mut command = Command::new(sibling("bare-loop")?);
    command.arg(match messages {
        Messages::Echoed => "echo",
        Messages::FannedOut => "fan-out",
    });
    command.args(["--listen", &address.to_string()]);
    if let Some(threads) = options.threads {
        command.args(["--threads", &threads.to_string()]);
    }
    Ok(command)
}

/// Without an application: public streams, and broadcasts over HTTP.
fn any_cable(address: SocketAddr) -> Command {
    let mut command = Command::new("anycable-go");
    command.args(["--public", "--broadcast_adapter=http"]);
    command.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
    command
}

/// Its file says what it needs.
fn rails(address: SocketAddr) -> Command {
    let mut command = Command::new("ruby");
    command
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/peers/action_cable.rb"
        ))
        .arg(address.port().to_string());
    command
}

/// Whether anycable-go can be started.
pub(crate) fn has_any_cable() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("anycable-go").is_file())
}

/// A program that was built together with this one.
fn sibling(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(
        path.exists(),
        "{} is missing: `cargo build --release --package bench` makes it",
        path.display()
    );
    Ok(path)
}

/// A folder of that server's own, removed with the others of this run.
fn data_directory(address: SocketAddr) -> PathBuf {
    data_root().join(address.port().to_string())
}

/// Where the servers of this run keep what they store.
pub(crate) fn data_root() -> PathBuf {
    std::env::temp_dir().join(format!("cable-load-{}", std::process::id()))
}

fn address(url: &Url) -> Result<SocketAddr> {
    ensure!(
        matches!(url.scheme(), "ws" | "http"),
        "`{url}`: only ws:// is spoken, without TLS"
    );
    let host = url
        .host_str()
        .with_context(|| format!("`{url}` names no host"))?;
    let port = url.port_or_known_default().unwrap_or(80);
    (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()
        .with_context(|| format!("`{host}` is not known"))?
        .next()
        .with_context(|| format!("`{host}` has no address"))
}
