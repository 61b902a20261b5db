//! Charts as SVG, drawn with nothing but text.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const MARGIN: f64 = 20.0;
const LABELS: f64 = 150.0;
const BAR: f64 = 26.0;
const HEIGHT: f64 = 260.0;
/// Told apart without colours too: the first is the darkest.
const COLOURS: [&str; 5] = ["#3b4a6b", "#c2562d", "#4f8a5b", "#8a6bb1", "#b59a3a"];

/// Numbers of several servers side by side, a panel for each thing that was measured.
pub(crate) fn bars(title: &str, panels: &[(String, Vec<(String, f64)>)]) -> String {
    let rows: usize = panels.iter().map(|(_, bars)| bars.len()).sum();
    let height = 50.0 + panels.len() as f64 * 40.0 + rows as f64 * BAR + MARGIN;
    let mut svg = begin(title, height);
    let mut y = 60.0;
    for (heading, bars) in panels {
        text(&mut svg, MARGIN, y + 10.0, "start", heading);
        y += 20.0;
        let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        for (at, (label, value)) in bars.iter().enumerate() {
            let width = (WIDTH - LABELS - 110.0) * value / most.max(f64::MIN_POSITIVE);
            text(&mut svg, LABELS - 8.0, y + 15.0, "end", label);
            let _ = writeln!(
                svg,
                r#"<rect x="{LABELS}" y="{y:.1}" width="{width:.1}" height="{:.1}" fill="{}"/>"#,
                BAR - 7.0,
                COLOURS[at % COLOURS.len()],
            );
            let value = said(*value);
            text(&mut svg, LABELS + width + 6.0, y + 15.0, "start", &value);
            y += BAR;
        }
        y += 20.0;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Something over time, of several servers.
pub(crate) fn lines(title: &str, series: &[(String, Vec<(f64, f64)>)]) -> String {
    let mut svg = begin(title, HEIGHT);
    let points = || series.iter().flat_map(|(_, points)| points);
    let x_most = points().map(|it| it.0).fold(f64::MIN_POSITIVE, f64::max);
    let y_most = points().map(|it| it.1).fold(f64::MIN_POSITIVE, f64::max);
    let (left, right, top, bottom) = (80.0, WIDTH - MARGIN, 60.0, HEIGHT - 36.0);
    for share in [0.0, 0.5, 1.0] {
        let y = bottom - (bottom - top) * share;
        let _ = writeln!(
            svg,
            r##"<line x1="{left}" y1="{y:.1}" x2="{right}" y2="{y:.1}" stroke="#dddddd"/>"##
        );
        text(&mut svg, left - 8.0, y + 4.0, "end", &said(y_most * share));
        let x = left + (right - left) * share;
        let seconds = format!("{} s", said(x_most * share));
        text(&mut svg, x, bottom + 20.0, "middle", &seconds);
    }
    for (at, (label, points)) in series.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        svg.push_str("<polyline fill=\"none\" stroke-width=\"2\" ");
        let _ = write!(svg, r#"stroke="{colour}" points=""#);
        for (x, y) in points {
            let x = left + (right - left) * x / x_most;
            let y = bottom - (bottom - top) * y / y_most;
            let _ = write!(svg, "{x:.1},{y:.1} ");
        }
        svg.push_str("\"/>\n");
        let x = left + 120.0 * at as f64;
        let _ = writeln!(
            svg,
            r#"<rect x="{x}" y="40" width="10" height="10" fill="{colour}"/>"#
        );
        text(&mut svg, x + 16.0, 49.0, "start", label);
    }
    svg.push_str("</svg>\n");
    svg
}

fn begin(title: &str, height: f64) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222222\" role=\"img\">\n\
         <title>{0}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escaped(title)
    );
    let _ = writeln!(
        svg,
        r#"<text x="{MARGIN}" y="28" font-size="16" font-weight="bold">{}</text>"#,
        escaped(title)
    );
    svg
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, said: &str) {
    let said = escaped(said);
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{said}</text>"#
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Three digits that say something.
fn said(value: f64) -> String {
    let decimals = match value.abs() {
        it if it >= 100.0 || it == 0.0 => 0,
        it if it >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_largest_number() {
        let bars_of = |values: &[f64]| {
            let named = values.iter().map(|it| ("a <b>".to_owned(), *it)).collect();
            bars("fan-out", &[("ms".to_owned(), named)])
        };
        let svg = bars_of(&[10.0, 20.0]);
        assert!(svg.contains(r#"width="230.0""#), "{svg}");
        assert!(svg.contains(r#"width="460.0""#), "{svg}");
        assert!(svg.contains("a &lt;b&gt;") && !svg.contains("<b>"));
        assert!(bars_of(&[0.0]).contains(r#"width="0.0""#));
    }

    #[test]
    fn a_line_ends_at_its_last_point() {
        let points = vec![(0.0, 0.0), (60.0, 5.0)];
        let svg = lines("memory", &[("sinew".to_owned(), points)]);
        assert!(svg.contains(r#"points="80.0,224.0 700.0,60.0 ""#), "{svg}");
        assert!(svg.contains(">60.0 s<") && svg.ends_with("</svg>\n"));
    }
}
