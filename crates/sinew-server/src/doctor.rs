//! `sinew doctor`: has an application examined, and passes on what it finds.
//!
//! What an application is configured with it knows itself, from its code as from its variables. So
//! it is built and run with `SINEW_DOCTOR` in its environment, and says what it finds in place of
//! serving. This command finds the program, tells its report from everything else that it prints,
//! and knows when there will be none.

use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until, timeout};

use crate::NOT_EXAMINED;
use crate::cargo::{self, Outcome, Selection, Target};

/// How long a program may take to end once its output has, 5 s.
const END_TIME_MAX: Duration = Duration::from_secs(5);

/// What an application prints that does not know of examinations: it has begun to serve.
const SERVES: [&str; 2] = [
    "sinew::serve: listening on ",
    "variable SINEW_DOCTOR is unknown",
];

/// Examines an application: its settings, the system, and the servers that it uses.
///
/// The program is built as `sinew watch` does, or it is the one after `--`. It ends with 0 when
/// nothing was found that is worse than a notice, with 1 after warnings, with 2 after errors, and
/// with 3 when the application could not be examined.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
    /// How many seconds the program may take until it has been examined.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u32,
    #[command(flatten)]
    selection: Selection,
    /// The program with its arguments; without it, the application of this folder is built.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let examined = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system gives no timers")
        .and_then(|runtime| runtime.block_on(examine(arguments)));
    match examined {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("sinew: {error:#}");
            ExitCode::from(NOT_EXAMINED)
        }
    }
}

async fn examine(arguments: &Arguments) -> Result<u8> {
    let mut command = command(arguments).await?;
    let mut child = command
        .env("SINEW_DOCTOR", if arguments.json { "json" } else { "1" })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| {
            let program = command.as_std().get_program().to_string_lossy();
            format!("{program} cannot be run")
        })?;
    let relayed = relay(&mut child, arguments).await;
    if relayed.is_err() {
        child
            .kill()
            .await
            .context("the application cannot be ended")?;
    }
    let is_reported = relayed?;
    let ended = timeout(END_TIME_MAX, child.wait()).await;
    let status = ended.context("the application has closed its output and does not end")??;
    conclude(is_reported, status)
}

/// What is run: as it was given, or built.
async fn command(arguments: &Arguments) -> Result<Command> {
    if let Some((program, rest)) = arguments.command.split_first() {
        let mut command = Command::new(program);
        command.args(rest);
        return Ok(command);
    }
    let target = Target::find(&arguments.selection)?;
    let Outcome::Built(executable) = cargo::build(&target, &arguments.selection).await? else {
        bail!("the application does not compile");
    };
    let mut command = Command::new(&executable.path);
    // As `cargo run` does.
    command.env("CARGO_MANIFEST_DIR", &target.folder);
    Ok(command)
}

/// Passes on what the program prints until it prints no more, and says whether a report was among it.
async fn relay(child: &mut Child, arguments: &Arguments) -> Result<bool> {
    let mut output = child.stdout.take().map(|it| BufReader::new(it).lines());
    let mut errors = child.stderr.take().map(|it| BufReader::new(it).lines());
    let deadline = Instant::now() + Duration::from_secs(arguments.timeout.into());
    let mut is_reported = false;
    while output.is_some() || errors.is_some() {
        tokio::select! {
            line = next(&mut output) => {
                let Some(line) = line? else { continue };
                let is_of_report = is_of_report(&line, arguments.json);
                is_reported |= is_of_report;
                // Whoever reads the JSON reads nothing else.
                if arguments.json && !is_of_report {
                    eprintln!("{line}");
                } else {
                    println!("{line}");
                }
            }
            line = next(&mut errors) => {
                let Some(line) = line? else { continue };
                eprintln!("{line}");
                if SERVES.iter().any(|sign| line.contains(sign)) {
                    bail!("the application serves and is not examined: it is made with a Sinew that knows no doctor; update the crate `sinew`");
                }
            }
            () = sleep_until(deadline) => bail!(
                "the application has said nothing for {} s: it is examined where it calls `Sinew::build` or `Sinew::serve`, and has not come so far; `--timeout` gives it more time",
                arguments.timeout
            ),
        }
    }
    Ok(is_reported)
}

/// The next line; none at the end, after which the stream is gone.
async fn next<R: AsyncRead + Unpin>(
    lines: &mut Option<Lines<BufReader<R>>>,
) -> Result<Option<String>> {
    let Some(open) = lines else {
        return std::future::pending().await;
    };
    let line = open
        .next_line()
        .await
        .context("what the application prints is no text")?;
    if line.is_none() {
        *lines = None;
    }
    Ok(line)
}

/// Whether this is the line of a report that no other has: the whole document, or the last line of the text.
fn is_of_report(line: &str, is_json: bool) -> bool {
    line.starts_with(if is_json {
        "{\"sinew_doctor\":"
    } else {
        "sinew doctor: "
    })
}

fn conclude(is_reported: bool, status: ExitStatus) -> Result<u8> {
    match status.code().map(u8::try_from) {
        Some(Ok(code)) if is_reported && code < NOT_EXAMINED => Ok(code),
        _ if is_reported => bail!("the application was examined and did not end well ({status})"),
        _ => bail!(
            "the application ended ({status}) before it was examined, which happens where it calls `Sinew::build` or `Sinew::serve`; what it said is above"
        ),
    }
}
