//! One chart as SVG: lines of the last minutes, the newest at the right edge.

use std::fmt::Write as _;

use super::list::Unit;

/// The drawing's own measures; the page stretches it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 80.0;
/// So that a line at the edge is seen whole.
const MARGIN: f64 = 2.0;

/// Draws the lines below `top`, which is [`top`] of them, with room for so many points from left to right. `label` is
/// what it is called.
pub(super) fn draw<L>(out: &mut String, label: &str, lines: &[L], top: f64, points: usize)
where
    L: Iterator<Item = f64> + Clone,
{
    // Writing into a String does not fail.
    let _ = write!(
        out,
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">"#
    );
    for share in [0.0, 0.5, 1.0] {
        let y = height_of(share);
        let _ = write!(out, r#"<path class="grid" d="M0 {y:.1}H{WIDTH}"/>"#);
    }
    for (number, line) in lines.iter().enumerate() {
        let _ = write!(out, r#"<path class="line s{number}" d=""#);
        path(out, line.clone(), top, points);
        out.push_str(r#""/>"#);
    }
    out.push_str("</svg>");
}

fn path(out: &mut String, line: impl Iterator<Item = f64> + Clone, top: f64, points: usize) {
    let count = line.clone().count();
    let mut is_down = false;
    for (at, value) in line.enumerate() {
        if !value.is_finite() {
            is_down = false;
            continue;
        }
        let age = (count - 1 - at) as f64 / (points - 1) as f64;
        let (x, y) = (WIDTH * (1.0 - age), height_of(value / top));
        let command = if is_down { 'L' } else { 'M' };
        let _ = write!(out, "{command}{x:.1} {y:.1}");
        if !is_down {
            // A value alone is a dot.
            out.push_str("h0");
        }
        is_down = true;
    }
}

fn height_of(share: f64) -> f64 {
    HEIGHT - MARGIN - share.clamp(0.0, 1.0) * (HEIGHT - 2.0 * MARGIN)
}

/// The next round number from the largest of the values on: where the drawing ends.
pub(super) fn top(unit: Unit, values: impl Iterator<Item = f64>) -> f64 {
    let largest = values
        .filter(|value| value.is_finite())
        .fold(0.0_f64, f64::max);
    let (step, least): (f64, f64) = match unit {
        Unit::Bytes => (1024.0, 1024.0),
        Unit::Seconds => (1000.0, 0.001),
        Unit::Count => (1000.0, 4.0),
        Unit::Rate => (1000.0, 1.0),
    };
    if largest <= least {
        return least;
    }
    let scale = step.powi(largest.log(step).floor() as i32);
    let rest = largest / scale;
    let ten = 10.0_f64.powi(rest.log10().floor() as i32);
    let round = [1.0, 2.0, 4.0, 5.0, 10.0].map(|round| round * ten);
    let first = round.into_iter().find(|round| *round >= rest);
    // Beyond the last by a rounding error only.
    first.unwrap_or(rest).min(step) * scale
}
