//! The page's HTML.

use std::fmt::Write as _;
use std::time::SystemTime;

use sinew_protocol::DisconnectReason;
use sinew_reflex::{Durations, ReflexStatistics};

use super::history::History;
use super::list::{CHARTS, Chart, quantile};
use super::{chart, format};
use crate::handle::EscapedAttribute;
use crate::metrics::Snapshot;
use crate::tags::ClientTags;

const STYLE: &str = include_str!("style.css");

/// How many reflexes are listed: those that took the most time.
const REFLEXES_MAX: usize = 50;

/// The whole page around its first content.
pub(super) fn page(client: &ClientTags, stream: &str, content: &str) -> String {
    let nonce = client.nonce();
    format!(
        r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="turbo-visit-control" content="reload">
<meta name="turbo-cache-control" content="no-cache">
<title>Operators · Sinew</title>
{client}
<style nonce="{nonce}">{STYLE}</style>
</head>
<body>
<main>
<h1>Operators</h1>
<p class="lost" role="status">The connection is lost: these figures are old until it is back.</p>
{stream}
{content}
</main>
</body>
</html>"##
    )
}

/// What is refreshed.
pub(super) fn content(history: &History, now: &Snapshot) -> String {
    let mut out = String::with_capacity(48 * 1024);
    out.push_str(r#"<div id="operators">"#);
    summary(&mut out, now);
    out.push_str(r#"<div class="charts">"#);
    let mut first = 0;
    for chart in CHARTS {
        card(&mut out, chart, history, first);
        first += chart.series.len();
    }
    out.push_str(r#"</div><div class="tables">"#);
    reflexes(&mut out, &now.reflexes);
    disconnects(&mut out, now);
    shards(&mut out, now);
    out.push_str("</div></div>");
    out
}

fn summary(out: &mut String, now: &Snapshot) {
    let ready = if now.is_ready { "yes" } else { "no, stopping" };
    let memory = now.resident_bytes.map_or(f64::NAN, |bytes| bytes as f64);
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let of_day = since_1970.map_or(0, |since| since.as_secs() % 86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let uptime = now.started.elapsed().unwrap_or_default();
    out.push_str(r#"<dl class="summary">"#);
    for (name, value) in [
        ("Takes visitors", ready.to_owned()),
        ("Running for", format::age(uptime)),
        ("Connections", format::whole(now.cable.connections)),
        ("Reflexes so far", format::whole(now.engine.calls)),
        ("Memory", format::value(super::list::Unit::Bytes, memory)),
        ("Sinew", env!("CARGO_PKG_VERSION").to_owned()),
        ("As of", format!("{hour:02}:{minute:02}:{second:02} UTC")),
    ] {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>");
}

fn card(out: &mut String, chart: &Chart, history: &History, first: usize) {
    let Chart {
        id, title, unit, ..
    } = chart;
    let lines: Vec<_> = (0..chart.series.len())
        .map(|at| history.line(first + at))
        .collect();
    let top = chart::top(*unit, lines.iter().flat_map(Clone::clone));
    let _ = write!(
        out,
        r#"<section class="card" aria-labelledby="{id}-title"><h2 id="{id}-title">{title}</h2><div class="plot"><span class="top" aria-hidden="true">{}</span>"#,
        format::value(*unit, top)
    );
    let span = history.span();
    let label = format!(
        "{title} in the last {}; the table beside it has the figures",
        span.last
    );
    chart::draw(out, &label, &lines, top, span.points);
    let _ = write!(
        out,
        r#"<span class="ends" aria-hidden="true"><span>{}</span><span>now</span></span></div><table><caption class="hidden">{title}</caption><thead><tr><th scope="col"><span class="hidden">Line</span></th><th scope="col">Now</th><th scope="col">Mean</th><th scope="col">Peak</th></tr></thead><tbody>"#,
        span.begin
    );
    for (at, (series, line)) in chart.series.iter().zip(lines).enumerate() {
        let now = line.clone().last().unwrap_or(f64::NAN);
        let values = line.filter(|value| value.is_finite());
        let (count, sum, peak) = values.fold((0.0, 0.0, f64::NAN), |(count, sum, peak), value| {
            (count + 1.0, sum + value, f64::max(peak, value))
        });
        let mark = if at == 0 {
            format!(r#" id="{id}-now""#)
        } else {
            String::new()
        };
        let [now, mean, peak] = [now, sum / count, peak].map(|value| format::value(*unit, value));
        let _ = write!(
            out,
            r#"<tr><th scope="row"><svg class="swatch" viewBox="0 0 18 4" aria-hidden="true"><path class="line s{at}" d="M0 2H18"/></svg>{}</th><td{mark}>{now}</td><td>{mean}</td><td>{peak}</td></tr>"#,
            series.name
        );
    }
    out.push_str("</tbody></table></section>");
}

/// Begins a card with a table of its own: the names of its columns, of which the first is text.
fn table(out: &mut String, class: &str, title: &str, columns: &[&str]) {
    let id = title.to_ascii_lowercase().replace(' ', "-");
    // What may be wider than the page is scrolled with the keyboard as well.
    let focus = if class == "wide" {
        format!(r#" tabindex="0" role="group" aria-labelledby="{id}-table""#)
    } else {
        String::new()
    };
    let _ = write!(
        out,
        r#"<section class="card {class}" aria-labelledby="{id}-table"><h2 id="{id}-table">{title}</h2><div class="scroll"{focus}><table><thead><tr>"#
    );
    for column in columns {
        let _ = write!(out, r#"<th scope="col">{column}</th>"#);
    }
    out.push_str("</tr></thead><tbody>");
}

fn row(out: &mut String, name: &str, values: &[String]) {
    let name = EscapedAttribute(name);
    let _ = write!(out, r#"<tr><th scope="row">{name}</th>"#);
    for value in values {
        let _ = write!(out, "<td>{value}</td>");
    }
    out.push_str("</tr>");
}

fn end(out: &mut String, note: &str) {
    let _ = write!(out, "</tbody></table></div>");
    if !note.is_empty() {
        let _ = write!(out, r#"<p class="quiet">{note}</p>"#);
    }
    out.push_str("</section>");
}

fn reflexes(out: &mut String, reflexes: &[ReflexStatistics]) {
    let columns = ["Reflex", "Calls", "Errors", "Mean", "Median", "p95"];
    table(out, "wide", "Reflexes since the start", &columns);
    let mut reflexes: Vec<_> = reflexes.iter().collect();
    reflexes.sort_by_key(|reflex| std::cmp::Reverse(reflex.durations.sum));
    for reflex in reflexes.iter().take(REFLEXES_MAX) {
        let durations = &reflex.durations;
        let count = durations.count();
        let within =
            |share| format::seconds(quantile(&Durations::BOUNDS, &durations.counts, share));
        let values = [
            format::whole(count),
            format::whole(reflex.errors),
            format::seconds(durations.sum.as_secs_f64() / count.max(1) as f64),
            within(0.5),
            within(0.95),
        ];
        row(out, &reflex.name, &values);
    }
    let note = match reflexes.len() {
        0 => "None was called yet.".to_owned(),
        count if count > REFLEXES_MAX => {
            format!("and {} more that took less time", count - REFLEXES_MAX)
        }
        _ => String::new(),
    };
    end(out, &note);
}

fn disconnects(out: &mut String, now: &Snapshot) {
    table(out, "", "Ended by the server", &["Reason", "Connections"]);
    let mut any = false;
    for reason in DisconnectReason::ALL {
        let count = now.cable.disconnects(reason);
        if count > 0 {
            any = true;
            row(out, reason.as_str(), &[format::whole(count)]);
        }
    }
    end(out, if any { "" } else { "None so far." });
}

fn shards(out: &mut String, now: &Snapshot) {
    table(out, "", "Shards", &["Shard", "Connections", "Inbox"]);
    for (number, shard) in now.shards.iter().enumerate() {
        let inbox = format::value(super::list::Unit::Bytes, shard.inbox_bytes as f64);
        let values = [format::whole(shard.connections), inbox];
        row(out, &number.to_string(), &values);
    }
    let none = now.shards.is_empty();
    end(
        out,
        if none {
            "None before the first connection."
        } else {
            ""
        },
    );
}
