//! An examination in place of a start: `SINEW_DOCTOR`.

use std::collections::HashSet;
use std::error::Error as _;
use std::io::{self, ErrorKind, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use sinew_web::config::ReportFormat;
use sinew_web::error::{ConfigError, SecretError};
use sinew_web::server::listen;
use sinew_web::{EdgeConfig, Environment, Secret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::kinds::{PORT_IN_USE, SECRET_MISSING, SECRET_WEAK, SETTING_INVALID, START_REFUSED};
use super::settings::{Place, Subject};
use super::{Finding, Report, Severity, system};
use crate::application::Sinew;
use crate::config::Config;
use crate::error::StartError;

/// How long the one who listens at our address may take to say who it is, 2 s.
const NEIGHBOUR_PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of its answer that are looked at.
const NEIGHBOUR_BYTES_MAX: usize = 4096;

/// What the environment asks for.
pub(crate) fn requested() -> Option<ReportFormat> {
    // A word that is none of those is a setting that cannot be used, and named as such.
    ReportFormat::from_lookup(|name| std::env::var(name).ok())
        .ok()
        .flatten()
}

/// Examines the application, prints what was found, and ends the process.
pub(crate) fn end_with_report(sinew: Sinew, format: ReportFormat) -> ! {
    let report = examine(sinew);
    let text = match format {
        ReportFormat::Json => report.to_json(),
        _ => report.to_string(),
    };
    let mut output = io::stdout().lock();
    // Whoever asked has gone when this fails; the exit code is still theirs.
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
    std::process::exit(report.exit_code().into())
}

fn examine(mut sinew: Sinew) -> Report {
    let mut findings = Vec::new();
    let config = match sinew.take_config() {
        Some(config) => config,
        None => config_from_env(&mut findings),
    };
    let subject = sinew.subject(&config);
    findings.extend(before_start(&subject));
    // Its reflexes and channels may contradict each other.
    if let Err(error) = sinew.assemble(config, subject.clone(), true)
        && !is_of_server(&error)
    {
        findings.push(refusal(&error));
    }
    // A thread of its own has a runtime of its own: this one is in the middle of its work.
    let examination = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a thread of the system");
        runtime.block_on(async {
            findings.extend(address_in_use(&subject.config).await);
            subject.examine(findings).await
        })
    });
    examination.join().expect("an examination does not panic")
}

/// The settings, and a finding for each variable that cannot be used; such a one counts as not set then.
fn config_from_env(findings: &mut Vec<Finding>) -> Config {
    let mut unusable: HashSet<String> = HashSet::new();
    loop {
        let lookup = |name: &str| {
            let is_usable = !unusable.contains(name);
            is_usable.then(|| std::env::var(name).ok()).flatten()
        };
        match Config::from_lookup(lookup) {
            Ok(config) => return config,
            Err(error) => {
                let is_new = unusable.insert(error.variable.to_owned());
                findings.push(invalid(&error));
                if !is_new {
                    return Config::default();
                }
            }
        }
    }
}

fn invalid(error: &ConfigError) -> Finding {
    if error.variable == Secret::VARIABLE {
        return SECRET_WEAK.found(Secret::VARIABLE);
    }
    SETTING_INVALID
        .found(error.variable)
        .what(error.to_string())
        .fix(format!(
            "set {} to {}, or unset it",
            error.variable, error.expected
        ))
}

/// What a start would stumble over that `assemble` does not try.
fn before_start(subject: &Subject) -> Vec<Finding> {
    let edge = &subject.config.edge;
    let mut findings = Vec::new();
    let has_secret = edge.configured_secret.is_some() || edge.environment.is_development();
    if !has_secret && subject.sessions != Place::Memory {
        findings.push(SECRET_MISSING.found(Secret::VARIABLE).what(format!(
            "SINEW_SECRET is not set and the environment is {}",
            edge.environment
        )));
    }
    let makes_secret = edge.configured_secret.is_none()
        && edge.environment == Environment::Development
        && subject.sessions != Place::Memory;
    if makes_secret && let Err(error) = readable_secret(edge) {
        findings.push(
            SECRET_WEAK
                .found("the secret in the data directory")
                .what(error.to_string()),
        );
    }
    if subject.sessions == Place::DataDirectory {
        findings.extend(system::unwritable_data(&edge.data_directory));
    }
    findings
}

/// The secret that an earlier start has made, if one has.
fn readable_secret(edge: &EdgeConfig) -> Result<(), SecretError> {
    match std::fs::read_to_string(edge.data_directory.join(sinew_web::secret::SECRET_FILE)) {
        Ok(secret) => Secret::new(secret.trim()).map(drop),
        // That it cannot be made is told of the directory.
        Err(_) => Ok(()),
    }
}

/// Whether it is about the address of a server, which is found where servers are asked.
fn is_of_server(error: &StartError) -> bool {
    match error {
        #[cfg(feature = "redis")]
        StartError::Redis(_) => true,
        _ => false,
    }
}

fn refusal(error: &StartError) -> Finding {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence.push_str(&format!(" ({error})"));
        cause = error.source();
    }
    START_REFUSED.found("the application").what(sentence)
}

/// Whether a start would find its addresses taken.
async fn address_in_use(config: &Config) -> Vec<Finding> {
    let edge = &config.edge;
    let mut findings = Vec::new();
    if !is_given_a_socket() {
        findings.extend(taken(edge.listen, "SINEW_LISTEN").await);
    }
    if let Some(address) = edge.metrics_listen {
        findings.extend(taken(address, "SINEW_METRICS_LISTEN").await);
    }
    findings
}

/// Whether a socket that was bound beforehand is served instead.
fn is_given_a_socket() -> bool {
    let process = std::env::var("LISTEN_PID").ok();
    process.is_some_and(|process| process == std::process::id().to_string())
}

async fn taken(address: SocketAddr, variable: &'static str) -> Option<Finding> {
    let error = listen(address, 1, 1).err()?;
    let found = PORT_IN_USE.found(variable);
    if error.kind() != ErrorKind::AddrInUse {
        return Some(
            found
                .what(format!("{address} cannot be listened on ({error})"))
                .fix(format!(
                    "set {variable} to an address of this machine and a port above 1023"
                )),
        );
    }
    if is_sinew(address).await {
        return Some(
            found
                .what(format!(
                    "an application of this kind serves {address} already"
                ))
                .fix("nothing, if it is this one that runs there")
                .only(Severity::Notice),
        );
    }
    Some(
        found
            .what(format!("something else listens at {address}"))
            .fix(format!(
                "stop it (`ss -ltnp 'sport = :{}'` names it), or set {variable} to another address",
                address.port()
            )),
    )
}

/// Whether who listens there answers `/health` as an application of ours does.
async fn is_sinew(address: SocketAddr) -> bool {
    let address = match address.ip().is_unspecified() {
        true => SocketAddr::from(([127, 0, 0, 1], address.port())),
        false => address,
    };
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        stream
            .take(NEIGHBOUR_BYTES_MAX as u64)
            .read_to_end(&mut answer)
            .await?;
        io::Result::Ok(answer)
    };
    let answer = timeout(NEIGHBOUR_PATIENCE, asked).await;
    matches!(answer, Ok(Ok(answer)) if answer.ends_with(b"\r\n\r\nalive\n"))
}
