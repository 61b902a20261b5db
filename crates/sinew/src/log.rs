//! The log of a program that has none of its own: to standard error, in colours when that is a terminal.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Where reflexes write their lines.
const REFLEX_TARGET: &str = "sinew::reflex";

const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const MAGENTA: &str = "\x1b[35m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// Writes a log unless the program has a log of its own.
pub(crate) fn to_standard_error() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Colours are for people, not for files; https://no-color.org is heeded.
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let is_coloured = wanted && std::io::stderr().is_terminal();
    // An error means that there is a subscriber already, which then has its way.
    let _ = subscriber(filter, is_coloured, std::io::stderr).try_init();
}

fn subscriber<W>(filter: EnvFilter, is_coloured: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_coloured)
        .with_writer(writer)
        .event_format(Coloured(Format::default()))
        .finish()
}

/// The usual format, but for the lines of reflexes on a terminal: each part has a colour there.
struct Coloured(Format);

impl<S, N> FormatEvent<S, N> for Coloured
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let is_reflex = metadata.target() == REFLEX_TARGET && *metadata.level() == Level::INFO;
        if is_reflex && writer.has_ansi_escapes() {
            let mut message = Message::default();
            event.record(&mut message);
            if let Some(line) = Line::read(&message.0) {
                write!(writer, "{DIM}")?;
                SystemTime.format_time(&mut writer)?;
                write!(writer, "{RESET} {GREEN} INFO{RESET} ")?;
                return writeln!(writer, "{line}");
            }
        }
        self.0.format_event(context, writer, event)
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// The parts of a reflex's line: `[session] Class#action -> selectors via Page Morph (morph) in 1.2 ms`.
struct Line<'a> {
    session: &'a str,
    reflex: &'a str,
    selectors: &'a str,
    /// Empty for a reflex that was halted.
    mode: &'a str,
    time: &'a str,
}

impl<'a> Line<'a> {
    /// Takes a line apart. Selectors may say anything, so what surrounds them is looked for from
    /// the ends. Nothing that could steer a terminal is taken.
    fn read(line: &'a str) -> Option<Self> {
        if line.contains(char::is_control) {
            return None;
        }
        let (session, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let (reflex, rest) = rest.split_once(" -> ")?;
        let (rest, time) = rest.rsplit_once(" in ")?;
        let (selectors, mode) = rest.rsplit_once(" via ").unwrap_or((rest, ""));
        Some(Self {
            session,
            reflex,
            selectors,
            mode,
            time,
        })
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DIM}[{}]{RESET} ", self.session)?;
        write!(f, "{CYAN}{}{RESET} -> ", self.reflex)?;
        write!(f, "{YELLOW}{}{RESET}", self.selectors)?;
        if !self.mode.is_empty() {
            write!(f, " via {MAGENTA}{}{RESET}", self.mode)?;
        }
        write!(f, " in {GREEN}{}{RESET}", self.time)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    const LINE: &str =
        "[1f0c9ab2] CounterReflex#increment -> a[b=\" via \"] via Page Morph (morph) in 1.2 ms";

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written, without the time of day before it.
    fn written(is_coloured: bool, filter: &str, write: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let filter = EnvFilter::new(filter);
        let subscriber = subscriber(filter, is_coloured, move || writer.clone());
        tracing::subscriber::with_default(subscriber, write);
        let text = String::from_utf8(sink.0.lock().clone()).expect("text");
        text.split_once('Z')
            .map_or_else(String::new, |(_, rest)| rest.to_owned())
    }

    #[test]
    fn a_file_gets_the_text() {
        let text = written(
            false,
            "info",
            || tracing::info!(target: "sinew::reflex", "{LINE}"),
        );
        assert_eq!(text, format!("  INFO sinew::reflex: {LINE}\n"));
    }

    #[test]
    fn a_terminal_gets_the_same_text_in_colours() {
        let text = written(
            true,
            "info",
            || tracing::info!(target: "sinew::reflex", "{LINE}"),
        );
        assert_eq!(
            text,
            "\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2m[1f0c9ab2]\x1b[0m \x1b[36mCounterReflex#increment\x1b[0m -> \x1b[33ma[b=\" via \"]\x1b[0m via \x1b[35mPage Morph (morph)\x1b[0m in \x1b[32m1.2 ms\x1b[0m\n"
        );
    }

    #[test]
    fn a_halted_reflex_has_no_selector() {
        let line = Line::read("[-] A#b -> halted in 0.1 ms").expect("a line");
        assert_eq!(
            (line.selectors, line.mode, line.time),
            ("halted", "", "0.1 ms")
        );
    }

    #[test]
    fn what_steers_a_terminal_is_left_to_the_usual_format() {
        let text = written(true, "info", || {
            tracing::info!(target: "sinew::reflex", "[a] b -> \x1b[2Jc via Page Morph (morph) in 1.2 ms");
        });
        assert!(!text.contains("\x1b[2J"), "{text:?}");
    }

    #[test]
    fn lines_of_reflexes_can_be_turned_off_alone() {
        let text = written(false, "info,sinew::reflex=warn", || {
            tracing::info!(target: "sinew::reflex", "{LINE}");
        });
        assert_eq!(text, "");
    }
}
