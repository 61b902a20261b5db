//! The line that each reflex writes to the log, in the manner of the original's.

use std::fmt::Write as _;
use std::time::Duration;

use crate::reflex::{Morph, Reflex};
use crate::reply::Status;
use crate::target::brief;

/// How many operations a line names, 5. Of more it says how many.
const OPERATIONS_MAX: usize = 5;

/// Writes the line of a reflex that morphs: a selector and an operation each, in the order in which
/// they were written.
pub(crate) fn morphed(cx: &Reflex, operations: &[(&str, &str)]) {
    write(cx, || what_morphed(cx.morph, operations));
}

/// Writes the line of a reflex that ends in an event. A failed one has lines of its own.
pub(crate) fn ended(cx: &Reflex, status: &Status<'_>) {
    match status {
        Status::Nothing => write(cx, || {
            what_morphed(Morph::Nothing, &[("document", "dispatch_event")])
        }),
        Status::Halted => write(cx, || "halted".to_owned()),
        Status::Forbidden => write(cx, || "forbidden".to_owned()),
        Status::Error(_) => {}
    }
}

fn write(cx: &Reflex, what: impl FnOnce() -> String) {
    if !cx.shared().config.log
        || !tracing::enabled!(target: "sinew::reflex", tracing::Level::INFO)
        || cx.data().suppress_logging()
    {
        return;
    }
    // On a terminal the facade takes it apart again, to colour its parts.
    tracing::info!(
        target: "sinew::reflex",
        "[{}] {} -> {} in {}",
        cx.client().session_label(),
        cx.matched().label,
        what(),
        time(cx.began().elapsed()),
    );
}

fn what_morphed(mode: Morph, operations: &[(&str, &str)]) -> String {
    let mode = match mode {
        Morph::Page => "Page",
        Morph::Selector => "Selector",
        Morph::Nothing => "Nothing",
    };
    let shown = &operations[..operations.len().min(OPERATIONS_MAX)];
    let selectors: Vec<_> = shown.iter().map(|(selector, _)| brief(selector)).collect();
    let names: Vec<_> = shown.iter().map(|(_, name)| *name).collect();
    let mut line = selectors.join(", ");
    let more = operations.len() - shown.len();
    if more > 0 {
        // Writing into a String does not fail.
        let _ = write!(line, " and {more} more");
    }
    let _ = write!(line, " via {mode} Morph ({})", names.join(", "));
    line
}

fn time(elapsed: Duration) -> String {
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    if milliseconds < 1000.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_few_operations() {
        let operations = [("#a", "morph"); 8];
        assert_eq!(
            what_morphed(Morph::Selector, &operations),
            "#a, #a, #a, #a, #a and 3 more via Selector Morph (morph, morph, morph, morph, morph)"
        );
    }

    #[test]
    fn a_time_is_as_exact_as_it_is_useful() {
        for (microseconds, expected) in [
            (0, "0.0 ms"),
            (1_234, "1.2 ms"),
            (123_456, "123.5 ms"),
            (2_345_678, "2.3 s"),
        ] {
            assert_eq!(time(Duration::from_micros(microseconds)), expected);
        }
    }
}
